/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Selectors: what the user named. Parsing is pure and knows nothing of the machine but its block size;
 * resolving looks the names up in an inventory.
 *
 *   memory40 · 40 · 40-47 · 40-47,52 · memory40-47 · 0x140000000-0x17fffffff (last byte included) · 0x140000000+1G
 *   range0 · est0 · node1 · device:PNP0C80:00 · device:dax0.0 · all · one amount: 4G or =4G (suffix K M G T P needed)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extent.h"
#include "inventory.h"

enum selector_type {
        SELECTOR_BLOCKS, /* blocks or addresses: holes count */
        SELECTOR_RANGE,
        SELECTOR_ESTIMATE,
        SELECTOR_NODE,
        SELECTOR_DEVICE,
        SELECTOR_ALL,
        SELECTOR_AMOUNT,
};

struct selector {
        enum selector_type type;
        char *text;       /* as the user wrote it */
        struct span span; /* SELECTOR_BLOCKS */
        uint64_t number;  /* N of range, estimate, node */
        char *device;     /* SELECTOR_DEVICE */
        uint64_t amount_bytes;
        bool is_target; /* =4G: that much is to be in the wanted state when done */
};

struct selector_list {
        struct selector *items;
        size_t n;
};

/*
 * Parses every word; a word may hold several selectors joined by commas. Returns 0, -ENOMEM, or -EINVAL with
 * *ret_message (the caller frees it) saying which word, why, and what to write instead: cannot be parsed, not
 * block-aligned (the two nearest aligned addresses), over 64 bits, more than one amount. ret is untouched then.
 */
int selector_list_parse(char *const *words, size_t n_words, uint64_t block_size_bytes, struct selector_list *ret,
                        char **ret_message);
void selector_list_clear(struct selector_list *list);

/* The one amount, or NULL. */
const struct selector *selector_list_amount(const struct selector_list *list);

/* Blocks a list of selectors means, and what of it is not there. */
struct selection {
        struct span_list present; /* blocks that exist */
        struct span_list named;   /* the part of them named as blocks or addresses, not by range, node, device or all */
        struct span_list
                holes; /* block and address spans: no memory there, but memory on both sides or inside the span */
        struct selection_missing {
                const struct selector *selector; /* wholly not there: block, range, node or device */
        } * missing;
        size_t n_missing;
};

/* Resolves all but the amount; with none but an amount, everything is selected. Returns 0, -ENOMEM. */
int selector_list_resolve(const struct selector_list *list, const struct inventory *inventory, struct selection *ret);
void selection_clear(struct selection *selection);

/*
 * Blocks that words name here and now: parsed and looked up at once. The words end with NULL, or are NULL: none. An
 * amount is left aside, but an error where `no_amount` says why there can be none. *ret_missing is the first selector
 * that is wholly not there, or NULL. Returns 0, -ENOMEM, or -EINVAL with *ret_message. Either may be NULL if nobody
 * asks; the caller frees them.
 */
int blocks_named(char *const *words, const struct inventory *inventory, const char *no_amount, struct span_list *ret,
                 char **ret_missing, char **ret_message);

/* "4G", "1.5G", "128 MiB"-less: an amount with a needed suffix, in bytes. Returns 0, -EINVAL, -ERANGE. */
int parse_amount_bytes(const char *text, uint64_t *ret);
/* "memory40-47" or "memory44": how blocks are written everywhere. The caller frees it; NULL without memory. */
char *format_blocks(struct span span);
/* "memory40-47,52": the same of several. */
char *format_span_list(const struct span_list *list);
/* "1 GiB", "128 MiB", "1.5 GiB": the shortest exact form, else two decimals. */
#define FORMAT_BYTES_MAX 32
const char *format_bytes(uint64_t bytes, char buffer[static FORMAT_BYTES_MAX]);
