/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "nearest.h"
#include "selector.h"
#include "util.h"

/* What one word is parsed into, and the message where it cannot be. */
struct parser {
        uint64_t block_size_bytes;
        struct selector selector;
        char *message;
};

/* Sets the message; -EINVAL, or -ENOMEM if there is not even memory for that. */
#define bad_selector(parser, ...)                                                                                      \
        ((parser)->message = format_string(__VA_ARGS__), (parser)->message ? -EINVAL : -ENOMEM)

static int over_64_bits(struct parser *parser) {
        return bad_selector(parser, "'%s' is over 64 bits: the highest block there can be is memory%" PRIu64,
                            parser->selector.text, UINT64_MAX / parser->block_size_bytes);
}

static const char *name_of_selector(size_t i, const void *userdata) {
        static const char *const names[] = { "memory", "range", "est", "node" };

        (void)userdata;
        return names[i];
}

/* "4G" for "4g", which chmem(8) takes, and "4gb"; NULL for what is no amount. The caller frees it. */
static char *meant_amount(const char *text) {
        size_t n_digits = strspn(text, "0123456789.");
        const char *letter = text + n_digits, *rest = letter + (*letter != '\0');
        _cleanup_free_ char *amount = NULL;
        uint64_t bytes;

        if (*rest != '\0' && strcasecmp(rest, "b") != 0 && strcasecmp(rest, "ib") != 0)
                return NULL;

        amount = format_string("%.*s%c", (int)n_digits, text, toupper((unsigned char)*letter));
        return amount && parse_amount_bytes(amount, &bytes) == 0 ? TAKE_PTR(amount) : NULL;
}

/* What was meant, as far as that shows; NULL otherwise, and without memory. The caller frees it. */
static char *meant(const char *text) {
        size_t n_letters = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        const char *digits = text + n_letters, *near;
        char letters[16];

        if (n_letters == 0)
                return meant_amount(text);
        /* As ACPI and dax name their devices: PNP0C80:00, dax0.0 */
        if (strchr(text, '/') == NULL && (strchr(text, ':') || (strncmp(text, "dax", 3) == 0 && strchr(text, '.'))))
                return format_string("device:%s", text);

        if (n_letters >= sizeof(letters) || *digits == '\0' || digits[strspn(digits, "0123456789")] != '\0' ||
            (*digits == '0' && digits[1] != '\0'))
                return NULL;
        snprintf(letters, sizeof(letters), "%.*s", (int)n_letters, text);
        near = nearest_word(letters, name_of_selector, 4, NULL);
        return near && strcmp(near, letters) != 0 ? format_string("%s%s", near, digits) : NULL;
}

static int no_selector(struct parser *parser) {
        _cleanup_free_ char *suggestion = meant(parser->selector.text);

        if (suggestion)
                return bad_selector(parser, "'%s' is no selector, did you mean %s?", parser->selector.text, suggestion);
        return bad_selector(parser,
                            "'%s' is no selector: write blocks (memory40, 40-47), addresses "
                            "(0x140000000-0x17fffffff, 0x140000000+1G), range0, est0, node1, device:NAME, all, or an "
                            "amount (4G, =4G)",
                            parser->selector.text);
}

/* A block number: digits up to `end`. */
static int parse_block(struct parser *parser, const char *text, const char *end, uint64_t *ret) {
        uint64_t block;

        int r = parse_u64(text, (size_t)(end - text), 10, &block);
        if (r == -ERANGE || (r == 0 && block > UINT64_MAX / parser->block_size_bytes))
                return over_64_bits(parser);
        if (r < 0)
                return no_selector(parser);

        *ret = block;
        return 0;
}

/* "40", "memory40", "40-47", "memory40-47" */
static int parse_blocks(struct parser *parser, const char *text) {
        const char *first_text = strncmp(text, "memory", 6) == 0 ? text + 6 : text;
        const char *dash = strchr(first_text, '-');
        uint64_t first, last;

        int r = parse_block(parser, first_text, dash ? dash : strchr(first_text, '\0'), &first);
        if (r < 0)
                return r;
        last = first;
        if (dash) {
                r = parse_block(parser, dash + 1, strchr(dash, '\0'), &last);
                if (r < 0)
                        return r;
        }
        if (last < first)
                return bad_selector(parser, "'%s' ends before it starts: write memory%" PRIu64 "-%" PRIu64,
                                    parser->selector.text, last, first);

        parser->selector.type = SELECTOR_BLOCKS;
        parser->selector.span = (struct span){ first, last - first + 1 };
        return 0;
}

/* An address, 0x and hex digits up to `end`. */
static int parse_address(struct parser *parser, const char *text, const char *end, uint64_t *ret) {
        if (end - text < 3 || strncmp(text, "0x", 2) != 0)
                return no_selector(parser);

        int r = parse_u64(text, (size_t)(end - text), 0, ret);
        if (r == -ERANGE)
                return over_64_bits(parser);
        return r < 0 ? no_selector(parser) : 0;
}

/* `what` is no block boundary: names the nearest ones, as first (offset 0) or last (offset 1) bytes of blocks. */
static int not_aligned(struct parser *parser, const char *what, uint64_t address, uint64_t offset) {
        char size[FORMAT_BYTES_MAX];
        uint64_t below = address - address % parser->block_size_bytes, above;

        format_bytes(parser->block_size_bytes, size);
        if (__builtin_add_overflow(below, parser->block_size_bytes, &above))
                return bad_selector(parser,
                                    "'%s': %s is not at the edge of a memory block (%s): the nearest is 0x%" PRIx64,
                                    parser->selector.text, what, size, below - offset);
        if (below < offset)
                return bad_selector(parser,
                                    "'%s': %s is not at the edge of a memory block (%s): the nearest is 0x%" PRIx64,
                                    parser->selector.text, what, size, above - offset);
        return bad_selector(parser,
                            "'%s': %s is not at the edge of a memory block (%s): the nearest are 0x%" PRIx64
                            " and 0x%" PRIx64,
                            parser->selector.text, what, size, below - offset, above - offset);
}

/* The last byte of "0x140000000+1G". */
static int parse_size(struct parser *parser, const char *text, uint64_t start, uint64_t *ret_last) {
        uint64_t bytes;

        int r = strncmp(text, "0x", 2) == 0 ? parse_u64(text, strlen(text), 0, &bytes)
                                            : parse_amount_bytes(text, &bytes);
        if (r == -ERANGE)
                return over_64_bits(parser);
        if (r < 0)
                return bad_selector(parser, "'%s': '%s' is no size: write it as 1G (K M G T P) or 0x40000000",
                                    parser->selector.text, text);
        if (bytes == 0)
                return bad_selector(parser, "'%s' is empty: write a size of at least a memory block",
                                    parser->selector.text);
        if (__builtin_add_overflow(start, bytes - 1, ret_last))
                return over_64_bits(parser);
        return 0;
}

/* "0x140000000-0x17fffffff", "0x140000000+1G" */
static int parse_addresses(struct parser *parser, const char *text) {
        const char *separator = strpbrk(text, "-+");
        uint64_t start, last, block_size_bytes = parser->block_size_bytes;

        int r = parse_address(parser, text, separator ? separator : strchr(text, '\0'), &start);
        if (r < 0)
                return r;
        if (!separator)
                return bad_selector(parser,
                                    "'%s' is a single address: write where it ends, %s+1G or %s-0x... (last byte)",
                                    text, text, text);

        r = *separator == '+' ? parse_size(parser, separator + 1, start, &last)
                              : parse_address(parser, separator + 1, strchr(separator, '\0'), &last);
        if (r < 0)
                return r;
        if (last < start)
                return bad_selector(parser, "'%s' ends before it starts", parser->selector.text);
        if (start % block_size_bytes != 0)
                return not_aligned(parser, "the start", start, 0);
        if (last % block_size_bytes != block_size_bytes - 1)
                return not_aligned(parser, "the last byte", last, 1);

        parser->selector.type = SELECTOR_BLOCKS;
        parser->selector.span = (struct span){ start / block_size_bytes, (last - start) / block_size_bytes + 1 };
        return 0;
}

/* "4G", "=4G" */
static int parse_amount(struct parser *parser, const char *text) {
        struct selector *selector = &parser->selector;

        selector->is_target = *text == '=';
        if (selector->is_target)
                text++;

        int r = parse_amount_bytes(text, &selector->amount_bytes);
        if (r == -ERANGE)
                return bad_selector(parser, "'%s' is over 64 bits: no machine has that much memory", selector->text);
        if (r < 0 && selector->is_target)
                return bad_selector(parser, "'%s' is no amount: write one with a suffix, =4G (K M G T P)",
                                    selector->text);
        if (r < 0)
                return no_selector(parser);
        if (selector->amount_bytes == 0 && !selector->is_target)
                return bad_selector(parser, "'%s' asks for nothing: write an amount of at least a memory block",
                                    selector->text);

        selector->type = SELECTOR_AMOUNT;
        return 0;
}

static int parse_device(struct parser *parser, const char *name) {
        if (*name == '\0' || strchr(name, '/'))
                return bad_selector(parser, "'%s' names no device: write device:PNP0C80:00 or device:dax0.0",
                                    parser->selector.text);

        parser->selector.type = SELECTOR_DEVICE;
        parser->selector.device = strdup(name);
        return parser->selector.device ? 0 : -ENOMEM;
}

/* "range0", "est0", "node1". Returns 1 where the text is such a name, 0 where it is not, -errno. */
static int parse_named(struct parser *parser, const char *text) {
        static const struct {
                const char *prefix;
                enum selector_type type;
        } names[] = {
                { "range", SELECTOR_RANGE },
                { "est", SELECTOR_ESTIMATE },
                { "node", SELECTOR_NODE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                if (strncmp(text, names[i].prefix, strlen(names[i].prefix)) != 0)
                        continue;
                int r = parse_prefixed_number(text, names[i].prefix, &parser->selector.number);
                if (r == -ERANGE || (r == 0 && names[i].type == SELECTOR_NODE && parser->selector.number > INT32_MAX))
                        return bad_selector(parser, "'%s': the number is too large", text);
                if (r < 0)
                        return no_selector(parser);
                parser->selector.type = names[i].type;
                return 1;
        }
        return 0;
}

static int parse_selector(struct parser *parser) {
        const char *text = parser->selector.text;

        if (*text == '\0')
                return bad_selector(parser, "an empty selector: take out the comma, or name something");
        if (strcmp(text, "all") == 0) {
                parser->selector.type = SELECTOR_ALL;
                return 0;
        }
        if (strncmp(text, "device:", 7) == 0)
                return parse_device(parser, text + 7);

        int r = parse_named(parser, text);
        if (r != 0)
                return r < 0 ? r : 0;
        if (strncmp(text, "0x", 2) == 0)
                return parse_addresses(parser, text);
        if (strncmp(text, "memory", 6) == 0 || text[strspn(text, "0123456789-")] == '\0')
                return parse_blocks(parser, text);
        return parse_amount(parser, text);
}

static void selector_clear(struct selector *selector) {
        free(selector->text);
        free(selector->device);
        *selector = (struct selector){ 0 };
}

void selector_list_clear(struct selector_list *list) {
        if (!list)
                return;

        for (size_t i = 0; i < list->n; i++)
                selector_clear(&list->items[i]);
        free(list->items);
        *list = (struct selector_list){ 0 };
}

const struct selector *selector_list_amount(const struct selector_list *list) {
        for (size_t i = 0; i < list->n; i++)
                if (list->items[i].type == SELECTOR_AMOUNT)
                        return &list->items[i];
        return NULL;
}

/* Parses text[0..length) and appends it. */
static int append_parsed(struct selector_list *list, size_t *n_allocated, const char *text, size_t length,
                         uint64_t block_size_bytes, char **ret_message) {
        struct parser parser = { .block_size_bytes = block_size_bytes };

        struct selector *items = array_grow(list->items, n_allocated, list->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;

        parser.selector.text = strndup(text, length);
        int r = parser.selector.text ? parse_selector(&parser) : -ENOMEM;
        const struct selector *amount = selector_list_amount(list);
        if (r == 0 && parser.selector.type == SELECTOR_AMOUNT && amount)
                r = bad_selector(&parser, "'%s' is a second amount beside '%s': name one", parser.selector.text,
                                 amount->text);
        if (r < 0) {
                selector_clear(&parser.selector);
                if (r == -EINVAL)
                        *ret_message = parser.message;
                return r;
        }

        items[list->n++] = parser.selector;
        return 0;
}

int selector_list_parse(char *const *words, size_t n_words, uint64_t block_size_bytes, struct selector_list *ret,
                        char **ret_message) {
        _cleanup_(selector_list_clear) struct selector_list list = { 0 };
        size_t n_allocated = 0;

        if (!is_power_of_two(block_size_bytes) || block_size_bytes < 4096) {
                char *message = format_string("a memory block of %" PRIu64 " bytes makes no sense", block_size_bytes);
                if (!message)
                        return -ENOMEM;
                *ret_message = message;
                return -EINVAL;
        }

        for (size_t i = 0; i < n_words; i++)
                for (const char *text = words[i]; text;) {
                        const char *comma = strchr(text, ',');
                        size_t length = comma ? (size_t)(comma - text) : strlen(text);
                        int r = append_parsed(&list, &n_allocated, text, length, block_size_bytes, ret_message);
                        if (r < 0)
                                return r;
                        text = comma ? comma + 1 : NULL;
                }

        *ret = list;
        list = (struct selector_list){ 0 };
        return 0;
}
