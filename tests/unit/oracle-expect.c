/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "oracle-parts.h"

/* Whether the selector means the position, which is there. */
static bool means(const struct oracle *oracle, const struct selector *selector, int i) {
        const struct range *range = range_at(oracle, i);

        switch (selector->type) {
        case SELECTOR_BLOCKS:
                return (uint64_t)i >= selector->span.first_block && (uint64_t)i < span_end(&selector->span);
        case SELECTOR_RANGE:
        case SELECTOR_ESTIMATE:
                return range && range->number == selector->number &&
                       range->exported == (selector->type == SELECTOR_RANGE);
        case SELECTOR_NODE:
                return at(oracle, i)->node >= 0 && (uint64_t)at(oracle, i)->node == selector->number;
        case SELECTOR_DEVICE:
                return range && range->device && strcmp(range->device, selector->device) == 0;
        case SELECTOR_ALL:
                return true;
        case SELECTOR_AMOUNT:
                break;
        }
        return false;
}

static bool names_a_range(const struct oracle *oracle, const struct selector *selector) {
        for (size_t i = 0; i < oracle->machine->inventory->n_ranges; i++) {
                const struct range *range = &oracle->machine->inventory->ranges[i];
                if (selector->type == SELECTOR_DEVICE ? range->device && strcmp(range->device, selector->device) == 0
                                                      : range->number == selector->number &&
                                                                range->exported == (selector->type == SELECTOR_RANGE))
                        return true;
        }
        return false;
}

static void select_one(struct oracle *oracle, const struct selector *selector) {
        bool found = false, below = false, above = false;

        for (int i = 0; i < N_POSITIONS; i++) {
                if (!at(oracle, i)->present)
                        continue;
                if (means(oracle, selector, i)) {
                        found = oracle->expected[i].selected = true;
                        oracle->expected[i].named |= selector->type == SELECTOR_BLOCKS;
                }
                below |= (uint64_t)i < selector->span.first_block;
                above |= (uint64_t)i >= span_end(&selector->span);
        }

        if (selector->type == SELECTOR_BLOCKS) {
                uint64_t n_there = 0;
                for (int i = 0; i < N_POSITIONS; i++)
                        n_there += at(oracle, i)->present && means(oracle, selector, i);
                if (n_there == 0 && !(below && above))
                        oracle->any_missing = true;
                else if (n_there < selector->span.n_blocks)
                        oracle->any_hole = true;
        } else if (selector->type == SELECTOR_NODE)
                oracle->any_missing |= !found;
        else if (selector->type != SELECTOR_ALL)
                oracle->any_missing |= !names_a_range(oracle, selector);
}

static void select_all(struct oracle *oracle) {
        const struct selector_list *list = oracle->list;
        const struct selector everything = { .type = SELECTOR_ALL };

        if (list->n == 1 && list->items[0].type == SELECTOR_AMOUNT)
                select_one(oracle, &everything);
        for (size_t i = 0; i < list->n; i++)
                if (list->items[i].type != SELECTOR_AMOUNT)
                        select_one(oracle, &list->items[i]);
}

static bool boot_memory_stays(const struct oracle *oracle, int i) {
        return at(oracle, i)->kind == KIND_BOOT &&
               (oracle->machine->inventory->machine.arch == ARCH_ARM64 || !oracle->expected[i].named);
}

/* True if some block of i's unit that is not in the wanted state is not selected either. */
static bool unit_is_split(const struct oracle *oracle, int i) {
        for (int k = 0; k < N_POSITIONS; k++)
                if (at(oracle, k)->unit == at(oracle, i)->unit && at(oracle, k)->present && !in_target(oracle, k) &&
                    !oracle->expected[k].selected)
                        return true;
        return false;
}

static bool unit_has_zone(const struct oracle *oracle, int i, bool movable) {
        for (int k = 0; k < N_POSITIONS; k++) {
                const struct position *position = at(oracle, k);
                if (position->unit != at(oracle, i)->unit || !position->present || position->state != BLOCK_ONLINE)
                        continue;
                if (movable ? position->zone == ZONE_MOVABLE
                            : position->zone != ZONE_NONE && position->zone != ZONE_MOVABLE &&
                                      position->zone != ZONE_DEVICE)
                        return true;
        }
        return false;
}

/* Returns false where the zone asked for is not that of the unit. */
static bool zone_of(const struct oracle *oracle, int i, enum online_zone *ret) {
        const struct request *request = oracle->request;
        bool kernel = unit_has_zone(oracle, i, false), movable = unit_has_zone(oracle, i, true);

        if (request->has_zone)
                *ret = request->zone;
        else
                *ret = at(oracle, i)->range < 0 ? ONLINE_ZONE_DEFAULT : policy_at(oracle, i)->zone;
        if (kernel == movable)
                return true;
        enum online_zone theirs = kernel ? ONLINE_ZONE_KERNEL : ONLINE_ZONE_MOVABLE;
        bool fits = !request->has_zone || request->zone == ONLINE_ZONE_DEFAULT || request->zone == theirs;
        *ret = theirs;
        return fits;
}

static enum refusal_reason removal_reason(const struct oracle *oracle, int i) {
        const struct range *range = range_at(oracle, i);

        if (at(oracle, i)->kind == KIND_BOOT)
                return REASON_BOOT_MEMORY;
        if (range->driver == DRIVER_VIRTIO_MEM)
                return REASON_HYPERVISOR_OWNED;
        bool device_driver = range->driver == DRIVER_ACPI || range->driver == DRIVER_DAX;
        if (at(oracle, i)->kind == KIND_UNKNOWN || range->driver == DRIVER_OTHER || (device_driver && !range->device))
                return REASON_NOT_REMOVABLE;
        if (!policy_at(oracle, i)->remove_allowed)
                return REASON_POLICY;
        for (int k = 0; device_driver && k < N_POSITIONS; k++) {
                const struct range *other = range_at(oracle, k);
                if (other && other->driver == range->driver && other->device &&
                    strcmp(other->device, range->device) == 0 && !oracle->expected[k].selected)
                        return REASON_WHOLE_DEVICE;
        }
        for (int k = 0; k < N_POSITIONS; k++)
                if (at(oracle, k)->present && at(oracle, k)->unit == at(oracle, i)->unit &&
                    !oracle->expected[k].selected)
                        return REASON_SPLITS_MAPPING;
        return NO_REASON;
}

static void judge(struct oracle *oracle, int i) {
        const struct request *request = oracle->request;
        struct expected *expected = &oracle->expected[i];

        expected->reason = NO_REASON;
        if (!expected->selected)
                return;
        switch (request->verb) {
        case VERB_OFFLINE:
                if (in_target(oracle, i))
                        return;
                if (boot_memory_stays(oracle, i))
                        expected->reason = REASON_BOOT_MEMORY;
                else if (unit_is_split(oracle, i) && !request->partial)
                        expected->reason = REASON_SPLITS_MAPPING;
                else if (unit_is_split(oracle, i) && !policy_at(oracle, i)->partial_allowed)
                        expected->reason = REASON_POLICY;
                break;
        case VERB_ONLINE:
                if (in_target(oracle, i))
                        return;
                if (!zone_of(oracle, i, &expected->zone))
                        expected->reason = REASON_ZONE;
                break;
        case VERB_REMOVE:
        case _VERB_MAX:
                expected->reason = removal_reason(oracle, i);
                expected->removed = expected->reason == NO_REASON;
                break;
        }
        expected->changes = expected->reason == NO_REASON && !in_target(oracle, i);
}

/* The strictest policies of what may change, before nodes and headroom are looked at. */
static void note_policies(struct oracle *oracle) {
        oracle->timeout_usec = UINT64_MAX;
        for (int i = 0; i < N_POSITIONS; i++) {
                const struct policy *policy = policy_at(oracle, i);
                if (!oracle->expected[i].changes && !oracle->expected[i].removed)
                        continue;
                oracle->timeout_usec = MIN(oracle->timeout_usec, policy->timeout_usec);
                if (policy->keep_available_bytes > 0)
                        oracle->keep_bytes = MAX(oracle->keep_bytes, policy->keep_available_bytes);
                else
                        oracle->keep_percent = MAX(oracle->keep_percent, policy->keep_available_percent);
        }
        if (oracle->timeout_usec == UINT64_MAX)
                oracle->timeout_usec = policy_default.timeout_usec;
}

static void check_nodes(struct oracle *oracle) {
        for (int node = 0; node < 4 && !oracle->request->empty_node; node++) {
                bool any_stays = false, any_goes = false;
                for (int i = 0; i < N_POSITIONS; i++) {
                        if (!at(oracle, i)->present || at(oracle, i)->node != node)
                                continue;
                        any_goes |= oracle->expected[i].changes;
                        any_stays |= !oracle->expected[i].changes && !in_target(oracle, i);
                }
                for (int i = 0; i < N_POSITIONS; i++) {
                        if (any_stays || !any_goes || at(oracle, i)->node != node)
                                continue;
                        if (oracle->expected[i].changes)
                                oracle->expected[i].reason = REASON_NO_HEADROOM;
                        oracle->expected[i].changes = oracle->expected[i].removed = false;
                }
        }
}

static void check_headroom(struct oracle *oracle) {
        const struct inventory *inventory = oracle->machine->inventory;
        uint64_t total = 0, available = 0, taken = 0;

        for (size_t i = 0; i < inventory->n_nodes; i++) {
                total += inventory->nodes[i].total_bytes;
                available += inventory->nodes[i].free_bytes + inventory->nodes[i].reclaimable_bytes / 2;
        }
        for (int i = 0; i < N_POSITIONS; i++)
                taken += oracle->expected[i].changes ? inventory->block_size_bytes : 0;
        if (taken == 0 || total == 0 || oracle->request->ignore_headroom)
                return;

        uint64_t stays = total > taken ? total - taken : 0;
        uint64_t keep = MAX(oracle->keep_bytes, stays * oracle->keep_percent / 100);
        if (taken <= available && available - taken >= keep)
                return;
        oracle->refused_headroom = true;
        for (int i = 0; i < N_POSITIONS; i++)
                oracle->expected[i].changes = oracle->expected[i].removed = false;
}

static bool before(const struct oracle *oracle, const struct whole_unit *a, const struct whole_unit *b) {
        if (a->half != b->half)
                return a->half;
        if (oracle->request->verb == VERB_ONLINE)
                return a->first < b->first;
        if (a->movable != b->movable)
                return a->movable;
        return a->first > b->first;
}

static size_t find_units(struct oracle *oracle, struct whole_unit units[static N_POSITIONS]) {
        size_t n = 0;

        for (int i = 0; i < N_POSITIONS; i++) {
                enum online_zone zone;
                bool seen = false;
                struct whole_unit unit = { .first = i, .n_blocks = 0 };

                if (!oracle->expected[i].selected || in_target(oracle, i) || unit_is_split(oracle, i))
                        continue;
                if (oracle->request->verb == VERB_OFFLINE ? boot_memory_stays(oracle, i) : !zone_of(oracle, i, &zone))
                        continue;
                for (int k = 0; k < N_POSITIONS; k++) {
                        if (!at(oracle, k)->present || at(oracle, k)->unit != at(oracle, i)->unit)
                                continue;
                        seen |= k < i && !in_target(oracle, k);
                        unit.half |= in_target(oracle, k);
                        unit.n_blocks += !in_target(oracle, k);
                }
                if (seen)
                        continue;
                unit.movable = unit_has_zone(oracle, i, true) && !unit_has_zone(oracle, i, false);

                size_t place = n++;
                for (; place > 0 && before(oracle, &unit, &units[place - 1]); place--)
                        units[place] = units[place - 1];
                units[place] = unit;
        }
        return n;
}

/* Takes units in order where the rest of the sum can still be had: by trying. */
static bool sum_can_be_had(const struct whole_unit *units, size_t n, unsigned sum) {
        uint64_t sums = 1; /* bit s: s blocks can be had; no machine here has more than 64 blocks */
        for (size_t i = 0; i < n; i++)
                if (units[i].n_blocks < 64)
                        sums |= sums << units[i].n_blocks;

        if (sum == 64) {
                unsigned total = 0;
                for (size_t i = 0; i < n; i++)
                        total += units[i].n_blocks;
                return total == 64;
        }
        return sum < 64 && (sums >> sum & 1);
}

static void take_unit(struct oracle *oracle, const struct whole_unit *unit) {
        for (int k = 0; k < N_POSITIONS; k++) {
                struct expected *expected = &oracle->expected[k];
                if (!at(oracle, k)->present || at(oracle, k)->unit != at(oracle, unit->first)->unit ||
                    in_target(oracle, k))
                        continue;
                expected->changes = true;
                if (oracle->request->verb == VERB_ONLINE)
                        zone_of(oracle, k, &expected->zone);
        }
}

static void judge_amount(struct oracle *oracle, const struct selector *amount) {
        uint64_t block_size_bytes = oracle->machine->inventory->block_size_bytes, there = 0;

        for (int i = 0; i < N_POSITIONS; i++) {
                oracle->expected[i].reason = NO_REASON;
                there += amount->is_target && oracle->expected[i].selected && in_target(oracle, i);
        }
        oracle->n_there = (unsigned)there;
        if (there * block_size_bytes >= amount->amount_bytes)
                return;

        uint64_t bytes = amount->amount_bytes - there * block_size_bytes;
        unsigned left = (unsigned)(bytes / block_size_bytes);
        struct whole_unit *units = oracle->units;
        size_t n = oracle->n_units = find_units(oracle, units);
        if (bytes % block_size_bytes != 0 || !sum_can_be_had(units, n, left)) {
                oracle->refused_amount = true;
                for (unsigned sum = 1; sum <= N_POSITIONS; sum++) {
                        if (!sum_can_be_had(units, n, sum))
                                continue;
                        if (sum * block_size_bytes < bytes)
                                oracle->n_smaller = sum;
                        else if (oracle->n_larger == 0)
                                oracle->n_larger = sum;
                }
                return;
        }
        for (size_t i = 0; i < n && left > 0; i++) {
                units[i].chosen =
                        units[i].n_blocks <= left && sum_can_be_had(units + i + 1, n - i - 1, left - units[i].n_blocks);
                if (units[i].chosen) {
                        take_unit(oracle, &units[i]);
                        left -= units[i].n_blocks;
                }
        }
}

void oracle_expect(struct oracle *oracle) {
        const struct selector *amount = selector_list_amount(oracle->list);

        select_all(oracle);
        if (amount)
                judge_amount(oracle, amount);
        else
                for (int i = 0; i < N_POSITIONS; i++)
                        judge(oracle, i);
        note_policies(oracle);
        if (oracle->request->verb != VERB_ONLINE) {
                check_nodes(oracle);
                check_headroom(oracle);
        }
}
