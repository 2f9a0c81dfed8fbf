/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "granularity.h"
#include "util.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

/* Blocks in a chunk, 0 if the whole range is one unit. */
static uint64_t chunk_blocks(uint64_t granularity_bytes, uint64_t block_size_bytes) {
        if (!is_power_of_two(granularity_bytes) || !is_power_of_two(block_size_bytes))
                return 0;

        return MAX(granularity_bytes / block_size_bytes, UINT64_C(1));
}

struct span granularity_unit(struct span range, uint64_t granularity_bytes, uint64_t block_size_bytes, uint64_t block) {
        uint64_t n = chunk_blocks(granularity_bytes, block_size_bytes);
        if (n == 0)
                return range;

        uint64_t first = block - block % n;
        bool inside = first >= range.first_block && span_end(&range) - first >= n;
        return inside ? (struct span){ first, n } : (struct span){ block, 1 };
}

unsigned granularity_unit_runs(struct span range, uint64_t granularity_bytes, uint64_t block_size_bytes,
                               struct unit_run ret[static 3]) {
        uint64_t n = chunk_blocks(granularity_bytes, block_size_bytes);
        if (range.n_blocks == 0)
                return 0;
        if (n == 0) {
                ret[0] = (struct unit_run){ range.first_block, range.n_blocks, 1 };
                return 1;
        }

        /* Blocks in front of the first chunk boundary; a range that reaches none is all head. */
        uint64_t head = (n - range.first_block % n) % n;
        uint64_t n_chunks = head < range.n_blocks ? (range.n_blocks - head) / n : 0;
        if (n == 1 || n_chunks == 0) {
                ret[0] = (struct unit_run){ range.first_block, 1, range.n_blocks };
                return 1;
        }

        unsigned n_runs = 0;
        uint64_t tail = range.n_blocks - head - n_chunks * n;
        if (head > 0)
                ret[n_runs++] = (struct unit_run){ range.first_block, 1, head };
        ret[n_runs++] = (struct unit_run){ range.first_block + head, n, n_chunks };
        if (tail > 0)
                ret[n_runs++] = (struct unit_run){ span_end(&range) - tail, 1, tail };
        return n_runs;
}

/*
 * The linear map's largest leaf by page size, contiguous-hint sets counted as one leaf: arm64 PUD (4K) and CONT_PMD
 * (16K, 64K), Documentation/arch/arm64/memory.rst and arch/arm64/include/asm/pgtable-hwdef.h.
 */
static uint64_t arm64_largest_leaf(uint64_t page_size_bytes) {
        switch (page_size_bytes) {
        case 4096:
        case 16384:
                return GIB;
        case 65536:
                return 16 * GIB;
        default:
                return GRANULARITY_UNKNOWN;
        }
}

uint64_t granularity_estimate(const struct machine *machine) {
        switch (machine->arch) {
        case ARCH_ARM64:
                return arm64_largest_leaf(machine->page_size_bytes);
        case ARCH_X86_64:
                return machine->has_1g_pages ? GIB : 2 * MIB;
        case ARCH_OTHER:
        default:
                return GRANULARITY_UNKNOWN;
        }
}

static const char *const source_words[_GRANULARITY_SOURCE_MAX] = {
        [GRANULARITY_SOURCE_KERNEL] = "kernel",         [GRANULARITY_SOURCE_PAGE_TABLES] = "page-tables",
        [GRANULARITY_SOURCE_CONFIGURED] = "configured", [GRANULARITY_SOURCE_ESTIMATED] = "estimated",
        [GRANULARITY_SOURCE_UNKNOWN] = "unknown",
};

const char *granularity_source_to_string(enum granularity_source source) {
        return word_of(source_words, _GRANULARITY_SOURCE_MAX, (int)source);
}
