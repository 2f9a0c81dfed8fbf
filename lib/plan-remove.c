/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "decision.h"

/* A device's memory goes as a whole: its driver knows no less. */
static bool goes_whole(const struct range *range) {
        return range->driver == DRIVER_ACPI || range->driver == DRIVER_DAX;
}

static bool same_device(const struct range *a, const struct range *b) {
        return a->driver == b->driver && a->device && b->device && strcmp(a->device, b->device) == 0;
}

static bool has_way_to_remove(const struct range *range) {
        if (range->kind != KIND_HOT_ADDED || range->driver == DRIVER_OTHER)
                return false;

        return !goes_whole(range) || range->device;
}

/* True if every block of every range of the device is selected. */
static bool whole_device_selected(const struct planner *planner, const struct range *range) {
        const struct inventory *inventory = planner->inventory;
        const struct span_list *selected = &planner->selection.present;

        for (size_t i = 0; i < inventory->extents.n; i++) {
                const struct extent *extent = &inventory->extents.items[i];
                if (extent->range >= inventory->n_ranges || !same_device(&inventory->ranges[extent->range], range))
                        continue;

                size_t at = span_list_lower_bound(selected, extent->first_block);
                if (at == selected->n || selected->items[at].first_block > extent->first_block ||
                    span_end(&selected->items[at]) < extent_end(extent))
                        return false;
        }
        return true;
}

static int add_removal(struct planner *planner, const struct range *range, struct span span) {
        struct plan *plan = planner->plan;
        struct removal *last = plan->n_removals > 0 ? &plan->removals[plan->n_removals - 1] : NULL;

        if (last && last->range_number == range->number && last->range_exported == range->exported &&
            span_end(&last->span) == span.first_block) {
                last->span.n_blocks += span.n_blocks;
                return 0;
        }

        struct removal *removals = reallocarray(plan->removals, plan->n_removals + 1, sizeof(*removals));
        if (!removals)
                return -ENOMEM;
        plan->removals = removals;

        char *device = range->device ? strdup(range->device) : NULL;
        if (range->device && !device)
                return -ENOMEM;
        removals[plan->n_removals++] = (struct removal){
                .span = span,
                .range_number = range->number,
                .range_exported = range->exported,
                .driver = range->driver,
                .device = device,
        };
        return 0;
}

/* The last range that was judged: units of one range come one behind the other, and a device is judged once. */
struct removing {
        const struct range *range;
        enum finding_type verdict; /* _FINDING_TYPE_MAX: it may go */
};

/* In the order in which reasons count. */
static enum finding_type judge_range(struct planner *planner, const struct range *range) {
        if (range->driver == DRIVER_VIRTIO_MEM)
                return FINDING_HYPERVISOR;
        if (!has_way_to_remove(range))
                return FINDING_NOT_REMOVABLE;
        if (!planner_policy(planner, range)->remove_allowed)
                return FINDING_REMOVE_POLICY;
        if (goes_whole(range) && !whole_device_selected(planner, range))
                return FINDING_WHOLE_DEVICE;
        return _FINDING_TYPE_MAX;
}

static int refuse_selected(struct planner *planner, const struct unit *unit, enum finding_type type) {
        for (size_t i = 0; i < unit->selected.n; i++) {
                const struct finding finding = { type, .span = unit->selected.items[i], .range = unit->range };
                int r = planner_refuse(planner, &finding);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int remove_unit(struct planner *planner, struct unit *unit, void *userdata) {
        struct removing *removing = userdata;

        if (unit->kind == KIND_BOOT)
                return refuse_selected(planner, unit, FINDING_BOOT_MEMORY);
        if (!unit->range)
                return refuse_selected(planner, unit, FINDING_NOT_REMOVABLE);
        if (removing->range != unit->range) {
                removing->range = unit->range;
                removing->verdict = judge_range(planner, unit->range);
        }
        if (removing->verdict != _FINDING_TYPE_MAX)
                return refuse_selected(planner, unit, removing->verdict);

        /* What is mapped together goes together, whether it is online or not. */
        if (span_list_count_blocks(&unit->selected) != span_list_count_blocks(&unit->present)) {
                for (size_t i = 0; i < unit->selected.n; i++) {
                        const struct finding finding = { FINDING_SPLIT, unit->selected.items[i], unit->span,
                                                         unit->range };
                        int r = planner_refuse(planner, &finding);
                        if (r < 0)
                                return r;
                }
                return 0;
        }

        int r = planner_add_steps(planner, unit, ONLINE_ZONE_DEFAULT);
        for (size_t i = 0; r == 0 && i < unit->selected.n; i++)
                r = add_removal(planner, unit->range, unit->selected.items[i]);
        return r;
}

int plan_remove(struct planner *planner) {
        struct removing removing = { NULL, _FINDING_TYPE_MAX };

        return planner_walk(planner, BLOCK_OFFLINE, remove_unit, &removing);
}
