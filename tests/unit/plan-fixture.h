/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Plans for model.h's machines, and tables of them. Any failure ends the test. */

#include "model.h"

enum {
        PARTIAL = 1 << 0,
        BEST_EFFORT = 1 << 1,
        IGNORE_HEADROOM = 1 << 2,
        EMPTY_NODE = 1 << 3,
        ZONE_KERNEL = 1 << 4,
        ZONE_MOVE = 1 << 5,
};

struct request make_request(enum verb verb, const struct selector_list *selectors, unsigned flags);
/* The plan for the selectors in `words`; each suggestion in it was tried, and holds. The caller frees it. */
struct plan *make_plan(const struct inventory *inventory, const struct policy_set *policies, enum verb verb,
                       const char *words, unsigned flags);

/* A request, and its plan as model_steps_to_string() and model_refusals_to_string() have it. */
struct row {
        enum verb verb;
        const char *words;
        unsigned flags;
        const char *steps, *refusals;
};

void check_rows(const struct inventory *inventory, const struct policy_set *policies, const struct row *rows, size_t n);
