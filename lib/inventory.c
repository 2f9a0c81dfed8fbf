/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inventory.h"
#include "util.h"

struct inventory *inventory_free(struct inventory *inventory) {
        if (!inventory)
                return NULL;

        extent_list_clear(&inventory->extents);
        for (size_t i = 0; i < inventory->n_ranges; i++) {
                free(inventory->ranges[i].name);
                free(inventory->ranges[i].device);
        }
        free(inventory->ranges);
        free(inventory->nodes);
        free(inventory);
        return NULL;
}

static void inventory_freep(struct inventory **inventory) {
        inventory_free(*inventory);
}

/* An array's copy; NULL only without memory, so an empty one is not NULL. */
static void *copy_items(const void *items, size_t n, size_t item_size) {
        void *copy = calloc(MAX(n, (size_t)1), item_size);

        if (copy && n > 0)
                memcpy(copy, items, n * item_size);
        return copy;
}

int inventory_copy(const struct inventory *inventory, struct inventory **ret) {
        _cleanup_(inventory_freep) struct inventory *copy = copy_items(inventory, 1, sizeof(*inventory));
        if (!copy)
                return -ENOMEM;

        copy->ranges = NULL;
        copy->n_ranges = 0;
        copy->extents = (struct extent_list){ 0 };
        copy->nodes = copy_items(inventory->nodes, inventory->n_nodes, sizeof(*copy->nodes));
        copy->extents.items = copy_items(inventory->extents.items, inventory->extents.n, sizeof(*copy->extents.items));
        copy->ranges = calloc(MAX(inventory->n_ranges, (size_t)1), sizeof(*copy->ranges));
        if (!copy->nodes || !copy->extents.items || !copy->ranges)
                return -ENOMEM;
        copy->extents.n = copy->extents.n_allocated = inventory->extents.n;

        for (size_t i = 0; i < inventory->n_ranges; i++) {
                const struct range *from = &inventory->ranges[i];
                struct range *to = &copy->ranges[i];
                *to = *from;
                to->name = strdup(from->name);
                to->device = from->device ? strdup(from->device) : NULL;
                copy->n_ranges++;
                if (!to->name || (from->device && !to->device))
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(copy);
        return 0;
}

const struct range *inventory_range_of(const struct inventory *inventory, uint64_t block) {
        const struct extent *extent = extent_list_find(&inventory->extents, block);

        return extent && extent->range < inventory->n_ranges ? &inventory->ranges[extent->range] : NULL;
}

const struct range *inventory_find_range(const struct inventory *inventory, const char *name) {
        uint64_t number;
        bool exported = parse_prefixed_number(name, "range", &number) == 0;

        if (!exported && parse_prefixed_number(name, "est", &number) < 0)
                return NULL;
        for (size_t i = 0; i < inventory->n_ranges; i++)
                if (inventory->ranges[i].exported == exported && inventory->ranges[i].number == number)
                        return &inventory->ranges[i];
        return NULL;
}

static bool is_untold(const struct extent *extent) {
        return extent->kind == KIND_UNKNOWN && extent->range == RANGE_NONE;
}

/* Blocks that came without a range and may have one soon: nothing says where their leaves end, so they are one unit. */
static struct span untold_run(const struct inventory *inventory, const struct extent *extent) {
        const struct extent *first = extent, *last = extent;
        const struct extent *begin = inventory->extents.items, *end = begin + inventory->extents.n;

        while (first > begin && is_untold(first - 1) && extent_end(first - 1) == first->first_block)
                first--;
        while (last + 1 < end && is_untold(last + 1) && extent_end(last) == last[1].first_block)
                last++;
        return (struct span){ first->first_block, extent_end(last) - first->first_block };
}

struct span inventory_unit_of(const struct inventory *inventory, uint64_t block) {
        const struct extent *extent = extent_list_find(&inventory->extents, block);

        return extent ? inventory_unit_in(inventory, extent, block) : (struct span){ block, 1 };
}

struct span inventory_unit_in(const struct inventory *inventory, const struct extent *extent, uint64_t block) {
        if (extent->range >= inventory->n_ranges)
                return is_untold(extent) ? untold_run(inventory, extent) : (struct span){ block, 1 };

        const struct range *range = &inventory->ranges[extent->range];
        return granularity_unit(range->span, range->removal_granularity_bytes, inventory->block_size_bytes, block);
}

uint64_t inventory_count_bytes(const struct inventory *inventory, const struct span *within, enum block_state state) {
        struct span span = within ? *within : (struct span){ 0, UINT64_MAX };
        uint64_t n_blocks = 0;

        for (size_t i = extent_list_lower_bound(&inventory->extents, span.first_block);
             i < inventory->extents.n && inventory->extents.items[i].first_block < span_end(&span); i++) {
                const struct extent *extent = &inventory->extents.items[i];
                if (extent->state == state)
                        n_blocks += span_intersect(extent_span(extent), span).n_blocks;
        }
        return n_blocks * inventory->block_size_bytes;
}
