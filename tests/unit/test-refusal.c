/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How refusals read, which ways out they offer, and requests that make no plan. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan-fixture.h"
#include "test.h"
#include "util.h"

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
                cmocka_unit_test(the_refusal_reads_as_documented),
                cmocka_unit_test(ways_out_keep_the_zone_that_was_asked_for),
                cmocka_unit_test(options_that_exclude_each_other),
                cmocka_unit_test(words),
                cmocka_unit_test(the_daemons_own_refusals),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
