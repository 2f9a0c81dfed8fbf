/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Map layout: which rows a machine is drawn in, and how many blocks a cell stands for. Pure: the same machine and size
 * give the same layout.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory.h"
#include "selector.h"

/* Touching memory of one node: boot memory, or what one device (or none) has added as one range or several. */
struct map_row {
        struct span span;
        int node;
        const struct range *ranges; /* n_ranges of them, one behind the other; NULL boot memory */
        size_t n_ranges;
};

enum map_edge {
        EDGE_NONE,
        EDGE_UNIT,
        EDGE_RANGE,
};

/* Blocks that one glyph stands for: never a part of two removal units. */
struct map_cell {
        struct span span;
        enum map_edge edge; /* what begins with it */
};

struct map_cells {
        struct map_cell *items;
        size_t n;
        size_t n_allocated;
};

/* What there is room for. n_cell_columns has room for edges, too. */
struct map_room {
        unsigned n_cell_columns;
        unsigned n_lines; /* for rows only */
};

struct map_layout {
        struct map_row *rows; /* by node, boot memory first, then by address */
        size_t n_rows;
        /* Powers of two: as small as the room allows. Boot memory has a line a row wherever there is a range. */
        uint64_t blocks_per_cell;
        uint64_t blocks_per_boot_cell;
};

/* The rows that share a block with the selection, with cells of one block. Returns 0, -ENOMEM. */
int map_layout_rows(const struct inventory *inventory, const struct selection *selection, struct map_layout *ret);
/* Makes cells large enough for the room, as far as that helps: no row takes less than a line. Returns 0, -ENOMEM. */
int map_layout_fit(struct map_layout *layout, const struct inventory *inventory, const struct map_room *room);
void map_layout_clear(struct map_layout *layout);

/* The cells of a row, from left to right. Returns 0, -ENOMEM. */
int map_row_cells(const struct map_layout *layout, const struct inventory *inventory, const struct map_row *row,
                  struct map_cells *ret);
void map_cells_clear(struct map_cells *cells);
/* Where the line that begins with cell `first` ends: between two units if it can. Behind its last cell. */
size_t map_line_end(const struct map_cells *cells, size_t first, unsigned n_cell_columns);
/* How many columns the cells [first, end) take with their edges. */
unsigned map_line_columns(const struct map_cells *cells, size_t first, size_t end);
