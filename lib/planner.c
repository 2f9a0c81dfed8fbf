/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "planner.h"

void unit_clear(struct unit *unit) {
        span_list_clear(&unit->present);
        span_list_clear(&unit->selected);
        span_list_clear(&unit->change);
}

/* Adds what of the span is selected to one list, or two. */
static int add_selected(struct unit *unit, const struct span_list *selection, struct span span, bool changes) {
        size_t i = span_list_lower_bound(selection, span.first_block);

        for (; i < selection->n && selection->items[i].first_block < span_end(&span); i++) {
                struct span part = span_intersect(selection->items[i], span);
                int r = span_list_add(&unit->selected, part);
                if (r == 0 && changes)
                        r = span_list_add(&unit->change, part);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void note_zone(struct unit *unit, enum block_zone zone) {
        unit->has_movable_zone |= zone == ZONE_MOVABLE;
        unit->has_kernel_zone |= zone == ZONE_DMA || zone == ZONE_DMA32 || zone == ZONE_NORMAL || zone == ZONE_HIGHMEM;
}

int unit_load(struct unit *unit, const struct planner *planner, uint64_t block, enum block_state target) {
        const struct inventory *inventory = planner->inventory;
        const struct extent_list *extents = &inventory->extents;
        size_t at = extent_list_lower_bound(extents, block);
        const struct extent *held_by = &extents->items[at];

        unit->span = inventory_unit_in(inventory, held_by, block);
        unit->range = held_by->range < inventory->n_ranges ? &inventory->ranges[held_by->range] : NULL;
        unit->present.n = unit->selected.n = unit->change.n = 0;
        unit->n_in_target = 0;
        unit->has_kernel_zone = unit->has_movable_zone = false;

        while (at > 0 && extent_end(&extents->items[at - 1]) > unit->span.first_block)
                at--;
        for (; at < extents->n && extents->items[at].first_block < span_end(&unit->span); at++) {
                const struct extent *extent = &extents->items[at];
                struct span part = span_intersect(extent_span(extent), unit->span);

                /* A block that is going offline is on its way: for both verbs it is not where it is to be. */
                bool in_target = extent->state == target;
                unit->kind = extent->kind;
                unit->n_in_target += in_target ? part.n_blocks : 0;
                if (extent->state == BLOCK_ONLINE)
                        note_zone(unit, extent->zone);
                int r = span_list_add(&unit->present, part);
                if (r == 0)
                        r = add_selected(unit, &planner->selection.present, part, !in_target);
                if (r < 0)
                        return r;
        }
        unit->is_untold = unit->kind == KIND_UNKNOWN && !unit->range;
        return 0;
}

bool unit_ends_whole(const struct unit *unit) {
        return span_list_count_blocks(&unit->present) - unit->n_in_target == span_list_count_blocks(&unit->change);
}

int planner_walk(struct planner *planner, enum block_state target, unit_fn each, void *userdata) {
        _cleanup_(unit_clear) struct unit unit = { 0 };
        const struct span_list *present = &planner->selection.present;
        uint64_t done = 0;

        for (size_t i = 0; i < present->n; i++) {
                uint64_t end = span_end(&present->items[i]);
                for (uint64_t block = MAX(present->items[i].first_block, done); block < end; block = done) {
                        int r = unit_load(&unit, planner, block, target);
                        if (r == 0)
                                r = each(planner, &unit, userdata);
                        if (r < 0)
                                return r;
                        done = MAX(span_end(&unit.span), block + 1);
                }
        }
        return 0;
}

const struct policy *planner_policy(struct planner *planner, const struct range *range) {
        if (!range || !planner->policies)
                return &policy_default;

        const struct request *request = planner->request;
        const struct policy **policy = &planner->range_policies[range - planner->inventory->ranges];
        if (!*policy) {
                const char *udev_name =
                        request->udev_policy ? request->udev_policy(range, request->udev_policy_userdata) : NULL;
                *policy = policy_set_find(planner->policies, range, planner->inventory->block_size_bytes, udev_name);
        }
        return *policy;
}

bool planner_keeps_boot_memory(const struct planner *planner, const struct unit *unit) {
        if (unit->kind != KIND_BOOT)
                return false;

        return planner->inventory->machine.arch == ARCH_ARM64 ||
               !span_list_contains(&planner->selection.named, unit->span.first_block);
}

bool planner_choose_zone(struct planner *planner, const struct unit *unit, enum online_zone *ret) {
        const struct request *request = planner->request;
        enum online_zone wanted = ONLINE_ZONE_DEFAULT;
        bool asked = request->has_zone && request->zone != ONLINE_ZONE_DEFAULT;

        if (request->has_zone)
                wanted = request->zone;
        else if (unit->range)
                wanted = planner_policy(planner, unit->range)->zone;

        /* In a unit that already holds both there is nothing left to keep apart. */
        if (unit->has_kernel_zone != unit->has_movable_zone) {
                enum online_zone theirs = unit->has_movable_zone ? ONLINE_ZONE_MOVABLE : ONLINE_ZONE_KERNEL;
                *ret = theirs;
                return !asked || wanted == theirs;
        }
        *ret = wanted;
        return true;
}

static void note_policy(struct planner *planner, const struct range *range) {
        const struct policy *policy = planner_policy(planner, range);

        planner->timeout_usec = MIN(planner->timeout_usec, policy->timeout_usec);
        if (policy->keep_available_bytes != 0)
                planner->keep_bytes = MAX(planner->keep_bytes, policy->keep_available_bytes);
        else
                planner->keep_percent = MAX(planner->keep_percent, policy->keep_available_percent);
}

static int add_to(struct step **steps, size_t *n, size_t *n_allocated, const struct unit *unit, enum block_state target,
                  enum online_zone zone) {
        struct step *items = array_grow(*steps, n_allocated, *n + unit->change.n, sizeof(*items));
        if (!items)
                return -ENOMEM;

        *steps = items;
        for (size_t i = 0; i < unit->change.n; i++)
                items[(*n)++] = (struct step){ unit->change.items[i], target, zone };
        return 0;
}

static enum block_state target_of(enum verb verb) {
        return verb == VERB_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE;
}

int planner_add_steps(struct planner *planner, const struct unit *unit, enum online_zone zone) {
        note_policy(planner, unit->range);
        return add_to(&planner->plan->steps, &planner->plan->n_steps, &planner->n_steps_allocated, unit,
                      target_of(planner->request->verb), zone);
}

int planner_add_spares(struct planner *planner, const struct unit *unit, enum online_zone zone) {
        return add_to(&planner->plan->spares, &planner->plan->n_spares, &planner->n_spares_allocated, unit,
                      target_of(planner->request->verb), zone);
}

int planner_add_side_effect(struct planner *planner, enum side_effect_kind kind, uint64_t amount, char *text) {
        struct plan *plan = planner->plan;
        struct side_effect *items =
                text ? reallocarray(plan->side_effects, plan->n_side_effects + 1, sizeof(*items)) : NULL;
        if (!items) {
                free(text);
                return -ENOMEM;
        }

        plan->side_effects = items;
        items[plan->n_side_effects++] = (struct side_effect){ kind, amount, text };
        return 0;
}

void planner_drop_steps(struct planner *planner) {
        struct plan *plan = planner->plan;

        plan->n_steps = plan->n_spares = 0;
        while (plan->n_side_effects > 0)
                free(plan->side_effects[--plan->n_side_effects].text);
        while (plan->n_removals > 0)
                free(plan->removals[--plan->n_removals].device);
}

int planner_refuse(struct planner *planner, const struct finding *finding) {
        struct finding *last = planner->n_findings > 0 ? &planner->findings[planner->n_findings - 1] : NULL;
        bool by_unit = finding->unit.n_blocks > 0;

        if (last && !by_unit && finding->span.n_blocks > 0 && last->type == finding->type &&
            last->range == finding->range && last->node == finding->node &&
            span_end(&last->span) == finding->span.first_block) {
                last->span.n_blocks += finding->span.n_blocks;
                return 0;
        }

        struct finding *items =
                array_grow(planner->findings, &planner->n_findings_allocated, planner->n_findings + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        planner->findings = items;
        items[planner->n_findings++] = *finding;
        return 0;
}

int planner_refuse_unit(struct planner *planner, const struct unit *unit, struct finding finding) {
        finding.unit = unit->span;
        finding.range = unit->range;
        for (size_t i = 0; i < unit->selected.n; i++) {
                finding.span = unit->selected.items[i];
                if (!span_list_overlaps(&unit->change, finding.span))
                        continue;
                int r = planner_refuse(planner, &finding);
                if (r < 0)
                        return r;
        }
        return 0;
}
