/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which of some sizes, taken in order of preference, add up to a sum. Pure arithmetic.
 *
 * "In order of preference" means: the first is taken if any answer holds it, then the second, and so on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUBSET_NONE UINT64_MAX

/* The sums next to one that cannot be had; SUBSET_NONE where there is none. 0 counts as a sum. */
struct subset_nearest {
        uint64_t smaller;
        uint64_t larger;
};

/*
 * Chooses sizes that add up to `sum` and sets chosen[i] for each. Returns 1; 0 if none do, with *ret_nearest set and
 * `chosen` all false; -ENOMEM. Takes time and memory in proportion to the sum where no greedy choice does.
 */
int subset_choose(const uint64_t *sizes, size_t n, uint64_t sum, bool *chosen, struct subset_nearest *ret_nearest);
