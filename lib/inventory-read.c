/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "blocks.h"
#include "estimate.h"
#include "inventory.h"
#include "iomem.h"
#include "machine.h"
#include "memory-range.h"
#include "node-memory.h"
#include "page-tables.h"
#include "util.h"

#define ACPI_DEVICES "sys/bus/acpi/devices"

/* Everything read on the way to an inventory. */
struct reading {
        const struct sysfs *sysfs;
        const struct inventory_options *options;
        struct inventory *inventory;
        bool has_bus;
        enum range_driver platform_driver;
        struct block_table blocks;
        struct dax_devices dax;
        struct iomem iomem;
        struct range_list ranges;
        struct span_list exported; /* blocks of exported ranges */
        int *nodes;
        size_t n_nodes;
};

static void reading_clear(struct reading *reading) {
        inventory_free(reading->inventory);
        block_table_clear(&reading->blocks);
        dax_devices_clear(&reading->dax);
        iomem_clear(&reading->iomem);
        range_list_clear(&reading->ranges);
        span_list_clear(&reading->exported);
        free(reading->nodes);
}

static int read_machine(struct reading *reading) {
        const struct sysfs *sysfs = reading->sysfs;
        struct inventory *inventory = reading->inventory;

        int memory_fd = sysfs_open_directory(sysfs, SYSFS_MEMORY);
        if (memory_fd < 0)
                return memory_fd;

        int r = sysfs_read_u64_at(sysfs, memory_fd, "block_size_bytes", 16, &inventory->block_size_bytes);
        sysfs_close_fd(sysfs, memory_fd);
        if (r < 0)
                return r;
        if (!is_power_of_two(inventory->block_size_bytes) || inventory->block_size_bytes < 4096)
                return -EBADMSG;

        inventory->machine = machine_read(sysfs, inventory->block_size_bytes, reading->options->page_size_bytes);
        inventory->guard = kernel_guard_read(sysfs, &inventory->machine);
        reading->has_bus = inventory->guard == GUARD_REMOVAL;
        reading->platform_driver = platform_driver_read(sysfs);
        return 0;
}

static int read_exported_ranges(struct reading *reading) {
        const struct range_reading range_reading = {
                .block_size_bytes = reading->inventory->block_size_bytes,
                .dax = &reading->dax,
                .platform_driver = reading->platform_driver,
        };

        int r = dax_devices_read(reading->sysfs, &reading->dax);
        if (r < 0 || !reading->has_bus)
                return r;

        r = range_list_read(reading->sysfs, &range_reading, &reading->ranges);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; r == 0 && i < reading->ranges.n; i++)
                r = span_list_add(&reading->exported, reading->ranges.items[i].span);
        return r;
}

static int find_acpi_memory_device(const char *name, void *userdata) {
        (void)userdata;
        return strncmp(name, "PNP0C80:", 8) == 0 ? 1 : 0;
}

static int read_blocks(struct reading *reading) {
        const struct sysfs *sysfs = reading->sysfs;

        int r = nodes_list(sysfs, &reading->nodes, &reading->n_nodes);
        if (r < 0)
                return r;
        r = block_table_list(&reading->blocks, sysfs);
        if (r < 0)
                return r;

        /* Machines without ACPI memory devices, and those where every block has a range, are spared a call a block. */
        const struct block_reading block_reading = {
                .nodes = reading->nodes,
                .n_nodes = reading->n_nodes,
                .zones = reading->options->flags & INVENTORY_ZONES,
                .acpi = sysfs_list(sysfs, ACPI_DEVICES, find_acpi_memory_device, NULL) == 1,
                .known = &reading->exported,
                .n_threads = reading->options->n_threads,
        };
        return block_table_read(&reading->blocks, sysfs, &block_reading);
}

/* /proc/iomem as far as it is to be believed: nothing where it shows no addresses. */
static int read_iomem(struct reading *reading) {
        _cleanup_free_ char *text = NULL;

        ssize_t n = sysfs_read_iomem(reading->sysfs, &text);
        if (n < 0)
                return n == -ENOMEM ? -ENOMEM : 0;

        int r = iomem_parse(text, reading->inventory->block_size_bytes, &reading->iomem);
        if (r == 0 && !reading->iomem.readable)
                iomem_clear(&reading->iomem);
        return r;
}

/* Numbers are never reused: new ones start behind all there were. */
static uint64_t next_estimate_after(const struct inventory *previous) {
        uint64_t number = previous->next_estimate;

        for (size_t i = 0; i < previous->n_ranges; i++)
                if (!previous->ranges[i].exported)
                        number = MAX(number, previous->ranges[i].number + 1);
        return number;
}

static int add_estimated_ranges(struct reading *reading) {
        const struct inventory_options *options = reading->options;
        struct inventory *inventory = reading->inventory;

        if (!reading->has_bus) {
                int r = read_iomem(reading);
                if (r < 0)
                        return r;
        }

        uint64_t granularity_bytes = granularity_estimate(&inventory->machine);
        enum granularity_source source =
                granularity_bytes == GRANULARITY_UNKNOWN ? GRANULARITY_SOURCE_UNKNOWN : GRANULARITY_SOURCE_ESTIMATED;
        if (options->assume_granularity_bytes != 0) {
                granularity_bytes = options->assume_granularity_bytes;
                source = GRANULARITY_SOURCE_CONFIGURED;
        }
        if ((options->flags & INVENTORY_PAGE_TABLES) && !reading->has_bus &&
            page_tables_largest_leaf(reading->sysfs, &inventory->machine, &granularity_bytes) == 0)
                source = GRANULARITY_SOURCE_PAGE_TABLES;

        inventory->source = reading->has_bus ? GRANULARITY_SOURCE_KERNEL : source;
        const struct estimating estimating = {
                .block_size_bytes = inventory->block_size_bytes,
                .granularity_bytes = granularity_bytes,
                .source = source,
                .dax = &reading->dax,
                .iomem = reading->has_bus ? NULL : &reading->iomem,
                .known = &reading->exported,
                .platform_driver = reading->platform_driver,
                .previous = options->previous ? options->previous->ranges : NULL,
                .n_previous = options->previous ? options->previous->n_ranges : 0,
        };
        if (options->previous)
                inventory->next_estimate = next_estimate_after(options->previous);
        return estimate_ranges(&reading->blocks, &estimating, &reading->ranges, &inventory->next_estimate);
}

/* Blocks, in order, meet ranges, in order. */
static int make_extents(struct reading *reading) {
        const struct range_list *ranges = &reading->ranges;
        struct extent_list *extents = &reading->inventory->extents;
        size_t at = 0;

        for (size_t i = 0; i < reading->blocks.n; i++) {
                const struct block *block = &reading->blocks.items[i];
                struct extent extent = {
                        .first_block = block->number,
                        .n_blocks = 1,
                        .node = block->node,
                        .range = RANGE_NONE,
                        .state = (enum block_state)block->state,
                        .zone = (enum block_zone)block->zone,
                        .kind = KIND_BOOT,
                };

                while (at < ranges->n && span_end(&ranges->items[at].span) <= block->number)
                        at++;
                if (at < ranges->n && ranges->items[at].span.first_block <= block->number) {
                        extent.range = (uint32_t)at;
                        extent.kind = ranges->items[at].kind;
                }
                int r = extent_list_append(extents, &extent);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void take_ranges(struct reading *reading) {
        struct inventory *inventory = reading->inventory;

        for (size_t i = 0; i < reading->ranges.n; i++)
                inventory->source = MAX(inventory->source, reading->ranges.items[i].source);
        inventory->ranges = TAKE_PTR(reading->ranges.items);
        inventory->n_ranges = reading->ranges.n;
        reading->ranges = (struct range_list){ 0 };
}

int inventory_read(const struct sysfs *sysfs, const struct inventory_options *options, struct inventory **ret) {
        static const struct inventory_options no_options = { 0 };
        _cleanup_(reading_clear) struct reading reading = { .sysfs = sysfs,
                                                            .options = options ? options : &no_options };

        reading.inventory = calloc(1, sizeof(*reading.inventory));
        if (!reading.inventory)
                return -ENOMEM;
        reading.inventory->has_zones = reading.options->flags & INVENTORY_ZONES;

        int r = read_machine(&reading);
        if (r == 0)
                r = read_exported_ranges(&reading);
        if (r == 0)
                r = read_blocks(&reading);
        if (r == 0)
                r = add_estimated_ranges(&reading);
        if (r < 0)
                return r;

        /* After the ranges: it is what the kernel did with one that was just added. */
        auto_online_read(sysfs, reading.inventory->auto_online);
        range_list_sort(&reading.ranges);
        r = make_extents(&reading);
        if (r == 0 && (reading.options->flags & INVENTORY_NODE_MEMORY))
                r = node_memory_read(sysfs, reading.nodes, reading.n_nodes, &reading.inventory->nodes,
                                     &reading.inventory->n_nodes);
        if (r < 0)
                return r;

        take_ranges(&reading);
        *ret = TAKE_PTR(reading.inventory);
        return 0;
}
