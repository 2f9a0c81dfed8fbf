/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory-diff.h"
#include "inventory-wire.h"
#include "test.h"

static struct inventory *make_inventory(void) {
        struct inventory *inventory = calloc(1, sizeof(*inventory));

        assert_non_null(inventory);
        inventory->block_size_bytes = 128U << 20;
        inventory->machine = (struct machine){ ARCH_ARM64, 16384, true };
        inventory->guard = GUARD_OFFLINE;
        inventory->source = GRANULARITY_SOURCE_ESTIMATED;
        strcpy(inventory->auto_online, "online_movable");
        inventory->next_estimate = 7;
        inventory->has_zones = true;
        inventory->estimates_stale = true;
        inventory->ranges = calloc(2, sizeof(*inventory->ranges));
        inventory->nodes = calloc(1, sizeof(*inventory->nodes));
        assert_non_null(inventory->ranges);
        assert_non_null(inventory->nodes);
        inventory->ranges[0] = (struct range){
                .number = 3,
                .exported = true,
                .span = { 40, 16 },
                .node = NODE_NONE,
                .name = strdup("System RAM"),
                .driver = DRIVER_OTHER,
                .kind = KIND_HOT_ADDED,
                .mapping_granularity_bytes = 1U << 30,
                .removal_granularity_bytes = 128U << 20,
                .source = GRANULARITY_SOURCE_KERNEL,
        };
        inventory->ranges[1] = (struct range){
                .number = 6,
                .span = { 80, 8 },
                .node = 1,
                .name = strdup(""),
                .device = strdup("dax0.0"),
                .driver = DRIVER_DAX,
                .kind = KIND_UNKNOWN,
                .source = GRANULARITY_SOURCE_ESTIMATED,
        };
        inventory->n_ranges = 2;
        inventory->nodes[0] = (struct node_memory){ 1, 4096, 2048, 1024, 5 };
        inventory->n_nodes = 1;
        assert_int_equal(extent_list_append(&inventory->extents, &(struct extent){ 0, 32, 0, RANGE_NONE, BLOCK_ONLINE,
                                                                                   ZONE_NORMAL, KIND_BOOT }),
                         0);
        assert_int_equal(
                extent_list_append(&inventory->extents, &(struct extent){ 40, 16, NODE_NONE, 0, BLOCK_GOING_OFFLINE,
                                                                          ZONE_MOVABLE, KIND_HOT_ADDED }),
                0);
        return inventory;
}

static void everything_arrives(void **state) {
        struct inventory *sent = make_inventory(), *got;
        struct span_list changed = { 0 };
        bool gone;
        void *bytes;
        size_t size;

        assert_int_equal(inventory_encode(sent, &bytes, &size), 0);
        assert_int_equal(inventory_decode(bytes, size, &got), 0);

        assert_int_equal(inventory_diff(sent, got, &changed, &gone), 0);
        assert_memory_equal(&got->machine.page_size_bytes, &sent->machine.page_size_bytes, sizeof(uint64_t));
        assert_int_equal(got->machine.arch, ARCH_ARM64);
        assert_true(got->machine.has_1g_pages);
        assert_int_equal(got->block_size_bytes, sent->block_size_bytes);
        assert_int_equal(got->next_estimate, 7);
        assert_true(got->has_zones);
        assert_true(got->estimates_stale);
        assert_null(got->ranges[0].device);
        assert_string_equal(got->ranges[1].device, "dax0.0");
        assert_int_equal(got->extents.items[1].zone, ZONE_MOVABLE);
        assert_int_equal(got->extents.items[1].node, NODE_NONE);
        assert_int_equal(got->n_nodes, 1);
        assert_int_equal(got->nodes[0].node, 1);
        assert_int_equal(got->nodes[0].total_bytes, 4096);
        assert_int_equal(got->nodes[0].free_bytes, 2048);
        assert_int_equal(got->nodes[0].reclaimable_bytes, 1024);
        assert_int_equal(got->nodes[0].free_huge_pages, 5);

        inventory_free(sent);
        inventory_free(got);
        free(bytes);
        (void)state;
}

/* Wherever it is cut, and whatever hangs on behind, it is refused. */
static void what_is_cut_or_too_long_is_refused(void **state) {
        struct inventory *sent = make_inventory(), *got;
        unsigned char *longer;
        void *bytes;
        size_t size;

        assert_int_equal(inventory_encode(sent, &bytes, &size), 0);
        for (size_t cut = 0; cut < size; cut++)
                assert_int_equal(inventory_decode(bytes, cut, &got), -EBADMSG);
        longer = calloc(1, size + 1);
        assert_non_null(longer);
        memcpy(longer, bytes, size);
        assert_int_equal(inventory_decode(longer, size + 1, &got), -EBADMSG);
        free(longer);
        free(bytes);
        inventory_free(sent);
        (void)state;
}

static void a_range_that_is_not_there_is_refused(void **state) {
        struct inventory *sent = make_inventory(), *got;
        void *bytes;
        size_t size;

        sent->extents.items[1].range = 2;
        assert_int_equal(inventory_encode(sent, &bytes, &size), 0);
        assert_int_equal(inventory_decode(bytes, size, &got), -EBADMSG);
        free(bytes);
        inventory_free(sent);
        (void)state;
}

static void a_word_outside_its_enum_is_refused(void **state) {
        struct inventory *sent = make_inventory(), *got;
        void *bytes;
        size_t size;

        sent->extents.items[0].zone = _BLOCK_ZONE_MAX;
        assert_int_equal(inventory_encode(sent, &bytes, &size), 0);
        assert_int_equal(inventory_decode(bytes, size, &got), -EBADMSG);
        free(bytes);
        inventory_free(sent);
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(everything_arrives),
                cmocka_unit_test(what_is_cut_or_too_long_is_refused),
                cmocka_unit_test(a_range_that_is_not_there_is_refused),
                cmocka_unit_test(a_word_outside_its_enum_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
