/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "subset.h"
#include "util.h"

#define NEVER UINT32_MAX

/*
 * last_start[s] is the highest index i such that some of sizes[i..n) add up to s, or NEVER: from it the walk in order
 * of preference knows at each step whether what is left can still be had from what follows.
 */
struct sums {
        uint32_t *last_start;
        uint32_t *n_used; /* of the run of equal sizes that is being added */
        size_t n;         /* sums 0 to n - 1 */
};

/* Takes whatever fits. Where this ends with nothing left over it is the preferred answer: it never passed one by. */
static bool choose_greedily(const uint64_t *sizes, size_t n, uint64_t sum, bool *chosen) {
        for (size_t i = 0; i < n; i++) {
                chosen[i] = sizes[i] <= sum;
                if (chosen[i])
                        sum -= sizes[i];
        }
        return sum == 0;
}

/* Adds `n_items` equal sizes, of which the first has the index `start`. */
static void add_run(struct sums *sums, uint64_t size, size_t start, size_t n_items) {
        for (uint64_t s = 0; s < sums->n; s++) {
                if (sums->last_start[s] != NEVER) {
                        sums->n_used[s] = 0;
                        continue;
                }
                sums->n_used[s] = NEVER;
                if (s < size || sums->n_used[s - size] >= n_items)
                        continue;
                sums->n_used[s] = sums->n_used[s - size] + 1;
                sums->last_start[s] = (uint32_t)(start + n_items - sums->n_used[s]);
        }
}

static int find_sums(const uint64_t *sizes, size_t n, uint64_t limit, uint64_t divisor, struct sums *ret) {
        struct sums sums = { .n = (size_t)(limit / divisor) + 1 };

        sums.last_start = reallocarray(NULL, sums.n, sizeof(*sums.last_start));
        sums.n_used = reallocarray(NULL, sums.n, sizeof(*sums.n_used));
        if (!sums.last_start || !sums.n_used) {
                free(sums.last_start);
                free(sums.n_used);
                return -ENOMEM;
        }
        memset(sums.last_start, 0xff, sums.n * sizeof(*sums.last_start));
        sums.last_start[0] = (uint32_t)n;

        for (size_t end = n; end > 0;) {
                size_t start = end - 1;
                while (start > 0 && sizes[start - 1] == sizes[end - 1])
                        start--;
                add_run(&sums, sizes[end - 1] / divisor, start, end - start);
                end = start;
        }
        *ret = sums;
        return 0;
}

static void choose_from_sums(const struct sums *sums, const uint64_t *sizes, size_t n, uint64_t sum, uint64_t divisor,
                             bool *chosen) {
        uint64_t left = sum / divisor;

        for (size_t i = 0; i < n; i++) {
                uint64_t size = sizes[i] / divisor;
                chosen[i] = left > 0 && size <= left && sums->last_start[left - size] != NEVER &&
                            sums->last_start[left - size] > i;
                if (chosen[i])
                        left -= size;
        }
}

static struct subset_nearest nearest_sums(const struct sums *sums, uint64_t sum, uint64_t divisor) {
        struct subset_nearest nearest = { SUBSET_NONE, SUBSET_NONE };

        for (uint64_t s = 0; s < sums->n; s++) {
                if (sums->last_start[s] == NEVER)
                        continue;
                if (s * divisor < sum)
                        nearest.smaller = s * divisor;
                if (s * divisor > sum) {
                        nearest.larger = s * divisor;
                        break;
                }
        }
        return nearest;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
        while (b != 0) {
                uint64_t rest = a % b;
                a = b;
                b = rest;
        }
        return a;
}

int subset_choose(const uint64_t *sizes, size_t n, uint64_t sum, bool *chosen, struct subset_nearest *ret_nearest) {
        uint64_t total = 0, largest = 0, divisor = 0;
        struct sums sums;

        if (choose_greedily(sizes, n, sum, chosen))
                return 1;
        memset(chosen, 0, n * sizeof(*chosen));
        for (size_t i = 0; i < n; i++) {
                total += sizes[i];
                largest = MAX(largest, sizes[i]);
                divisor = greatest_common_divisor(divisor, sizes[i]);
        }
        if (sum > total) {
                *ret_nearest = (struct subset_nearest){ total, SUBSET_NONE };
                return 0;
        }

        /* The next larger sum is less than one size away: without one of its sizes it would be a smaller one. */
        int r = find_sums(sizes, n, MIN(total, sum + largest), divisor, &sums);
        if (r < 0)
                return r;
        bool found = sum % divisor == 0 && sums.last_start[sum / divisor] != NEVER;
        if (found)
                choose_from_sums(&sums, sizes, n, sum, divisor, chosen);
        else
                *ret_nearest = nearest_sums(&sums, sum, divisor);
        free(sums.last_start);
        free(sums.n_used);
        return found;
}
