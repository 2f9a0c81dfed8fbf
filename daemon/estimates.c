/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "estimates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "runtime.h"

#define ESTIMATES_FILE "estimates"

static const struct range *find(const struct inventory *known, struct span span) {
        for (size_t i = 0; i < known->n_ranges; i++)
                if (known->ranges[i].span.first_block == span.first_block &&
                    known->ranges[i].span.n_blocks == span.n_blocks)
                        return &known->ranges[i];
        return NULL;
}

static int add(struct inventory *known, uint64_t number, struct span span) {
        struct range *grown = reallocarray(known->ranges, known->n_ranges + 1, sizeof(*grown));
        char *name;

        if (!grown)
                return -ENOMEM;
        known->ranges = grown;
        name = strdup("");
        if (!name)
                return -ENOMEM;
        grown[known->n_ranges++] = (struct range){
                .number = number,
                .span = span,
                .node = NODE_NONE,
                .name = name,
                .kind = KIND_UNKNOWN,
                .source = GRANULARITY_SOURCE_ESTIMATED,
        };
        if (number >= known->next_estimate)
                known->next_estimate = number + 1;
        return 0;
}

/* "NUMBER FIRST_BLOCK N_BLOCKS" a line. What does not read as that is not ours to keep. */
static int parse(const char *text, struct inventory *known) {
        uint64_t number;
        struct span span;

        while (text &&
               sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &number, &span.first_block, &span.n_blocks) == 3) {
                int r = add(known, number, span);

                if (r < 0)
                        return r;
                text = strchr(text, '\n');
                text = text ? text + 1 : NULL;
        }
        return 0;
}

static int save(const struct inventory *known) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return -ENOMEM;
        for (size_t i = 0; i < known->n_ranges; i++)
                fprintf(stream, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", known->ranges[i].number,
                        known->ranges[i].span.first_block, known->ranges[i].span.n_blocks);
        if (fclose(stream) != 0)
                return -ENOMEM;
        return runtime_write(ESTIMATES_FILE, text);
}

const struct inventory *estimates_known(struct estimates *estimates) {
        _cleanup_free_ char *text = NULL;

        if (estimates->known)
                return estimates->known;
        estimates->known = calloc(1, sizeof(*estimates->known));
        if (!estimates->known)
                return NULL;
        if (runtime_read(ESTIMATES_FILE, &text) == 0 && parse(text, estimates->known) < 0)
                estimates_clear(estimates);
        return estimates->known;
}

int estimates_remember(struct estimates *estimates, const struct inventory *inventory) {
        bool is_new = false;

        if (!estimates_known(estimates))
                return -ENOMEM;
        estimates->known->block_size_bytes = inventory->block_size_bytes;
        for (size_t i = 0; i < inventory->n_ranges; i++) {
                const struct range *range = &inventory->ranges[i];
                int r;

                if (range->exported || find(estimates->known, range->span))
                        continue;
                r = add(estimates->known, range->number, range->span);
                if (r < 0)
                        return r;
                is_new = true;
        }
        return is_new ? save(estimates->known) : 0;
}

void estimates_clear(struct estimates *estimates) {
        estimates->known = inventory_free(estimates->known);
}
