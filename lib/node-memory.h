/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much memory each node has, and how much of it is free (Documentation/filesystems/proc.rst, meminfo). */

#include <stddef.h>
#include <stdint.h>

#include "extent.h"
#include "sysfs.h"

/* nodeN/meminfo, for headroom. One entry with NODE_NONE from /proc/meminfo where the kernel has no nodes. */
struct node_memory {
        int node;
        uint64_t total_bytes;
        uint64_t free_bytes;        /* MemFree */
        uint64_t reclaimable_bytes; /* page cache and reclaimable slab: given back under pressure, not all of it */
        uint64_t free_huge_pages;   /* of the default size */
};

/* The kernel's nodes, sorted; none where it has no /sys/devices/system/node. Returns 0, -ENOMEM, -errno. */
int nodes_list(const struct sysfs *sysfs, int **ret, size_t *ret_n);

/* What one meminfo says; lines may start with "Node N ". Sizes it does not name are 0. */
struct node_memory node_memory_parse(const char *meminfo);

/* nodeN/meminfo of each node, or with no nodes /proc/meminfo as NODE_NONE. Returns 0, -ENOMEM. */
int node_memory_read(const struct sysfs *sysfs, const int *nodes, size_t n_nodes, struct node_memory **ret,
                     size_t *ret_n);
