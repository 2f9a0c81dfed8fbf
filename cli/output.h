/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Output: the only place that prints tables and JSON. What a verb says in sentences stands in that verb, as a sentence
 * is read best where its words come from; both print with stdio, and streams.h tells what could not be
 * written.
 *
 * A table is filled cell by cell and printed as its options want it; in JSON each row is an object whose keys are the
 * column names in small letters, sizes are numbers of bytes and addresses hexadecimal strings.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "extent.h"
#include "options.h"

struct column {
        const char *name;
        bool align_right;
};

struct table;

/*
 * A table of these columns, the last of which has no name. The options choose from them; `defaults` ("COL,COL") are
 * printed unasked. JSON has all columns unless some are asked for. Returns 0, -ENOMEM, or -EINVAL after telling the
 * user which column there is not.
 */
int table_new(const struct options *options, const struct column *columns, const char *defaults, struct table **ret);
/* Takes NULL, returns NULL. */
struct table *table_free(struct table *table);
/* True if a column was chosen: what it would show need not be looked for otherwise. */
bool table_has_column(const struct table *table, size_t column);

/*
 * Begins a row, then sets its cells by their index in `columns`; a cell that is not set is empty, null in JSON.
 * Want of memory is remembered and told by table_print() or document_add_table().
 */
void table_add_row(struct table *table);
void table_set_text(struct table *table, size_t column, const char *text); /* NULL or "": empty */
void table_set_bytes(struct table *table, size_t column, uint64_t bytes);
void table_set_number(struct table *table, size_t column, int64_t number);
void table_set_address(struct table *table, size_t column, uint64_t address);
/* A colour name of libsmartcols for a cell: only on a terminal, and never the only thing that tells. */
void table_set_color(struct table *table, size_t column, const char *color);
/* Prints as table, raw or pairs. Returns 0, -errno. */
int table_print(struct table *table);

/* {"schema": {"name": NAME, "version": VERSION}}; NULL without memory. */
json_object *document_new(const char *name, int version);
/* Moves the rows into document[key]. Returns 0, -ENOMEM. */
int document_add_table(json_object *document, const char *key, struct table *table);
/* Each takes NULL for "null". Returns 0, -ENOMEM. */
int json_add_text(json_object *object, const char *key, const char *text);
int json_add_number(json_object *object, const char *key, uint64_t number);
int json_add_signed(json_object *object, const char *key, int64_t number);
int json_add_bool(json_object *object, const char *key, bool value);
int json_add_address(json_object *object, const char *key, uint64_t address);
/* Takes ownership of the value, also on failure. */
int json_add(json_object *object, const char *key, json_object *value);
/* start, size and "memory40-47" of a run of blocks; the empty span is null, 0, null. Returns 0, -ENOMEM. */
int json_add_span(json_object *object, struct span span, uint64_t block_size_bytes);
/* Appends an object that was filled with the result r; frees it where that failed. Returns 0, -ENOMEM. */
int json_append(json_object *array, json_object *item, int r);
/* Prints and frees; `one_line` for streams. Returns 0, -ENOMEM if document is NULL. */
int document_print(json_object *document, bool one_line);

/* "0x140000000-0x17fffffff": the last byte included, as lsmem prints it. */
#define ADDRESS_RANGE_MAX 40
const char *format_address_range(uint64_t start, uint64_t size_bytes, char buffer[static ADDRESS_RANGE_MAX]);
/* "1G", "1.5G": as lsmem prints sizes and as an amount selector takes them. */
#define SHORT_BYTES_MAX 32
const char *format_short_bytes(uint64_t bytes, char buffer[static SHORT_BYTES_MAX]);

/* True if what is on this stream can be drawn over: a terminal that knows escape sequences. */
bool use_terminal(FILE *stream);
/* True if colour may be used on this stream: a terminal, no NO_COLOR (no-color.org), no TERM=dumb. */
bool use_color(FILE *stream);
/* True if the locale writes UTF-8. */
bool use_utf8(void);

/* "Total online memory:   24G" */
void print_total(const char *label, uint64_t bytes, bool in_bytes);
/* Prints a refusal's text: "memctl: refused: " before each refusal, the ways out below it as they are. */
void print_refusal(FILE *stream, const char *text);
/* "memctl: out of memory"; returns STATUS_FAILED. */
int out_of_memory(void);
