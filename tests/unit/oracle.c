/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>

#include "oracle-parts.h"

static const char *problem(const char *text) {
        return text;
}

static bool any_refusal_expected(const struct oracle *oracle) {
        bool any = oracle->any_missing || oracle->any_hole || oracle->refused_headroom || oracle->refused_amount;

        for (int i = 0; i < N_POSITIONS; i++)
                any |= oracle->expected[i].reason != NO_REASON;
        return any;
}

static const char *check_steps(const struct oracle *oracle) {
        const struct plan *plan = oracle->plan;
        bool nothing = any_refusal_expected(oracle) && !oracle->request->best_effort;
        bool stepped[N_POSITIONS] = { false };
        uint64_t bytes = 0;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const struct step *step = &plan->steps[i];
                if (step->target != target(oracle))
                        return problem("a step has the wrong target");
                if (step->span.n_blocks == 0 || span_end(&step->span) > N_POSITIONS)
                        return problem("a step is empty or beyond the machine");
                for (uint64_t block = step->span.first_block; block < span_end(&step->span); block++) {
                        int k = (int)block;
                        if (stepped[k])
                                return problem("a block is stepped on twice");
                        stepped[k] = true;
                        if (at(oracle, k)->unit != at(oracle, (int)step->span.first_block)->unit)
                                return problem("a step spans two units");
                        if (step->target == BLOCK_ONLINE && step->zone != oracle->expected[k].zone)
                                return problem("a step has the wrong zone");
                        bytes += oracle->machine->inventory->block_size_bytes;
                }
        }
        for (int i = 0; i < N_POSITIONS; i++)
                if (stepped[i] != (oracle->expected[i].changes && !nothing))
                        return problem(stepped[i] ? "a block changes that must not" : "a block does not change");
        return plan->bytes_total == bytes ? NULL : problem("bytes_total is not the sum of the steps");
}

static const char *check_refusals(const struct oracle *oracle) {
        const struct plan *plan = oracle->plan;
        enum refusal_reason refused[N_POSITIONS];
        bool missing = false, hole = false, headroom = false, amount = false;

        for (int i = 0; i < N_POSITIONS; i++)
                refused[i] = NO_REASON;
        for (size_t i = 0; i < plan->n_refusals; i++) {
                const struct refusal *refusal = &plan->refusals[i];
                missing |= refusal->reason == REASON_NO_SUCH_BLOCK;
                hole |= refusal->reason == REASON_HOLE;
                amount |= refusal->reason == REASON_NOT_ENOUGH;
                headroom |= refusal->reason == REASON_NO_HEADROOM && refusal->span.n_blocks == 0;
                if (*refusal->text == '\0')
                        return problem("a refusal has no text");
                if (refusal->reason == REASON_HOLE)
                        continue;
                for (uint64_t block = refusal->span.first_block; block < span_end(&refusal->span); block++) {
                        if (block >= N_POSITIONS || refused[block] != NO_REASON)
                                return problem("a block is refused twice, or is not there");
                        if (!oracle->expected[block].selected)
                                return problem("a block is refused that is not selected");
                        refused[block] = refusal->reason;
                }
        }
        if (missing != oracle->any_missing || hole != oracle->any_hole || amount != oracle->refused_amount ||
            headroom != oracle->refused_headroom)
                return problem("a refusal of the request as a whole is missing or wrong");
        for (int i = 0; i < N_POSITIONS; i++) {
                /* A run that is refused may hold blocks that are in the wanted state. */
                if (refused[i] != oracle->expected[i].reason &&
                    !(oracle->expected[i].reason == NO_REASON && in_target(oracle, i)))
                        return problem("a block is refused for another reason, or not at all");
        }
        return NULL;
}

/* The one that costs the machine: a removal must leave no leaf in part. */
static const char *check_removals(const struct oracle *oracle) {
        const struct plan *plan = oracle->plan;
        bool nothing = any_refusal_expected(oracle) && !oracle->request->best_effort;
        bool removed[N_POSITIONS] = { false };

        if (oracle->request->verb != VERB_REMOVE)
                return plan->n_removals == 0 ? NULL : problem("something is removed that nobody asked to");
        for (size_t i = 0; i < plan->n_removals; i++)
                for (uint64_t block = plan->removals[i].span.first_block; block < span_end(&plan->removals[i].span);
                     block++)
                        removed[block] = true;
        for (int i = 0; i < N_POSITIONS; i++)
                for (int k = 0; removed[i] && k < N_POSITIONS; k++)
                        if (at(oracle, k)->present && at(oracle, k)->leaf == at(oracle, i)->leaf && !removed[k])
                                return problem("a removal splits a leaf");
        for (int i = 0; i < N_POSITIONS; i++)
                if (at(oracle, i)->node < 0 && removed[i] != (oracle->expected[i].removed && !nothing))
                        return problem("other blocks are removed than should be");
        for (int i = 0; i < N_POSITIONS; i++)
                if (removed[i] && !oracle->expected[i].removed)
                        return problem("a block is removed that must not be");
        return NULL;
}

/* Every candidate as large as a chosen one, in order of preference. */
static const char *check_spares(const struct oracle *oracle) {
        bool nothing = (any_refusal_expected(oracle) && !oracle->request->best_effort) || oracle->refused_headroom;
        const struct plan *plan = oracle->plan;
        size_t at_step = 0;

        for (size_t i = 0; i < oracle->n_units && !nothing; i++) {
                bool as_large = false;
                for (size_t k = 0; k < oracle->n_units; k++)
                        as_large |= oracle->units[k].chosen && oracle->units[k].n_blocks == oracle->units[i].n_blocks;
                if (oracle->units[i].chosen || !as_large)
                        continue;

                for (unsigned n = 0; n < oracle->units[i].n_blocks; at_step++) {
                        if (at_step == plan->n_spares)
                                return problem("a spare is missing");
                        const struct span *span = &plan->spares[at_step].span;
                        if (at(oracle, (int)span->first_block)->unit != at(oracle, oracle->units[i].first)->unit)
                                return problem("a spare is out of order");
                        n += (unsigned)span->n_blocks;
                }
        }
        return at_step == plan->n_spares ? NULL : problem("there are spares too many");
}

/* Runs a suggestion as the command line would. Returns NULL if it is accepted and does something. */
static const char *check_suggestion(const struct oracle *oracle, const struct refusal *refusal,
                                    const char *suggestion) {
        char words[4096], *rest = words, *word, *selectors[64], *message = NULL;
        size_t n = 0;
        struct request request = {
                .udev_policy = oracle->request->udev_policy,
                .udev_policy_userdata = oracle->request->udev_policy_userdata,
        };

        if (strlen(suggestion) >= sizeof(words))
                return problem("a suggestion is too long to be one");
        strcpy(words, suggestion);
        if (strcmp(strsep(&rest, " "), "memctl") != 0 || verb_from_string(strsep(&rest, " "), &request.verb) < 0)
                return problem("a suggestion is no command");
        while ((word = strsep(&rest, " "))) {
                if (strcmp(word, "--partial") == 0)
                        request.partial = true;
                else if (strcmp(word, "--ignore-headroom") == 0)
                        request.ignore_headroom = true;
                else if (strcmp(word, "--empty-node") == 0)
                        request.empty_node = true;
                else if (strncmp(word, "--zone=", 7) == 0)
                        request.has_zone = online_zone_from_string(word + 7, &request.zone) == 0;
                else if (n < ARRAY_SIZE(selectors))
                        selectors[n++] = word;
        }

        bool keeps_zone = oracle->request->has_zone && refusal->reason != REASON_ZONE;
        if (request.has_zone != keeps_zone || (keeps_zone && request.zone != oracle->request->zone))
                return problem("a suggestion is for another zone");

        struct selector_list list;
        struct plan *plan = NULL;
        if (selector_list_parse(selectors, n, oracle->machine->inventory->block_size_bytes, &list, &message) < 0) {
                free(message);
                return problem("a suggestion cannot be parsed");
        }
        request.selectors = &list;
        const char *wrong = NULL;
        if (plan_make(oracle->machine->inventory, &oracle->machine->policies, &request, &plan, &message) < 0) {
                free(message);
                wrong = problem("a suggestion's options exclude each other");
        } else if (plan->n_refusals > 0)
                wrong = problem("a suggestion is refused");
        else if (plan->n_steps == 0 && plan->n_removals == 0)
                wrong = problem("a suggestion does nothing");
        plan_free(plan);
        selector_list_clear(&list);
        return wrong;
}

/* Where nothing else is in the way, the nearest amounts are offered, and no others. */
static const char *check_nearest_amounts(const struct oracle *oracle, const struct refusal *refusal) {
        const unsigned expected[] = { oracle->n_smaller, oracle->n_larger };
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
                uint64_t bytes =
                        (uint64_t)(oracle->n_there + expected[i]) * oracle->machine->inventory->block_size_bytes;
                char mebibytes[32], gibibytes[32];
                if (expected[i] == 0)
                        continue;
                const char *sign = selector_list_amount(oracle->list)->is_target ? "=" : "";
                snprintf(mebibytes, sizeof(mebibytes), " %s%uM", sign, (unsigned)(bytes >> 20));
                snprintf(gibibytes, sizeof(gibibytes), " %s%uG", sign, (unsigned)(bytes >> 30));
                if (n == refusal->n_suggestions ||
                    !strstr(refusal->suggestions[n++], bytes % (1 << 30) == 0 ? gibibytes : mebibytes))
                        return problem("the nearest amount is not offered");
        }
        return n == refusal->n_suggestions ? NULL : problem("an amount is offered that is not the nearest");
}

static const char *check_suggestions(const struct oracle *oracle) {
        for (size_t i = 0; i < oracle->plan->n_refusals; i++) {
                const struct refusal *refusal = &oracle->plan->refusals[i];
                for (size_t k = 0; k < refusal->n_suggestions; k++) {
                        const char *wrong = strstr(refusal->text, refusal->suggestions[k])
                                                    ? check_suggestion(oracle, refusal, refusal->suggestions[k])
                                                    : problem("a suggestion is not in the text");
                        if (wrong)
                                return wrong;
                }

                if (refusal->reason == REASON_NOT_ENOUGH && oracle->plan->n_refusals == 1 &&
                    oracle->request->ignore_headroom && oracle->request->empty_node) {
                        const char *wrong = check_nearest_amounts(oracle, refusal);
                        if (wrong)
                                return wrong;
                }

                /* A whole unit that is not stopped by anything else is always a way out. */
                if (refusal->reason == REASON_SPLITS_MAPPING && oracle->request->verb == VERB_OFFLINE &&
                    oracle->request->ignore_headroom && refusal->n_suggestions == 0)
                        return problem("a split is refused with no way out, though there is one");
        }
        return NULL;
}

/* Units are what the inventory says of blocks, too. */
static const char *check_units(const struct oracle *oracle) {
        for (int i = 0; i < N_POSITIONS; i++) {
                if (!at(oracle, i)->present)
                        continue;
                struct span unit = inventory_unit_of(oracle->machine->inventory, (uint64_t)i);
                for (int k = 0; k < N_POSITIONS; k++) {
                        bool inside = (uint64_t)k >= unit.first_block && (uint64_t)k < span_end(&unit);
                        if (at(oracle, k)->present && inside != (at(oracle, k)->unit == at(oracle, i)->unit))
                                return problem("a unit has other blocks than it should");
                }
        }
        return NULL;
}

static bool options_exclude_each_other(const struct request *request, bool has_amount) {
        return (request->partial && (request->verb != VERB_OFFLINE || has_amount)) ||
               (request->verb == VERB_REMOVE && has_amount) || (request->has_zone && request->verb != VERB_ONLINE);
}

static const char *compare(struct oracle *oracle) {
        oracle_expect(oracle);

        const char *wrong = check_units(oracle);
        if (!wrong)
                wrong = check_refusals(oracle);
        if (!wrong)
                wrong = check_steps(oracle);
        if (!wrong)
                wrong = check_removals(oracle);
        if (!wrong)
                wrong = check_spares(oracle);
        if (!wrong)
                wrong = check_suggestions(oracle);
        if (!wrong && oracle->plan->timeout_usec != oracle->timeout_usec)
                wrong = problem("the timeout is not the smallest of the policies");
        return wrong;
}

const char *oracle_check(const struct random_machine *machine, struct random_request *request, bool *ret_accepted) {
        struct selector_list list;
        struct plan *plan = NULL;
        char *words[ARRAY_SIZE(request->words)], *message = NULL;

        *ret_accepted = false;
        for (size_t i = 0; i < request->n_words; i++)
                words[i] = request->words[i];
        if (selector_list_parse(words, request->n_words, machine->inventory->block_size_bytes, &list, &message) < 0) {
                free(message);
                return problem("the selectors cannot be parsed");
        }

        request->request.selectors = &list;
        int r = plan_make(machine->inventory, &machine->policies, &request->request, &plan, &message);
        const char *wrong = NULL;
        if (options_exclude_each_other(&request->request, selector_list_amount(&list))) {
                if (r != -EINVAL || !message)
                        wrong = problem("options that exclude each other are taken");
        } else if (r < 0)
                wrong = problem("options are refused that go together");
        else {
                struct oracle oracle = {
                        .machine = machine, .request = &request->request, .list = &list, .plan = plan
                };
                wrong = compare(&oracle);
                *ret_accepted = plan->n_steps > 0 || plan->n_removals > 0;
        }
        free(message);
        plan_free(plan);
        selector_list_clear(&list);
        request->request.selectors = NULL;
        return wrong;
}
