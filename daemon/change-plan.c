/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "change-plan.h"

#include <errno.h>
#include <inttypes.h>

#include "cleanup.h"

#define ROLLBACK_TIMEOUT_USEC (60 * USEC_PER_SEC)

/* Takes over `text`, which may be NULL for lack of memory. */
static int refuse(struct plan *plan, enum refusal_reason reason, struct span span, char *text) {
        return plan_add_refusal(plan, reason, span, text, NULL, 0);
}

static int refuse_stale(const struct change_planning *planning, const struct change *change, struct plan *plan) {
        if (!change->has_expect_generation || change->expect_generation == planning->generation)
                return 0;
        return refuse(plan, REASON_STALE, (struct span){ 0 },
                      format_string("the machine changed: generation %" PRIu64 " was expected, now it is %" PRIu64 "\n"
                                    "  look again:  memctl list",
                                    change->expect_generation, planning->generation));
}

/* The blocks a change is about: what was named, or for an amount what was chosen of it. */
static int blocks_of(const struct change_planning *planning, const struct selector_list *selectors,
                     const struct plan *plan, struct span_list *ret) {
        struct selection selection = { 0 };
        int r;

        if (selector_list_amount(selectors)) {
                for (size_t i = 0; i < plan->n_steps; i++) {
                        r = span_list_add(ret, plan->steps[i].span);
                        if (r < 0)
                                return r;
                }
                return 0;
        }
        r = selector_list_resolve(selectors, planning->inventory, &selection);
        if (r < 0)
                return r;
        *ret = selection.present;
        selection.present = (struct span_list){ 0 };
        selection_clear(&selection);
        return 0;
}

static int refuse_in_progress(const struct change_planning *planning, const struct selector_list *selectors,
                              struct plan *plan) {
        struct span_list blocks = { 0 };
        const struct job *holder;
        int r;

        r = blocks_of(planning, selectors, plan, &blocks);
        if (r < 0)
                return r;
        holder = queue_holder(planning->queue, &blocks, planning->except);
        if (holder && blocks.n > 0) {
                _cleanup_free_ char *held = format_span_list(&holder->blocks);

                r = refuse(plan, REASON_IN_PROGRESS, blocks.items[0],
                           held ? format_string("job %" PRIu64 " (%s) already works on %s\n"
                                                "  wait for it, or end it:  memctl cancel %" PRIu64,
                                                holder->id, verb_to_string(holder->change.verb), held, holder->id)
                                : NULL);
        }
        span_list_clear(&blocks);
        return r;
}

static int refuse_removal(const struct change *change, struct plan *plan) {
        if (change->verb != VERB_REMOVE || plan->n_refusals > 0)
                return 0;
        return refuse(plan, REASON_NOT_REMOVABLE, plan->n_steps > 0 ? plan->steps[0].span : (struct span){ 0 },
                      format_string("no way to remove this memory is known to memctld"));
}

int change_plan_make(const struct change_planning *planning, const struct change *change, struct plan **ret,
                     char **ret_message) {
        struct selector_list selectors = { 0 };
        struct request request = {
                .verb = change->verb,
                .selectors = &selectors,
                .partial = change->partial,
                .best_effort = change->best_effort,
                .ignore_headroom = change->ignore_headroom,
                .empty_node = change->empty_node,
                .has_zone = change->has_zone,
                .zone = change->zone,
                .udev_policy = planning->udev_policy,
                .udev_policy_userdata = planning->udev_policy_userdata,
        };
        struct plan *plan = NULL;
        size_t n_words = 0;
        int r;

        while (change->selectors[n_words])
                n_words++;
        r = selector_list_parse(change->selectors, n_words, planning->inventory->block_size_bytes, &selectors,
                                ret_message);
        if (r < 0)
                return r == -EINVAL ? MANAGER_INVALID_SELECTOR : r;
        r = plan_make(planning->inventory, planning->policies, &request, &plan, ret_message);
        if (r == -EINVAL)
                r = MANAGER_INVALID_OPTION;
        if (r == 0)
                r = refuse_stale(planning, change, plan);
        if (r == 0)
                r = refuse_in_progress(planning, &selectors, plan);
        if (r == 0)
                r = refuse_removal(change, plan);
        selector_list_clear(&selectors);
        if (r != 0) {
                plan_free(plan);
                return r;
        }
        *ret = plan;
        return 0;
}

static struct job_step *with_units(const struct inventory *inventory, const struct step *steps, size_t n) {
        struct job_step *copy = calloc(n + 1, sizeof(*copy));

        for (size_t i = 0; copy && i < n; i++)
                copy[i] = (struct job_step){ steps[i], inventory_unit_of(inventory, steps[i].span.first_block) };
        return copy;
}

int change_plan_to_job(const struct change_planning *planning, const struct plan *plan, struct job *job) {
        struct job_settings settings = {
                .keeps_parts = job->change.verb == VERB_ONLINE || job->change.partial,
                .dropped_refusals = plan->n_refusals > 0,
                .block_timeout_usec = plan->timeout_usec,
                .rollback_timeout_usec = ROLLBACK_TIMEOUT_USEC,
                .block_size_bytes = planning->inventory->block_size_bytes,
        };
        struct job_step *steps = with_units(planning->inventory, plan->steps, plan->n_steps);
        struct job_step *spares = with_units(planning->inventory, plan->spares, plan->n_spares);

        if (!steps || !spares) {
                free(steps);
                free(spares);
                return -ENOMEM;
        }
        job->planned_at_generation = planning->generation;
        return job_plan(job, &settings, steps, plan->n_steps, spares, plan->n_spares);
}
