/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "util.h"

#define NO_REASON _REFUSAL_REASON_MAX

/* A unit an amount may take. */
struct whole_unit {
        int first; /* a block of it that changes */
        unsigned n_blocks;
        bool half, movable, chosen;
};

/* What is expected of one position. */
struct expected {
        bool selected, named, changes;
        bool removed;
        enum refusal_reason reason;
        enum online_zone zone;
};

struct oracle {
        const struct random_machine *machine;
        const struct request *request;
        const struct selector_list *list;
        const struct plan *plan;
        struct expected expected[N_POSITIONS];
        struct whole_unit units[N_POSITIONS]; /* candidates of an amount, in order of preference */
        size_t n_units;
        unsigned n_there, n_smaller, n_larger; /* for an amount that cannot be had; 0 none */
        bool any_missing, any_hole, refused_headroom, refused_amount;
        uint64_t keep_bytes, timeout_usec;
        unsigned keep_percent;
};

static const char *problem(const char *text) {
        return text;
}

static const struct position *at(const struct oracle *oracle, int i) {
        return &oracle->machine->positions[i];
}

static const struct range *range_at(const struct oracle *oracle, int i) {
        int range = at(oracle, i)->range;

        return range < 0 ? NULL : &oracle->machine->inventory->ranges[range];
}

static enum block_state target(const struct oracle *oracle) {
        return oracle->request->verb == VERB_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE;
}

static bool in_target(const struct oracle *oracle, int i) {
        return at(oracle, i)->state == target(oracle);
}

static const struct policy *policy_at(const struct oracle *oracle, int i) {
        int range = at(oracle, i)->range;
        int policy = range < 0 || oracle->machine->policies.n == 0 ? -1 : oracle->machine->policy_of_range[range];

        return policy < 0 ? &policy_default : &oracle->machine->policies.items[policy];
}

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
