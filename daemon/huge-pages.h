/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Pools of huge pages. Taking a block offline dissolves the free huge pages in it, and the kernel makes no others
 * instead (dissolve_free_hugetlb_folios() in mm/hugetlb.c): the node's nr_hugepages is smaller afterwards, and stays so
 * when the block comes back. So the pools' sizes are written to the journal before, and back to nr_hugepages when the
 * job is over (Documentation/admin-guide/mm/hugetlbpage.rst). Only the worker process does this: making huge pages can
 * take long.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sysfs.h"

struct huge_page_pool {
        int node;
        uint64_t page_size_kib;
        uint64_t n_pages; /* persistent ones, free or not: without surplus pages */
        bool is_on_file;
};

/* All-zero is the empty list. */
struct huge_page_pools {
        struct huge_page_pool *items;
        size_t n, n_allocated;
};

/* The pools of all nodes that have pages in them; what cannot be read is no pool. Returns 0, -ENOMEM. */
int huge_page_pools_read(const struct sysfs *sysfs, struct huge_page_pools *ret);
void huge_page_pools_clear(struct huge_page_pools *pools);

/* Writes the pools of the block's node to the journal, each once. Returns 0 or -errno. */
int huge_page_pools_record(struct huge_page_pools *pools, const struct sysfs *sysfs, uint64_t block, int journal_fd);
/* Gives the pools back what they had, as the journal says, and says in the log where there was no room. */
int huge_page_pools_restore(const struct sysfs *sysfs, int journal_fd);
