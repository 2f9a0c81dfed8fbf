/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "test.h"
#include "uevent-sequence.h"
#include "uevent.h"
#include "util.h"

/* As lib/kobject_uevent.c makes it; a literal's own NUL ends it. */
static const char range_added[] =
        "add@/devices/virtual/memory_range/range3\0ACTION=add\0"
        "DEVPATH=/devices/virtual/memory_range/range3\0SUBSYSTEM=memory_range\0"
        "MEMORY_RANGE_REMAINDER_OF=range0\0SEQNUM=18446744073709551615";

static void the_kernels_event_is_read(void **state) {
        struct uevent event;

        assert_int_equal(uevent_parse(range_added, sizeof(range_added), &event), 0);
        assert_string_equal(event.action, "add");
        assert_string_equal(event.subsystem, "memory_range");
        assert_string_equal(event.name, "range3");
        assert_true(event.seqnum == UINT64_MAX);
        assert_string_equal(uevent_property(&event, "MEMORY_RANGE_REMAINDER_OF"), "range0");
        assert_null(uevent_property(&event, "MEMORY_RANGE_REMAINDER"));
        assert_null(uevent_property(&event, "REMAINDER_OF"));
        (void)state;
}

static void anything_else_is_refused(void **state) {
        static const struct {
                const char *bytes;
                size_t size;
        } bad[] = {
#define BAD(text) { text, sizeof(text) }
                { "", 0 },
                BAD(""),
                BAD("libudev\0ACTION=add\0SUBSYSTEM=memory\0DEVPATH=/x\0SEQNUM=1"),
                BAD("add@/x"),
                BAD("add@/x\0SUBSYSTEM=memory\0DEVPATH=/x\0SEQNUM=1"),
                BAD("add@/x\0ACTION=add\0DEVPATH=/x\0SEQNUM=1"),
                BAD("add@/x\0ACTION=add\0SUBSYSTEM=memory\0SEQNUM=1"),
                BAD("add@/x\0ACTION=add\0SUBSYSTEM=memory\0DEVPATH=/x"),
                BAD("add@/x\0ACTION=add\0SUBSYSTEM=memory\0DEVPATH=/x\0SEQNUM=1x"),
                BAD("add@/x\0ACTION=add\0SUBSYSTEM=memory\0DEVPATH=/x\0SEQNUM="),
                BAD("add@/x\0ACTION=add\0SUBSYSTEM=memory\0DEVPATH=/x\0SEQNUM=18446744073709551616"),
#undef BAD
        };
        struct uevent event;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(uevent_parse(bad[i].bytes, bad[i].size, &event), -EBADMSG);
        /* Without its last NUL. */
        assert_int_equal(uevent_parse(range_added, sizeof(range_added) - 1, &event), -EBADMSG);
        (void)state;
}

static void late_is_not_lost(void **state) {
        struct uevent_sequence sequence = { 0 };

        assert_true(uevent_sequence_take(&sequence, 7));
        assert_true(uevent_sequence_take(&sequence, 8));
        assert_false(uevent_sequence_give_up(&sequence));
        /* 9 and 10 come behind 11. */
        assert_true(uevent_sequence_take(&sequence, 11));
        assert_true(uevent_sequence_take(&sequence, 9));
        assert_true(sequence.missing != 0);
        assert_true(uevent_sequence_take(&sequence, 10));
        assert_true(sequence.missing == 0);
        /* Twice is no more than once, and what came before the first is nobody's. */
        assert_true(uevent_sequence_take(&sequence, 10));
        assert_true(uevent_sequence_take(&sequence, 3));
        assert_false(uevent_sequence_give_up(&sequence));
        (void)state;
}

static void what_never_comes_is_lost(void **state) {
        struct uevent_sequence sequence = { 0 };

        assert_true(uevent_sequence_take(&sequence, 1));
        assert_true(uevent_sequence_take(&sequence, 3));
        for (uint64_t seqnum = 4; seqnum <= 66; seqnum++)
                assert_true(uevent_sequence_take(&sequence, seqnum));
        /* 2 falls out of the window. */
        assert_false(uevent_sequence_take(&sequence, 67));
        assert_true(sequence.missing == 0);
        assert_true(uevent_sequence_take(&sequence, 69));
        assert_true(uevent_sequence_give_up(&sequence));
        assert_false(uevent_sequence_give_up(&sequence));
        /* The widest gap that is waited for, and one more. */
        assert_true(uevent_sequence_take(&sequence, 69 + 64));
        assert_true(sequence.missing == UINT64_MAX >> 1);
        assert_true(uevent_sequence_give_up(&sequence));
        assert_false(uevent_sequence_take(&sequence, 69 + 64 + 65));
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_kernels_event_is_read),
                cmocka_unit_test(anything_else_is_refused),
                cmocka_unit_test(late_is_not_lost),
                cmocka_unit_test(what_never_comes_is_lost),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
