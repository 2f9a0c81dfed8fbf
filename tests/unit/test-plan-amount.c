/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plans for amounts, and what headroom has to say to them. */

#include <stdlib.h>
#include <string.h>

#include "plan-fixture.h"
#include "test.h"
#include "util.h"

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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(amounts),
                cmocka_unit_test(amounts_finish_half_offline_units_first),
                cmocka_unit_test(spares_are_units_as_large_as_the_chosen),
                cmocka_unit_test(hints_break_ties),
                cmocka_unit_test(headroom),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
