/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Units that stand by for one that fails. */

#include <stdlib.h>
#include <string.h>

#include "job-parts.h"
#include "log.h"

static uint64_t count_blocks(const struct job_step *steps, size_t n) {
        uint64_t n_blocks = 0;

        for (size_t i = 0; i < n; i++)
                n_blocks += steps[i].step.span.n_blocks;
        return n_blocks;
}

size_t job_count_unit_steps(const struct job_step *steps, size_t n, size_t first) {
        size_t i = first;

        while (i < n && steps[i].unit.first_block == steps[first].unit.first_block)
                i++;
        return i - first;
}

/* The first spare unit that changes as many blocks as the failed one: only that keeps the amount exact. */
static bool find_spare(const struct job *job, uint64_t n_blocks, size_t *ret_first, size_t *ret_n) {
        for (size_t first = 0; first < job->n_spares;) {
                size_t n = job_count_unit_steps(job->spares, job->n_spares, first);

                if (count_blocks(job->spares + first, n) == n_blocks) {
                        *ret_first = first;
                        *ret_n = n;
                        return true;
                }
                first += n;
        }
        return false;
}

bool job_take_spare(struct job *job, size_t unit_first, size_t behind) {
        struct job_step *steps;
        size_t first, n;

        if (!find_spare(job, count_blocks(job->steps + unit_first, behind - unit_first), &first, &n))
                return false;
        steps = reallocarray(job->steps, job->n_steps + n, sizeof(*steps));
        if (!steps) {
                (void)log_oom();
                return false;
        }
        job->steps = steps;
        memmove(steps + behind + n, steps + behind, (job->n_steps - behind) * sizeof(*steps));
        memcpy(steps + behind, job->spares + first, n * sizeof(*steps));
        job->n_steps += n;
        job->n_spares -= n;
        memmove(job->spares + first, job->spares + first + n, (job->n_spares - first) * sizeof(*steps));
        return true;
}
