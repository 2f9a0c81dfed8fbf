/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inventory-diff.h"

#include <string.h>

#include "util.h"

static bool text_equal(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

bool range_equal(const struct range *a, const struct range *b) {
        return a->number == b->number && a->exported == b->exported && a->span.first_block == b->span.first_block &&
               a->span.n_blocks == b->span.n_blocks && a->node == b->node && text_equal(a->name, b->name) &&
               text_equal(a->device, b->device) && a->driver == b->driver && a->kind == b->kind &&
               a->mapping_granularity_bytes == b->mapping_granularity_bytes &&
               a->removal_granularity_bytes == b->removal_granularity_bytes && a->source == b->source;
}

/* Indexes into `ranges` move when another range comes or goes: only what they point at counts. */
static bool same_range(const struct inventory *a, uint32_t range_a, const struct inventory *b, uint32_t range_b) {
        if (range_a == RANGE_NONE || range_b == RANGE_NONE)
                return range_a == range_b;
        return a->ranges[range_a].number == b->ranges[range_b].number &&
               a->ranges[range_a].exported == b->ranges[range_b].exported;
}

static bool same_extent(const struct inventory *a, const struct extent *extent_a, const struct inventory *b,
                        const struct extent *extent_b) {
        return extent_a->node == extent_b->node && extent_a->state == extent_b->state &&
               extent_a->zone == extent_b->zone && extent_a->kind == extent_b->kind &&
               same_range(a, extent_a->range, b, extent_b->range);
}

static int diff_extents(const struct inventory *before, const struct inventory *now, struct span_list *ret_changed,
                        uint64_t *ret_n_common) {
        uint64_t n_common = 0;
        size_t i = 0;

        for (size_t j = 0; j < now->extents.n; j++) {
                const struct extent *new = &now->extents.items[j];
                uint64_t at = new->first_block;

                while (at < extent_end(new)) {
                        const struct extent *old;
                        uint64_t end;
                        bool was_there, is_same;
                        int r;

                        while (i < before->extents.n && extent_end(&before->extents.items[i]) <= at)
                                i++;
                        old = i < before->extents.n ? &before->extents.items[i] : NULL;
                        was_there = old && old->first_block <= at;
                        end = !old ? extent_end(new)
                                   : MIN(extent_end(new), was_there ? extent_end(old) : old->first_block);
                        is_same = was_there && same_extent(before, old, now, new);
                        if (was_there)
                                n_common += end - at;
                        if (!is_same) {
                                r = span_list_add(ret_changed, (struct span){ at, end - at });
                                if (r < 0)
                                        return r;
                        }
                        at = end;
                }
        }
        *ret_n_common = n_common;
        return 0;
}

static uint64_t count_blocks(const struct extent_list *list) {
        uint64_t n_blocks = 0;

        for (size_t i = 0; i < list->n; i++)
                n_blocks += list->items[i].n_blocks;
        return n_blocks;
}

static bool same_ranges(const struct inventory *a, const struct inventory *b) {
        if (a->n_ranges != b->n_ranges)
                return false;
        for (size_t i = 0; i < a->n_ranges; i++)
                if (!range_equal(&a->ranges[i], &b->ranges[i]))
                        return false;
        return true;
}

int inventory_diff(const struct inventory *before, const struct inventory *now, struct span_list *ret_changed,
                   bool *ret_gone) {
        uint64_t n_common;
        int r = diff_extents(before, now, ret_changed, &n_common);

        if (r < 0)
                return r;
        *ret_gone = n_common != count_blocks(&before->extents);
        return ret_changed->n > 0 || *ret_gone || !same_ranges(before, now) || before->guard != now->guard ||
               before->source != now->source || strcmp(before->auto_online, now->auto_online) != 0;
}
