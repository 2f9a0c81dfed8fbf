/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In which order blocks come online. */

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "job-parts.h"

/* With fewer there is nothing between the hole and the end. */
#define STRETCH_BLOCKS_MIN 4

/* How many steps from `first` on lie one behind the other and write the same. */
static size_t count_stretch(const struct job_step *steps, size_t n, size_t first) {
        size_t i = first + 1;

        while (i < n && job_step_follows(&steps[i - 1], &steps[i]))
                i++;
        return i - first;
}

static void append(struct job_step *steps, size_t *n, const struct job_step *step, struct span span) {
        if (span.n_blocks == 0)
                return;
        steps[*n] = *step;
        steps[(*n)++].step.span = span;
}

/* Appends a stretch to `ret`, `hole` behind all else. */
static void append_stretch(const struct job_step *steps, size_t n, uint64_t hole, struct job_step *ret, size_t *n_ret) {
        const struct job_step *last = NULL;

        for (size_t i = 0; i < n; i++) {
                struct span span = steps[i].step.span;

                if (hole < span.first_block || hole >= span_end(&span)) {
                        append(ret, n_ret, &steps[i], span);
                        continue;
                }
                last = &steps[i];
                append(ret, n_ret, last, (struct span){ span.first_block, hole - span.first_block });
                append(ret, n_ret, last, (struct span){ hole + 1, span_end(&span) - hole - 1 });
        }
        if (last)
                append(ret, n_ret, last, (struct span){ hole, 1 });
}

int job_order_online(struct job_step **steps, size_t *n) {
        /* Of each stretch one step becomes three at most. */
        struct job_step *ordered = calloc(3 * *n + 1, sizeof(*ordered));
        size_t n_ordered = 0;

        if (!ordered)
                return -ENOMEM;
        for (size_t first = 0; first < *n;) {
                size_t n_stretch = count_stretch(*steps, *n, first);
                uint64_t start = (*steps)[first].step.span.first_block;
                uint64_t n_blocks = span_end(&(*steps)[first + n_stretch - 1].step.span) - start;
                uint64_t hole = n_blocks >= STRETCH_BLOCKS_MIN ? start + 1 : UINT64_MAX;

                append_stretch(*steps + first, n_stretch, hole, ordered, &n_ordered);
                first += n_stretch;
        }
        free(*steps);
        *steps = ordered;
        *n = n_ordered;
        return 0;
}
