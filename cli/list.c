/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exit-status.h"
#include "output.h"
#include "rows.h"
#include "selector.h"
#include "snapshot.h"
#include "util.h"
#include "verbs.h"

/* One set of columns for all listings; they differ in what a row stands for and in what is printed unasked. */
enum {
        COL_NAME,
        COL_RANGE,
        COL_SIZE,
        COL_STATE,
        COL_ONLINE,
        COL_ZONE,
        COL_NODE,
        COL_BLOCK,
        COL_KIND,
        COL_DRIVER,
        COL_DEVICE,
        COL_RESOURCE,
        COL_MAPPING,
        COL_REMOVAL,
        COL_SOURCE,
        COL_POLICY,
        COL_START,
        COL_END,
        N_COLUMNS,
};

const struct column list_columns[N_COLUMNS + 1] = {
        [COL_NAME] = { "NAME" },
        [COL_RANGE] = { "RANGE" },
        [COL_SIZE] = { "SIZE", true },
        [COL_STATE] = { "STATE", true },
        [COL_ONLINE] = { "ONLINE", true },
        [COL_ZONE] = { "ZONE" },
        [COL_NODE] = { "NODE", true },
        [COL_BLOCK] = { "BLOCK", true },
        [COL_KIND] = { "KIND" },
        [COL_DRIVER] = { "DRIVER" },
        [COL_DEVICE] = { "DEVICE" },
        [COL_RESOURCE] = { "RESOURCE" },
        [COL_MAPPING] = { "MAPPING", true },
        [COL_REMOVAL] = { "REMOVAL", true },
        [COL_SOURCE] = { "SOURCE" },
        [COL_POLICY] = { "POLICY" },
        [COL_START] = { "START", true },
        [COL_END] = { "END", true },
};

/* The defaults fit 80 columns on machines below 1 TiB. */
static const struct {
        const char *name; /* in JSON: the rows' key */
        const char *defaults;
} listings[] = {
        [LISTING_EXTENTS] = { "extents", "RANGE,SIZE,STATE,ZONE,NODE,BLOCK,KIND,NAME" },
        [LISTING_BLOCKS] = { "blocks", "RANGE,SIZE,STATE,ZONE,NODE,BLOCK,KIND,NAME" },
        [LISTING_UNITS] = { "units", "BLOCK,RANGE,SIZE,STATE,NAME,REMOVAL,SOURCE" },
        [LISTING_RANGES] = { "ranges", "NAME,RANGE,SIZE,ONLINE,NODE,DEVICE,REMOVAL,SOURCE" },
};

struct listing_state {
        const struct options *options;
        const struct snapshot *snapshot;
        const struct selection *selection;
        struct table *table;
};

static void set_granularity(const struct listing_state *listing, size_t column, uint64_t bytes) {
        if (bytes != GRANULARITY_UNKNOWN)
                table_set_bytes(listing->table, column, bytes);
        else if (listing->options->format != FORMAT_JSON)
                table_set_text(listing->table, column, "unknown");
}

static void set_range_cells(const struct listing_state *listing, const struct range *range) {
        const struct snapshot *snapshot = listing->snapshot;
        const char *policy = snapshot->range_policies[range - snapshot->inventory->ranges].name;
        struct table *table = listing->table;
        char name[RANGE_NAME_MAX];

        table_set_text(table, COL_NAME, range_name(range, name));
        table_set_text(table, COL_DRIVER, range_driver_to_string(range->driver));
        table_set_text(table, COL_DEVICE, range->device);
        table_set_text(table, COL_RESOURCE, range->name);
        set_granularity(listing, COL_MAPPING, range->mapping_granularity_bytes);
        set_granularity(listing, COL_REMOVAL, range->removal_granularity_bytes);
        table_set_text(table, COL_SOURCE, granularity_source_to_string(range->source));
        if (policy && *policy)
                table_set_text(table, COL_POLICY, policy);
        else if (listing->options->format != FORMAT_JSON)
                table_set_text(table, COL_POLICY, "default");
}

/* "40-47", as lsmem writes blocks. */
static void set_blocks(struct table *table, struct span span) {
        char *blocks = span.n_blocks > 1 ? format_string("%llu-%llu", (unsigned long long)span.first_block,
                                                         (unsigned long long)span_end(&span) - 1)
                                         : format_string("%llu", (unsigned long long)span.first_block);

        table_set_text(table, COL_BLOCK, blocks);
        free(blocks);
}

static const char *state_color(const char *state) {
        if (strcmp(state, "online") == 0)
                return "green";

        return strcmp(state, "offline") == 0 ? "yellow" : "magenta";
}

static void print_row(const struct listing_state *listing, const struct row *row) {
        uint64_t block_size_bytes = listing->snapshot->inventory->block_size_bytes;
        uint64_t start = row->span.first_block * block_size_bytes, size_bytes = row->span.n_blocks * block_size_bytes;
        struct table *table = listing->table;
        char addresses[ADDRESS_RANGE_MAX];

        table_add_row(table);
        table_set_text(table, COL_RANGE, format_address_range(start, size_bytes, addresses));
        table_set_address(table, COL_START, start);
        table_set_address(table, COL_END, start + size_bytes - 1);
        table_set_bytes(table, COL_SIZE, size_bytes);
        table_set_bytes(table, COL_ONLINE, row->n_online * block_size_bytes);
        set_blocks(table, row->span);

        table_set_text(table, COL_STATE, row->mixed & SPLIT_STATE ? "mixed" : row->state);
        table_set_color(table, COL_STATE, state_color(row->state));
        table_set_text(table, COL_ZONE, row->mixed & SPLIT_ZONE ? "mixed" : block_zone_to_string(row->zone));
        table_set_text(table, COL_KIND, row->mixed & SPLIT_KIND ? "mixed" : block_kind_to_string(row->kind));
        if (row->node != NODE_NONE && !(row->mixed & SPLIT_NODE))
                table_set_number(table, COL_NODE, row->node);
        if (row->range && !(row->mixed & SPLIT_RANGE))
                set_range_cells(listing, row->range);
}

static void print_blocks(const struct listing_state *listing, const struct row *row) {
        for (uint64_t i = 0; i < row->span.n_blocks; i++) {
                struct row block = *row;

                block.span = (struct span){ row->span.first_block + i, 1 };
                block.n_online = row->n_online ? 1 : 0;
                print_row(listing, &block);
        }
}

static void list_extent(const struct row *row, void *userdata) {
        const struct listing_state *listing = userdata;

        if (listing->options->listing == LISTING_BLOCKS)
                print_blocks(listing, row);
        else
                print_row(listing, row);
}

static void list_units_of(const struct listing_state *listing, const struct range *range) {
        const struct inventory *inventory = listing->snapshot->inventory;
        struct unit_run runs[3];
        unsigned n_runs =
                granularity_unit_runs(range->span, range->removal_granularity_bytes, inventory->block_size_bytes, runs);

        for (unsigned i = 0; i < n_runs; i++)
                for (uint64_t j = 0; j < runs[i].n_units; j++) {
                        struct span unit = { runs[i].first_block + j * runs[i].blocks_per_unit,
                                             runs[i].blocks_per_unit };
                        struct row row;

                        if (!span_list_overlaps(&listing->selection->present, unit))
                                continue;
                        row = row_of_span(inventory, range, unit);
                        print_row(listing, &row);
                }
}

static void list_ranges(const struct listing_state *listing) {
        const struct inventory *inventory = listing->snapshot->inventory;
        bool is_units = listing->options->listing == LISTING_UNITS, any = false;

        for (size_t i = 0; i < inventory->n_ranges; i++) {
                const struct range *range = inventory->ranges + i;
                struct row row;

                if (!span_list_overlaps(&listing->selection->present, range->span))
                        continue;
                any = true;
                if (is_units) {
                        list_units_of(listing, range);
                        continue;
                }
                row = row_of_span(inventory, range, range->span);
                print_row(listing, &row);
        }

        if (!any && listing->options->format == FORMAT_TABLE && listing->options->summary != SUMMARY_ONLY)
                fprintf(stderr, "memctl: there are no %s, which only hot-added memory has\n",
                        is_units ? "removal units" : "ranges");
}

static int parse_split(const char *list, enum split *ret) {
        static const struct {
                const char *name;
                enum split split;
        } names[] = {
                { "STATE", SPLIT_STATE }, { "ZONE", SPLIT_ZONE },  { "ZONES", SPLIT_ZONE }, { "NODE", SPLIT_NODE },
                { "KIND", SPLIT_KIND },   { "NAME", SPLIT_RANGE }, { "none", 0 },
        };
        enum split split = 0;

        for (const char *word = list; *word;) {
                size_t n = strcspn(word, ","), i = 0;

                while (i < ARRAY_SIZE(names) &&
                       (strlen(names[i].name) != n || strncasecmp(names[i].name, word, n) != 0))
                        i++;
                if (i == ARRAY_SIZE(names)) {
                        fprintf(stderr,
                                "memctl: rows are split by STATE, ZONE, NODE, KIND, NAME or none, not by \"%.*s\"\n",
                                (int)n, word);
                        return -EINVAL;
                }
                split |= names[i].split;
                word += n + (word[n] == ',');
        }

        *ret = split;
        return 0;
}

static int print_json(const struct listing_state *listing) {
        const struct snapshot *snapshot = listing->snapshot;
        const struct inventory *inventory = snapshot->inventory;
        json_object *document = document_new("memctl.list", 1);
        int r;

        r = document ? 0 : -ENOMEM;
        if (r == 0)
                r = json_add_text(document, "told_by", snapshot_teller(snapshot));
        if (r == 0)
                r = json_add_number(document, "block_size", inventory->block_size_bytes);
        if (r == 0)
                r = json_add_text(document, "granularity_source", granularity_source_to_string(inventory->source));
        if (r == 0)
                r = json_add_text(document, "kernel_guard", kernel_guard_to_string(inventory->guard));
        if (r == 0)
                r = json_add_text(document, "auto_online", inventory->auto_online);
        if (r == 0)
                r = json_add_number(document, "online", inventory_count_bytes(inventory, NULL, BLOCK_ONLINE));
        if (r == 0)
                r = json_add_number(document, "offline", inventory_count_bytes(inventory, NULL, BLOCK_OFFLINE));
        if (r == 0)
                r = json_add_number(document, "going_offline",
                                    inventory_count_bytes(inventory, NULL, BLOCK_GOING_OFFLINE));
        if (r == 0 && listing->options->summary != SUMMARY_ONLY)
                r = document_add_table(document, listings[listing->options->listing].name, listing->table);
        if (r == 0)
                return document_print(document, false);

        json_object_put(document);
        return r;
}

static int print_summary(const struct listing_state *listing) {
        const struct inventory *inventory = listing->snapshot->inventory;
        uint64_t going_bytes = inventory_count_bytes(inventory, NULL, BLOCK_GOING_OFFLINE);
        bool in_bytes = listing->options->sizes_in_bytes;
        char *note = snapshot_granularity_note(listing->snapshot);

        if (!note)
                return -ENOMEM;

        print_total("Memory block size:", inventory->block_size_bytes, in_bytes);
        print_total("Total online memory:", inventory_count_bytes(inventory, NULL, BLOCK_ONLINE), in_bytes);
        print_total("Total offline memory:", inventory_count_bytes(inventory, NULL, BLOCK_OFFLINE), in_bytes);
        if (going_bytes > 0)
                print_total("Going offline:", going_bytes, in_bytes);
        printf("%-23s %s\n", "Removal granularity:", note);
        free(note);
        return 0;
}

static int print_text(const struct listing_state *listing) {
        const struct options *options = listing->options;
        enum summary summary = options->summary;
        int r = 0;

        if (summary == SUMMARY_AUTO)
                summary = options->format == FORMAT_TABLE && !options->no_headings ? SUMMARY_ALWAYS : SUMMARY_NEVER;

        if (summary != SUMMARY_ONLY)
                r = table_print(listing->table);
        if (r == 0 && summary == SUMMARY_ALWAYS)
                putchar('\n');
        if (r == 0 && summary != SUMMARY_NEVER)
                r = print_summary(listing);

        return r;
}

/* Each block's zone costs three system calls: it is read where a row shows it, or ends with it. */
static enum inventory_flags needed_flags(const struct listing_state *listing, enum split split) {
        bool parts_rows = listing->options->listing == LISTING_EXTENTS && (split & SPLIT_ZONE);

        if (listing->options->summary == SUMMARY_ONLY)
                return 0;
        return parts_rows || table_has_column(listing->table, COL_ZONE) ? INVENTORY_ZONES : 0;
}

int verb_list(const struct options *options, char **words, size_t n_words) {
        struct listing_state listing = { .options = options };
        struct selection selection = { 0 };
        struct snapshot *snapshot = NULL;
        enum split split = SPLIT_ALL;
        int r, status;

        if (options->split && parse_split(options->split, &split) < 0)
                return STATUS_USAGE;

        /* A block is no part of a row that would hide what it is. */
        if (options->listing == LISTING_BLOCKS)
                split = SPLIT_ALL;

        /* Before anything is read: a column that there is not is told at once. */
        r = table_new(options, list_columns, listings[options->listing].defaults, &listing.table);
        if (r < 0)
                return r == -EINVAL ? STATUS_USAGE : out_of_memory();

        status = snapshot_read(options, needed_flags(&listing, split), &snapshot);
        if (status == STATUS_DONE)
                status = snapshot_select(snapshot, words, n_words, &selection);
        if (status != STATUS_DONE)
                goto finish;

        listing.snapshot = snapshot;
        listing.selection = &selection;
        if (options->listing == LISTING_EXTENTS || options->listing == LISTING_BLOCKS)
                rows_of_selection(snapshot->inventory, &selection, split, list_extent, &listing);
        else
                list_ranges(&listing);

        r = options->format == FORMAT_JSON ? print_json(&listing) : print_text(&listing);
        if (r < 0)
                status = out_of_memory();

finish:
        selection_clear(&selection);
        snapshot_free(snapshot);
        table_free(listing.table);
        return status;
}
