/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of the planner share: the request on its way to a plan, units as it meets them, and what is refused,
 * which is kept as findings. From the bottom up: planner.c; plan-remove.c, plan-amount.c and plan-headroom.c;
 * decision.c; only when all is known findings become words (refusal.c), and each way out is decided on before it is
 * offered (way-out.c); request.c is plan_make().
 */

#include "plan.h"
#include "util.h"

enum finding_type {
        FINDING_MISSING,        /* selector */
        FINDING_HOLE,           /* span */
        FINDING_BOOT_MEMORY,    /* span */
        FINDING_SPLIT,          /* span, unit, range */
        FINDING_PARTIAL_POLICY, /* span, unit, range: --partial where the policy refuses it */
        FINDING_ZONE,           /* span, unit, zone */
        FINDING_HYPERVISOR,     /* span, range */
        FINDING_NOT_REMOVABLE,  /* span, range */
        FINDING_REMOVE_POLICY,  /* span, range */
        FINDING_WHOLE_DEVICE,   /* span, range */
        FINDING_AMOUNT,         /* n_available, n_smaller, n_larger */
        FINDING_EMPTY_NODE,     /* span, node */
        FINDING_HEADROOM,       /* n_taken, n_safe, keep_bytes */
        _FINDING_TYPE_MAX,
};

/* One run of blocks and why it is refused, before it is words. */
struct finding {
        enum finding_type type;
        struct span span; /* n_blocks 0 where no blocks are meant */
        struct span unit;
        const struct range *range;
        const struct selector *selector;
        enum online_zone zone; /* that of the unit's online blocks */
        int node;
        /* In blocks; UINT64_MAX none. */
        uint64_t n_available, n_smaller, n_larger;
        uint64_t n_taken, n_safe;
        uint64_t keep_bytes;
};

struct planner {
        const struct inventory *inventory;
        const struct policy_set *policies;
        const struct request *request;
        const struct selector *amount; /* NULL without one */
        struct selection selection;
        const struct policy **range_policies; /* by index of the range, filled in when first asked for */
        struct plan *plan;
        size_t n_steps_allocated, n_spares_allocated;
        struct finding *findings;
        size_t n_findings, n_findings_allocated;
        char *rest;                    /* what is selected and not refused, as a selector, once it was asked for */
        const struct finding *rest_at; /* the finding that offers it: the last that can, NULL none */

        /* The strictest of the policies of what changes. */
        uint64_t timeout_usec;
        unsigned keep_percent;
        uint64_t keep_bytes;

        /* A way out is being tried: only whether it is refused counts. */
        bool is_trial;
};

/* A unit as a request meets it. The lists are kept for the next one. */
struct unit {
        struct span span;
        const struct range *range; /* NULL: boot memory, or its range is not known yet */
        enum block_kind kind;
        bool is_untold; /* kind unknown and no range: see inventory_unit_of() */
        struct span_list present;
        struct span_list selected;              /* present and selected */
        struct span_list change;                /* selected and not in the wanted state */
        uint64_t n_in_target;                   /* blocks in the wanted state */
        bool has_kernel_zone, has_movable_zone; /* zones of its online blocks */
};

void unit_clear(struct unit *unit);
/* Looks at the unit that holds `block`, which exists. Returns 0, -ENOMEM. */
int unit_load(struct unit *unit, const struct planner *planner, uint64_t block, enum block_state target);
/* True if the blocks that are not in the wanted state are exactly those that change. */
bool unit_ends_whole(const struct unit *unit);

typedef int (*unit_fn)(struct planner *planner, struct unit *unit, void *userdata);
/* Calls `each` for every unit with a selected block, in address order. */
int planner_walk(struct planner *planner, enum block_state target, unit_fn each, void *userdata);

const struct policy *planner_policy(struct planner *planner, const struct range *range);
/* Boot memory that may not go: not named, or on arm64. */
bool planner_keeps_boot_memory(const struct planner *planner, const struct unit *unit);
/* The zone the unit's blocks go to. Returns false if the one asked for is not that of its online blocks. */
bool planner_choose_zone(struct planner *planner, const struct unit *unit, enum online_zone *ret);
/* The unit's changes become steps, or spares; its policy counts. Returns 0, -ENOMEM. */
int planner_add_steps(struct planner *planner, const struct unit *unit, enum online_zone zone);
int planner_add_spares(struct planner *planner, const struct unit *unit, enum online_zone zone);
/* Takes everything back that the plan would do. */
void planner_drop_steps(struct planner *planner);
int planner_add_side_effect(struct planner *planner, enum side_effect_kind kind, uint64_t amount, char *text);

/* Keeps a finding; one that continues the last one's run makes that longer. Returns 0, -ENOMEM. */
int planner_refuse(struct planner *planner, const struct finding *finding);
/* One finding for each selected run of the unit that has something to change. */
int planner_refuse_unit(struct planner *planner, const struct unit *unit, struct finding finding);
