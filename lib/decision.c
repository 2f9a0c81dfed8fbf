/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "decision.h"

static int note_partial(struct planner *planner, const struct unit *unit) {
        uint64_t n_bytes = span_list_count_blocks(&unit->change) * planner->inventory->block_size_bytes;
        _cleanup_free_ char *part = format_span_list(&unit->change), *whole = format_span_list(&unit->present);

        if (!part || !whole)
                return -ENOMEM;
        return planner_add_side_effect(
                planner, SIDE_EFFECT_PARTIAL, n_bytes,
                format_string("%s stays mapped; can be removed only with %s all offline", part, whole));
}

static int offline_unit(struct planner *planner, struct unit *unit, void *userdata) {
        (void)userdata;
        if (unit->change.n == 0)
                return 0;
        if (planner_keeps_boot_memory(planner, unit))
                return planner_refuse(planner, &(struct finding){ FINDING_BOOT_MEMORY, .span = unit->span });

        if (!unit_ends_whole(unit)) {
                if (!planner->request->partial)
                        return planner_refuse_unit(planner, unit, (struct finding){ FINDING_SPLIT });
                if (!planner_policy(planner, unit->range)->partial_allowed)
                        return planner_refuse_unit(planner, unit, (struct finding){ FINDING_PARTIAL_POLICY });
                int r = note_partial(planner, unit);
                if (r < 0)
                        return r;
        }
        return planner_add_steps(planner, unit, ONLINE_ZONE_DEFAULT);
}

static int online_unit(struct planner *planner, struct unit *unit, void *userdata) {
        enum online_zone zone;

        (void)userdata;
        if (unit->change.n == 0)
                return 0;
        if (!planner_choose_zone(planner, unit, &zone))
                return planner_refuse_unit(planner, unit, (struct finding){ FINDING_ZONE, .zone = zone });
        return planner_add_steps(planner, unit, zone);
}

static int plan_selection(struct planner *planner) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < planner->selection.n_missing; i++)
                r = planner_refuse(planner, &(struct finding){ FINDING_MISSING,
                                                               .selector = planner->selection.missing[i].selector });
        for (size_t i = 0; r == 0 && i < planner->selection.holes.n; i++)
                r = planner_refuse(planner,
                                   &(struct finding){ FINDING_HOLE, .span = planner->selection.holes.items[i] });
        if (r < 0)
                return r;

        if (planner->amount)
                return plan_amount(planner);
        switch (planner->request->verb) {
        case VERB_ONLINE:
                return planner_walk(planner, BLOCK_ONLINE, online_unit, NULL);
        case VERB_OFFLINE:
                return planner_walk(planner, BLOCK_OFFLINE, offline_unit, NULL);
        case VERB_REMOVE:
                return plan_remove(planner);
        case _VERB_MAX:
                break;
        }
        return -EINVAL;
}

static int decide(struct planner *planner) {
        struct plan *plan = planner->plan;

        int r = selector_list_resolve(planner->request->selectors, planner->inventory, &planner->selection);
        if (r == 0)
                r = plan_selection(planner);
        if (r == 0 && planner->request->verb != VERB_ONLINE) {
                r = plan_check_empty_nodes(planner);
                if (r == 0)
                        r = plan_check_headroom(planner);
        }
        if (r < 0)
                return r;

        /* All or nothing, unless the request says otherwise. */
        if (planner->n_findings > 0 && !planner->request->best_effort)
                planner_drop_steps(planner);
        for (size_t i = 0; i < plan->n_steps; i++)
                plan->bytes_total += plan->steps[i].span.n_blocks * planner->inventory->block_size_bytes;
        plan->timeout_usec = planner->timeout_usec != UINT64_MAX ? planner->timeout_usec : policy_default.timeout_usec;
        return 0;
}

int planner_decide(const struct inventory *inventory, const struct policy_set *policies, const struct request *request,
                   bool is_trial, struct planner *ret) {
        struct planner planner = {
                .inventory = inventory,
                .policies = policies,
                .request = request,
                .amount = selector_list_amount(request->selectors),
                .plan = calloc(1, sizeof(*planner.plan)),
                .range_policies = calloc(MAX(inventory->n_ranges, (size_t)1), sizeof(*planner.range_policies)),
                .timeout_usec = UINT64_MAX,
                .is_trial = is_trial,
        };

        int r = planner.plan && planner.range_policies ? decide(&planner) : -ENOMEM;
        if (r < 0) {
                planner_clear(&planner);
                return r;
        }
        *ret = planner;
        return 0;
}

void planner_clear(struct planner *planner) {
        plan_free(planner->plan);
        selection_clear(&planner->selection);
        free(planner->range_policies);
        free(planner->findings);
        free(planner->rest);
}
