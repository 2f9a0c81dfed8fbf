/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two halves of the oracle share: what has to come out (oracle-expect.c), and whether it did (oracle.c). */

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

static inline const struct position *at(const struct oracle *oracle, int i) {
        return &oracle->machine->positions[i];
}

static inline const struct range *range_at(const struct oracle *oracle, int i) {
        int range = at(oracle, i)->range;

        return range < 0 ? NULL : &oracle->machine->inventory->ranges[range];
}

static inline enum block_state target(const struct oracle *oracle) {
        return oracle->request->verb == VERB_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE;
}

static inline bool in_target(const struct oracle *oracle, int i) {
        return at(oracle, i)->state == target(oracle);
}

static inline const struct policy *policy_at(const struct oracle *oracle, int i) {
        int range = at(oracle, i)->range;
        int policy = range < 0 || oracle->machine->policies.n == 0 ? -1 : oracle->machine->policy_of_range[range];

        return policy < 0 ? &policy_default : &oracle->machine->policies.items[policy];
}

/* Fills in all that a plan for the request has to hold. */
void oracle_expect(struct oracle *oracle);
