/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "plan-fixture.h"
#include "test.h"
#include "util.h"

static void offline(void **state) {
        struct inventory *inventory = model_server();
        static const struct row rows[] = {
                { VERB_OFFLINE, "40-47", 0, "offline 40-47", "" },
                { VERB_OFFLINE, "range0", 0, "offline 40-47, offline 48-55", "" },
                { VERB_OFFLINE, "0x140000000+1G", 0, "offline 40-47", "" },
                { VERB_OFFLINE, "44", 0, "", "splits-mapping 44" },
                { VERB_OFFLINE, "41,44-45", 0, "", "splits-mapping 41, splits-mapping 44-45" },
                { VERB_OFFLINE, "44-51", 0, "", "splits-mapping 44-47, splits-mapping 48-51" },
                { VERB_OFFLINE, "40-47 48", 0, "", "splits-mapping 48" },
                { VERB_OFFLINE, "40-47 48", BEST_EFFORT, "offline 40-47", "splits-mapping 48" },
                { VERB_OFFLINE, "44", PARTIAL, "offline 44", "" },
                { VERB_OFFLINE, "44-51", PARTIAL, "offline 44-47, offline 48-51", "" },
                /* offline already: nothing to do, and nothing wrong with it */
                { VERB_OFFLINE, "88-92", 0, "", "" },
                { VERB_OFFLINE, "88", 0, "", "" },
                /* blocks of a range that no whole leaf fits into go one by one */
                { VERB_OFFLINE, "104", 0, "offline 104", "" },
                /* boot memory, never on arm64 */
                { VERB_OFFLINE, "3-4", 0, "", "boot-memory 3-4" },
                { VERB_OFFLINE, "3 range0", 0, "", "boot-memory 3" },
                { VERB_OFFLINE, "all", BEST_EFFORT | EMPTY_NODE,
                  "offline 40-47, offline 48-55, offline 72-79, offline 104, offline 105", "boot-memory 0-15" },
                { VERB_OFFLINE, "node0", 0, "", "boot-memory 0-15" },
                /* not there */
                { VERB_OFFLINE, "200", 0, "", "no-such-block" },
                { VERB_OFFLINE, "range7", 0, "", "no-such-block" },
                { VERB_OFFLINE, "est0", 0, "", "no-such-block" },
                { VERB_OFFLINE, "node7", 0, "", "no-such-block" },
                { VERB_OFFLINE, "device:dax9.9", 0, "", "no-such-block" },
                { VERB_OFFLINE, "56", 0, "", "hole 56" },
                { VERB_OFFLINE, "40-57", 0, "", "hole 56-57" },
                { VERB_OFFLINE, "40-57", BEST_EFFORT, "offline 40-47, offline 48-55", "hole 56-57" },
                { VERB_OFFLINE, "104-300", 0, "", "hole 106-300" },
                /* a node's last memory */
                { VERB_OFFLINE, "node1", 0, "", "no-headroom 72-79, no-headroom 104-105" },
                { VERB_OFFLINE, "node1", EMPTY_NODE, "offline 72-79, offline 104, offline 105", "" },
                { VERB_OFFLINE, "device:dax0.0", 0, "offline 72-79", "" },
                { VERB_OFFLINE, "44 node1", 0, "", "splits-mapping 44, no-headroom 72-79, no-headroom 104-105" },
        };
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));
        inventory_free(inventory);
        (void)state;
}

/* The result is tested, not the request: a half-offline unit may be completed. */
static void half_offline_units(void **state) {
        struct inventory *inventory = model_server();
        static const struct row rows[] = {
                { VERB_OFFLINE, "40-43,46-47", 0, "offline 40-43, offline 46-47", "" },
                { VERB_OFFLINE, "40-47", 0, "offline 40-43, offline 46-47", "" },
                { VERB_OFFLINE, "40-43", 0, "", "splits-mapping 40-43" },
                { VERB_OFFLINE, "44-45", 0, "", "" },
                { VERB_OFFLINE, "43-44", 0, "", "splits-mapping 43-44" },
                { VERB_ONLINE, "44-45", 0, "online_movable 44-45", "" },
                { VERB_ONLINE, "44", 0, "online_movable 44", "" },
        };
        model_set_blocks(inventory, 44, 2, 0, BLOCK_OFFLINE, ZONE_NONE);
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));
        inventory_free(inventory);
        (void)state;
}

static void unknown_granularity_makes_the_range_one_unit(void **state) {
        struct inventory *inventory = model_server();
        static const struct row rows[] = {
                { VERB_OFFLINE, "40-47", 0, "", "splits-mapping 40-47" },
                { VERB_OFFLINE, "40-55", 0, "offline 40-55", "" },
                { VERB_OFFLINE, "2G", 0, "offline 40-55", "" },
        };
        inventory->ranges[0].removal_granularity_bytes = GRANULARITY_UNKNOWN;
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));

        struct plan *plan = make_plan(inventory, NULL, VERB_OFFLINE, "44", 0);
        assert_string_equal(plan->refusals[0].text,
                            "memory44 (128 MiB) is part of a kernel mapping of unknown size, memory40-55 of range0\n"
                            "  whole mapping:      memctl offline memory40-55\n"
                            "  this part only:     memctl offline --partial memory44   (stays mapped; can be removed "
                            "only with memory40-55 all offline)");
        plan_free(plan);
        inventory_free(inventory);
        (void)state;
}

static void boot_memory_of_x86_goes_where_it_is_named(void **state) {
        struct inventory *inventory = model_server();
        static const struct row rows[] = {
                { VERB_OFFLINE, "3-4", 0, "offline 3, offline 4", "" },
                { VERB_OFFLINE, "0x18000000+128M", 0, "offline 3", "" },
                { VERB_OFFLINE, "node0", 0, "", "boot-memory 0-15" },
                { VERB_OFFLINE, "3 node0", BEST_EFFORT, "offline 3, offline 40-47, offline 48-55",
                  "boot-memory 0-2, boot-memory 4-15" },
                { VERB_REMOVE, "3", 0, "", "boot-memory 3" },
                /* never a candidate of an amount, unless it is named */
                { VERB_OFFLINE, "128M node0", 0, "", "not-enough" },
                { VERB_OFFLINE, "256M 3-6", 0, "offline 6, offline 5", "" },
        };
        inventory->machine.arch = ARCH_X86_64;
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));
        inventory_free(inventory);
        (void)state;
}

static void online(void **state) {
        struct inventory *inventory = model_server();
        static const struct row rows[] = {
                { VERB_ONLINE, "range2", 0,
                  "online_movable 88, online_movable 89, online_movable 90, online_movable 91, online_movable 92", "" },
                { VERB_ONLINE, "88", ZONE_KERNEL, "online_kernel 88", "" },
                { VERB_ONLINE, "40-55", 0, "online_movable 42-43, online_kernel 50", "" },
                { VERB_ONLINE, "42", ZONE_MOVE, "online_movable 42", "" },
                { VERB_ONLINE, "42", ZONE_KERNEL, "", "zone 42" },
                { VERB_ONLINE, "50", ZONE_MOVE, "", "zone 50" },
                { VERB_ONLINE, "40-55", ZONE_KERNEL | BEST_EFFORT, "online_kernel 50", "zone 40-47" },
                { VERB_ONLINE, "range1", 0, "", "" },
                { VERB_ONLINE, "3", 0, "online 3", "" },
                { VERB_ONLINE, "56", 0, "", "hole 56" },
        };
        model_set_blocks(inventory, 42, 2, 0, BLOCK_OFFLINE, ZONE_NONE);
        model_set_blocks(inventory, 48, 8, 0, BLOCK_ONLINE, ZONE_NORMAL);
        model_set_blocks(inventory, 50, 1, 0, BLOCK_OFFLINE, ZONE_NONE);
        model_set_blocks(inventory, 3, 1, 0, BLOCK_OFFLINE, ZONE_NONE);
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));
        inventory_free(inventory);
        (void)state;
}

static struct policy_set make_policies(const char *text) {
        struct policy_set set = { calloc(1, sizeof(struct policy)), 1 };
        struct policy_problems problems = { 0 };

        assert_int_equal(policy_parse("50-test", "/etc/50-test.policy", text, &set.items[0], &problems), 0);
        return set;
}

static void policies_bind(void **state) {
        struct inventory *inventory = model_server();
        struct policy_set set = make_policies(
                "[Match]\nDriver=acpi\n[Online]\nZone=kernel\n"
                "[Offline]\nPartial=refuse\nTimeoutSec=7\nKeepAvailable=8G\n"
                "[Remove]\nAllow=no\n");
        static const struct row rows[] = {
                { VERB_OFFLINE, "44", PARTIAL, "", "policy 44" },
                { VERB_OFFLINE, "75", PARTIAL, "offline 75", "" },
                { VERB_OFFLINE, "44 75", PARTIAL, "", "policy 44" },
                { VERB_OFFLINE, "44 75", PARTIAL | BEST_EFFORT, "offline 75", "policy 44" },
                { VERB_REMOVE, "range0", 0, "", "policy 40-55" },
                { VERB_REMOVE, "device:dax0.0", 0, "offline 72-79", "" },
                { VERB_ONLINE, "48", 0, "online_kernel 48", "" },
                { VERB_OFFLINE, "40-47", 0, "offline 40-47", "" },
                { VERB_OFFLINE, "40-47 72-79", 0, "", "no-headroom" },
        };
        model_set_blocks(inventory, 48, 8, 0, BLOCK_OFFLINE, ZONE_NONE);
        check_rows(inventory, &set, rows, ARRAY_SIZE(rows));

        struct plan *plan = make_plan(inventory, &set, VERB_OFFLINE, "44", 0);
        assert_string_equal(plan->refusals[0].text,
                            "memory44 (128 MiB) is part of a 1 GiB kernel mapping, memory40-47 of range0\n"
                            "  whole mapping:      memctl offline memory40-47");
        plan_free(plan);

        plan = make_plan(inventory, &set, VERB_OFFLINE, "40-47", 0);
        assert_int_equal(plan->timeout_usec, 7000000);
        plan_free(plan);
        plan = make_plan(inventory, &set, VERB_OFFLINE, "72-79", 0);
        assert_int_equal(plan->timeout_usec, 60000000);
        plan_free(plan);
        policy_set_clear(&set);
        inventory_free(inventory);
        (void)state;
}

static void removal(void **state) {
        struct inventory *inventory = model_server();
        static const struct row rows[] = {
                { VERB_REMOVE, "range0", 0, "offline 40-47, offline 48-55", "" },
                { VERB_REMOVE, "device:PNP0C80:00", 0, "offline 40-47, offline 48-55", "" },
                { VERB_REMOVE, "40-47", 0, "", "whole-device 40-47" },
                { VERB_REMOVE, "3", 0, "", "boot-memory 3" },
                { VERB_REMOVE, "104", 0, "", "hypervisor-owned 104" },
                { VERB_REMOVE, "range2", 0, "", "not-removable 88-92" },
                { VERB_REMOVE, "all", 0, "", "boot-memory 0-15, not-removable 88-92, hypervisor-owned 104-105" },
                { VERB_REMOVE, "all", BEST_EFFORT, "offline 40-47, offline 48-55, offline 72-79",
                  "boot-memory 0-15, not-removable 88-92, hypervisor-owned 104-105" },
        };
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));

        struct plan *plan = make_plan(inventory, NULL, VERB_REMOVE, "range0 range1", 0);
        assert_int_equal(plan->n_removals, 2);
        assert_int_equal(plan->removals[0].span.first_block, 40);
        assert_int_equal(plan->removals[0].span.n_blocks, 16);
        assert_string_equal(plan->removals[0].device, "PNP0C80:00");
        assert_int_equal(plan->removals[1].driver, DRIVER_DAX);
        plan_free(plan);

        /* One device with two ranges goes as one; a device that is not known cannot go. */
        struct range *second = model_add_range(inventory, 4, 112, 8, 0, DRIVER_ACPI, "PNP0C80:00", GIB);
        static const struct row two[] = {
                { VERB_REMOVE, "range0", 0, "", "whole-device 40-55" },
                { VERB_REMOVE, "range0 range4", 0, "offline 40-47, offline 48-55", "" },
        };
        check_rows(inventory, NULL, two, ARRAY_SIZE(two));
        free(second->device);
        second->device = NULL;
        static const struct row lost[] = { { VERB_REMOVE, "range4", 0, "", "not-removable 112-119" } };
        check_rows(inventory, NULL, lost, ARRAY_SIZE(lost));

        /* A driver that takes parts must take whole leaves. */
        inventory->ranges[2].driver = DRIVER_PSERIES;
        inventory->ranges[0].driver = DRIVER_PSERIES;
        static const struct row parts[] = {
                { VERB_REMOVE, "44", 0, "", "splits-mapping 44" },
                { VERB_REMOVE, "40-47", 0, "offline 40-47", "" },
                { VERB_REMOVE, "88", 0, "", "" },
        };
        check_rows(inventory, NULL, parts, ARRAY_SIZE(parts));
        plan = make_plan(inventory, NULL, VERB_REMOVE, "44", 0);
        assert_string_equal(plan->refusals[0].text,
                            "memory44 (128 MiB) is part of a 1 GiB kernel mapping, memory40-47 of range0\n"
                            "  whole mapping:      memctl remove memory40-47");
        plan_free(plan);
        inventory_free(inventory);
        (void)state;
}

static void unknown_memory_is_never_removed(void **state) {
        struct inventory *inventory = model_new();
        struct range *range = model_add_range(inventory, 0, 32, 16, 0, DRIVER_OTHER, NULL, GIB);

        range->exported = false;
        range->kind = KIND_UNKNOWN;
        range->source = GRANULARITY_SOURCE_ESTIMATED;
        model_set_blocks(inventory, 32, 16, 0, BLOCK_ONLINE, ZONE_NORMAL);
        static const struct row rows[] = {
                { VERB_OFFLINE, "32-39", 0, "offline 32-39", "" },
                { VERB_OFFLINE, "est0", EMPTY_NODE, "offline 32-39, offline 40-47", "" },
                { VERB_REMOVE, "est0", 0, "", "not-removable 32-47" },
        };
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));

        /* Not even where there would be a way. */
        range->driver = DRIVER_PSERIES;
        check_rows(inventory, NULL, &rows[2], 1);

        struct plan *plan = make_plan(inventory, NULL, VERB_OFFLINE, "36", 0);
        assert_string_equal(plan->refusals[0].text,
                            "memory36 (128 MiB) is part of a 1 GiB kernel mapping (estimated), memory32-39 of est0\n"
                            "  whole mapping:      memctl offline memory32-39\n"
                            "  this part only:     memctl offline --partial memory36   (stays mapped; can be removed "
                            "only with memory32-39 all offline)");
        plan_free(plan);
        inventory_free(inventory);
        (void)state;
}

static void side_effects(void **state) {
        struct inventory *inventory = model_server();

        inventory->nodes[1].free_huge_pages = 12;
        struct plan *plan = make_plan(inventory, NULL, VERB_OFFLINE, "node1", EMPTY_NODE);
        assert_int_equal(plan->n_side_effects, 2);
        assert_int_equal(plan->side_effects[0].kind, SIDE_EFFECT_EMPTY_NODE);
        assert_int_equal(plan->side_effects[0].amount, 1);
        assert_int_equal(plan->side_effects[1].kind, SIDE_EFFECT_HUGE_PAGES);
        assert_int_equal(plan->side_effects[1].amount, 12);
        assert_int_equal(plan->bytes_total, 10 * 128 * MIB);
        plan_free(plan);

        plan = make_plan(inventory, NULL, VERB_OFFLINE, "44-45", PARTIAL);
        assert_int_equal(plan->n_side_effects, 1);
        assert_int_equal(plan->side_effects[0].kind, SIDE_EFFECT_PARTIAL);
        assert_int_equal(plan->side_effects[0].amount, 256 * MIB);
        plan_free(plan);

        /* A whole unit asked for with --partial is no partial one. */
        plan = make_plan(inventory, NULL, VERB_OFFLINE, "40-47", PARTIAL);
        assert_int_equal(plan->n_side_effects, 0);
        plan_free(plan);
        inventory_free(inventory);
        (void)state;
}

/* A block that came without a range: who knows how it is mapped. */
static void blocks_without_a_range_yet_are_one_unit(void **state) {
        struct inventory *inventory = model_server();

        for (uint64_t block = 120; block < 128; block++) {
                struct extent extent = { block, 1, 0, RANGE_NONE, BLOCK_ONLINE, ZONE_MOVABLE, KIND_UNKNOWN };
                extent.state = block % 2 == 0 ? BLOCK_ONLINE : BLOCK_OFFLINE;
                assert_int_equal(extent_list_set(&inventory->extents, &extent), 0);
        }
        static const struct row rows[] = {
                { VERB_OFFLINE, "122", 0, "", "splits-mapping 122" },
                { VERB_OFFLINE, "120-127", 0, "offline 120, offline 122, offline 124, offline 126", "" },
                { VERB_REMOVE, "120-127", 0, "", "not-removable 120-127" },
        };
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));
        inventory_free(inventory);
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(offline),
                cmocka_unit_test(half_offline_units),
                cmocka_unit_test(unknown_granularity_makes_the_range_one_unit),
                cmocka_unit_test(boot_memory_of_x86_goes_where_it_is_named),
                cmocka_unit_test(online),
                cmocka_unit_test(policies_bind),
                cmocka_unit_test(removal),
                cmocka_unit_test(unknown_memory_is_never_removed),
                cmocka_unit_test(side_effects),
                cmocka_unit_test(blocks_without_a_range_yet_are_one_unit),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
