/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "extent.h"
#include "test.h"
#include "util.h"

#define N_BLOCKS 48

static struct extent make(uint64_t first, uint64_t n, enum block_state state) {
        return (struct extent){ .first_block = first, .n_blocks = n, .range = RANGE_NONE, .state = state };
}

/* Sorted, disjoint, and no two that touch with the same attributes. */
static void assert_canonical(const struct extent_list *list) {
        for (size_t i = 0; i < list->n; i++) {
                assert_true(list->items[i].n_blocks > 0);
                if (i == 0)
                        continue;
                const struct extent *a = &list->items[i - 1], *b = &list->items[i];
                assert_true(extent_end(a) <= b->first_block);
                if (extent_end(a) == b->first_block)
                        assert_true(a->state != b->state || a->node != b->node || a->zone != b->zone ||
                                    a->kind != b->kind || a->range != b->range);
        }
}

static void append_merges_runs_and_refuses_overlaps(void **state) {
        struct extent_list list = { 0 };

        assert_int_equal(extent_list_append(&list, &(struct extent){ .first_block = 8, .n_blocks = 8 }), 0);
        assert_int_equal(extent_list_append(&list, &(struct extent){ .first_block = 16, .n_blocks = 4 }), 0);
        assert_int_equal(list.n, 1);
        assert_int_equal(list.items[0].n_blocks, 12);

        assert_int_equal(extent_list_append(&list, &(struct extent){ .first_block = 19, .n_blocks = 4 }), -EINVAL);
        assert_int_equal(extent_list_append(&list, &(struct extent){ .first_block = 30, .n_blocks = 0 }), -EINVAL);
        assert_int_equal(extent_list_append(&list, &(struct extent){ .first_block = UINT64_MAX - 1, .n_blocks = 3 }),
                         -EINVAL);

        /* Each attribute by itself ends a run. */
        const struct extent different[] = {
                { 20, 1, 1, 0, BLOCK_ONLINE, ZONE_NONE, KIND_BOOT },
                { 21, 1, 1, 5, BLOCK_ONLINE, ZONE_NONE, KIND_BOOT },
                { 22, 1, 1, 5, BLOCK_OFFLINE, ZONE_NONE, KIND_BOOT },
                { 23, 1, 1, 5, BLOCK_OFFLINE, ZONE_DMA, KIND_BOOT },
                { 24, 1, 1, 5, BLOCK_OFFLINE, ZONE_DMA, KIND_UNKNOWN },
                { 26, 1, 1, 5, BLOCK_OFFLINE, ZONE_DMA, KIND_UNKNOWN },
        };
        for (size_t i = 0; i < ARRAY_SIZE(different); i++) {
                assert_int_equal(extent_list_append(&list, &different[i]), 0);
                assert_int_equal(list.n, 2 + i);
        }
        assert_canonical(&list);
        extent_list_clear(&list);
        assert_null(list.items);
        (void)state;
}

static void set_splits_and_joins(void **state) {
        struct extent_list list = { 0 };
        struct extent all = make(0, 16, BLOCK_OFFLINE), one = make(5, 1, BLOCK_ONLINE);

        assert_int_equal(extent_list_set(&list, &all), 0);
        assert_int_equal(extent_list_set(&list, &one), 0);
        assert_int_equal(list.n, 3);
        assert_int_equal(extent_list_find(&list, 5)->state, BLOCK_ONLINE);
        assert_int_equal(extent_list_find(&list, 6)->first_block, 6);
        assert_int_equal(extent_list_find(&list, 4)->n_blocks, 5);

        one.state = BLOCK_OFFLINE;
        assert_int_equal(extent_list_set(&list, &one), 0);
        assert_int_equal(list.n, 1);
        assert_int_equal(list.items[0].n_blocks, 16);
        extent_list_clear(&list);
        (void)state;
}

static void find_and_lower_bound(void **state) {
        struct extent_list list = { 0 };
        struct extent a = make(4, 4, BLOCK_ONLINE), b = make(12, 4, BLOCK_ONLINE);

        assert_null(extent_list_find(&list, 4));
        assert_int_equal(extent_list_append(&list, &a), 0);
        assert_int_equal(extent_list_append(&list, &b), 0);
        assert_null(extent_list_find(&list, 3));
        assert_non_null(extent_list_find(&list, 4));
        assert_non_null(extent_list_find(&list, 7));
        assert_null(extent_list_find(&list, 8));
        assert_null(extent_list_find(&list, 16));
        assert_int_equal(extent_list_lower_bound(&list, 0), 0);
        assert_int_equal(extent_list_lower_bound(&list, 7), 0);
        assert_int_equal(extent_list_lower_bound(&list, 8), 1);
        assert_int_equal(extent_list_lower_bound(&list, 16), 2);
        extent_list_clear(&list);
        (void)state;
}

/* Lists against an array with one entry a block: -1 absent, else the state. */
static void random_changes_match_an_array(void **state) {
        srand(20240611);
        for (int round = 0; round < 300; round++) {
                struct extent_list list = { 0 };
                struct span_list spans = { 0 };
                int blocks[N_BLOCKS];
                bool marked[N_BLOCKS] = { false };
                for (size_t i = 0; i < N_BLOCKS; i++)
                        blocks[i] = -1;

                for (int change = 0; change < 60; change++) {
                        uint64_t first = (uint64_t)rand() % N_BLOCKS;
                        uint64_t n = (uint64_t)rand() % (N_BLOCKS - first) % 9;
                        int what = rand() % 3 - 1;
                        struct extent extent = make(first, n, what < 0 ? 0 : (enum block_state)what);
                        struct span span = { first, n };

                        if (what < 0) {
                                assert_int_equal(extent_list_remove(&list, span), 0);
                                assert_int_equal(span_list_remove(&spans, span), 0);
                        } else {
                                assert_int_equal(extent_list_set(&list, &extent), 0);
                                assert_int_equal(span_list_add(&spans, span), 0);
                        }
                        for (uint64_t i = first; i < first + n; i++) {
                                blocks[i] = what;
                                marked[i] = what >= 0;
                        }

                        assert_canonical(&list);
                        uint64_t n_marked = 0;
                        for (uint64_t i = 0; i < N_BLOCKS; i++) {
                                const struct extent *found = extent_list_find(&list, i);
                                assert_int_equal(found ? (int)found->state : -1, blocks[i]);
                                assert_int_equal(span_list_contains(&spans, i), marked[i]);
                                n_marked += marked[i];
                        }
                        assert_int_equal(span_list_count_blocks(&spans), n_marked);
                        for (size_t i = 1; i < spans.n; i++)
                                assert_true(span_end(&spans.items[i - 1]) < spans.items[i].first_block);

                        bool overlaps = false;
                        for (uint64_t i = first; i < first + n; i++)
                                overlaps |= marked[i];
                        assert_int_equal(span_list_overlaps(&spans, span), overlaps);
                }
                extent_list_clear(&list);
                span_list_clear(&spans);
        }
        (void)state;
}

static void intersection(void **state) {
        struct span both = span_intersect((struct span){ 4, 8 }, (struct span){ 8, 8 });
        assert_int_equal(both.first_block, 8);
        assert_int_equal(both.n_blocks, 4);
        assert_int_equal(span_intersect((struct span){ 4, 4 }, (struct span){ 8, 8 }).n_blocks, 0);
        (void)state;
}

static void words_go_both_ways(void **state) {
        for (int i = 0; i < _BLOCK_STATE_MAX; i++) {
                enum block_state found;
                assert_int_equal(block_state_from_string(block_state_to_string((enum block_state)i), &found), 0);
                assert_int_equal(found, i);
        }
        for (int i = 0; i < _BLOCK_ZONE_MAX; i++) {
                enum block_zone found;
                assert_int_equal(block_zone_from_string(block_zone_to_string((enum block_zone)i), &found), 0);
                assert_int_equal(found, i);
        }
        for (int i = 0; i < _BLOCK_KIND_MAX; i++) {
                enum block_kind found;
                assert_int_equal(block_kind_from_string(block_kind_to_string((enum block_kind)i), &found), 0);
                assert_int_equal(found, i);
        }
        enum block_state untouched = BLOCK_OFFLINE;
        assert_int_equal(block_state_from_string("onlin", &untouched), -EINVAL);
        assert_int_equal(untouched, BLOCK_OFFLINE);
        assert_string_equal(block_kind_to_string(KIND_HOT_ADDED), "hot-added");
        assert_string_equal(block_zone_to_string(ZONE_NONE), "");
        (void)state;
}

static void numbers_are_strict(void **state) {
        static const struct {
                const char *text;
                unsigned base;
                int result;
                uint64_t value;
        } cases[] = {
                { "0", 0, 0, 0 },
                { "18446744073709551615", 10, 0, UINT64_MAX },
                { "18446744073709551616", 10, -ERANGE, 0 },
                { "99999999999999999999999", 10, -ERANGE, 0 },
                { "0x140000000", 0, 0, 0x140000000 },
                { "ffffffffffffffff", 16, 0, UINT64_MAX },
                { "10000000000000000", 16, -ERANGE, 0 },
                { "8000000", 16, 0, 0x8000000 },
                { "0x", 0, -EINVAL, 0 },
                { "", 0, -EINVAL, 0 },
                { "-1", 10, -EINVAL, 0 },
                { "+1", 10, -EINVAL, 0 },
                { " 1", 10, -EINVAL, 0 },
                { "1 ", 10, -EINVAL, 0 },
                { "12g", 10, -EINVAL, 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint64_t value = 4711;
                assert_int_equal(parse_u64(cases[i].text, strlen(cases[i].text), cases[i].base, &value),
                                 cases[i].result);
                assert_int_equal(value, cases[i].result == 0 ? cases[i].value : 4711);
        }

        uint64_t number = 0;
        assert_int_equal(parse_prefixed_number("memory40", "memory", &number), 0);
        assert_int_equal(number, 40);
        assert_int_equal(parse_prefixed_number("memory0", "memory", &number), 0);
        assert_int_equal(parse_prefixed_number("memory040", "memory", &number), -EINVAL);
        assert_int_equal(parse_prefixed_number("memory", "memory", &number), -EINVAL);
        assert_int_equal(parse_prefixed_number("node1", "memory", &number), -EINVAL);

        assert_int_equal(block_number_from_name("memory41", &number), 0);
        assert_int_equal(number, 41);
        assert_int_equal(block_number_from_name("memory4503599627370495", &number), 0);
        assert_int_equal(block_number_from_name("memory4503599627370496", &number), -ERANGE);
        assert_int_equal(block_number_from_name("memory18446744073709551615", &number), -ERANGE);
        assert_int_equal(block_number_from_name("memory_range", &number), -EINVAL);
        assert_true(number == UINT64_C(4503599627370495));
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(append_merges_runs_and_refuses_overlaps),
                cmocka_unit_test(set_splits_and_joins),
                cmocka_unit_test(find_and_lower_bound),
                cmocka_unit_test(random_changes_match_an_array),
                cmocka_unit_test(intersection),
                cmocka_unit_test(words_go_both_ways),
                cmocka_unit_test(numbers_are_strict),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
