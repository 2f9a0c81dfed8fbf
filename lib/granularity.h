/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Granularity: what is mapped together must be removed together. Pure arithmetic, no I/O.
 *
 * A range's removal granularity G (/sys/bus/memory_range/devices/rangeN/removal_granularity) gives its removal
 * units: every naturally aligned chunk of G bytes that lies wholly inside the range is one unit, every block
 * outside such chunks is one by itself, and G == unknown makes the whole range one unit. A leaf's output
 * address is aligned to its size, so chunks are natural in physical addresses.
 */

#include <stdbool.h>
#include <stdint.h>

#include "extent.h"

#define GRANULARITY_UNKNOWN UINT64_C(0)

/* Who says so, best first. */
enum granularity_source {
        GRANULARITY_SOURCE_KERNEL,      /* the memory_range bus */
        GRANULARITY_SOURCE_PAGE_TABLES, /* debugfs kernel_page_tables */
        GRANULARITY_SOURCE_CONFIGURED,  /* AssumeGranularity= in memctld.conf */
        GRANULARITY_SOURCE_ESTIMATED,   /* the largest leaf this architecture and page size allow */
        GRANULARITY_SOURCE_UNKNOWN,
        _GRANULARITY_SOURCE_MAX,
};

/* uname -m, as far as it matters here */
enum machine_arch {
        ARCH_ARM64,
        ARCH_X86_64,
        ARCH_OTHER,
};

/* What a leaf-free estimate needs to know of a machine. */
struct machine {
        enum machine_arch arch;
        uint64_t page_size_bytes;
        bool has_1g_pages; /* x86-64: "pdpe1gb" in /proc/cpuinfo; true where it cannot be told */
};

/* A run of equal units: `n_units` units of `blocks_per_unit` blocks each, one behind the other. */
struct unit_run {
        uint64_t first_block;
        uint64_t blocks_per_unit;
        uint64_t n_units;
};

/*
 * The unit of `range` that holds `block`. `block` must lie in `range`. A granularity that is no power of two is
 * taken as unknown, one below the block size as the block size.
 */
struct span granularity_unit(struct span range, uint64_t granularity_bytes, uint64_t block_size_bytes, uint64_t block);

/* All units of a range as at most three runs (head, chunks, tail). Returns how many of `ret` are set. */
unsigned granularity_unit_runs(struct span range, uint64_t granularity_bytes, uint64_t block_size_bytes,
                               struct unit_run ret[static 3]);

/*
 * The largest leaf the kernel can have used, never finer than the truth:
 * arm64 1 GiB (4K pages), 1 GiB (16K), 16 GiB (64K); x86-64 1 GiB or, without pdpe1gb, 2 MiB; else unknown.
 */
uint64_t granularity_estimate(const struct machine *machine);

const char *granularity_source_to_string(enum granularity_source source);
