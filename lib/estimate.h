/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Ranges where the kernel exports none: runs of blocks that one thing has added, as far as can be told. In this order a
 * block belongs to a dax device, an ACPI memory device, or a line of /proc/iomem; on a kernel without the memory_range
 * bus what is left is a run that cannot be told from boot memory. A run ends where its node does. A range made from a
 * line is as long as the line, also while its blocks come and go, so that it stays the same range.
 */

#include "blocks.h"
#include "iomem.h"
#include "memory-range.h"
#include "range.h"

struct estimating {
        uint64_t block_size_bytes;
        uint64_t granularity_bytes; /* GRANULARITY_UNKNOWN: each run is one unit */
        enum granularity_source source;
        const struct dax_devices *dax;
        const struct iomem *iomem;         /* NULL with the bus: it tells more */
        const struct span_list *known;     /* blocks of exported ranges */
        enum range_driver platform_driver; /* of plain memory without an ACPI device */
        /* Runs with the same start and size keep their numbers. */
        const struct range *previous;
        size_t n_previous;
};

/*
 * Appends the estimated ranges of a table of blocks to the list. Blocks in none of them, nor in `known`, are boot
 * memory. *next_number is where new numbers start, behind all there ever were, and is moved on. Returns 0, -ENOMEM.
 */
int estimate_ranges(const struct block_table *table, const struct estimating *estimating, struct range_list *list,
                    uint64_t *next_number);
