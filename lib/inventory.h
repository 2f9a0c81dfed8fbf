/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Inventory: a snapshot of a machine's memory as extents and ranges. The kernel is the truth; this is a cache
 * that can be rebuilt at any time and kept up to date by one uevent at a time.
 *
 * Ranges come from the memory_range bus (rangeN) or, where the kernel has none, are rebuilt (estN) from ACPI
 * memory devices (memoryN/firmware_node), dax devices (/sys/bus/dax/devices) and /proc/iomem.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extent.h"
#include "granularity.h"
#include "machine.h"
#include "node-memory.h"
#include "range.h"
#include "sysfs.h"

struct inventory {
        uint64_t block_size_bytes;
        struct machine machine;
        enum kernel_guard guard;
        enum granularity_source source;     /* the worst of all ranges; of the bus if there are none */
        char auto_online[AUTO_ONLINE_SIZE]; /* see auto_online_read() */
        struct extent_list extents;
        struct range *ranges; /* sorted by first block */
        size_t n_ranges;
        struct node_memory *nodes; /* sorted by node */
        size_t n_nodes;
        uint64_t next_estimate; /* the number the next estN gets */
        bool has_zones;         /* INVENTORY_ZONES was asked for */
        /*
         * Set by inventory_refresh_blocks() where a block came or went that only an estimate can place: ranges are
         * right again after inventory_read() with this one as `previous`. Until then such blocks are one unit.
         */
        bool estimates_stale;
};

enum inventory_flags {
        INVENTORY_ZONES = 1 << 0,       /* valid_zones: three more system calls an online block */
        INVENTORY_NODE_MEMORY = 1 << 1, /* nodeN/meminfo */
        INVENTORY_PAGE_TABLES = 1 << 2, /* ReadPageTables=: debugfs, where the kernel exports no ranges */
};

struct inventory_options {
        enum inventory_flags flags;
        uint64_t assume_granularity_bytes; /* AssumeGranularity=; 0 none */
        /* Numbers of estN are taken from here where start and size are the same; NULL none. */
        const struct inventory *previous;
        unsigned n_threads;       /* 0: as many as pay */
        uint64_t page_size_bytes; /* of a saved machine: no file tells; 0: this kernel's, if it is the same machine */
};

/*
 * Reads the machine. Returns 0 and an inventory the caller frees with inventory_free(), or -errno:
 * -ENOENT where the kernel has no memory blocks in sysfs (no CONFIG_MEMORY_HOTPLUG). A block that vanishes
 * while it is read is left out.
 */
int inventory_read(const struct sysfs *sysfs, const struct inventory_options *options, struct inventory **ret);
/* Takes NULL, returns NULL. */
struct inventory *inventory_free(struct inventory *inventory);
/* A deep copy. Returns 0, -ENOMEM. */
int inventory_copy(const struct inventory *inventory, struct inventory **ret);

/*
 * memoryN uevents: reads these blocks again (state, zone, node, range) and changes only their extents; a block
 * that is gone is taken out. Returns 1 if anything changed, 0 if not, -errno.
 */
int inventory_refresh_blocks(struct inventory *inventory, const struct sysfs *sysfs, struct span span);
/*
 * One memory_range uevent: reads rangeN again, or forgets it if it is gone; the blocks' range and kind
 * follow. Returns 1 if anything changed, 0 if not, -errno.
 */
int inventory_refresh_range(struct inventory *inventory, const struct sysfs *sysfs, uint64_t number);

/* What changes without any event: the nodes' memory and auto_online_blocks. Returns 0 or -errno. */
int inventory_refresh_machine(struct inventory *inventory, const struct sysfs *sysfs);

/* The range that holds a block, or NULL. */
const struct range *inventory_range_of(const struct inventory *inventory, uint64_t block);
/* "range0" or "est0" → the range, or NULL. */
const struct range *inventory_find_range(const struct inventory *inventory, const char *name);
/* The removal unit that holds the block: of its range, or the block itself where it has none. */
struct span inventory_unit_of(const struct inventory *inventory, uint64_t block);
/* The same where the inventory's extent that holds the block is at hand. */
struct span inventory_unit_in(const struct inventory *inventory, const struct extent *extent, uint64_t block);
/* Bytes in a state, over the whole machine or (range != NULL) inside a span. */
uint64_t inventory_count_bytes(const struct inventory *inventory, const struct span *within, enum block_state state);
