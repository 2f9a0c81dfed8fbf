/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "logical-memory-block.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* /proc/device-tree leads here, but memctld.service need not see it. */
#define NODE "sys/firmware/devicetree/base/ibm,dynamic-reconfiguration-memory"

/* A run of LMBs one behind the other, whose DRC indexes count up. */
struct run {
        uint64_t start; /* address */
        uint32_t n;
        uint32_t index; /* of the first */
};

/* Cells: big-endian words of 4 bytes. */
static uint32_t cell(const char *cells, size_t i) {
        uint32_t value;

        memcpy(&value, cells + i * sizeof(value), sizeof(value));
        return be32toh(value);
}

static uint64_t address_cells(const char *cells, size_t i) {
        return (uint64_t)cell(cells, i) << 32 | cell(cells, i + 1);
}

/* base-address(2) drc-index reserved associativity-index flags */
#define CELLS_PER_LMB 6
/* number-of-lmbs base-address(2) drc-index associativity-index flags */
#define CELLS_PER_RUN 6

static struct run lmb_at(const char *cells) {
        return (struct run){ address_cells(cells, 0), 1, cell(cells, 2) };
}

static struct run run_at(const char *cells) {
        return (struct run){ address_cells(cells, 1), cell(cells, 0), cell(cells, 3) };
}

static int read_size(const struct sysfs *sysfs, uint64_t *ret) {
        _cleanup_free_ char *cells = NULL;
        ssize_t n = sysfs_read_all(sysfs, NODE "/ibm,lmb-size", &cells);

        if (n < 0)
                return (int)n;
        if (n != 4 && n != 8)
                return -EBADMSG;
        *ret = n == 4 ? cell(cells, 0) : address_cells(cells, 0);
        return *ret > 0 ? 0 : -EBADMSG;
}

int logical_memory_block_index(const struct sysfs *sysfs, uint64_t address, uint32_t *ret) {
        _cleanup_free_ char *cells = NULL;
        struct run (*entry_at)(const char *cells) = run_at;
        size_t n_entry_cells = CELLS_PER_RUN, n_cells;
        uint64_t size_bytes = 0;
        ssize_t n;
        int r;

        r = read_size(sysfs, &size_bytes);
        if (r < 0)
                return r;
        n = sysfs_read_all(sysfs, NODE "/ibm,dynamic-memory-v2", &cells);
        if (n == -ENOENT) {
                entry_at = lmb_at;
                n_entry_cells = CELLS_PER_LMB;
                n = sysfs_read_all(sysfs, NODE "/ibm,dynamic-memory", &cells);
        }
        if (n < 0)
                return (int)n;
        /* The first cell says how many entries follow. */
        n_cells = (size_t)n / 4;
        if (n_cells == 0 || (n_cells - 1) / n_entry_cells < cell(cells, 0))
                return -EBADMSG;
        for (size_t i = 0; i < cell(cells, 0); i++) {
                struct run run = entry_at(cells + (1 + i * n_entry_cells) * 4);

                if (address < run.start || (address - run.start) / size_bytes >= run.n)
                        continue;
                *ret = run.index + (uint32_t)((address - run.start) / size_bytes);
                return 0;
        }
        return -ENXIO;
}
