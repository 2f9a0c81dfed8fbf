/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words separated by newlines; the first byte is the block size's exponent. */

#include "fuzz.h"
#include "selector.h"
#include "util.h"

/* What was understood is written in the one way blocks are written, and understood as the same. */
static void check_round_trip(struct span span, uint64_t block_size_bytes) {
        char *text = format_blocks(span), *message = NULL;
        struct selector_list list;

        must(text);
        must(selector_list_parse(&text, 1, block_size_bytes, &list, &message) == 0);
        must(list.n == 1 && list.items[0].type == SELECTOR_BLOCKS);
        must(list.items[0].span.first_block == span.first_block && list.items[0].span.n_blocks == span.n_blocks);
        selector_list_clear(&list);
        free(text);
}

static void check_selector(const struct selector *selector, uint64_t block_size_bytes) {
        must(selector->text);
        if (selector->type == SELECTOR_BLOCKS) {
                must(selector->span.n_blocks > 0);
                must(span_end(&selector->span) - 1 <= UINT64_MAX / block_size_bytes);
                check_round_trip(selector->span, block_size_bytes);
        }
        must(selector->type != SELECTOR_DEVICE || selector->device);
        must(selector->type != SELECTOR_AMOUNT || selector->is_target || selector->amount_bytes > 0);
}

static void check_resolving(const struct selector_list *list, uint64_t block_size_bytes) {
        struct extent extents[] = {
                { .first_block = 2, .n_blocks = 6, .range = RANGE_NONE },
                { .first_block = 40, .n_blocks = 16, .node = 1, .range = 0, .kind = KIND_HOT_ADDED },
        };
        struct range range = { .exported = true, .span = { 40, 16 }, .device = (char *)"dax0.0" };
        const struct inventory inventory = {
                .block_size_bytes = block_size_bytes,
                .extents = { extents, ARRAY_SIZE(extents), ARRAY_SIZE(extents) },
                .ranges = &range,
                .n_ranges = 1,
        };
        struct selection selection;

        must(selector_list_resolve(list, &inventory, &selection) == 0);
        for (size_t i = 0; i < selection.present.n; i++) {
                const struct span *span = &selection.present.items[i];
                must(extent_list_find(&inventory.extents, span->first_block));
                must(extent_list_find(&inventory.extents, span_end(span) - 1));
        }
        for (size_t i = 0; i < selection.named.n; i++)
                must(span_list_overlaps(&selection.present, selection.named.items[i]));
        for (size_t i = 0; i < selection.holes.n; i++)
                must(!extent_list_find(&inventory.extents, selection.holes.items[i].first_block));
        selection_clear(&selection);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *words[16], *message = NULL;
        size_t n = 0;

        if (size == 0)
                return 0;
        uint64_t block_size_bytes = UINT64_C(1) << (*data % 64);
        char *text = fuzz_text(data + 1, size - 1), *rest = text;
        while (n < ARRAY_SIZE(words) && (words[n] = strsep(&rest, "\n")))
                n++;

        struct selector_list list;
        int r = selector_list_parse(words, n, block_size_bytes, &list, &message);
        must((r < 0) == (message != NULL));
        if (r == 0) {
                for (size_t i = 0; i < list.n; i++)
                        check_selector(&list.items[i], block_size_bytes);
                check_resolving(&list, block_size_bytes);
                selector_list_clear(&list);
        }
        free(message);
        free(text);
        return 0;
}
