/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The memory blocks of the simulated machine as runs of equal blocks: a machine of 524 288 blocks is a handful of
 * records. Deliberately not the library's extents: the simulated kernel must not share a mistake with what it tests.
 *
 * Out of memory ends the program: there is nothing a test tool could do about it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum block_state {
        BLOCK_OFFLINE,
        BLOCK_ONLINE,
        BLOCK_GOING_OFFLINE,
};

/* The kernel's order. ZONE_SEVERAL is a block with no zone of its own: valid_zones reads "none". */
enum zone {
        ZONE_DMA,
        ZONE_DMA32,
        ZONE_NORMAL,
        ZONE_MOVABLE,
        ZONE_SEVERAL,
        _ZONE_MAX,
};

#define NODE_NONE (-1)

struct block {
        enum block_state state;
        enum zone zone; /* of an online block */
        int node;
        int other_node; /* a boot block that spans two nodes has a link to this one too; NODE_NONE */
        bool boot;      /* the kernel's early section */
        bool hole;      /* memory is missing inside the block */
        bool unmovable; /* holds pages that cannot be migrated */
        bool unmapped;  /* part of its leaf was removed: whoever touches it brings the machine down */
};

struct run {
        uint64_t first;
        uint64_t n;
        struct block block;
};

/* Sorted, disjoint, neighbours of equal attributes merged. All-zero is the empty list. */
struct blocks {
        struct run *runs;
        size_t n_runs;
        size_t n_allocated;
};

typedef void (*block_change_fn)(struct block *block, void *userdata);

void blocks_clear(struct blocks *blocks);
/* Makes blocks [first, first + n) exist and be `block`. */
void blocks_set(struct blocks *blocks, uint64_t first, uint64_t n, const struct block *block);
void blocks_erase(struct blocks *blocks, uint64_t first, uint64_t n);
/* Changes the attributes of the blocks that exist in [first, first + n). */
void blocks_change(struct blocks *blocks, uint64_t first, uint64_t n, block_change_fn change, void *userdata);

/* NULL if there is no such block. */
const struct block *blocks_find(const struct blocks *blocks, uint64_t number);
/* Index of the first run that ends behind `number`; n_runs if none. */
size_t blocks_lower_bound(const struct blocks *blocks, uint64_t number);
/* True if any block of [first, first + n) exists. */
bool blocks_any(const struct blocks *blocks, uint64_t first, uint64_t n);

const char *zone_name(enum zone zone);
