/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan-fixture.h"
#include "test.h"

struct request make_request(enum verb verb, const struct selector_list *selectors, unsigned flags) {
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

struct plan *make_plan(const struct inventory *inventory, const struct policy_set *policies, enum verb verb,
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

void check_rows(const struct inventory *inventory, const struct policy_set *policies, const struct row *rows,
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
