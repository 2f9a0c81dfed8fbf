/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <string.h>

#include "inventory-diff.h"
#include "selector.h"
#include "test.h"

static const struct extent boot = { 0, 8, 0, RANGE_NONE, BLOCK_ONLINE, ZONE_NORMAL, KIND_BOOT };

struct difference {
        int answer;
        bool gone;
        char *changed;
};

static struct difference diff(const struct inventory *before, const struct inventory *now) {
        struct span_list changed = { 0 };
        struct difference difference = { 0 };

        difference.answer = inventory_diff(before, now, &changed, &difference.gone);
        difference.changed = format_span_list(&changed);
        assert_non_null(difference.changed);
        span_list_clear(&changed);
        return difference;
}

#define assert_diff(before, now, expected_answer, expected_gone, expected_changed)                                     \
        do {                                                                                                           \
                struct difference difference = diff(before, now);                                                      \
                assert_int_equal(difference.answer, expected_answer);                                                  \
                assert_int_equal(difference.gone, expected_gone);                                                      \
                assert_string_equal(difference.changed, expected_changed);                                             \
                free(difference.changed);                                                                              \
        } while (0)

static void set(struct inventory *inventory, struct extent extent) {
        assert_int_equal(extent_list_set(&inventory->extents, &extent), 0);
}

static void blocks_that_changed_are_named(void **state) {
        struct inventory before = { .block_size_bytes = 1 }, now = { .block_size_bytes = 1 };
        struct extent extent = boot;

        set(&before, boot);
        set(&now, boot);
        assert_diff(&before, &now, 0, false, "no blocks");

        extent.first_block = 2;
        extent.n_blocks = 3;
        extent.state = BLOCK_OFFLINE;
        set(&now, extent);
        assert_diff(&before, &now, 1, false, "memory2-4");

        /* New ones behind a hole count, too. */
        extent.first_block = 20;
        set(&now, extent);
        assert_diff(&before, &now, 1, false, "memory2-4,20-22");

        extent_list_clear(&before.extents);
        extent_list_clear(&now.extents);
        (void)state;
}

static void blocks_that_are_gone_are_told(void **state) {
        struct inventory before = { .block_size_bytes = 1 }, now = { .block_size_bytes = 1 };

        set(&before, boot);
        set(&now, boot);
        assert_int_equal(extent_list_remove(&now.extents, (struct span){ 3, 1 }), 0);
        assert_diff(&before, &now, 1, true, "no blocks");
        /* As many came as went. */
        set(&now, (struct extent){ 30, 1, 0, RANGE_NONE, BLOCK_ONLINE, ZONE_NORMAL, KIND_BOOT });
        assert_diff(&before, &now, 1, true, "memory30");
        extent_list_clear(&before.extents);
        extent_list_clear(&now.extents);
        (void)state;
}

/* A range that comes before another moves its index, and nothing else about its blocks. */
static void a_moved_index_is_no_change(void **state) {
        struct range ranges_before[] = { { .number = 5, .exported = true, .span = { 40, 8 }, .name = (char *)"x" } };
        struct range ranges_now[] = { { .number = 6, .exported = true, .span = { 20, 8 }, .name = (char *)"x" },
                                      ranges_before[0] };
        struct inventory before = { .block_size_bytes = 1, .ranges = ranges_before, .n_ranges = 1 };
        struct inventory now = { .block_size_bytes = 1, .ranges = ranges_now, .n_ranges = 2 };
        struct extent extent = { 40, 8, 0, 0, BLOCK_ONLINE, ZONE_MOVABLE, KIND_HOT_ADDED };

        set(&before, extent);
        extent.range = 1;
        set(&now, extent);
        /* The new range is one. */
        assert_diff(&before, &now, 1, false, "no blocks");
        /* The same number from the kernel and from an estimate are two ranges. */
        ranges_now[1].exported = false;
        assert_diff(&before, &now, 1, false, "memory40-47");
        extent_list_clear(&before.extents);
        extent_list_clear(&now.extents);
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(blocks_that_changed_are_named),
                cmocka_unit_test(blocks_that_are_gone_are_told),
                cmocka_unit_test(a_moved_index_is_no_change),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
