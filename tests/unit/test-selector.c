/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "selector.h"
#include "test.h"
#include "util.h"

#define BLOCK (128 * MIB)

static int parse(const char *word, uint64_t block_size_bytes, struct selector_list *ret, char **ret_message) {
        char *copy = strdup(word);

        int r = selector_list_parse(&copy, 1, block_size_bytes, ret, ret_message);
        free(copy);
        return r;
}

static void block_and_address_spans(void **state) {
        static const struct {
                const char *word;
                uint64_t block_size, first, n;
        } cases[] = {
                { "memory40", BLOCK, 40, 1 },
                { "40", BLOCK, 40, 1 },
                { "40-47", BLOCK, 40, 8 },
                { "memory40-47", BLOCK, 40, 8 },
                { "0", BLOCK, 0, 1 },
                { "007", BLOCK, 7, 1 },
                { "0x140000000-0x17fffffff", BLOCK, 40, 8 },
                { "0x0000000140000000-0x000000017fffffff", BLOCK, 40, 8 },
                { "0x140000000+1G", BLOCK, 40, 8 },
                { "0x140000000+0x40000000", BLOCK, 40, 8 },
                { "0x0+2G", 2 * GIB, 0, 1 },
                { "0xfffffffff8000000-0xffffffffffffffff", BLOCK, UINT64_MAX >> 27, 1 },
                { "0xfffffffff8000000+128M", BLOCK, UINT64_MAX >> 27, 1 },
                { "137438953471", BLOCK, 137438953471, 1 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct selector_list list;
                char *message = NULL;
                assert_int_equal(parse(cases[i].word, cases[i].block_size, &list, &message), 0);
                assert_int_equal(list.n, 1);
                assert_int_equal(list.items[0].type, SELECTOR_BLOCKS);
                assert_string_equal(list.items[0].text, cases[i].word);
                assert_int_equal(list.items[0].span.first_block, cases[i].first);
                assert_int_equal(list.items[0].span.n_blocks, cases[i].n);
                selector_list_clear(&list);
        }
        (void)state;
}

static void names_and_amounts(void **state) {
        struct selector_list list;
        char *message = NULL;
        char *words[] = { (char *)"range12,est3", (char *)"node1", (char *)"device:PNP0C80:00", (char *)"all",
                          (char *)"=1.5G,40-47,52" };

        assert_int_equal(selector_list_parse(words, ARRAY_SIZE(words), BLOCK, &list, &message), 0);
        assert_int_equal(list.n, 8);
        assert_int_equal(list.items[0].type, SELECTOR_RANGE);
        assert_int_equal(list.items[0].number, 12);
        assert_int_equal(list.items[1].type, SELECTOR_ESTIMATE);
        assert_string_equal(list.items[1].text, "est3");
        assert_int_equal(list.items[2].type, SELECTOR_NODE);
        assert_int_equal(list.items[3].type, SELECTOR_DEVICE);
        assert_string_equal(list.items[3].device, "PNP0C80:00");
        assert_int_equal(list.items[4].type, SELECTOR_ALL);
        assert_int_equal(list.items[5].type, SELECTOR_AMOUNT);
        assert_true(list.items[5].is_target);
        assert_int_equal(list.items[5].amount_bytes, 3 * GIB / 2);
        assert_int_equal(list.items[7].span.first_block, 52);
        assert_ptr_equal(selector_list_amount(&list), &list.items[5]);
        selector_list_clear(&list);

        assert_int_equal(selector_list_parse(words, 0, BLOCK, &list, &message), 0);
        assert_int_equal(list.n, 0);
        assert_null(selector_list_amount(&list));
        (void)state;
}

/* Bad usage: the message names the word and what to write instead; nothing is changed. */
static void bad_selectors(void **state) {
        static const struct {
                const char *word, *message;
        } cases[] = {
                { "", "empty selector" },
                { "40,,41", "empty selector" },
                { "40,", "empty selector" },
                { "foo", "'foo' is no selector" },
                { "memory", "'memory' is no selector" },
                { "memoryx", "'memoryx' is no selector" },
                { "-", "'-' is no selector" },
                { "PNP0C80:00", "'PNP0C80:00' is no selector, did you mean device:PNP0C80:00?" },
                { "dax0.0", "'dax0.0' is no selector, did you mean device:dax0.0?" },
                { "memroy40", "'memroy40' is no selector, did you mean memory40?" },
                { "ragne0", "'ragne0' is no selector, did you mean range0?" },
                { "frob40", "'frob40' is no selector: write blocks" },
                { "memroy040", "'memroy040' is no selector: write blocks" },
                { "40-", "'40-' is no selector" },
                { "-40", "'-40' is no selector" },
                { "40-41-42", "'40-41-42' is no selector" },
                { "40 ", "'40 ' is no selector" },
                { "4GB", "'4GB' is no selector" },
                { "1.3G", "'1.3G' is no selector" },
                { "range", "'range' is no selector" },
                { "range01", "'range01' is no selector" },
                { "node-1", "'node-1' is no selector" },
                { "node4294967296", "too large" },
                { "range18446744073709551616", "too large" },
                { "device:", "names no device" },
                { "device:../x", "names no device" },
                { "47-40", "write memory40-47" },
                { "=4", "=4G" },
                { "0G", "asks for nothing" },
                { "=99999999999999999999G", "over 64 bits" },
                { "16777216T", "over 64 bits" },
                { "99999999999999999999", "over 64 bits: the highest block there can be is memory137438953471" },
                { "137438953472", "over 64 bits" },
                { "40-137438953472", "over 64 bits" },
                { "0x10000000000000000+1G", "over 64 bits" },
                { "0xfffffffff8000000+1G", "over 64 bits" },
                { "0x140000000", "single address" },
                { "0x", "'0x' is no selector" },
                { "0x140000000-", "is no selector" },
                { "0x140000000-47", "is no selector" },
                { "0x140000000+1", "is no size" },
                { "0x140000000+0x0", "is empty" },
                { "0x17fffffff-0x140000000", "ends before it starts" },
                { "0x141000000-0x17fffffff", "the nearest are 0x140000000 and 0x148000000" },
                { "0x140000000-0x17ffffffe", "the nearest are 0x177ffffff and 0x17fffffff" },
                { "0x140000000+100M", "the nearest are 0x13fffffff and 0x147ffffff" },
                { "0x0-0x1", "the nearest is 0x7ffffff" },
                { "0xffffffffffffff00-0xffffffffffffffff", "the nearest is 0xfffffffff8000000" },
                { "4G,5G", "second amount beside '4G'" },
                { "4G,=4G", "second amount" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct selector_list list = { .n = 4711 };
                char *message = NULL;
                assert_int_equal(parse(cases[i].word, BLOCK, &list, &message), -EINVAL);
                assert_non_null(message);
                if (!strstr(message, cases[i].message))
                        print_error("%s\n", message);
                assert_non_null(strstr(message, cases[i].message));
                assert_int_equal(list.n, 4711);
                free(message);
        }

        struct selector_list list;
        char *message = NULL;
        assert_int_equal(parse("40", 0, &list, &message), -EINVAL);
        free(message);
        assert_int_equal(parse("40", 3 * MIB, &list, &message), -EINVAL);
        free(message);
        (void)state;
}

static char *resolve(const struct inventory *inventory, const char *words, char **ret_holes, char *missing) {
        struct selector_list list;
        struct selection selection;

        model_select(words, inventory->block_size_bytes, &list);
        assert_int_equal(selector_list_resolve(&list, inventory, &selection), 0);
        char *present = format_span_list(&selection.present);
        *ret_holes = format_span_list(&selection.holes);
        *missing = '\0';
        for (size_t i = 0; i < selection.n_missing; i++)
                strcat(strcat(missing, selection.missing[i].selector->text), " ");
        selection_clear(&selection);
        selector_list_clear(&list);
        return present;
}

static void resolving(void **state) {
        static const struct {
                const char *words, *present, *holes, *missing;
        } cases[] = {
                { "40-47 44-50", "memory40-50", "no blocks", "" },
                { "range0", "memory40-55", "no blocks", "" },
                { "range9", "no blocks", "no blocks", "range9 " },
                { "est0", "no blocks", "no blocks", "est0 " },
                { "node1", "memory72-79,88-92,104-105", "no blocks", "" },
                { "node2", "no blocks", "no blocks", "node2 " },
                { "device:dax0.0", "memory72-79", "no blocks", "" },
                { "device:dax1.0", "no blocks", "no blocks", "device:dax1.0 " },
                { "all", "memory0-15,40-55,72-79,88-92,104-105", "no blocks", "" },
                { "1G", "memory0-15,40-55,72-79,88-92,104-105", "no blocks", "" },
                { "1G range0", "memory40-55", "no blocks", "" },
                { "=1G range0", "memory40-55", "no blocks", "" },
                /* holes: between memory, or beside memory inside the span */
                { "16-39", "no blocks", "memory16-39", "" },
                { "14-41", "memory14-15,40-41", "memory16-39", "" },
                { "100-200", "memory104-105", "memory100-103,106-200", "" },
                { "106", "no blocks", "no blocks", "106 " },
                { "40 300-400 16", "memory40", "memory16", "300-400 " },
        };
        struct inventory *inventory = model_server();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *holes, missing[256];
                char *present = resolve(inventory, cases[i].words, &holes, missing);
                assert_string_equal(present, cases[i].present);
                assert_string_equal(holes, cases[i].holes);
                assert_string_equal(missing, cases[i].missing);
                free(present);
                free(holes);
        }
        inventory_free(inventory);
        (void)state;
}

static void only_blocks_and_addresses_are_named(void **state) {
        struct inventory *inventory = model_server();
        struct selector_list list;
        struct selection selection;

        model_select("range0 40-41 0x240000000+128M node1", inventory->block_size_bytes, &list);
        assert_int_equal(selector_list_resolve(&list, inventory, &selection), 0);
        char *named = format_span_list(&selection.named);
        assert_string_equal(named, "memory40-41,72");
        free(named);
        selection_clear(&selection);
        selector_list_clear(&list);
        inventory_free(inventory);
        (void)state;
}

static void words_name_blocks(void **state) {
        static const char no_amount[] = "say which";
        static const struct {
                const char *words[3], *no_amount, *present, *missing, *message;
        } cases[] = {
                { { "range1", "40-41" }, no_amount, "memory40-41,72-79", NULL, NULL },
                { { "40", "est3" }, no_amount, "memory40", "est3", NULL },
                { { "range1", "=1G" }, NULL, "memory72-79", NULL, NULL },
                { { "range1,=1G" }, no_amount, NULL, NULL, "=1G: say which" },
                { { "40", "range" }, NULL, NULL, NULL, "'range' is no selector" },
                { { NULL }, no_amount, "no blocks", NULL, NULL },
        };
        struct inventory *inventory = model_server();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char untouched[1], *words[3], *missing = untouched, *message = untouched;
                struct span_list blocks = { .n = 4711 };

                memcpy(words, cases[i].words, sizeof(words));
                int r = blocks_named(words, inventory, cases[i].no_amount, &blocks, &missing, &message);
                assert_int_equal(r, cases[i].message ? -EINVAL : 0);
                if (cases[i].message) {
                        assert_non_null(strstr(message, cases[i].message));
                        assert_int_equal(blocks.n, 4711);
                        assert_ptr_equal(missing, untouched);
                        free(message);
                        continue;
                }
                char *present = format_span_list(&blocks);
                assert_string_equal(present, cases[i].present);
                assert_ptr_equal(message, untouched);
                if (cases[i].missing)
                        assert_string_equal(missing, cases[i].missing);
                else
                        assert_null(missing);
                free(present);
                free(missing);
                span_list_clear(&blocks);
        }
        inventory_free(inventory);
        (void)state;
}

static void nobody_has_to_ask_for_messages(void **state) {
        char *wrong[] = { (char[]){ "range" }, NULL }, *gone[] = { (char[]){ "range9" }, NULL };
        struct inventory *inventory = model_server();
        struct span_list blocks = { 0 };

        assert_int_equal(blocks_named(wrong, inventory, NULL, &blocks, NULL, NULL), -EINVAL);
        assert_int_equal(blocks_named(gone, inventory, NULL, &blocks, NULL, NULL), 0);
        assert_int_equal(blocks_named(NULL, inventory, NULL, &blocks, NULL, NULL), 0);
        assert_int_equal(blocks.n, 0);
        inventory_free(inventory);
        (void)state;
}

static void amounts_in_bytes(void **state) {
        static const struct {
                const char *text;
                int result;
                uint64_t bytes;
        } cases[] = {
                { "4G", 0, 4 * GIB },
                { "1.5G", 0, 3 * GIB / 2 },
                { "0.125G", 0, BLOCK },
                { "512M", 0, 512 * MIB },
                { "1T", 0, 1024 * GIB },
                { "1P", 0, 1024 * 1024 * GIB },
                { "4K", 0, 4096 },
                { "4GiB", 0, 4 * GIB },
                { "16383P", 0, UINT64_C(16383) << 50 },
                { "16384P", -ERANGE, 0 },
                { "18446744073709551616K", -ERANGE, 0 },
                { "4", -EINVAL, 0 },
                { "G", -EINVAL, 0 },
                { "", -EINVAL, 0 },
                { "4g", -EINVAL, 0 },
                { "4GB", -EINVAL, 0 },
                { "4.G", -EINVAL, 0 },
                { ".5G", -EINVAL, 0 },
                { "0.3K", -EINVAL, 0 },
                { "-4G", -EINVAL, 0 },
                { "4 G", -EINVAL, 0 },
                { "0.0000000000000000000000001P", -EINVAL, 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint64_t bytes = 4711;
                assert_int_equal(parse_amount_bytes(cases[i].text, &bytes), cases[i].result);
                assert_int_equal(bytes, cases[i].result == 0 ? cases[i].bytes : 4711);
        }
        (void)state;
}

static void formats(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } cases[] = {
                { 0, "0 B" },
                { 1023, "1023 B" },
                { 1024, "1 KiB" },
                { BLOCK, "128 MiB" },
                { GIB, "1 GiB" },
                { 3 * GIB / 2, "1.5 GiB" },
                { 9 * BLOCK, "1.125 GiB" },
                { GIB + 1, "1.00 GiB" },
                { 1000 * MIB + 12345, "1000.01 MiB" },
                { 1024 * GIB - 1, "1024.00 GiB" },
                { UINT64_MAX, "16.00 EiB" },
        };
        char buffer[FORMAT_BYTES_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_string_equal(format_bytes(cases[i].bytes, buffer), cases[i].text);

        char *text = format_blocks((struct span){ 40, 8 });
        assert_string_equal(text, "memory40-47");
        free(text);
        text = format_blocks((struct span){ 44, 1 });
        assert_string_equal(text, "memory44");
        free(text);
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(block_and_address_spans),
                cmocka_unit_test(names_and_amounts),
                cmocka_unit_test(bad_selectors),
                cmocka_unit_test(resolving),
                cmocka_unit_test(only_blocks_and_addresses_are_named),
                cmocka_unit_test(words_name_blocks),
                cmocka_unit_test(nobody_has_to_ask_for_messages),
                cmocka_unit_test(amounts_in_bytes),
                cmocka_unit_test(formats),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
