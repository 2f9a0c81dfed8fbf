/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The blocks of a machine as sysfs shows them: a record of 16 bytes each, only while an inventory is being read. All
 * the system calls that are made once a block are made here.
 */

#include <stddef.h>
#include <stdint.h>

#include "extent.h"
#include "sysfs.h"

/* No ACPI memory device: its number is NN of PNP0C80:NN. */
#define ACPI_NONE 0xffffffU

struct block {
        uint64_t number;
        int32_t node;
        uint32_t acpi : 24;
        uint32_t state : 3; /* enum block_state */
        uint32_t zone : 4;  /* enum block_zone */
        uint32_t gone : 1;  /* vanished while it was read */
};

/* Sorted by number. All-zero is the empty table. */
struct block_table {
        struct block *items;
        size_t n;
        size_t n_allocated;
};

void block_table_clear(struct block_table *table);

/* Every memoryN, with its number only. Returns 0, -ENOENT without memory hot-plug, -errno. */
int block_table_list(struct block_table *table, const struct sysfs *sysfs);

struct block_reading {
        const int *nodes; /* in ascending order */
        size_t n_nodes;
        /*
         * Read valid_zones of online blocks. Of one that is just being added it must not be read: as long as the
         * block has no node, Linux 6.12 dereferences NULL for it (valid_zones_show(), drivers/base/memory.c).
         */
        bool zones;
        bool acpi; /* look for firmware_node of blocks outside `known` */
        const struct span_list *known;
        unsigned n_threads; /* 0: as many as pay */
};

/*
 * Reads every block: state (three system calls), zone (three more), firmware_node (one more); and its node from the
 * links in each node's directory, where one in several nodes counts to the lowest. Drops those gone.
 */
int block_table_read(struct block_table *table, const struct sysfs *sysfs, const struct block_reading *reading);

/*
 * Reads the state, and the zone if it is asked for, of one block below `memory_fd`, the directory SYSFS_MEMORY. Returns
 * 0; -ENOENT where it is gone; -EBADMSG for a state that is no state; -errno.
 */
int block_read(struct block *block, const struct sysfs *sysfs, int memory_fd, bool zone);

/* The ACPI memory device of a block, ACPI_NONE if it has none. */
uint32_t block_read_acpi(const struct sysfs *sysfs, int memory_fd, uint64_t number);

/* The node of one block from its own directory: the lowest; NODE_NONE if there is none. */
int block_read_node(const struct sysfs *sysfs, uint64_t number);
