/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "plan.h"
#include "test.h"
#include "util.h"

enum {
        PARTIAL = 1 << 0,
        BEST_EFFORT = 1 << 1,
        IGNORE_HEADROOM = 1 << 2,
        EMPTY_NODE = 1 << 3,
        ZONE_KERNEL = 1 << 4,
        ZONE_MOVE = 1 << 5,
};

static struct request make_request(enum verb verb, const struct selector_list *selectors, unsigned flags) {
        return (struct request){
                .verb = verb,
                .selectors = selectors,
                .partial = flags & PARTIAL,
                .best_effort = flags & BEST_EFFORT,
                .ignore_headroom = flags & IGNORE_HEADROOM,
                .empty_node = flags & EMPTY_NODE,
                .has_zone = flags & (ZONE_KERNEL | ZONE_MOVE),
                .zone = flags & ZONE_MOVE ? ONLINE_ZONE_MOVABLE : ONLINE_ZONE_KERNEL,
        };
}

/* Each suggestion, run as the command line would, is accepted and does something. */
static void assert_suggestions_hold(const struct inventory *inventory, const struct policy_set *policies,
                                    const struct plan *plan) {
        for (size_t i = 0; i < plan->n_refusals; i++)
                for (size_t k = 0; k < plan->refusals[i].n_suggestions; k++) {
                        char words[4096], *rest = words, *word, selectors[4096] = "", *message = NULL;
                        enum verb verb;
                        unsigned flags = 0;

                        assert_true(strlen(plan->refusals[i].suggestions[k]) < sizeof(words));
                        strcpy(words, plan->refusals[i].suggestions[k]);
                        assert_non_null(strstr(plan->refusals[i].text, words));
                        assert_string_equal(strsep(&rest, " "), "memctl");
                        assert_int_equal(verb_from_string(strsep(&rest, " "), &verb), 0);
                        while ((word = strsep(&rest, " "))) {
                                if (strcmp(word, "--partial") == 0)
                                        flags |= PARTIAL;
                                else if (strcmp(word, "--ignore-headroom") == 0)
                                        flags |= IGNORE_HEADROOM;
                                else if (strcmp(word, "--empty-node") == 0)
                                        flags |= EMPTY_NODE;
                                else if (strcmp(word, "--zone=kernel") == 0)
                                        flags |= ZONE_KERNEL;
                                else
                                        strcat(strcat(selectors, word), " ");
                        }

                        struct selector_list list;
                        struct plan *suggested = NULL;
                        model_select(selectors, inventory->block_size_bytes, &list);
                        struct request request = make_request(verb, &list, flags);
                        assert_int_equal(plan_make(inventory, policies, &request, &suggested, &message), 0);
                        assert_int_equal(suggested->n_refusals, 0);
                        assert_true(suggested->n_steps > 0 || suggested->n_removals > 0);
                        plan_free(suggested);
                        selector_list_clear(&list);
                }
}

static struct plan *make_plan(const struct inventory *inventory, const struct policy_set *policies, enum verb verb,
                              const char *words, unsigned flags) {
        struct selector_list list;
        struct plan *plan = NULL;
        char *message = NULL;

        model_select(words, inventory->block_size_bytes, &list);
        struct request request = make_request(verb, &list, flags);
        int r = plan_make(inventory, policies, &request, &plan, &message);
        if (message)
                print_error("%s\n", message);
        assert_int_equal(r, 0);
        selector_list_clear(&list);
        assert_suggestions_hold(inventory, policies, plan);
        return plan;
}

struct row {
        enum verb verb;
        const char *words;
        unsigned flags;
        const char *steps, *refusals;
};

static void check_rows(const struct inventory *inventory, const struct policy_set *policies, const struct row *rows,
                       size_t n) {
        for (size_t i = 0; i < n; i++) {
                struct plan *plan = make_plan(inventory, policies, rows[i].verb, rows[i].words, rows[i].flags);
                char *steps = model_steps_to_string(plan->steps, plan->n_steps);
                char *refusals = model_refusals_to_string(plan);

                if (strcmp(steps, rows[i].steps) != 0 || strcmp(refusals, rows[i].refusals) != 0)
                        print_error("row %zu: %s %s\n", i, verb_to_string(rows[i].verb), rows[i].words);
                assert_string_equal(steps, rows[i].steps);
                assert_string_equal(refusals, rows[i].refusals);
                free(steps);
                free(refusals);
                plan_free(plan);
        }
}

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

static void amounts(void **state) {
        struct inventory *inventory = model_server();
        static const struct row rows[] = {
                /* zone Movable first, then the highest address */
                { VERB_OFFLINE, "1G", EMPTY_NODE, "offline 72-79", "" },
                { VERB_OFFLINE, "1G node0", 0, "offline 48-55", "" },
                { VERB_OFFLINE, "2G node0", 0, "offline 48-55, offline 40-47", "" },
                { VERB_OFFLINE, "1152M", EMPTY_NODE, "offline 72-79, offline 105", "" },
                { VERB_OFFLINE, "256M", EMPTY_NODE, "offline 105, offline 104", "" },
                { VERB_OFFLINE, "3G", EMPTY_NODE, "offline 72-79, offline 48-55, offline 40-47", "" },
                { VERB_OFFLINE, "512M", 0, "", "not-enough" },
                { VERB_OFFLINE, "10G", 0, "", "not-enough" },
                { VERB_OFFLINE, "100M", 0, "", "not-enough" },
                { VERB_OFFLINE, "1G 40-47", 0, "offline 40-47", "" },
                { VERB_OFFLINE, "1G 44-51", 0, "", "not-enough" },
                /* targets */
                { VERB_OFFLINE, "=1G range0", 0, "offline 48-55", "" },
                { VERB_OFFLINE, "=640M", 0, "", "" },
                { VERB_OFFLINE, "=512M", 0, "", "" },
                { VERB_OFFLINE, "=1664M node1", EMPTY_NODE, "offline 72-79", "" },
                { VERB_OFFLINE, "=0G", 0, "", "" },
                /* online: the lowest address; range2's five blocks are what is offline */
                { VERB_ONLINE, "256M", 0, "online_movable 88, online_movable 89", "" },
                { VERB_ONLINE, "1G", 0, "", "not-enough" },
                { VERB_ONLINE, "=4G node0", 0, "", "" },
                { VERB_ONLINE, "=1408M node1", 0, "online_movable 88", "" },
        };
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));
        inventory_free(inventory);
        (void)state;
}

static void amounts_finish_half_offline_units_first(void **state) {
        struct inventory *inventory = model_server();
        static const struct row rows[] = {
                { VERB_OFFLINE, "512M", 0, "offline 44-47", "" },
                { VERB_OFFLINE, "1536M", EMPTY_NODE, "offline 44-47, offline 72-79", "" },
                /* taking the half unit would leave 512M that nothing makes up for */
                { VERB_OFFLINE, "1G node0", 0, "offline 48-55", "" },
                { VERB_OFFLINE, "=1G range0", 0, "offline 44-47", "" },
                { VERB_ONLINE, "512M", 0, "online_movable 40-43", "" },
                { VERB_ONLINE, "640M", 0, "online_movable 40-43, online_movable 88", "" },
        };
        model_set_blocks(inventory, 40, 4, 0, BLOCK_OFFLINE, ZONE_NONE);
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));
        inventory_free(inventory);
        (void)state;
}

static void spares_are_units_as_large_as_the_chosen(void **state) {
        struct inventory *inventory = model_server();

        struct plan *plan = make_plan(inventory, NULL, VERB_OFFLINE, "1G", EMPTY_NODE);
        char *spares = model_steps_to_string(plan->spares, plan->n_spares);
        assert_string_equal(spares, "offline 48-55, offline 40-47");
        free(spares);
        plan_free(plan);

        plan = make_plan(inventory, NULL, VERB_OFFLINE, "128M", EMPTY_NODE);
        spares = model_steps_to_string(plan->spares, plan->n_spares);
        assert_string_equal(spares, "offline 104");
        free(spares);
        plan_free(plan);
        inventory_free(inventory);
        (void)state;
}

static unsigned prefer_lowest(struct span unit, void *userdata) {
        (void)userdata;
        return (unsigned)unit.first_block;
}

static void hints_break_ties(void **state) {
        struct inventory *inventory = model_server();
        struct selector_list list;
        struct plan *plan = NULL;
        char *message = NULL;

        model_select("1G", inventory->block_size_bytes, &list);
        struct request request = make_request(VERB_OFFLINE, &list, 0);
        request.hint = prefer_lowest;
        assert_int_equal(plan_make(inventory, NULL, &request, &plan, &message), 0);
        char *steps = model_steps_to_string(plan->steps, plan->n_steps);
        assert_string_equal(steps, "offline 40-47");
        free(steps);
        plan_free(plan);
        selector_list_clear(&list);
        inventory_free(inventory);
        (void)state;
}

static void headroom(void **state) {
        struct inventory *inventory = model_server();
        /* 9 GiB in all, 5 % of what stays are to stay available: of 3 GiB free, 2.68 GiB at most may go. */
        static const struct row rows[] = {
                { VERB_OFFLINE, "range0", 0, "offline 40-47, offline 48-55", "" },
                { VERB_OFFLINE, "range0 72-79", 0, "", "no-headroom" },
                { VERB_OFFLINE, "range0 72-79", IGNORE_HEADROOM, "offline 40-47, offline 48-55, offline 72-79", "" },
                { VERB_OFFLINE, "range0 72-79", BEST_EFFORT, "", "no-headroom" },
                { VERB_OFFLINE, "3G", 0, "", "no-headroom" },
                { VERB_OFFLINE, "2G", 0, "offline 72-79, offline 48-55", "" },
                { VERB_REMOVE, "range0 range1", 0, "", "no-headroom" },
                { VERB_ONLINE, "range2", 0,
                  "online_movable 88, online_movable 89, online_movable 90, online_movable 91, online_movable 92", "" },
        };
        inventory->nodes[0].free_bytes = 2 * GIB;
        inventory->nodes[1].free_bytes = 1 * GIB;
        check_rows(inventory, NULL, rows, ARRAY_SIZE(rows));

        struct plan *plan = make_plan(inventory, NULL, VERB_OFFLINE, "3G", 0);
        assert_string_equal(plan->refusals[0].text,
                            "without 3 GiB less than 326.40 MiB stays available: the largest safe amount is 2.625 GiB\n"
                            "  that is safe:       memctl offline --empty-node 2304M\n"
                            "  regardless:         memctl offline --ignore-headroom 3G   (may end in thrashing or the "
                            "OOM killer)");
        plan_free(plan);

        /* Half of what the kernel can take back counts as available. */
        inventory->nodes[1].reclaimable_bytes = 2 * GIB;
        plan = make_plan(inventory, NULL, VERB_OFFLINE, "range0 72-79", 0);
        assert_int_equal(plan->n_refusals, 0);
        plan_free(plan);
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

static void the_refusal_reads_as_documented(void **state) {
        struct inventory *inventory = model_server();

        struct plan *plan = make_plan(inventory, NULL, VERB_OFFLINE, "44", 0);
        char *text = plan_refusal_text(plan);
        assert_string_equal(text,
                            "memory44 (128 MiB) is part of a 1 GiB kernel mapping, memory40-47 of range0\n"
                            "  whole mapping:      memctl offline memory40-47\n"
                            "  this part only:     memctl offline --partial memory44   (stays mapped; can be removed "
                            "only with memory40-47 all offline)");
        free(text);
        assert_true(plan_refused_only_splits(plan));
        assert_int_equal(plan->refusals[0].n_suggestions, 2);
        plan_free(plan);

        plan = make_plan(inventory, NULL, VERB_OFFLINE, "44 3", 0);
        assert_false(plan_refused_only_splits(plan));
        assert_int_equal(plan->n_refusals, 2);
        plan_free(plan);

        plan = make_plan(inventory, NULL, VERB_OFFLINE, "node0", 0);
        assert_string_equal(plan->refusals[0].text,
                            "memory0-15 (2 GiB) is boot memory, which arm64 never takes offline\n"
                            "  the rest:           memctl offline memory40-55");
        plan_free(plan);

        /* Where nothing is left, it says where to look. */
        static const struct {
                enum verb verb;
                const char *words, *text;
        } no_way[] = {
                { VERB_OFFLINE, "3",
                  "memory3 (128 MiB) is boot memory, which arm64 never takes offline\n"
                  "  what can go:        memctl list --units" },
                { VERB_REMOVE, "3",
                  "memory3 (128 MiB) is boot memory, which cannot be removed\n"
                  "  what can go:        memctl list --ranges" },
                { VERB_ONLINE, "20-23",
                  "memory20-23 (512 MiB) is a hole: there is no memory\n"
                  "  what is there:      memctl list" },
                { VERB_ONLINE, "1G range2 range3",
                  "1 GiB is more than there is: the most that can be online in whole units is 640 MiB\n"
                  "  less:               memctl online 640M range2 range3" },
                { VERB_OFFLINE, "1G 3",
                  "nothing of 3 can go offline in whole units\n"
                  "  what there is:      memctl list --units" },
                { VERB_REMOVE, "44",
                  "memory44 (128 MiB) of range0 is part of device PNP0C80:00, which can be removed only as a whole\n"
                  "  whole device:       memctl remove device:PNP0C80:00\n"
                  "  offline only:       memctl offline memory40-47" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(no_way); i++) {
                plan = make_plan(inventory, NULL, no_way[i].verb, no_way[i].words, 0);
                text = plan_refusal_text(plan);
                assert_string_equal(text, no_way[i].text);
                free(text);
                plan_free(plan);
        }

        /* What is left is said once, behind the last of those that leave it. */
        plan = make_plan(inventory, NULL, VERB_OFFLINE, "3 200 40-47", 0);
        text = plan_refusal_text(plan);
        assert_int_equal(plan->n_refusals, 2);
        assert_non_null(strstr(text, "  the rest:           memctl offline memory40-47"));
        assert_null(strstr(strstr(text, "the rest:") + 1, "the rest:"));
        free(text);
        plan_free(plan);

        plan = make_plan(inventory, NULL, VERB_OFFLINE, "200 40-47", 0);
        assert_string_equal(plan->refusals[0].text,
                            "memory200 (128 MiB) is not there: this machine's blocks are memory0 to memory105\n"
                            "  what is there:      memctl list\n"
                            "  the rest:           memctl offline memory40-47");
        plan_free(plan);
        inventory_free(inventory);
        (void)state;
}

static void ways_out_keep_the_zone_that_was_asked_for(void **state) {
        struct inventory *inventory = model_server();
        struct plan *plan = make_plan(inventory, NULL, VERB_ONLINE, "88-91,200", ZONE_KERNEL);

        assert_int_equal(plan->refusals[0].n_suggestions, 1);
        assert_string_equal(plan->refusals[0].suggestions[0], "memctl online --zone=kernel memory88-91");
        plan_free(plan);

        plan = make_plan(inventory, NULL, VERB_ONLINE, "100G", ZONE_KERNEL);
        assert_int_equal(plan->refusals[0].n_suggestions, 1);
        assert_non_null(strstr(plan->refusals[0].suggestions[0], "memctl online --zone=kernel "));
        plan_free(plan);

        /* But where it is what stands in the way. */
        model_set_blocks(inventory, 42, 2, 0, BLOCK_OFFLINE, ZONE_NONE);
        plan = make_plan(inventory, NULL, VERB_ONLINE, "42", ZONE_KERNEL);
        assert_string_equal(plan->refusals[0].suggestions[0], "memctl online memory42");
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

static void options_that_exclude_each_other(void **state) {
        struct inventory *inventory = model_server();
        static const struct {
                enum verb verb;
                const char *words;
                unsigned flags;
                const char *named;
        } cases[] = {
                { VERB_ONLINE, "88", PARTIAL, "--partial" },   { VERB_REMOVE, "range0", PARTIAL, "--partial" },
                { VERB_OFFLINE, "1G", PARTIAL, "amount" },     { VERB_REMOVE, "1G", 0, "amount" },
                { VERB_OFFLINE, "44", ZONE_KERNEL, "--zone" }, { VERB_REMOVE, "44", ZONE_KERNEL, "--zone" },
                { VERB_OFFLINE, "", 0, "nothing is named" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct selector_list list;
                struct plan *plan = NULL;
                char *message = NULL;

                model_select(cases[i].words, inventory->block_size_bytes, &list);
                struct request request = make_request(cases[i].verb, &list, cases[i].flags);
                assert_int_equal(plan_make(inventory, NULL, &request, &plan, &message), -EINVAL);
                assert_null(plan);
                assert_non_null(strstr(message, cases[i].named));
                free(message);
                selector_list_clear(&list);
        }
        inventory_free(inventory);
        (void)state;
}

static void words(void **state) {
        enum verb verb;

        for (int i = 0; i < _VERB_MAX; i++) {
                assert_int_equal(verb_from_string(verb_to_string((enum verb)i), &verb), 0);
                assert_int_equal(verb, i);
        }
        assert_int_equal(verb_from_string("eject", &verb), -EINVAL);
        assert_string_equal(refusal_reason_to_string(REASON_HYPERVISOR_OWNED), "hypervisor-owned");
        assert_string_equal(side_effect_kind_to_string(SIDE_EFFECT_HUGE_PAGES), "huge-pages");
        for (int i = 0; i < _REFUSAL_REASON_MAX; i++)
                assert_string_not_equal(refusal_reason_to_string((enum refusal_reason)i), "invalid");
        (void)state;
}

static void the_daemons_own_refusals(void **state) {
        struct plan *plan = calloc(1, sizeof(*plan));
        char **suggestions = calloc(1, sizeof(*suggestions));

        suggestions[0] = strdup("memctl offline memory40-47");
        assert_int_equal(plan_add_refusal(plan, REASON_INHIBITED, (struct span){ 40, 8 }, strdup("inhibited by x"),
                                          suggestions, 1),
                         0);
        assert_int_equal(plan_add_refusal(plan, REASON_STALE, (struct span){ 0, 0 }, strdup("stale"), NULL, 0), 0);
        char *text = plan_refusal_text(plan);
        assert_string_equal(text, "inhibited by x\nstale");
        free(text);
        assert_false(plan_refused_only_splits(plan));
        plan_free(plan);
        assert_null(plan_free(NULL));
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(offline),
                cmocka_unit_test(half_offline_units),
                cmocka_unit_test(unknown_granularity_makes_the_range_one_unit),
                cmocka_unit_test(boot_memory_of_x86_goes_where_it_is_named),
                cmocka_unit_test(online),
                cmocka_unit_test(amounts),
                cmocka_unit_test(amounts_finish_half_offline_units_first),
                cmocka_unit_test(spares_are_units_as_large_as_the_chosen),
                cmocka_unit_test(hints_break_ties),
                cmocka_unit_test(headroom),
                cmocka_unit_test(policies_bind),
                cmocka_unit_test(removal),
                cmocka_unit_test(unknown_memory_is_never_removed),
                cmocka_unit_test(the_refusal_reads_as_documented),
                cmocka_unit_test(ways_out_keep_the_zone_that_was_asked_for),
                cmocka_unit_test(side_effects),
                cmocka_unit_test(blocks_without_a_range_yet_are_one_unit),
                cmocka_unit_test(options_that_exclude_each_other),
                cmocka_unit_test(words),
                cmocka_unit_test(the_daemons_own_refusals),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
