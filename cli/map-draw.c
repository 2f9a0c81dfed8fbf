/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "map-layout.h"
#include "map.h"
#include "output.h"
#include "progress.h"
#include "util.h"

/* Below this the columns on the right are left out. */
#define MIN_CELL_COLUMNS 24

/* What a cell is drawn as. The zones follow enum block_zone. */
enum glyph_type {
        GLYPH_SEVERAL_ZONES,
        GLYPH_ZONES, /* + enum block_zone: all online in that zone */
        GLYPH_OFFLINE = GLYPH_ZONES + _BLOCK_ZONE_MAX,
        GLYPH_GOING_OFFLINE,
        GLYPH_PARTLY,
        GLYPH_ABSENT,
        _GLYPH_MAX,
};

#define BLUE    "34"
#define CYAN    "36"
#define DIM     "2"
#define BOLD    "1"
#define GREEN   "32"
#define MAGENTA "35"
#define YELLOW  "33"

static const struct glyph {
        const char *utf8, *ascii, *color, *meaning;
} glyphs[_GLYPH_MAX] = {
        [GLYPH_ZONES + ZONE_MOVABLE] = { "█", "M", GREEN, "online, Movable" },
        [GLYPH_ZONES + ZONE_NORMAL] = { "▓", "N", BLUE, "online, Normal" },
        [GLYPH_ZONES + ZONE_DMA] = { "▒", "D", CYAN, "online, DMA" },
        [GLYPH_ZONES + ZONE_DMA32] = { "▞", "d", CYAN, "online, DMA32" },
        [GLYPH_ZONES + ZONE_HIGHMEM] = { "▀", "H", BLUE, "online, HighMem" },
        [GLYPH_ZONES + ZONE_DEVICE] = { "◆", "V", BLUE, "online, Device" },
        [GLYPH_ZONES + ZONE_NONE] = { "■", "O", CYAN, "online" },
        [GLYPH_SEVERAL_ZONES] = { "▚", "*", CYAN, "online, several zones" },
        [GLYPH_PARTLY] = { "▄", "+", MAGENTA, "partly online" },
        [GLYPH_GOING_OFFLINE] = { "▼", "v", MAGENTA, "going offline" },
        [GLYPH_OFFLINE] = { "░", ".", YELLOW, "offline" },
        [GLYPH_ABSENT] = { " ", " ", NULL, NULL },
};

static const struct glyph edges[] = {
        [EDGE_NONE] = { " ", " ", NULL, NULL },
        [EDGE_UNIT] = { "│", ":", DIM, "edge of a removal unit" },
        [EDGE_RANGE] = { "┃", "|", DIM, "edge of a range" },
};

struct drawing {
        FILE *stream;
        const struct inventory *inventory;
        const struct map_style *style;
        const struct map_layout *layout;
        /* Widths of the columns of text, 0 where one is left out. */
        unsigned name_columns, block_columns, cell_columns, size_columns, device_columns;
        bool glyph_used[_GLYPH_MAX];
        bool edge_used[ARRAY_SIZE(edges)];
};

static void put_colored(const struct drawing *drawing, const char *color, const char *text) {
        if (drawing->style->color && color)
                fprintf(drawing->stream, "\033[%sm%s\033[0m", color, text);
        else
                fputs(text, drawing->stream);
}

static const char *glyph_text(const struct drawing *drawing, const struct glyph *glyph) {
        return drawing->style->utf8 ? glyph->utf8 : glyph->ascii;
}

static enum glyph_type glyph_of(const struct inventory *inventory, struct span span) {
        const struct extent_list *extents = &inventory->extents;
        uint64_t n_in[_BLOCK_STATE_MAX] = { 0 }, n_present = 0;
        enum glyph_type zone = GLYPH_ABSENT;

        for (size_t i = extent_list_lower_bound(extents, span.first_block); i < extents->n; i++) {
                const struct extent *extent = extents->items + i;
                uint64_t n = span_intersect(extent_span(extent), span).n_blocks;

                if (n == 0)
                        break;
                n_in[extent->state] += n;
                n_present += n;
                if (extent->state == BLOCK_ONLINE)
                        zone = zone == GLYPH_ABSENT || zone == GLYPH_ZONES + extent->zone ? GLYPH_ZONES + extent->zone
                                                                                          : GLYPH_SEVERAL_ZONES;
        }

        if (n_present == 0)
                return GLYPH_ABSENT;
        if (n_in[BLOCK_GOING_OFFLINE] > 0)
                return GLYPH_GOING_OFFLINE;
        if (n_in[BLOCK_OFFLINE] == n_present)
                return GLYPH_OFFLINE;

        return n_in[BLOCK_OFFLINE] > 0 ? GLYPH_PARTLY : zone;
}

static void draw_edge(struct drawing *drawing, enum map_edge edge) {
        drawing->edge_used[edge] = true;
        put_colored(drawing, edges[edge].color, glyph_text(drawing, edges + edge));
}

static void draw_glyph(struct drawing *drawing, enum glyph_type type) {
        drawing->glyph_used[type] = true;
        fputs(glyph_text(drawing, glyphs + type), drawing->stream);
}

/* Cells of one kind side by side share one colour sequence: a map is drawn ten times a second. */
static void draw_cells(struct drawing *drawing, const struct map_cells *cells, size_t first, size_t end) {
        const char *color = NULL;

        for (size_t i = first; i < end; i++) {
                enum glyph_type type = glyph_of(drawing->inventory, cells->items[i].span);
                bool begins_unit = i > first && cells->items[i].edge != EDGE_NONE;
                const char *wanted = drawing->style->color ? glyphs[type].color : NULL;

                if (color && (color != wanted || begins_unit)) {
                        fputs("\033[0m", drawing->stream);
                        color = NULL;
                }
                if (begins_unit)
                        draw_edge(drawing, cells->items[i].edge);
                if (wanted && !color)
                        fprintf(drawing->stream, "\033[%sm", wanted);
                color = wanted;
                draw_glyph(drawing, type);
        }
        if (color)
                fputs("\033[0m", drawing->stream);
}

/* A line of cells between its edges. */
static void draw_line(struct drawing *drawing, const struct map_row *row, const struct map_cells *cells, size_t first,
                      size_t end) {
        enum map_edge last = end < cells->n ? cells->items[end].edge : EDGE_RANGE;
        bool is_all = first > 0 || !drawing->size_columns;

        draw_edge(drawing, cells->items[first].edge);
        draw_cells(drawing, cells, first, end);
        /* No blank at the end of a line: what is piped is often compared. */
        if (!row->ranges)
                last = EDGE_NONE;
        if (last != EDGE_NONE || !is_all)
                draw_edge(drawing, last);
}

static char *row_name(const struct map_row *row) {
        const struct range *last;
        char name[RANGE_NAME_MAX];

        if (!row->ranges)
                return strdup("boot");

        range_name(row->ranges, name);
        if (row->n_ranges == 1)
                return strdup(name);

        last = row->ranges + row->n_ranges - 1;
        if (last->number - row->ranges->number == row->n_ranges - 1)
                return format_string("%s-%" PRIu64, name, last->number);

        return format_string("%s+%zu", name, row->n_ranges - 1);
}

static const char *row_device(const struct map_row *row) {
        return row->ranges && row->ranges->device ? row->ranges->device : "";
}

static void draw_sizes(const struct drawing *drawing, uint64_t online_bytes, uint64_t offline_bytes) {
        char online[SHORT_BYTES_MAX], size[SHORT_BYTES_MAX];

        fprintf(drawing->stream, " %*s %*s", (int)drawing->size_columns, format_short_bytes(online_bytes, online),
                (int)drawing->size_columns, format_short_bytes(online_bytes + offline_bytes, size));
}

static void count_row(const struct inventory *inventory, const struct map_row *row, uint64_t *online_bytes,
                      uint64_t *offline_bytes) {
        *online_bytes += inventory_count_bytes(inventory, &row->span, BLOCK_ONLINE) +
                         inventory_count_bytes(inventory, &row->span, BLOCK_GOING_OFFLINE);
        *offline_bytes += inventory_count_bytes(inventory, &row->span, BLOCK_OFFLINE);
}

/* What stands to the right of a row's first line. */
static void draw_row_end(const struct drawing *drawing, const struct map_row *row, unsigned n_used) {
        const char *device = drawing->device_columns ? row_device(row) : "";
        uint64_t online_bytes = 0, offline_bytes = 0;

        fprintf(drawing->stream, "%*s", (int)(drawing->cell_columns - n_used), "");
        count_row(drawing->inventory, row, &online_bytes, &offline_bytes);
        draw_sizes(drawing, online_bytes, offline_bytes);
        fprintf(drawing->stream, "%s%s", *device ? " " : "", device);
}

static int draw_row(struct drawing *drawing, const struct map_row *row) {
        _cleanup_free_ char *name = row_name(row);
        struct map_cells cells;

        if (!name || map_row_cells(drawing->layout, drawing->inventory, row, &cells) < 0)
                return -ENOMEM;

        for (size_t first = 0, end; first < cells.n; first = end) {
                end = map_line_end(&cells, first, drawing->cell_columns);
                fprintf(drawing->stream, "  %-*s %*" PRIu64 " ", (int)drawing->name_columns, first ? "" : name,
                        (int)drawing->block_columns, cells.items[first].span.first_block);
                draw_line(drawing, row, &cells, first, end);
                if (first == 0 && drawing->size_columns)
                        draw_row_end(drawing, row, map_line_columns(&cells, first, end));
                fputc('\n', drawing->stream);
        }

        map_cells_clear(&cells);
        return 0;
}

/* "node 0", with the totals of its rows that are shown. */
static void draw_node(const struct drawing *drawing, size_t first_row) {
        const struct map_layout *layout = drawing->layout;
        int node = layout->rows[first_row].node;
        uint64_t online_bytes = 0, offline_bytes = 0;
        char text[32];

        if (node == NODE_NONE)
                snprintf(text, sizeof text, "no node");
        else
                snprintf(text, sizeof text, "node %d", node);
        put_colored(drawing, BOLD, text);

        if (drawing->size_columns) {
                unsigned n_left = 2 + drawing->name_columns + 1 + drawing->block_columns + 1 + drawing->cell_columns;

                for (size_t i = first_row; i < layout->n_rows && layout->rows[i].node == node; i++)
                        count_row(drawing->inventory, layout->rows + i, &online_bytes, &offline_bytes);
                fprintf(drawing->stream, "%*s", (int)(n_left - strlen(text)), "");
                draw_sizes(drawing, online_bytes, offline_bytes);
        }
        fputc('\n', drawing->stream);
}

static void draw_heading(const struct drawing *drawing) {
        fprintf(drawing->stream, "  %-*s %*s", (int)drawing->name_columns, "NAME", (int)drawing->block_columns,
                "BLOCK");
        if (drawing->size_columns)
                fprintf(drawing->stream, " %*s %*s %*s", (int)drawing->cell_columns, "", (int)drawing->size_columns,
                        "ONLINE", (int)drawing->size_columns, "SIZE");
        if (drawing->device_columns)
                fputs(" DEVICE", drawing->stream);
        fputc('\n', drawing->stream);
}

/* Text columns of UTF-8: what a terminal shows in a column each. */
static unsigned text_columns(const char *text) {
        unsigned n = 0;

        for (; *text; text++)
                n += ((unsigned char)*text & 0xc0) != 0x80;

        return n;
}

static void draw_legend_entry(const struct drawing *drawing, const struct glyph *glyph, unsigned *n_used) {
        unsigned n = 1 + 1 + text_columns(glyph->meaning);

        if (*n_used > 0 && *n_used + 2 + n > drawing->style->n_columns) {
                fputc('\n', drawing->stream);
                *n_used = 0;
        }
        fputs(*n_used > 0 ? "  " : "", drawing->stream);
        put_colored(drawing, glyph->color, glyph_text(drawing, glyph));
        fprintf(drawing->stream, " %s", glyph->meaning);
        *n_used += (*n_used > 0 ? 2 : 0) + n;
}

static void draw_scale(const struct drawing *drawing) {
        const struct map_layout *layout = drawing->layout;
        uint64_t block_size_bytes = drawing->inventory->block_size_bytes;
        bool has_boot = false, has_ranges = false;
        char size[FORMAT_BYTES_MAX], boot_size[FORMAT_BYTES_MAX];

        if (layout->n_rows == 0) {
                fputs("There are no memory blocks.\n", drawing->stream);
                return;
        }
        for (size_t i = 0; i < layout->n_rows; i++) {
                has_ranges |= layout->rows[i].ranges != NULL;
                has_boot |= !layout->rows[i].ranges;
        }

        format_bytes(layout->blocks_per_cell * block_size_bytes, size);
        format_bytes(layout->blocks_per_boot_cell * block_size_bytes, boot_size);
        fputs("A cell is ", drawing->stream);
        if (has_ranges && layout->blocks_per_cell == 1)
                fprintf(drawing->stream, "a memory block of %s", size);
        else if (has_ranges)
                fprintf(drawing->stream, "%s, %" PRIu64 " memory blocks", size, layout->blocks_per_cell);
        if (has_boot)
                fprintf(drawing->stream, "%s%s", has_ranges ? "; of boot memory " : "", boot_size);
        fputs(".\n", drawing->stream);
}

static void draw_legend(struct drawing *drawing) {
        unsigned n_used = 0;

        fputc('\n', drawing->stream);
        for (size_t i = 0; i < _GLYPH_MAX; i++)
                if (drawing->glyph_used[i] && glyphs[i].meaning)
                        draw_legend_entry(drawing, glyphs + i, &n_used);
        for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
                if (drawing->edge_used[i] && edges[i].meaning)
                        draw_legend_entry(drawing, edges + i, &n_used);
        fputc('\n', drawing->stream);
        draw_scale(drawing);
}

static int draw_granularity(const struct drawing *drawing, const struct snapshot *snapshot) {
        _cleanup_free_ char *note = snapshot_granularity_note(snapshot);

        if (!note)
                return -ENOMEM;

        fprintf(drawing->stream, "Removal granularity: %s\n", note);
        return 0;
}

static void draw_job(const struct drawing *drawing, const struct job *job) {
        char done[SHORT_BYTES_MAX], total[SHORT_BYTES_MAX];
        bool is_rollback = strcmp(job->state, "rolling-back") == 0;

        fprintf(drawing->stream, "job %" PRIu64 " ", job->id);
        progress_bar(drawing->stream, drawing->style->utf8, 20, job->bytes_done, job->bytes_total);
        fprintf(drawing->stream, " %s/%s  %s%s", format_short_bytes(job->bytes_done, done),
                format_short_bytes(job->bytes_total, total), is_rollback ? "rollback of " : "", job->verb);
        for (char **selector = job->selectors; *selector; selector++)
                fprintf(drawing->stream, " %s", *selector);
        if (!is_rollback && strcmp(job->state, "running") != 0)
                fprintf(drawing->stream, " (%s)", job->state);
        fputc('\n', drawing->stream);
}

static size_t count_running(const struct job_list *jobs) {
        size_t n = 0;

        for (size_t i = 0; i < jobs->n; i++)
                n += !*jobs->items[i].result;

        return n;
}

static unsigned count_digits(uint64_t number) {
        unsigned n = 1;

        while (number /= 10)
                n++;

        return n;
}

/* The width of each column, that of the cells last: they take what is left. */
static int measure(struct drawing *drawing) {
        const struct map_layout *layout = drawing->layout;
        unsigned n_columns = drawing->style->n_columns, n_fixed;

        drawing->name_columns = 4;
        drawing->block_columns = 5;
        for (size_t i = 0; i < layout->n_rows; i++) {
                const struct map_row *row = layout->rows + i;
                _cleanup_free_ char *name = row_name(row);

                if (!name)
                        return -ENOMEM;
                drawing->name_columns = MAX(drawing->name_columns, (unsigned)strlen(name));
                drawing->block_columns = MAX(drawing->block_columns, count_digits(span_end(&row->span) - 1));
                if (*row_device(row))
                        drawing->device_columns =
                                MAX(drawing->device_columns, MAX((unsigned)strlen(row_device(row)), 6U));
        }

        n_fixed = 2 + drawing->name_columns + 1 + drawing->block_columns + 1;
        drawing->size_columns = 7;
        if (n_columns < n_fixed + 16 + MIN_CELL_COLUMNS + drawing->device_columns + 1)
                drawing->device_columns = 0;
        if (n_columns < n_fixed + 16 + MIN_CELL_COLUMNS)
                drawing->size_columns = 0;

        n_fixed += drawing->size_columns ? 16 : 0;
        n_fixed += drawing->device_columns ? drawing->device_columns + 1 : 0;
        drawing->cell_columns = n_columns > n_fixed + 4 ? n_columns - n_fixed : 4;
        return 0;
}

/* Takes back what no line needs, so that sizes stand beside short rows. */
static int narrow_cells(struct drawing *drawing) {
        const struct map_layout *layout = drawing->layout;
        unsigned n_used = 4;

        for (size_t i = 0; i < layout->n_rows; i++) {
                struct map_cells cells;

                if (map_row_cells(layout, drawing->inventory, layout->rows + i, &cells) < 0)
                        return -ENOMEM;
                for (size_t first = 0, end; first < cells.n; first = end) {
                        end = map_line_end(&cells, first, drawing->cell_columns);
                        n_used = MAX(n_used, map_line_columns(&cells, first, end));
                }
                map_cells_clear(&cells);
        }

        drawing->cell_columns = MIN(drawing->cell_columns, n_used);
        return 0;
}

static size_t count_nodes(const struct map_layout *layout) {
        size_t n = 0;

        for (size_t i = 0; i < layout->n_rows; i++)
                n += i == 0 || layout->rows[i].node != layout->rows[i - 1].node;

        return n;
}

static int draw(struct drawing *drawing, struct map_layout *layout, const struct snapshot *snapshot,
                const struct job_list *jobs) {
        /* The heading, the nodes, an empty line, four lines of legend, the jobs. */
        size_t n_other = 1 + count_nodes(layout) + 1 + 4 + count_running(jobs);
        struct map_room room = { 0 };

        if (measure(drawing) < 0)
                return -ENOMEM;
        room.n_cell_columns = drawing->cell_columns;
        room.n_lines = drawing->style->n_lines > n_other ? drawing->style->n_lines - (unsigned)n_other : 0;
        if (map_layout_fit(layout, drawing->inventory, &room) < 0 || narrow_cells(drawing) < 0)
                return -ENOMEM;

        draw_heading(drawing);
        for (size_t i = 0; i < layout->n_rows; i++) {
                if (i == 0 || layout->rows[i].node != layout->rows[i - 1].node)
                        draw_node(drawing, i);
                if (draw_row(drawing, layout->rows + i) < 0)
                        return -ENOMEM;
        }
        draw_legend(drawing);
        if (draw_granularity(drawing, snapshot) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < jobs->n; i++)
                if (!*jobs->items[i].result)
                        draw_job(drawing, jobs->items + i);

        return 0;
}

int map_draw(FILE *stream, const struct snapshot *snapshot, const struct selection *selection,
             const struct job_list *jobs, const struct map_style *style) {
        struct map_layout layout;
        struct drawing drawing = {
                .stream = stream, .inventory = snapshot->inventory, .style = style, .layout = &layout
        };
        int r;

        if (map_layout_rows(snapshot->inventory, selection, &layout) < 0)
                return -ENOMEM;

        r = draw(&drawing, &layout, snapshot, jobs);
        map_layout_clear(&layout);
        return r;
}
