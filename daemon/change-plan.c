/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "change-plan.h"

#include <errno.h>
#include <inttypes.h>

#include "cleanup.h"

/* More blocks than that are not looked at again before each change: their events have to tell. */
#define SCOPE_BLOCKS_MAX 4096

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

static int refuse_new_parts(const struct change *change, struct plan *plan) {
        if (!change->no_parts || !change_plan_leaves_parts(plan))
                return 0;
        return refuse(
                plan, REASON_STALE, (struct span){ 0 },
                format_string("the machine changed since this was authorised: now a removal unit would be left in "
                              "part\n  ask again"));
}

static int add_all(struct span_list *list, const struct span_list *added) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < added->n; i++)
                r = span_list_add(list, added->items[i]);
        return r;
}

static int steps_blocks(const struct step *steps, size_t n, struct span_list *ret) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = span_list_add(ret, steps[i].span);
        return r;
}

/* Blocks the selectors mean, an amount aside; none where they cannot be parsed. Returns 0, -ENOMEM. */
static int named(const struct change *change, const struct inventory *inventory, struct span_list *ret) {
        int r = blocks_named(change->selectors, inventory, NULL, ret, NULL, NULL);

        return r == -EINVAL ? 0 : r;
}

/* The blocks a change is about: what was named, or for an amount what was chosen of it. */
static int blocks_of(const struct change_planning *planning, const struct change *change, bool has_amount,
                     const struct plan *plan, struct span_list *ret) {
        if (has_amount)
                return steps_blocks(plan->steps, plan->n_steps, ret);
        return named(change, planning->inventory, ret);
}

static int intersect(const struct span_list *a, const struct span_list *b, struct span_list *ret) {
        for (size_t i = 0; i < a->n; i++)
                for (size_t j = span_list_lower_bound(b, a->items[i].first_block); j < b->n; j++) {
                        struct span both = span_intersect(a->items[i], b->items[j]);
                        int r;

                        if (both.n_blocks == 0)
                                break;
                        r = span_list_add(ret, both);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static size_t keep_free_steps(const struct inventory *inventory, const struct span_list *held, struct step *steps,
                              size_t n, uint64_t *ret_bytes) {
        size_t n_kept = 0;

        *ret_bytes = 0;
        for (size_t i = 0; i < n; i++) {
                if (span_list_overlaps(held, inventory_unit_of(inventory, steps[i].span.first_block)))
                        continue;
                *ret_bytes += steps[i].span.n_blocks * inventory->block_size_bytes;
                steps[n_kept++] = steps[i];
        }
        return n_kept;
}

/* A device goes whole or not at all: what is held of it holds all of it. Returns 0, -ENOMEM. */
static int hold_devices(const struct plan *plan, struct span_list *held) {
        for (size_t i = 0; i < plan->n_removals; i++) {
                const struct removal *removal = &plan->removals[i];

                if (!span_list_overlaps(held, removal->span))
                        continue;
                for (size_t j = 0; j < plan->n_removals; j++) {
                        const struct removal *other = &plan->removals[j];
                        int r = 0;

                        if (removal->device && other->device && strcmp(removal->device, other->device) == 0)
                                r = span_list_add(held, other->span);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* NULL: none is free. */
static void keep_free_removals(const struct span_list *held, struct plan *plan) {
        size_t n_kept = 0;

        for (size_t i = 0; i < plan->n_removals; i++)
                if (!held || span_list_overlaps(held, plan->removals[i].span))
                        free(plan->removals[i].device);
                else
                        plan->removals[n_kept++] = plan->removals[i];
        plan->n_removals = n_kept;
}

/*
 * What is held must not be changed: with best effort the units that are held are left out, else, if there are any among
 * those asked for, there is nothing to do. A spare, too, must be free.
 */
static int withhold(const struct change_planning *planning, const struct change *change, const struct span_list *held,
                    bool is_met, struct plan *plan) {
        struct span_list all = { 0 };
        uint64_t unused;
        int r = add_all(&all, held);

        if (r == 0)
                r = hold_devices(plan, &all);
        if (r == 0) {
                plan->n_spares = keep_free_steps(planning->inventory, &all, plan->spares, plan->n_spares, &unused);
                if (is_met && change->best_effort)
                        plan->n_steps = keep_free_steps(planning->inventory, &all, plan->steps, plan->n_steps,
                                                        &plan->bytes_total);
                else if (is_met)
                        plan->n_steps = plan->bytes_total = 0;
                if (is_met)
                        keep_free_removals(change->best_effort ? &all : NULL, plan);
        }
        span_list_clear(&all);
        return r;
}

static int refuse_held_by_job(const struct change_planning *planning, const struct change *change,
                              const struct span_list *blocks, const struct job *job, struct plan *plan) {
        _cleanup_free_ char *held = format_span_list(&job->blocks);
        struct span_list both = { 0 };
        int r = intersect(blocks, &job->blocks, &both);

        for (size_t i = 0; r == 0 && i < both.n; i++)
                r = refuse(plan, REASON_IN_PROGRESS, both.items[i],
                           held ? format_string("job %" PRIu64 " (%s) already works on %s\n"
                                                "  wait for it, or end it:  memctl cancel %" PRIu64,
                                                job->id, verb_to_string(job->change.verb), held, job->id)
                                : NULL);
        if (r == 0)
                r = withhold(planning, change, &job->blocks, both.n > 0, plan);
        span_list_clear(&both);
        return r;
}

static int refuse_in_progress(const struct change_planning *planning, const struct change *change, bool has_amount,
                              struct plan *plan) {
        struct span_list blocks = { 0 };
        struct job *const *jobs;
        size_t n_jobs;
        int r = blocks_of(planning, change, has_amount, plan, &blocks);

        jobs = queue_jobs(planning->queue, &n_jobs);
        for (size_t i = 0; r == 0 && i < n_jobs; i++) {
                if (jobs[i] == planning->except || jobs[i]->state == JOB_FINISHED)
                        continue;
                r = refuse_held_by_job(planning, change, &blocks, jobs[i], plan);
        }
        span_list_clear(&blocks);
        return r;
}

static int refuse_inhibited_run(const struct change *change, const struct inhibitor *inhibitor, struct span span,
                                struct plan *plan) {
        const char *verb = verb_to_string(change->verb);
        _cleanup_free_ char *blocks = format_blocks(span), *command = NULL;
        char **suggestions = NULL;
        char *text = NULL;

        if (blocks)
                command = format_string("memctl %s --ignore-inhibitors %s", verb, blocks);
        if (command)
                text = format_string(
                        "%s: %s (uid %u, pid %d) inhibits %s: %s\n"
                        "  %-19s memctl inhibit --list\n"
                        "  %-19s %s",
                        blocks, inhibitor->who, inhibitor->uid, inhibitor->pid, verb, inhibitor->why,
                        "who inhibits what:", "all the same:", command);
        suggestions = calloc(1, sizeof(*suggestions));
        if (!text || !suggestions) {
                free(text);
                free(suggestions);
                return -ENOMEM;
        }
        suggestions[0] = TAKE_PTR(command);
        return plan_add_refusal(plan, REASON_INHIBITED, span, text, suggestions, 1);
}

static int refuse_for_inhibitor(const struct change_planning *planning, const struct change *change,
                                const struct inhibitor *inhibitor, struct plan *plan) {
        struct span_list blocks = { 0 }, held = { 0 }, both = { 0 };
        int r = inhibitor_blocks(inhibitor, planning->inventory, &held);

        if (r == 0)
                r = steps_blocks(plan->steps, plan->n_steps, &blocks);
        for (size_t i = 0; r == 0 && i < plan->n_removals; i++)
                r = span_list_add(&blocks, plan->removals[i].span);
        if (r == 0)
                r = intersect(&blocks, &held, &both);
        for (size_t i = 0; r == 0 && i < both.n; i++)
                r = refuse_inhibited_run(change, inhibitor, both.items[i], plan);
        if (r == 0)
                r = withhold(planning, change, &held, both.n > 0, plan);
        span_list_clear(&blocks);
        span_list_clear(&held);
        span_list_clear(&both);
        return r;
}

static int refuse_inhibited(const struct change_planning *planning, const struct change *change, struct plan *plan) {
        const struct inhibitor *inhibitor;
        int r = 0;

        if (change->ignore_inhibitors)
                return 0;
        for (size_t i = 0; r == 0 && (inhibitor = inhibitors_get(planning->inhibitors, i)); i++)
                if (inhibitor->mode == INHIBIT_BLOCK && inhibitor->verbs & 1U << change->verb)
                        r = refuse_for_inhibitor(planning, change, inhibitor, plan);
        return r;
}

bool change_plan_leaves_parts(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_side_effects; i++)
                if (plan->side_effects[i].kind == SIDE_EFFECT_PARTIAL)
                        return true;
        return false;
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
                return r == -EINVAL ? CHANGE_INVALID_SELECTOR : r;
        r = plan_make(planning->inventory, planning->policies, &request, &plan, ret_message);
        if (r == -EINVAL)
                r = CHANGE_INVALID_OPTION;
        if (r == 0)
                r = refuse_stale(planning, change, plan);
        if (r == 0)
                r = refuse_new_parts(change, plan);
        if (r == 0)
                r = refuse_in_progress(planning, change, selector_list_amount(&selectors), plan);
        if (r == 0)
                r = refuse_inhibited(planning, change, plan);
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

int change_scope(const struct change *change, const struct inventory *inventory, struct span_list *ret) {
        struct span_list scope = { 0 };
        int r = named(change, inventory, &scope);

        if (r < 0)
                return r;
        if (span_list_count_blocks(&scope) > SCOPE_BLOCKS_MAX)
                span_list_clear(&scope);
        *ret = scope;
        return 0;
}

/* What is looked at again before anything is done. */
static int set_scope(const struct change_planning *planning, struct job *job) {
        int r;

        span_list_clear(&job->scope);
        r = change_scope(&job->change, planning->inventory, &job->scope);
        return r < 0 ? r : add_all(&job->scope, &job->blocks);
}

static int add_removals(const struct inventory *inventory, const struct plan *plan, struct job *job) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < plan->n_removals; i++) {
                const struct range *range = inventory_range_of(inventory, plan->removals[i].span.first_block);
                char name[RANGE_NAME_MAX] = "";

                if (range)
                        range_name(range, name);
                r = job_add_removal(job, &plan->removals[i], name);
        }
        return r;
}

int change_plan_to_job(const struct change_planning *planning, const struct plan *plan, struct job *job) {
        struct job_settings settings = {
                .keeps_parts = job->change.verb == VERB_ONLINE || job->change.partial,
                .dropped_refusals = plan->n_refusals > 0,
                .block_timeout_usec = plan->timeout_usec,
                .rollback_timeout_usec = planning->rollback_timeout_usec,
                .block_size_bytes = planning->inventory->block_size_bytes,
        };
        struct job_step *steps = with_units(planning->inventory, plan->steps, plan->n_steps);
        struct job_step *spares = with_units(planning->inventory, plan->spares, plan->n_spares);
        size_t n_steps = plan->n_steps;
        int r = steps && spares ? 0 : -ENOMEM;

        if (r == 0 && job->change.verb == VERB_ONLINE && plan->n_spares == 0)
                r = job_order_online(&steps, &n_steps);
        if (r < 0) {
                free(steps);
                free(spares);
                return r;
        }
        job->planned_at_generation = planning->generation;
        r = job_plan(job, &settings, steps, n_steps, spares, plan->n_spares);
        if (r == 0)
                r = add_removals(planning->inventory, plan, job);
        return r < 0 ? r : set_scope(planning, job);
}
