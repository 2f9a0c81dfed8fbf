/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Extents: runs of neighbouring memory blocks that share node, zone, state, kind and range.
 *
 * Everything the project knows about a machine is made of extents, never of one record per block: a
 * machine has up to a million blocks and a handful of extents. Positions are counted in memory blocks:
 * block N is memoryN in sysfs and starts at physical address N × block size
 * (Documentation/admin-guide/mm/memory-hotplug.rst).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* memoryN/state */
enum block_state {
        BLOCK_ONLINE,
        BLOCK_OFFLINE,
        BLOCK_GOING_OFFLINE,
        _BLOCK_STATE_MAX,
};

/* memoryN/valid_zones of an online block. ZONE_NONE: offline, several zones, or not asked for. */
enum block_zone {
        ZONE_NONE,
        ZONE_DMA,
        ZONE_DMA32,
        ZONE_NORMAL,
        ZONE_HIGHMEM,
        ZONE_MOVABLE,
        ZONE_DEVICE,
        _BLOCK_ZONE_MAX,
};

/* Where a block comes from. KIND_UNKNOWN: the kernel cannot tell a third party's range from boot memory. */
enum block_kind {
        KIND_BOOT,
        KIND_HOT_ADDED,
        KIND_UNKNOWN,
        _BLOCK_KIND_MAX,
};

#define NODE_NONE (-1)
/* Extent.range of blocks that belong to no range */
#define RANGE_NONE UINT32_MAX

struct extent {
        uint64_t first_block;
        uint64_t n_blocks;
        int32_t node;   /* NODE_NONE: none or not known */
        uint32_t range; /* index into inventory.ranges, or RANGE_NONE */
        enum block_state state;
        enum block_zone zone;
        enum block_kind kind;
};

/* A run of blocks and nothing else. n_blocks == 0 is the empty span. */
struct span {
        uint64_t first_block;
        uint64_t n_blocks;
};

/* Sorted by first_block; no two touch with the same attributes, none overlap. All-zero is the empty list. */
struct extent_list {
        struct extent *items;
        size_t n;
        size_t n_allocated;
};

/* Sorted by first_block, disjoint, neighbours merged. All-zero is the empty list. */
struct span_list {
        struct span *items;
        size_t n;
        size_t n_allocated;
};

static inline uint64_t span_end(const struct span *span) {
        return span->first_block + span->n_blocks;
}

static inline uint64_t extent_end(const struct extent *extent) {
        return extent->first_block + extent->n_blocks;
}

static inline struct span extent_span(const struct extent *extent) {
        return (struct span){ extent->first_block, extent->n_blocks };
}

/* The blocks in both, the empty span if none. */
struct span span_intersect(struct span a, struct span b);

/* Frees what the list holds and leaves the empty list. Takes NULL. */
void extent_list_clear(struct extent_list *list);
void span_list_clear(struct span_list *list);

/*
 * Appends an extent that starts at or behind the list's end; merged with the last one where it can be.
 * Returns 0, -EINVAL if it would overlap or n_blocks is 0, -ENOMEM.
 */
int extent_list_append(struct extent_list *list, const struct extent *extent);

/*
 * Makes the blocks of `extent` be what it says, whatever was there: splits and merges as needed.
 * Returns 0 or -ENOMEM (the list is then as before).
 */
int extent_list_set(struct extent_list *list, const struct extent *extent);

/* Takes the blocks out of the list. Returns 0 or -ENOMEM (the list is then as before). */
int extent_list_remove(struct extent_list *list, struct span span);

/* The extent that holds the block, or NULL. Logarithmic. */
const struct extent *extent_list_find(const struct extent_list *list, uint64_t block);

/* Index of the first extent that ends behind the block (list->n if none): where a walk from there starts. */
size_t extent_list_lower_bound(const struct extent_list *list, uint64_t block);

/* Adds a span wherever it belongs; overlaps and neighbours are merged. Returns 0, -ENOMEM. */
int span_list_add(struct span_list *list, struct span span);
/* Takes a span away. Returns 0, -ENOMEM (the list is then as before). */
int span_list_remove(struct span_list *list, struct span span);
bool span_list_contains(const struct span_list *list, uint64_t block);
/* True if the span shares a block with the list. */
bool span_list_overlaps(const struct span_list *list, struct span span);
/* Index of the first span that ends behind the block (list->n if none): where a walk from there starts. */
size_t span_list_lower_bound(const struct span_list *list, uint64_t block);
uint64_t span_list_count_blocks(const struct span_list *list);

/*
 * The number of a block's sysfs name: "memory40" → 40. Returns 0, -EINVAL if it is no such name, -ERANGE where no
 * address reaches: a block is never smaller than a page, and so the end of a span never overflows.
 */
int block_number_from_name(const char *name, uint64_t *ret);

/* The words used in output, JSON and D-Bus: "online", "Movable", "hot-added", … Never NULL. */
const char *block_state_to_string(enum block_state state);
const char *block_zone_to_string(enum block_zone zone); /* "" for ZONE_NONE */
const char *block_kind_to_string(enum block_kind kind);
/* The inverse; returns -EINVAL for a word that is not known. */
int block_state_from_string(const char *word, enum block_state *ret);
int block_zone_from_string(const char *word, enum block_zone *ret);
int block_kind_from_string(const char *word, enum block_kind *ret);
