/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "map-layout.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct row_list {
        struct map_row *items;
        size_t n;
        size_t n_allocated;
};

static int add_row(struct row_list *rows, const struct map_row *row) {
        struct map_row *items = array_grow(rows->items, &rows->n_allocated, rows->n + 1, sizeof *items);

        if (!items)
                return -ENOMEM;

        rows->items = items;
        rows->items[rows->n++] = *row;
        return 0;
}

static int add_boot_rows(struct row_list *rows, const struct inventory *inventory) {
        for (size_t i = 0; i < inventory->extents.n; i++) {
                const struct extent *extent = inventory->extents.items + i;
                struct map_row *last = rows->n > 0 ? rows->items + rows->n - 1 : NULL;

                if (extent->range != RANGE_NONE)
                        continue;
                if (last && last->node == extent->node && span_end(&last->span) == extent->first_block) {
                        last->span.n_blocks += extent->n_blocks;
                        continue;
                }
                if (add_row(rows, &(struct map_row){ .span = extent_span(extent), .node = extent->node }) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static bool is_same_device(const struct range *a, const struct range *b) {
        return a->exported == b->exported && a->driver == b->driver && a->node == b->node &&
               (a->device && b->device ? strcmp(a->device, b->device) == 0 : a->device == b->device);
}

/* A driver such as virtio-mem adds a range for each block: those of one device that touch are one row. */
static int add_range_rows(struct row_list *rows, const struct inventory *inventory) {
        for (size_t i = 0; i < inventory->n_ranges; i++) {
                const struct range *range = inventory->ranges + i;
                struct map_row *last = i > 0 ? rows->items + rows->n - 1 : NULL;

                if (last && span_end(&last->span) == range->span.first_block && is_same_device(last->ranges, range)) {
                        last->span.n_blocks += range->span.n_blocks;
                        last->n_ranges++;
                        continue;
                }
                if (add_row(rows,
                            &(struct map_row){
                                    .span = range->span, .node = range->node, .ranges = range, .n_ranges = 1 }) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int compare_rows(const void *a, const void *b) {
        const struct map_row *x = a, *y = b;
        /* Memory of no node comes last. */
        unsigned x_node = (unsigned)x->node, y_node = (unsigned)y->node;

        if (x_node != y_node)
                return x_node < y_node ? -1 : 1;
        if (!x->ranges != !y->ranges)
                return x->ranges ? 1 : -1;

        return x->span.first_block < y->span.first_block ? -1 : x->span.first_block > y->span.first_block;
}

int map_layout_rows(const struct inventory *inventory, const struct selection *selection, struct map_layout *ret) {
        struct row_list rows = { 0 };
        size_t n = 0;

        if (add_boot_rows(&rows, inventory) < 0 || add_range_rows(&rows, inventory) < 0) {
                free(rows.items);
                return -ENOMEM;
        }

        for (size_t i = 0; i < rows.n; i++)
                if (span_list_overlaps(&selection->present, rows.items[i].span))
                        rows.items[n++] = rows.items[i];
        if (n > 0)
                qsort(rows.items, n, sizeof *rows.items, compare_rows);

        *ret = (struct map_layout){ .rows = rows.items, .n_rows = n, .blocks_per_cell = 1, .blocks_per_boot_cell = 1 };
        return 0;
}

void map_layout_clear(struct map_layout *layout) {
        free(layout->rows);
        *layout = (struct map_layout){ 0 };
}

/* Cells begin at multiples of their size, as removal units do: no cell is in two units. */
static uint64_t cell_end(uint64_t block, uint64_t blocks_per_cell) {
        uint64_t end;

        if (__builtin_add_overflow(block - block % blocks_per_cell, blocks_per_cell, &end))
                return UINT64_MAX;

        return end;
}

static int add_cell(struct map_cells *cells, struct span span, enum map_edge edge) {
        struct map_cell *items = array_grow(cells->items, &cells->n_allocated, cells->n + 1, sizeof *items);

        if (!items)
                return -ENOMEM;

        cells->items = items;
        cells->items[cells->n++] = (struct map_cell){ span, edge };
        return 0;
}

/* Edges are drawn where there is something to see between them: units that are larger than a cell. */
static enum map_edge edge_before(const struct inventory *inventory, const struct map_row *row,
                                 const struct range *range, uint64_t block, uint64_t blocks_per_cell) {
        struct span unit, previous;

        if (block == row->span.first_block)
                return EDGE_RANGE;
        if (block == range->span.first_block)
                return range->span.n_blocks > blocks_per_cell || range[-1].span.n_blocks > blocks_per_cell ? EDGE_RANGE
                                                                                                           : EDGE_NONE;

        unit = inventory_unit_of(inventory, block);
        if (unit.first_block != block)
                return EDGE_NONE;
        previous = inventory_unit_of(inventory, block - 1);
        return unit.n_blocks > blocks_per_cell || previous.n_blocks > blocks_per_cell ? EDGE_UNIT : EDGE_NONE;
}

static int add_range_cells(const struct map_layout *layout, const struct inventory *inventory,
                           const struct map_row *row, struct map_cells *cells) {
        const struct range *range = row->ranges, *end_range = row->ranges + row->n_ranges;
        uint64_t block = row->span.first_block;

        while (block < span_end(&row->span)) {
                enum map_edge edge = edge_before(inventory, row, range, block, layout->blocks_per_cell);
                uint64_t end = cell_end(block, layout->blocks_per_cell), limit = span_end(&range->span);

                /* Ranges smaller than a cell share one. */
                for (const struct range *next = range + 1;
                     limit < end && next < end_range && range->span.n_blocks < layout->blocks_per_cell &&
                     next->span.n_blocks < layout->blocks_per_cell;
                     next++)
                        limit = span_end(&next->span);
                end = MIN(end, limit);
                if (add_cell(cells, (struct span){ block, end - block }, edge) < 0)
                        return -ENOMEM;
                block = end;
                while (range + 1 < end_range && span_end(&range->span) <= block)
                        range++;
        }

        return 0;
}

int map_row_cells(const struct map_layout *layout, const struct inventory *inventory, const struct map_row *row,
                  struct map_cells *ret) {
        struct map_cells cells = { 0 };
        int r = 0;

        if (row->ranges)
                r = add_range_cells(layout, inventory, row, &cells);
        else
                for (uint64_t block = row->span.first_block; block < span_end(&row->span) && r == 0;) {
                        uint64_t end = MIN(cell_end(block, layout->blocks_per_boot_cell), span_end(&row->span));

                        r = add_cell(&cells, (struct span){ block, end - block }, EDGE_NONE);
                        block = end;
                }
        if (r < 0) {
                map_cells_clear(&cells);
                return r;
        }

        *ret = cells;
        return 0;
}

void map_cells_clear(struct map_cells *cells) {
        free(cells->items);
        *cells = (struct map_cells){ 0 };
}

size_t map_line_end(const struct map_cells *cells, size_t first, unsigned n_cell_columns) {
        unsigned n_used = 2; /* the edges of the line itself */
        size_t best = 0;

        for (size_t i = first; i < cells->n; i++) {
                bool begins_unit = i > first && cells->items[i].edge != EDGE_NONE;

                if (begins_unit)
                        best = i;
                n_used += begins_unit ? 2 : 1;
                if (n_used > n_cell_columns && i > first)
                        return best ? best : i;
        }

        return cells->n;
}

unsigned map_line_columns(const struct map_cells *cells, size_t first, size_t end) {
        unsigned n = 2;

        for (size_t i = first; i < end; i++)
                n += i > first && cells->items[i].edge != EDGE_NONE ? 2 : 1;

        return n;
}

static int count_lines(const struct map_layout *layout, const struct inventory *inventory, const struct map_row *row,
                       unsigned n_cell_columns, size_t *n_lines) {
        struct map_cells cells;

        if (map_row_cells(layout, inventory, row, &cells) < 0)
                return -ENOMEM;
        for (size_t first = 0; first < cells.n; first = map_line_end(&cells, first, n_cell_columns))
                (*n_lines)++;
        map_cells_clear(&cells);
        return 0;
}

/* Lines of all rows of one kind. */
static int count_kind(const struct map_layout *layout, const struct inventory *inventory, bool is_boot,
                      unsigned n_cell_columns, size_t *ret) {
        size_t n_lines = 0;

        for (size_t i = 0; i < layout->n_rows; i++)
                if (!layout->rows[i].ranges == is_boot &&
                    count_lines(layout, inventory, layout->rows + i, n_cell_columns, &n_lines) < 0)
                        return -ENOMEM;

        *ret = n_lines;
        return 0;
}

/* Doubles the cells of one kind until its rows fit into so many lines, or are a line each. */
static int grow_cells(struct map_layout *layout, const struct inventory *inventory, bool is_boot, size_t n_lines_max,
                      unsigned n_cell_columns) {
        uint64_t *blocks_per_cell = is_boot ? &layout->blocks_per_boot_cell : &layout->blocks_per_cell, n_blocks = 0;
        size_t n_lines, n_rows = 0;

        for (size_t i = 0; i < layout->n_rows; i++)
                if (!layout->rows[i].ranges == is_boot) {
                        n_blocks += layout->rows[i].span.n_blocks;
                        n_rows++;
                }
        n_lines_max = MAX(n_lines_max, n_rows);
        /* Nobody counts cells that cannot fit by far. */
        while (n_blocks / *blocks_per_cell > (uint64_t)n_lines_max * n_cell_columns)
                *blocks_per_cell *= 2;

        for (;;) {
                if (count_kind(layout, inventory, is_boot, n_cell_columns, &n_lines) < 0)
                        return -ENOMEM;
                if (n_lines <= n_lines_max)
                        return 0;
                *blocks_per_cell *= 2;
        }
}

int map_layout_fit(struct map_layout *layout, const struct inventory *inventory, const struct map_room *room) {
        size_t n_boot = 0, n_left;

        for (size_t i = 0; i < layout->n_rows; i++)
                n_boot += !layout->rows[i].ranges;

        if (n_boot == layout->n_rows)
                return grow_cells(layout, inventory, true, room->n_lines, room->n_cell_columns);

        n_left = room->n_lines > n_boot ? room->n_lines - n_boot : 0;
        if (grow_cells(layout, inventory, true, n_boot, room->n_cell_columns) < 0)
                return -ENOMEM;

        return grow_cells(layout, inventory, false, n_left, room->n_cell_columns);
}
