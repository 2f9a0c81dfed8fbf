/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit-status.h"
#include "output.h"
#include "plan-report.h"
#include "rows.h"
#include "snapshot.h"
#include "util.h"
#include "verbs.h"

struct showing {
        const struct options *options;
        const struct snapshot *snapshot;
        const struct selection *selection;
        json_object *items; /* NULL: text */
        int status;
};

static uint64_t block_size(const struct showing *showing) {
        return showing->snapshot->inventory->block_size_bytes;
}

static bool is_within(struct span part, struct span whole) {
        return span_intersect(part, whole).n_blocks == part.n_blocks;
}

/*
 * Who asks about a whole unit or range of which some blocks are offline wants to know of it, not of each run of blocks:
 * what was selected of the row's units, for a removal of its range, is asked for together with it.
 */
static struct span span_of_verdict(const struct showing *showing, enum verb verb, const struct row *row) {
        const struct inventory *inventory = showing->snapshot->inventory;
        const struct span_list *present = &showing->selection->present;
        uint64_t first = row->span.first_block, end = span_end(&row->span);
        struct span selected, unit;

        if (!row->range || verb == VERB_ONLINE)
                return row->span;

        selected = present->items[span_list_lower_bound(present, first)];
        if (verb == VERB_REMOVE && is_within(row->range->span, selected))
                return row->range->span;

        unit = inventory_unit_of(inventory, first);
        if (is_within(unit, selected))
                first = unit.first_block;
        unit = inventory_unit_of(inventory, end - 1);
        if (is_within(unit, selected))
                end = span_end(&unit);
        return (struct span){ first, end - first };
}

/* What a change of exactly these blocks would meet. */
static int ask_plan(struct showing *showing, enum verb verb, struct span span, struct plan **ret) {
        _cleanup_free_ char *blocks = format_blocks(span);
        char *words[] = { blocks, NULL };

        if (!blocks)
                return out_of_memory();

        return snapshot_plan(showing->snapshot, showing->options, verb, words, 1, ret);
}

/* Calls `each` for every unit that the row touches. */
typedef int (*unit_fn)(const struct row *unit, void *userdata);

static int each_unit(const struct inventory *inventory, const struct row *row, unit_fn each, void *userdata) {
        for (uint64_t block = row->span.first_block; block < span_end(&row->span);) {
                struct span span = inventory_unit_of(inventory, block);
                struct row unit = row_of_span(inventory, row->range, span);
                int r = each(&unit, userdata);

                if (r < 0)
                        return r;
                block = span_end(&span);
        }

        return 0;
}

/* Neighbouring units of one size and state are a line; more lines than this are counted, not printed. */
#define MAX_UNIT_LINES 8

struct unit_lines {
        const char *label;
        uint64_t block_size_bytes;
        size_t n_lines;
        uint64_t n_left_out;

        /* The line that is not printed yet. */
        struct span span;
        uint64_t n;
        uint64_t unit_n_blocks;
        const char *state;
};

static int end_line(struct unit_lines *lines) {
        _cleanup_free_ char *blocks = NULL;
        char size[FORMAT_BYTES_MAX];

        if (lines->n == 0)
                return 0;
        if (lines->n_lines++ >= MAX_UNIT_LINES) {
                lines->n_left_out += lines->n;
                return 0;
        }

        blocks = format_blocks(lines->span);
        if (!blocks)
                return -ENOMEM;

        format_bytes(lines->unit_n_blocks * lines->block_size_bytes, size);
        printf("  %-10s %s (", lines->n_lines == 1 ? lines->label : "", blocks);
        if (lines->n > 1)
                printf("%" PRIu64 " of ", lines->n);
        printf("%s, %s)\n", size, lines->state);
        return 0;
}

static int add_unit(const struct row *unit, void *userdata) {
        struct unit_lines *lines = userdata;
        int r;

        if (lines->n > 0 && unit->span.n_blocks == lines->unit_n_blocks && strcmp(unit->state, lines->state) == 0) {
                lines->span.n_blocks += unit->span.n_blocks;
                lines->n++;
                return 0;
        }

        r = end_line(lines);
        lines->span = unit->span;
        lines->n = 1;
        lines->unit_n_blocks = unit->span.n_blocks;
        lines->state = unit->state;
        return r;
}

static int print_units(struct showing *showing, const struct row *row) {
        const struct inventory *inventory = showing->snapshot->inventory;
        struct span first = inventory_unit_of(inventory, row->span.first_block);
        bool is_one = span_end(&first) >= span_end(&row->span);
        struct unit_lines lines = { .label = is_one ? "Unit:" : "Units:", .block_size_bytes = block_size(showing) };
        int r;

        r = each_unit(inventory, row, add_unit, &lines);
        if (r == 0)
                r = end_line(&lines);
        if (r == 0 && lines.n_left_out > 0)
                printf("  %-10s and %" PRIu64 " more: memctl list --units\n", "", lines.n_left_out);

        return r;
}

static int print_range(struct showing *showing, const struct row *row) {
        const struct snapshot *snapshot = showing->snapshot;
        const struct range *range = row->range;
        const struct range_policy *policy = snapshot->range_policies + (range - snapshot->inventory->ranges);
        _cleanup_free_ char *blocks = format_blocks(range->span);
        char name[RANGE_NAME_MAX], size[FORMAT_BYTES_MAX];
        bool has_policy = policy->name && *policy->name;

        if (!blocks)
                return -ENOMEM;

        printf("  %-10s %s: %s, %s, \"%s\"\n", "Range:", range_name(range, name), blocks,
               format_bytes(range->span.n_blocks * block_size(showing), size), range->name);
        printf("  %-10s %s%s%s\n", "Driver:", range_driver_to_string(range->driver), range->device ? ", " : "",
               range->device ? range->device : "");
        printf("  %-10s %s", "Mapping:",
               range->mapping_granularity_bytes == GRANULARITY_UNKNOWN
                       ? "unknown"
                       : format_bytes(range->mapping_granularity_bytes, size));
        printf(", removable in units of %s (%s)\n",
               range->removal_granularity_bytes == GRANULARITY_UNKNOWN
                       ? "the whole range"
                       : format_bytes(range->removal_granularity_bytes, size),
               granularity_source_to_string(range->source));
        printf("  %-10s %s", "Policy:", has_policy ? policy->name : "the default");
        if (has_policy && policy->file && *policy->file)
                printf(", %s", policy->file);
        if (policy->reason && *policy->reason)
                printf(" (%s)", policy->reason);
        putchar('\n');
        return print_units(showing, row);
}

/* "yes", or the refusals below each other. */
static int print_verdict(struct showing *showing, enum verb verb, const struct row *row) {
        static const char *const labels[] = {
                [VERB_ONLINE] = "Online:", [VERB_OFFLINE] = "Offline:", [VERB_REMOVE] = "Remove:"
        };
        struct span span = span_of_verdict(showing, verb, row);
        _cleanup_free_ char *blocks = format_blocks(span);
        bool is_more = span.n_blocks != row->span.n_blocks;
        struct plan *plan = NULL;
        int status;

        if (!blocks)
                return out_of_memory();

        status = ask_plan(showing, verb, span, &plan);
        if (status != STATUS_DONE)
                return status;
        assert(plan);

        if (plan->n_refusals == 0 && (plan->n_steps || plan->n_removals))
                printf("  %-10s can be done%s%s\n", labels[verb], is_more ? " as " : "", is_more ? blocks : "");
        else if (plan->n_refusals == 0)
                printf("  %-10s it is\n", labels[verb]);
        for (size_t i = 0; i < plan->n_refusals; i++) {
                const struct refusal *refusal = plan->refusals + i;

                printf("  %-10s no, %s: ", i == 0 ? labels[verb] : "", refusal_reason_to_string(refusal->reason));
                for (const char *letter = refusal->text; *letter; letter++)
                        if (*letter == '\n')
                                fputs("\n           ", stdout);
                        else
                                putchar(*letter);
                putchar('\n');
        }
        for (size_t i = 0; i < plan->n_side_effects; i++)
                printf("  %-10s %s\n", "", plan->side_effects[i].text);

        plan_free(plan);
        return STATUS_DONE;
}

static int show_text(struct showing *showing, const struct row *row) {
        _cleanup_free_ char *blocks = format_blocks(row->span);
        uint64_t size_bytes = row->span.n_blocks * block_size(showing);
        char addresses[ADDRESS_RANGE_MAX], size[FORMAT_BYTES_MAX];
        int status;

        if (!blocks)
                return out_of_memory();

        printf("%s: %s at %s\n", blocks, format_bytes(size_bytes, size),
               format_address_range(row->span.first_block * block_size(showing), size_bytes, addresses));
        printf("  %-10s %s", "State:", row->state);
        if (row->zone != ZONE_NONE)
                printf(", zone %s", block_zone_to_string(row->zone));
        if (row->node != NODE_NONE)
                printf(", node %d", row->node);
        printf("\n  %-10s %s\n", "Kind:", block_kind_to_string(row->kind));
        if (row->range && print_range(showing, row) < 0)
                return out_of_memory();

        if (strcmp(row->state, "offline") == 0)
                status = print_verdict(showing, VERB_ONLINE, row);
        else
                status = print_verdict(showing, VERB_OFFLINE, row);
        if (status == STATUS_DONE)
                status = print_verdict(showing, VERB_REMOVE, row);
        return status;
}

static int add_granularity(json_object *object, const char *key, uint64_t bytes) {
        return bytes == GRANULARITY_UNKNOWN ? json_add_text(object, key, NULL) : json_add_number(object, key, bytes);
}

/* The built-in default has neither name nor file. */
static const char *text_or_null(const char *text) {
        return text && *text ? text : NULL;
}

static json_object *range_to_json(struct showing *showing, const struct range *range) {
        const struct snapshot *snapshot = showing->snapshot;
        const struct range_policy *policy = snapshot->range_policies + (range - snapshot->inventory->ranges);
        json_object *object = json_object_new_object();
        char name[RANGE_NAME_MAX];
        int r;

        r = json_add_text(object, "name", range_name(range, name));
        if (r == 0)
                r = json_add_span(object, range->span, block_size(showing));
        if (r == 0)
                r = json_add_text(object, "resource", range->name);
        if (r == 0)
                r = json_add_text(object, "driver", range_driver_to_string(range->driver));
        if (r == 0)
                r = json_add_text(object, "device", range->device);
        if (r == 0)
                r = add_granularity(object, "mapping_granularity", range->mapping_granularity_bytes);
        if (r == 0)
                r = add_granularity(object, "removal_granularity", range->removal_granularity_bytes);
        if (r == 0)
                r = json_add_text(object, "granularity_source", granularity_source_to_string(range->source));
        if (r == 0)
                r = json_add_text(object, "policy", text_or_null(policy->name));
        if (r == 0)
                r = json_add_text(object, "policy_file", text_or_null(policy->file));
        if (r < 0) {
                json_object_put(object);
                return NULL;
        }

        return object;
}

struct unit_array {
        json_object *array;
        uint64_t block_size_bytes;
};

static int append_unit_json(const struct row *unit, void *userdata) {
        struct unit_array *units = userdata;
        json_object *object = json_object_new_object();
        int r;

        r = json_add_span(object, unit->span, units->block_size_bytes);
        if (r == 0)
                r = json_add_text(object, "state", unit->state);
        if (r == 0)
                r = json_add_number(object, "online", unit->n_online * units->block_size_bytes);

        return json_append(units->array, object, r);
}

static int add_units(struct showing *showing, json_object *object, const struct row *row) {
        struct unit_array units = { json_object_new_array(), block_size(showing) };
        int r = 0;

        if (units.array && row->range)
                r = each_unit(showing->snapshot->inventory, row, append_unit_json, &units);
        if (r < 0) {
                json_object_put(units.array);
                return r;
        }

        return json_add(object, "units", units.array);
}

/* {"possible": …, "refusals": […]}; NULL after an error was told. */
static json_object *verdict_to_json(struct showing *showing, enum verb verb, const struct row *row) {
        json_object *object = json_object_new_object();
        struct plan *plan = NULL;
        int r;

        showing->status = ask_plan(showing, verb, span_of_verdict(showing, verb, row), &plan);
        if (showing->status != STATUS_DONE) {
                json_object_put(object);
                return NULL;
        }
        assert(plan);

        r = json_add_bool(object, "possible", plan->n_refusals == 0);
        if (r == 0)
                r = json_add(object, "refusals", plan_refusals_to_json(plan, block_size(showing)));
        plan_free(plan);
        if (r < 0) {
                showing->status = out_of_memory();
                json_object_put(object);
                return NULL;
        }

        return object;
}

static int show_json(struct showing *showing, const struct row *row) {
        json_object *object = json_object_new_object();
        int r;

        r = json_add_span(object, row->span, block_size(showing));
        if (r == 0)
                r = json_add_text(object, "state", row->state);
        if (r == 0)
                r = json_add_text(object, "zone", row->zone == ZONE_NONE ? NULL : block_zone_to_string(row->zone));
        if (r == 0 && row->node == NODE_NONE)
                r = json_add_text(object, "node", NULL);
        else if (r == 0)
                r = json_add_signed(object, "node", row->node);
        if (r == 0)
                r = json_add_text(object, "kind", block_kind_to_string(row->kind));
        if (r == 0 && row->range)
                r = json_add(object, "range", range_to_json(showing, row->range));
        else if (r == 0)
                r = json_add_text(object, "range", NULL);
        if (r == 0)
                r = add_units(showing, object, row);
        for (enum verb verb = 0; verb < _VERB_MAX && r == 0; verb++)
                r = json_add(object, verb_to_string(verb), verdict_to_json(showing, verb, row));

        r = json_append(showing->items, object, r);
        return r < 0 && showing->status == STATUS_DONE ? out_of_memory() : showing->status;
}

static void show_row(const struct row *row, void *userdata) {
        struct showing *showing = userdata;

        if (showing->status == STATUS_DONE)
                showing->status = showing->items ? show_json(showing, row) : show_text(showing, row);
}

static int print_document(struct showing *showing) {
        json_object *document = document_new("memctl.show", 1);
        int r;

        r = json_add_text(document, "told_by", snapshot_teller(showing->snapshot));
        if (r == 0)
                r = json_add(document, "items", json_object_get(showing->items));
        if (r == 0)
                return document_print(document, false) < 0 ? out_of_memory() : STATUS_DONE;

        json_object_put(document);
        return out_of_memory();
}

int verb_show(const struct options *options, char **words, size_t n_words) {
        struct selection selection = { 0 };
        struct showing showing = { .options = options, .selection = &selection };
        struct snapshot *snapshot = NULL;

        showing.status = snapshot_read(options, INVENTORY_ZONES | INVENTORY_NODE_MEMORY, &snapshot);
        showing.snapshot = snapshot;
        if (showing.status == STATUS_DONE)
                showing.status = snapshot_select(snapshot, words, n_words, &selection);
        if (showing.status == STATUS_DONE && options->format == FORMAT_JSON) {
                showing.items = json_object_new_array();
                if (!showing.items)
                        showing.status = out_of_memory();
        }

        if (showing.status == STATUS_DONE)
                rows_of_selection(snapshot->inventory, &selection, SPLIT_ALL, show_row, &showing);
        if (showing.status == STATUS_DONE && showing.items)
                showing.status = print_document(&showing);

        json_object_put(showing.items);
        selection_clear(&selection);
        snapshot_free(snapshot);
        return showing.status;
}
