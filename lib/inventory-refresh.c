/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "blocks.h"
#include "inventory.h"
#include "machine.h"
#include "memory-range.h"
#include "node-memory.h"
#include "util.h"

/* The range a block that just came lies in, as an index, or RANGE_NONE. */
static uint32_t range_index_at(const struct inventory *inventory, uint64_t block) {
        for (size_t i = 0; i < inventory->n_ranges; i++) {
                const struct span *span = &inventory->ranges[i].span;
                if (span->first_block <= block && block < span_end(span))
                        return (uint32_t)i;
        }
        return RANGE_NONE;
}

/* All blocks of a range the kernel exports are of its node, where there are nodes; of others each block's links have to
 * be looked through. */
static int node_of(const struct inventory *inventory, const struct sysfs *sysfs, uint64_t number, uint32_t range) {
        const struct range *known = range < inventory->n_ranges ? &inventory->ranges[range] : NULL;

        if (known && known->exported && known->node != NODE_NONE && inventory->n_nodes > 0)
                return known->node;
        return block_read_node(sysfs, number);
}

static int forget_block(struct inventory *inventory, uint64_t number) {
        const struct extent *extent = extent_list_find(&inventory->extents, number);
        if (!extent)
                return 0;

        bool estimated = extent->range < inventory->n_ranges && !inventory->ranges[extent->range].exported;
        int r = extent_list_remove(&inventory->extents, (struct span){ number, 1 });
        if (r < 0)
                return r;
        inventory->estimates_stale |= estimated;
        return 1;
}

static int refresh_block(struct inventory *inventory, const struct sysfs *sysfs, int memory_fd, uint64_t number) {
        struct block block = { .number = number };

        int r = block_read(&block, sysfs, memory_fd, inventory->has_zones);
        if (r == -ENOENT)
                return forget_block(inventory, number);
        if (r < 0)
                return r;

        const struct extent *old = extent_list_find(&inventory->extents, number);
        struct extent extent = {
                .first_block = number,
                .n_blocks = 1,
                .state = (enum block_state)block.state,
                .zone = (enum block_zone)block.zone,
        };
        if (old) {
                extent.range = old->range;
                extent.kind = old->kind;
        } else {
                /* It was not there at boot, but who added it is known only once its range, or an estimate, is. */
                extent.range = range_index_at(inventory, number);
                extent.kind = extent.range == RANGE_NONE ? KIND_UNKNOWN : inventory->ranges[extent.range].kind;
                inventory->estimates_stale |= extent.range == RANGE_NONE ? inventory->guard != GUARD_REMOVAL
                                                                         : !inventory->ranges[extent.range].exported;
        }
        extent.node = node_of(inventory, sysfs, number, extent.range);
        if (old && old->node == extent.node && old->state == extent.state && old->zone == extent.zone)
                return 0;

        r = extent_list_set(&inventory->extents, &extent);
        return r < 0 ? r : 1;
}

int inventory_refresh_blocks(struct inventory *inventory, const struct sysfs *sysfs, struct span span) {
        int changed = 0;

        int memory_fd = sysfs_open_directory(sysfs, SYSFS_MEMORY);
        if (memory_fd < 0)
                return memory_fd;

        for (uint64_t number = span.first_block; changed >= 0 && number < span_end(&span); number++) {
                int r = refresh_block(inventory, sysfs, memory_fd, number);
                changed = r < 0 ? r : changed | r;
        }
        sysfs_close_fd(sysfs, memory_fd);
        return changed;
}

/* The list with other indices of ranges: `index[i]` for i, RANGE_NONE makes the blocks' kind unknown. */
static int renumber_extents(struct inventory *inventory, const uint32_t *index) {
        _cleanup_(extent_list_clear) struct extent_list list = { 0 };

        for (size_t i = 0; i < inventory->extents.n; i++) {
                struct extent extent = inventory->extents.items[i];
                if (extent.range < inventory->n_ranges) {
                        extent.range = index[extent.range];
                        if (extent.range == RANGE_NONE)
                                extent.kind = KIND_UNKNOWN;
                }
                int r = extent_list_append(&list, &extent);
                if (r < 0)
                        return r;
        }

        struct extent_list old = inventory->extents;
        inventory->extents = list;
        list = old;
        return 0;
}

static int forget_range(struct inventory *inventory, size_t at) {
        uint32_t *index = calloc(inventory->n_ranges, sizeof(*index));
        if (!index)
                return -ENOMEM;
        for (size_t i = 0; i < inventory->n_ranges; i++)
                index[i] = i == at ? RANGE_NONE : (uint32_t)(i - (i > at));

        int r = renumber_extents(inventory, index);
        free(index);
        if (r < 0)
                return r;

        range_clear(&inventory->ranges[at]);
        inventory->n_ranges--;
        memmove(&inventory->ranges[at], &inventory->ranges[at + 1],
                (inventory->n_ranges - at) * sizeof(*inventory->ranges));
        return 1;
}

/* Gives the blocks inside a range, which is inventory->ranges[at], to it. */
static int claim_blocks(struct inventory *inventory, size_t at, const struct range *range) {
        const struct span span = range->span;

        for (uint64_t block = span.first_block; block < span_end(&span);) {
                size_t i = extent_list_lower_bound(&inventory->extents, block);
                if (i == inventory->extents.n)
                        return 0;

                /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is an i-th, so there are items */
                struct extent extent = inventory->extents.items[i];
                if (extent.first_block >= span_end(&span))
                        return 0;
                struct span part = span_intersect(extent_span(&extent), span);
                extent.first_block = part.first_block;
                extent.n_blocks = part.n_blocks;
                extent.range = (uint32_t)at;
                extent.kind = range->kind;
                int r = extent_list_set(&inventory->extents, &extent);
                if (r < 0)
                        return r;
                block = span_end(&part);
        }
        return 0;
}

/* Takes what the range owns, on success only. */
static int insert_range(struct inventory *inventory, struct range *range) {
        size_t at = 0;
        while (at < inventory->n_ranges && inventory->ranges[at].span.first_block < range->span.first_block)
                at++;

        struct range *ranges = reallocarray(inventory->ranges, inventory->n_ranges + 1, sizeof(*ranges));
        if (!ranges)
                return -ENOMEM;
        inventory->ranges = ranges;

        uint32_t *index = calloc(inventory->n_ranges + 1, sizeof(*index));
        if (!index)
                return -ENOMEM;
        for (size_t i = 0; i < inventory->n_ranges; i++)
                index[i] = (uint32_t)(i + (i >= at));
        int r = renumber_extents(inventory, index);
        free(index);
        if (r < 0)
                return r;

        memmove(&ranges[at + 1], &ranges[at], (inventory->n_ranges - at) * sizeof(*ranges));
        ranges[at] = *range;
        range->name = range->device = NULL;
        inventory->n_ranges++;
        r = claim_blocks(inventory, at, &ranges[at]);
        return r < 0 ? r : 1;
}

static bool same_range(const struct range *a, const struct range *b) {
        return a->span.first_block == b->span.first_block && a->span.n_blocks == b->span.n_blocks &&
               a->node == b->node && a->driver == b->driver && a->kind == b->kind &&
               a->mapping_granularity_bytes == b->mapping_granularity_bytes &&
               a->removal_granularity_bytes == b->removal_granularity_bytes && a->source == b->source &&
               strcmp(a->name, b->name) == 0 && !a->device == !b->device &&
               (!a->device || strcmp(a->device, b->device) == 0);
}

static void update_source(struct inventory *inventory) {
        if (inventory->guard == GUARD_REMOVAL)
                inventory->source = GRANULARITY_SOURCE_KERNEL;
        for (size_t i = 0; i < inventory->n_ranges; i++)
                inventory->source = MAX(inventory->source, inventory->ranges[i].source);
}

static int read_one_range(const struct inventory *inventory, const struct sysfs *sysfs, uint64_t number,
                          struct range *ret) {
        _cleanup_(dax_devices_clear) struct dax_devices dax = { 0 };
        const struct range_reading reading = {
                .block_size_bytes = inventory->block_size_bytes,
                .dax = &dax,
                .platform_driver = platform_driver_read(sysfs),
        };

        int r = dax_devices_read(sysfs, &dax);
        return r < 0 ? r : range_read(sysfs, number, &reading, ret);
}

int inventory_refresh_range(struct inventory *inventory, const struct sysfs *sysfs, uint64_t number) {
        struct range range;
        size_t at = 0;
        while (at < inventory->n_ranges && !(inventory->ranges[at].exported && inventory->ranges[at].number == number))
                at++;
        bool known = at < inventory->n_ranges;

        int r = read_one_range(inventory, sysfs, number, &range);
        if (r == -ENOENT) {
                r = known ? forget_range(inventory, at) : 0;
        } else if (r == 0) {
                if (known && same_range(&inventory->ranges[at], &range))
                        r = 0;
                else {
                        r = known ? forget_range(inventory, at) : 0;
                        if (r >= 0)
                                r = insert_range(inventory, &range);
                }
                range_clear(&range);
        }
        if (r > 0)
                update_source(inventory);
        return r;
}

int inventory_refresh_machine(struct inventory *inventory, const struct sysfs *sysfs) {
        _cleanup_free_ int *numbers = NULL;
        struct node_memory *nodes;
        size_t n_numbers, n_nodes;

        auto_online_read(sysfs, inventory->auto_online);

        int r = nodes_list(sysfs, &numbers, &n_numbers);
        if (r == 0)
                r = node_memory_read(sysfs, numbers, n_numbers, &nodes, &n_nodes);
        if (r < 0)
                return r;
        free(inventory->nodes);
        inventory->nodes = nodes;
        inventory->n_nodes = n_nodes;
        return 0;
}
