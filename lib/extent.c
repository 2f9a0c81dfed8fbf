/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "extent.h"
#include "util.h"

#define BLOCK_NUMBER_MAX (UINT64_MAX / 4096)

struct span span_intersect(struct span a, struct span b) {
        uint64_t first = MAX(a.first_block, b.first_block);
        uint64_t end = MIN(span_end(&a), span_end(&b));

        return first < end ? (struct span){ first, end - first } : (struct span){ 0, 0 };
}

void extent_list_clear(struct extent_list *list) {
        if (!list)
                return;

        free(list->items);
        *list = (struct extent_list){ 0 };
}

void span_list_clear(struct span_list *list) {
        if (!list)
                return;

        free(list->items);
        *list = (struct span_list){ 0 };
}

static bool extent_same_attributes(const struct extent *a, const struct extent *b) {
        return a->node == b->node && a->range == b->range && a->state == b->state && a->zone == b->zone &&
               a->kind == b->kind;
}

/* Adds an extent behind the last of an array, or makes the last one longer where the two are one run. */
static size_t extents_push(struct extent *items, size_t n, const struct extent *extent) {
        struct extent *last = n > 0 ? &items[n - 1] : NULL;

        if (last && extent_end(last) == extent->first_block && extent_same_attributes(last, extent)) {
                last->n_blocks += extent->n_blocks;
                return n;
        }
        items[n] = *extent;
        return n + 1;
}

int extent_list_append(struct extent_list *list, const struct extent *extent) {
        if (extent->n_blocks == 0 || extent_end(extent) < extent->first_block)
                return -EINVAL;
        if (list->n > 0 && extent->first_block < extent_end(&list->items[list->n - 1]))
                return -EINVAL;

        struct extent *items = array_grow(list->items, &list->n_allocated, list->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;

        list->items = items;
        list->n = extents_push(items, list->n, extent);
        return 0;
}

size_t extent_list_lower_bound(const struct extent_list *list, uint64_t block) {
        size_t low = 0, high = list->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (extent_end(&list->items[middle]) <= block)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

const struct extent *extent_list_find(const struct extent_list *list, uint64_t block) {
        size_t i = extent_list_lower_bound(list, block);

        return i < list->n && list->items[i].first_block <= block ? &list->items[i] : NULL;
}

/*
 * Puts `middle` (or nothing) in the place of the blocks of `span`. What sticks out of the span on either side stays,
 * and the direct neighbours take part because `middle` may be one run with them: five extents at most.
 */
static int extent_list_replace(struct extent_list *list, struct span span, const struct extent *middle) {
        struct extent pieces[5];
        size_t n_pieces = 0;
        uint64_t end = span_end(&span);

        size_t from = extent_list_lower_bound(list, span.first_block);
        size_t to = from;
        while (to < list->n && list->items[to].first_block < end)
                to++;

        struct extent left = { 0 }, right = { 0 };
        if (to > from) {
                left = list->items[from];
                left.n_blocks = left.first_block < span.first_block ? span.first_block - left.first_block : 0;

                right = list->items[to - 1];
                uint64_t right_end = extent_end(&right);
                right.n_blocks = right_end > end ? right_end - end : 0;
                right.first_block = end;
        }
        if (from > 0)
                n_pieces = extents_push(pieces, n_pieces, &list->items[--from]);
        if (left.n_blocks > 0)
                n_pieces = extents_push(pieces, n_pieces, &left);
        if (middle)
                n_pieces = extents_push(pieces, n_pieces, middle);
        if (right.n_blocks > 0)
                n_pieces = extents_push(pieces, n_pieces, &right);
        if (to < list->n)
                n_pieces = extents_push(pieces, n_pieces, &list->items[to++]);

        size_t n = list->n - (to - from) + n_pieces;
        struct extent *items = array_grow(list->items, &list->n_allocated, n, sizeof(*items));
        if (!items)
                return -ENOMEM;

        memmove(items + from + n_pieces, items + to, (list->n - to) * sizeof(*items));
        memcpy(items + from, pieces, n_pieces * sizeof(*items));
        list->items = items;
        list->n = n;
        return 0;
}

int extent_list_set(struct extent_list *list, const struct extent *extent) {
        if (extent->n_blocks == 0)
                return 0;

        return extent_list_replace(list, extent_span(extent), extent);
}

int extent_list_remove(struct extent_list *list, struct span span) {
        if (span.n_blocks == 0)
                return 0;

        return extent_list_replace(list, span, NULL);
}

/* Index of the first span that ends behind the block, or, with touching, at it. */
static size_t find_span(const struct span_list *list, uint64_t block, bool touching) {
        size_t low = 0, high = list->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                uint64_t end = span_end(&list->items[middle]);
                if (touching ? end < block : end <= block)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

size_t span_list_lower_bound(const struct span_list *list, uint64_t block) {
        return find_span(list, block, false);
}

/* Puts n_pieces spans in the place of those from `from` up to `to`. */
static int span_list_splice(struct span_list *list, size_t from, size_t to, const struct span *pieces,
                            size_t n_pieces) {
        size_t n = list->n - (to - from) + n_pieces;
        struct span *items = array_grow(list->items, &list->n_allocated, n, sizeof(*items));
        if (!items)
                return -ENOMEM;

        memmove(items + from + n_pieces, items + to, (list->n - to) * sizeof(*items));
        memcpy(items + from, pieces, n_pieces * sizeof(*items));
        list->items = items;
        list->n = n;
        return 0;
}

static int append_span(struct span_list *list, struct span span) {
        struct span *items = array_grow(list->items, &list->n_allocated, list->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;

        items[list->n++] = span;
        list->items = items;
        return 0;
}

int span_list_add(struct span_list *list, struct span span) {
        if (span.n_blocks == 0)
                return 0;

        /* Nearly all lists are made from the lowest block up. */
        uint64_t list_end = list->n > 0 ? span_end(&list->items[list->n - 1]) : 0;
        if (list->n > 0 && span.first_block == list_end) {
                list->items[list->n - 1].n_blocks += span.n_blocks;
                return 0;
        }
        if (span.first_block >= list_end)
                return append_span(list, span);

        uint64_t first = span.first_block, end = span_end(&span);
        size_t from = find_span(list, first, true);
        size_t to = from;
        for (; to < list->n && list->items[to].first_block <= end; to++) {
                first = MIN(first, list->items[to].first_block);
                end = MAX(end, span_end(&list->items[to]));
        }
        return span_list_splice(list, from, to, &(struct span){ first, end - first }, 1);
}

int span_list_remove(struct span_list *list, struct span span) {
        if (span.n_blocks == 0)
                return 0;

        struct span pieces[2];
        size_t n_pieces = 0;
        uint64_t end = span_end(&span);
        size_t from = find_span(list, span.first_block, false);
        size_t to = from;
        for (; to < list->n && list->items[to].first_block < end; to++) {
                struct span old = list->items[to];
                if (old.first_block < span.first_block)
                        pieces[n_pieces++] = (struct span){ old.first_block, span.first_block - old.first_block };
                if (span_end(&old) > end)
                        pieces[n_pieces++] = (struct span){ end, span_end(&old) - end };
        }
        return span_list_splice(list, from, to, pieces, n_pieces);
}

bool span_list_contains(const struct span_list *list, uint64_t block) {
        return span_list_overlaps(list, (struct span){ block, 1 });
}

bool span_list_overlaps(const struct span_list *list, struct span span) {
        if (span.n_blocks == 0)
                return false;

        size_t i = find_span(list, span.first_block, false);
        return i < list->n && list->items[i].first_block < span_end(&span);
}

uint64_t span_list_count_blocks(const struct span_list *list) {
        uint64_t n = 0;

        for (size_t i = 0; i < list->n; i++)
                n += list->items[i].n_blocks;
        return n;
}

int block_number_from_name(const char *name, uint64_t *ret) {
        uint64_t number;

        int r = parse_prefixed_number(name, "memory", &number);
        if (r < 0)
                return r;
        if (number > BLOCK_NUMBER_MAX)
                return -ERANGE;
        *ret = number;
        return 0;
}

static const char *const state_words[_BLOCK_STATE_MAX] = {
        [BLOCK_ONLINE] = "online",
        [BLOCK_OFFLINE] = "offline",
        [BLOCK_GOING_OFFLINE] = "going-offline",
};

/* The kernel's own names (mm/page_alloc.c, zone_names[]), as memoryN/valid_zones prints them. */
static const char *const zone_words[_BLOCK_ZONE_MAX] = {
        [ZONE_NONE] = "",           [ZONE_DMA] = "DMA",         [ZONE_DMA32] = "DMA32",   [ZONE_NORMAL] = "Normal",
        [ZONE_HIGHMEM] = "HighMem", [ZONE_MOVABLE] = "Movable", [ZONE_DEVICE] = "Device",
};

static const char *const kind_words[_BLOCK_KIND_MAX] = {
        [KIND_BOOT] = "boot",
        [KIND_HOT_ADDED] = "hot-added",
        [KIND_UNKNOWN] = "unknown",
};

const char *block_state_to_string(enum block_state state) {
        return word_of(state_words, _BLOCK_STATE_MAX, (int)state);
}

const char *block_zone_to_string(enum block_zone zone) {
        return word_of(zone_words, _BLOCK_ZONE_MAX, (int)zone);
}

const char *block_kind_to_string(enum block_kind kind) {
        return word_of(kind_words, _BLOCK_KIND_MAX, (int)kind);
}

int block_state_from_string(const char *word, enum block_state *ret) {
        int i = index_of_word(state_words, _BLOCK_STATE_MAX, word);
        if (i < 0)
                return i;

        *ret = (enum block_state)i;
        return 0;
}

int block_zone_from_string(const char *word, enum block_zone *ret) {
        int i = index_of_word(zone_words, _BLOCK_ZONE_MAX, word);
        if (i < 0)
                return i;

        *ret = (enum block_zone)i;
        return 0;
}

int block_kind_from_string(const char *word, enum block_kind *ret) {
        int i = index_of_word(kind_words, _BLOCK_KIND_MAX, word);
        if (i < 0)
                return i;

        *ret = (enum block_kind)i;
        return 0;
}
