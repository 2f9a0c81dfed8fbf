/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "selector.h"
#include "util.h"

void selection_clear(struct selection *selection) {
        if (!selection)
                return;

        span_list_clear(&selection->present);
        span_list_clear(&selection->named);
        span_list_clear(&selection->holes);
        free(selection->missing);
        *selection = (struct selection){ 0 };
}

static int add_missing(struct selection *selection, const struct selector *selector) {
        struct selection_missing *missing =
                reallocarray(selection->missing, selection->n_missing + 1, sizeof(*missing));
        if (!missing)
                return -ENOMEM;

        missing[selection->n_missing] = (struct selection_missing){ .selector = selector };
        selection->missing = missing;
        selection->n_missing++;
        return 0;
}

/* Adds the blocks of the span that exist. Returns how many runs that were, or -ENOMEM. */
static int add_present(struct span_list *list, const struct inventory *inventory, struct span span) {
        const struct extent_list *extents = &inventory->extents;
        int n = 0;

        for (size_t i = extent_list_lower_bound(extents, span.first_block);
             i < extents->n && extents->items[i].first_block < span_end(&span); i++, n++) {
                int r = span_list_add(list, span_intersect(extent_span(&extents->items[i]), span));
                if (r < 0)
                        return r;
        }
        return n;
}

static bool memory_on_both_sides(const struct inventory *inventory, struct span span) {
        const struct extent_list *extents = &inventory->extents;

        return extents->n > 0 && extents->items[0].first_block < span.first_block &&
               extent_end(&extents->items[extents->n - 1]) > span_end(&span);
}

/* What of the span is in no extent. */
static int add_holes(struct selection *selection, const struct inventory *inventory, struct span span) {
        const struct extent_list *extents = &inventory->extents;
        uint64_t block = span.first_block, end = span_end(&span);

        for (size_t i = extent_list_lower_bound(extents, block); block < end; i++) {
                uint64_t next = i < extents->n ? MIN(extents->items[i].first_block, end) : end;
                if (next > block) {
                        int r = span_list_add(&selection->holes, (struct span){ block, next - block });
                        if (r < 0)
                                return r;
                }
                if (next == end)
                        break;
                block = extent_end(&extents->items[i]);
        }
        return 0;
}

static int resolve_blocks(struct selection *selection, const struct inventory *inventory,
                          const struct selector *selector) {
        int n = add_present(&selection->named, inventory, selector->span);
        if (n < 0)
                return n;
        if (n == 0 && !memory_on_both_sides(inventory, selector->span))
                return add_missing(selection, selector);

        n = add_present(&selection->present, inventory, selector->span);
        return n < 0 ? n : add_holes(selection, inventory, selector->span);
}

static int resolve_ranges(struct selection *selection, const struct inventory *inventory,
                          const struct selector *selector) {
        bool found = false;

        for (size_t i = 0; i < inventory->n_ranges; i++) {
                const struct range *range = &inventory->ranges[i];
                bool fits = selector->type == SELECTOR_DEVICE
                                    ? range->device && strcmp(range->device, selector->device) == 0
                                    : range->number == selector->number &&
                                              range->exported == (selector->type == SELECTOR_RANGE);
                if (!fits)
                        continue;

                found = true;
                int n = add_present(&selection->present, inventory, range->span);
                if (n < 0)
                        return n;
        }
        return found ? 0 : add_missing(selection, selector);
}

static int resolve_node(struct selection *selection, const struct inventory *inventory,
                        const struct selector *selector) {
        bool found = false;

        for (size_t i = 0; i < inventory->extents.n; i++) {
                const struct extent *extent = &inventory->extents.items[i];
                if (extent->node < 0 || (uint64_t)extent->node != selector->number)
                        continue;

                found = true;
                int r = span_list_add(&selection->present, extent_span(extent));
                if (r < 0)
                        return r;
        }
        return found ? 0 : add_missing(selection, selector);
}

static int resolve_all(struct selection *selection, const struct inventory *inventory) {
        for (size_t i = 0; i < inventory->extents.n; i++) {
                int r = span_list_add(&selection->present, extent_span(&inventory->extents.items[i]));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int resolve_one(struct selection *selection, const struct inventory *inventory,
                       const struct selector *selector) {
        switch (selector->type) {
        case SELECTOR_BLOCKS:
                return resolve_blocks(selection, inventory, selector);
        case SELECTOR_RANGE:
        case SELECTOR_ESTIMATE:
        case SELECTOR_DEVICE:
                return resolve_ranges(selection, inventory, selector);
        case SELECTOR_NODE:
                return resolve_node(selection, inventory, selector);
        case SELECTOR_ALL:
                return resolve_all(selection, inventory);
        case SELECTOR_AMOUNT:
                break;
        }
        return 0;
}

int selector_list_resolve(const struct selector_list *list, const struct inventory *inventory, struct selection *ret) {
        _cleanup_(selection_clear) struct selection selection = { 0 };
        bool only_amount = list->n == 1 && list->items[0].type == SELECTOR_AMOUNT;
        int r = only_amount ? resolve_all(&selection, inventory) : 0;

        for (size_t i = 0; r == 0 && i < list->n; i++)
                r = resolve_one(&selection, inventory, &list->items[i]);
        if (r < 0)
                return r;

        *ret = selection;
        selection = (struct selection){ 0 };
        return 0;
}

/* Returns 0, -ENOMEM, -EINVAL. */
static int refuse_amount(const struct selector_list *list, const char *why, char **ret_message) {
        const struct selector *amount = why ? selector_list_amount(list) : NULL;
        if (!amount)
                return 0;

        *ret_message = format_string("%s: %s", amount->text, why);
        return *ret_message ? -EINVAL : -ENOMEM;
}

int blocks_named(char *const *words, const struct inventory *inventory, const char *no_amount, struct span_list *ret,
                 char **ret_missing, char **ret_message) {
        _cleanup_(selector_list_clear) struct selector_list list = { 0 };
        _cleanup_(selection_clear) struct selection selection = { 0 };
        _cleanup_free_ char *message = NULL, *missing = NULL;
        size_t n_words = 0;

        while (words && words[n_words])
                n_words++;
        int r = selector_list_parse(words, n_words, inventory->block_size_bytes, &list, &message);
        if (r == 0)
                r = refuse_amount(&list, no_amount, &message);
        if (r == -EINVAL && ret_message)
                *ret_message = TAKE_PTR(message);
        if (r == 0)
                r = selector_list_resolve(&list, inventory, &selection);
        if (r == 0 && ret_missing && selection.n_missing > 0) {
                missing = strdup(selection.missing[0].selector->text);
                r = missing ? 0 : -ENOMEM;
        }
        if (r < 0)
                return r;

        if (ret_missing)
                *ret_missing = TAKE_PTR(missing);
        *ret = selection.present;
        selection.present = (struct span_list){ 0 };
        return 0;
}
