/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "exit-status.h"
#include "nearest.h"
#include "selector.h"
#include "util.h"

struct table {
        const struct options *options;
        const struct column *columns;
        size_t n_columns;
        size_t *chosen; /* indexes into columns, in the order printed */
        size_t n_chosen;

        /* One of the two, as the format wants it. */
        struct libscols_table *text;
        struct libscols_line *line;
        json_object *rows;
        json_object *row;

        bool has_failed; /* no memory */
};

static const char *column_name(size_t i, const void *userdata) {
        const struct table *table = userdata;

        return table->columns[i].name;
}

static int choose_column(struct table *table, const char *name) {
        const char *near;

        for (size_t i = 0; i < table->n_columns; i++)
                if (strcasecmp(table->columns[i].name, name) == 0) {
                        size_t *chosen = reallocarray(table->chosen, table->n_chosen + 1, sizeof *chosen);

                        if (!chosen)
                                return -ENOMEM;
                        table->chosen = chosen;
                        table->chosen[table->n_chosen++] = i;
                        return 0;
                }

        near = nearest_word(name, column_name, table->n_columns, table);
        fprintf(stderr, "memctl: there is no column \"%s\" here", name);
        if (near)
                fprintf(stderr, ", did you mean %s?", near);
        fputs("\nmemctl: columns are", stderr);
        for (size_t i = 0; i < table->n_columns; i++)
                fprintf(stderr, " %s", table->columns[i].name);
        fputc('\n', stderr);
        return -EINVAL;
}

static int choose_list(struct table *table, const char *list) {
        char *words = strdup(list), *word, *rest;
        int r = 0;

        if (!words)
                return -ENOMEM;

        for (word = strtok_r(words, ",", &rest); word && r == 0; word = strtok_r(NULL, ",", &rest))
                r = choose_column(table, word);
        free(words);
        return r;
}

static int choose_columns(struct table *table, const char *defaults) {
        const struct options *options = table->options;
        const char *list = options->columns;
        int r = 0;

        if (options->all_columns || (options->format == FORMAT_JSON && !list)) {
                for (size_t i = 0; i < table->n_columns && r == 0; i++)
                        r = choose_column(table, table->columns[i].name);
                return r;
        }

        if (!list || *list == '+')
                r = choose_list(table, defaults);
        if (r == 0 && list)
                r = choose_list(table, list + (*list == '+'));
        if (r == 0 && table->n_chosen == 0) {
                fputs("memctl: --output names no column\n", stderr);
                r = -EINVAL;
        }

        return r;
}

static int make_text_table(struct table *table) {
        const struct options *options = table->options;

        table->text = scols_new_table();
        if (!table->text)
                return -ENOMEM;

        scols_table_enable_raw(table->text, options->format == FORMAT_RAW);
        scols_table_enable_export(table->text, options->format == FORMAT_PAIRS);
        scols_table_enable_noheadings(table->text, options->no_headings);
        scols_table_enable_colors(table->text, options->format == FORMAT_TABLE && use_color(stdout));

        for (size_t i = 0; i < table->n_chosen; i++) {
                const struct column *column = table->columns + table->chosen[i];

                if (!scols_table_new_column(table->text, column->name, 0, column->align_right ? SCOLS_FL_RIGHT : 0))
                        return -ENOMEM;
        }

        return 0;
}

int table_new(const struct options *options, const struct column *columns, const char *defaults, struct table **ret) {
        struct table *table = calloc(1, sizeof *table);
        int r;

        if (!table)
                return -ENOMEM;

        table->options = options;
        table->columns = columns;
        while (columns[table->n_columns].name)
                table->n_columns++;

        r = choose_columns(table, defaults);
        if (r == 0 && options->format != FORMAT_JSON)
                r = make_text_table(table);
        if (r == 0 && options->format == FORMAT_JSON) {
                table->rows = json_object_new_array();
                if (!table->rows)
                        r = -ENOMEM;
        }
        if (r < 0) {
                table_free(table);
                return r;
        }

        *ret = table;
        return 0;
}

struct table *table_free(struct table *table) {
        if (!table)
                return NULL;

        free(table->chosen);
        scols_unref_table(table->text);
        json_object_put(table->rows);
        free(table);
        return NULL;
}

static char *lower(const char *name) {
        char *key = strdup(name);

        for (char *letter = key; letter && *letter; letter++)
                *letter = (char)tolower((unsigned char)*letter);

        return key;
}

void table_add_row(struct table *table) {
        if (table->text) {
                table->line = scols_table_new_line(table->text, NULL);
                table->has_failed |= !table->line;
                return;
        }

        table->row = json_object_new_object();
        if (!table->row || json_object_array_add(table->rows, table->row) < 0) {
                json_object_put(table->row);
                table->row = NULL;
                table->has_failed = true;
                return;
        }
        /* Every key is there in every row: whoever reads it need not ask. */
        for (size_t i = 0; i < table->n_chosen; i++) {
                char *key = lower(table->columns[table->chosen[i]].name);

                table->has_failed |= !key || json_object_object_add(table->row, key, NULL) < 0;
                free(key);
        }
}

/* Where a column stands among the chosen ones, n_chosen if it was not chosen. */
static size_t position(const struct table *table, size_t column) {
        size_t i = 0;

        while (i < table->n_chosen && table->chosen[i] != column)
                i++;

        return i;
}

bool table_has_column(const struct table *table, size_t column) {
        return position(table, column) < table->n_chosen;
}

static void set_json(struct table *table, size_t column, json_object *value) {
        char *key;

        if (position(table, column) == table->n_chosen) {
                json_object_put(value);
                return;
        }

        key = lower(table->columns[column].name);
        if (!key || !value || !table->row || json_object_object_add(table->row, key, value) < 0) {
                json_object_put(value);
                table->has_failed = true;
        }
        free(key);
}

static void set_cell(struct table *table, size_t column, const char *text) {
        /* The same column may be asked for twice. */
        for (size_t i = 0; i < table->n_chosen; i++)
                if (table->chosen[i] == column)
                        table->has_failed |= !table->line || scols_line_set_data(table->line, i, text) < 0;
}

void table_set_text(struct table *table, size_t column, const char *text) {
        if (!text || !*text)
                return;
        if (table->text)
                set_cell(table, column, text);
        else
                set_json(table, column, json_object_new_string(text));
}

void table_set_bytes(struct table *table, size_t column, uint64_t bytes) {
        char text[SHORT_BYTES_MAX];

        if (!table->text) {
                set_json(table, column, json_object_new_uint64(bytes));
                return;
        }

        if (table->options->sizes_in_bytes)
                snprintf(text, sizeof text, "%" PRIu64, bytes);
        else
                format_short_bytes(bytes, text);
        set_cell(table, column, text);
}

void table_set_number(struct table *table, size_t column, int64_t number) {
        char text[24];

        if (!table->text) {
                set_json(table, column, json_object_new_int64(number));
                return;
        }

        snprintf(text, sizeof text, "%" PRId64, number);
        set_cell(table, column, text);
}

void table_set_address(struct table *table, size_t column, uint64_t address) {
        char text[24];

        snprintf(text, sizeof text, "0x%" PRIx64, address);
        table_set_text(table, column, text);
}

void table_set_color(struct table *table, size_t column, const char *color) {
        size_t i = position(table, column);

        if (table->line && i < table->n_chosen)
                scols_cell_set_color(scols_line_get_cell(table->line, i), color);
}

int table_print(struct table *table) {
        if (table->has_failed)
                return -ENOMEM;

        return scols_print_table(table->text);
}

json_object *document_new(const char *name, int version) {
        json_object *document = json_object_new_object(), *schema = json_object_new_object();

        if (document && json_add(document, "schema", schema) == 0 && json_add_text(schema, "name", name) == 0 &&
            json_add_number(schema, "version", (uint64_t)version) == 0)
                return document;

        json_object_put(document);
        return NULL;
}

int document_add_table(json_object *document, const char *key, struct table *table) {
        json_object *rows = table->rows;

        if (table->has_failed)
                return -ENOMEM;

        table->rows = NULL;
        table->row = NULL;
        return json_add(document, key, rows);
}

int json_add(json_object *object, const char *key, json_object *value) {
        if (!object || !value || json_object_object_add(object, key, value) < 0) {
                json_object_put(value);
                return -ENOMEM;
        }

        return 0;
}

int json_add_text(json_object *object, const char *key, const char *text) {
        if (!object)
                return -ENOMEM;
        if (!text)
                return json_object_object_add(object, key, NULL) < 0 ? -ENOMEM : 0;

        return json_add(object, key, json_object_new_string(text));
}

int json_add_number(json_object *object, const char *key, uint64_t number) {
        return json_add(object, key, json_object_new_uint64(number));
}

int json_add_signed(json_object *object, const char *key, int64_t number) {
        return json_add(object, key, json_object_new_int64(number));
}

int json_add_bool(json_object *object, const char *key, bool value) {
        return json_add(object, key, json_object_new_boolean(value));
}

int json_add_address(json_object *object, const char *key, uint64_t address) {
        char text[24];

        snprintf(text, sizeof text, "0x%" PRIx64, address);
        return json_add_text(object, key, text);
}

int json_add_span(json_object *object, struct span span, uint64_t block_size_bytes) {
        _cleanup_free_ char *blocks = NULL;
        int r;

        if (span.n_blocks == 0) {
                r = json_add_text(object, "start", NULL);
                if (r == 0)
                        r = json_add_number(object, "size", 0);
                return r < 0 ? r : json_add_text(object, "blocks", NULL);
        }

        blocks = format_blocks(span);
        if (!blocks)
                return -ENOMEM;

        r = json_add_address(object, "start", span.first_block * block_size_bytes);
        if (r == 0)
                r = json_add_number(object, "size", span.n_blocks * block_size_bytes);
        return r < 0 ? r : json_add_text(object, "blocks", blocks);
}

int json_append(json_object *array, json_object *item, int r) {
        if (!item || r < 0 || json_object_array_add(array, item) < 0) {
                json_object_put(item);
                return -ENOMEM;
        }

        return 0;
}

int document_print(json_object *document, bool one_line) {
        int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
        const char *text;

        if (!one_line)
                flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;

        text = document ? json_object_to_json_string_ext(document, flags) : NULL;
        if (!text) {
                json_object_put(document);
                return -ENOMEM;
        }

        puts(text);
        json_object_put(document);
        return 0;
}

const char *format_address_range(uint64_t start, uint64_t size_bytes, char buffer[static ADDRESS_RANGE_MAX]) {
        snprintf(buffer, ADDRESS_RANGE_MAX, "0x%" PRIx64 "-0x%" PRIx64, start, start + size_bytes - 1);
        return buffer;
}

const char *format_short_bytes(uint64_t bytes, char buffer[static SHORT_BYTES_MAX]) {
        char text[FORMAT_BYTES_MAX];
        size_t n;

        /* "1.5 GiB" without what goes without saying */
        format_bytes(bytes, text);
        n = strcspn(text, " ");
        snprintf(buffer, SHORT_BYTES_MAX, "%.*s%c", (int)n, text, text[n] ? text[n + 1] : 'B');
        return buffer;
}

bool use_terminal(FILE *stream) {
        const char *term = getenv("TERM");

        return term && strcmp(term, "dumb") != 0 && isatty(fileno(stream));
}

bool use_color(FILE *stream) {
        const char *no_color = getenv("NO_COLOR");

        return !(no_color && *no_color) && use_terminal(stream);
}

bool use_utf8(void) {
        return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void print_total(const char *label, uint64_t bytes, bool in_bytes) {
        char text[SHORT_BYTES_MAX];

        if (in_bytes)
                printf("%-23s %" PRIu64 "\n", label, bytes);
        else
                printf("%-23s %s\n", label, format_short_bytes(bytes, text));
}

void print_refusal(FILE *stream, const char *text) {
        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n");

                fprintf(stream, "%s%.*s\n", *line == ' ' ? "" : "memctl: refused: ", (int)n, line);
                line += n + (line[n] == '\n');
        }
}

int out_of_memory(void) {
        fputs("memctl: out of memory\n", stderr);
        return STATUS_FAILED;
}
