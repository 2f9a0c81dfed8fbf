/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "blocks.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

static uint64_t run_end(const struct run *run) {
        return run->first + run->n;
}

static bool blocks_equal(const struct block *a, const struct block *b) {
        return a->state == b->state && a->zone == b->zone && a->node == b->node && a->other_node == b->other_node &&
               a->boot == b->boot && a->hole == b->hole && a->unmovable == b->unmovable && a->unmapped == b->unmapped;
}

void blocks_clear(struct blocks *blocks) {
        free(blocks->runs);
        *blocks = (struct blocks){ .runs = NULL };
}

size_t blocks_lower_bound(const struct blocks *blocks, uint64_t number) {
        size_t low = 0, high = blocks->n_runs;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (run_end(&blocks->runs[middle]) <= number)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

const struct block *blocks_find(const struct blocks *blocks, uint64_t number) {
        size_t i = blocks_lower_bound(blocks, number);

        if (i == blocks->n_runs || blocks->runs[i].first > number)
                return NULL;
        return &blocks->runs[i].block;
}

bool blocks_any(const struct blocks *blocks, uint64_t first, uint64_t n) {
        size_t i = blocks_lower_bound(blocks, first);

        return i < blocks->n_runs && blocks->runs[i].first < first + n;
}

static void insert_run(struct blocks *blocks, size_t at, const struct run *run) {
        if (blocks->n_runs == blocks->n_allocated) {
                size_t n = blocks->n_allocated ? 2 * blocks->n_allocated : 64;
                struct run *runs = reallocarray(blocks->runs, n, sizeof(*runs));

                if (!runs)
                        err(EXIT_FAILURE, "memory blocks");
                blocks->runs = runs;
                blocks->n_allocated = n;
        }
        memmove(&blocks->runs[at + 1], &blocks->runs[at], (blocks->n_runs - at) * sizeof(*run));
        blocks->runs[at] = *run;
        blocks->n_runs++;
}

static void delete_runs(struct blocks *blocks, size_t from, size_t to) {
        if (from == to)
                return;
        memmove(&blocks->runs[from], &blocks->runs[to], (blocks->n_runs - to) * sizeof(*blocks->runs));
        blocks->n_runs -= to - from;
}

/* Makes `number` the edge of a run, if it lies inside one. Returns the index of the first run at or behind it. */
static size_t split_at(struct blocks *blocks, uint64_t number) {
        size_t i = blocks_lower_bound(blocks, number);
        struct run tail;

        if (i == blocks->n_runs || blocks->runs[i].first >= number)
                return i;
        tail = blocks->runs[i];
        tail.n = run_end(&tail) - number;
        tail.first = number;
        blocks->runs[i].n -= tail.n;
        insert_run(blocks, i + 1, &tail);
        return i + 1;
}

/* Merges the run at `i` with the one before it if they touch and are equal. */
static void merge_with_previous(struct blocks *blocks, size_t i) {
        if (i == 0 || i >= blocks->n_runs)
                return;
        if (run_end(&blocks->runs[i - 1]) != blocks->runs[i].first ||
            !blocks_equal(&blocks->runs[i - 1].block, &blocks->runs[i].block))
                return;
        blocks->runs[i - 1].n += blocks->runs[i].n;
        delete_runs(blocks, i, i + 1);
}

void blocks_erase(struct blocks *blocks, uint64_t first, uint64_t n) {
        size_t from = split_at(blocks, first);
        size_t to = split_at(blocks, first + n);

        delete_runs(blocks, from, to);
}

void blocks_set(struct blocks *blocks, uint64_t first, uint64_t n, const struct block *block) {
        struct run run = { .first = first, .n = n, .block = *block };
        size_t at;

        if (n == 0)
                return;
        blocks_erase(blocks, first, n);
        at = blocks_lower_bound(blocks, first);
        insert_run(blocks, at, &run);
        merge_with_previous(blocks, at + 1);
        merge_with_previous(blocks, at);
}

void blocks_change(struct blocks *blocks, uint64_t first, uint64_t n, block_change_fn change, void *userdata) {
        size_t from = split_at(blocks, first);
        size_t to = split_at(blocks, first + n);

        for (size_t i = from; i < to; i++)
                change(&blocks->runs[i].block, userdata);
        for (size_t i = to + 1; i-- > from;)
                merge_with_previous(blocks, i);
}

const char *zone_name(enum zone zone) {
        static const char *const names[_ZONE_MAX] = {
                [ZONE_DMA] = "DMA",         [ZONE_DMA32] = "DMA32",  [ZONE_NORMAL] = "Normal",
                [ZONE_MOVABLE] = "Movable", [ZONE_SEVERAL] = "none",
        };

        return names[zone];
}
