/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>

#include "results.h"
#include "test.h"
#include "util.h"

#define N_BLOCKS 24

/* Against the plainest thing there is: an array with a cell a block. */
static void lists_say_what_was_set(void **state) {
        struct {
                bool set;
                enum block_outcome outcome;
                int error;
        } cells[N_BLOCKS] = { 0 };
        struct result_list list = { 0 };

        srandom(1);
        for (unsigned turn = 0; turn < 3000; turn++) {
                uint64_t first = (uint64_t)random() % N_BLOCKS;
                uint64_t n = 1 + (uint64_t)random() % (N_BLOCKS - first);
                enum block_outcome outcome = (enum block_outcome)(random() % 3);
                int error = random() % 2 ? EBUSY : 0;

                assert_int_equal(result_list_set(&list, (struct span){ first, n }, outcome, error), 0);
                for (uint64_t block = first; block < first + n; block++) {
                        cells[block].set = true;
                        cells[block].outcome = outcome;
                        cells[block].error = error;
                }
                for (uint64_t block = 0; block < N_BLOCKS; block++) {
                        const struct result_run *run = result_list_find(&list, block);

                        assert_int_equal(run != NULL, cells[block].set);
                        if (run) {
                                assert_int_equal(run->outcome, cells[block].outcome);
                                assert_int_equal(run->error, cells[block].error);
                        }
                }
                for (size_t i = 1; i < list.n; i++) {
                        const struct result_run *a = &list.items[i - 1], *b = &list.items[i];

                        assert_true(span_end(&a->span) <= b->span.first_block);
                        /* Neighbours that are the same are one. */
                        assert_true(span_end(&a->span) < b->span.first_block || a->outcome != b->outcome ||
                                    a->error != b->error);
                }
        }
        result_list_clear(&list);
        (void)state;
}

static void words_go_both_ways(void **state) {
        for (int i = 0; i < _BLOCK_OUTCOME_MAX; i++) {
                enum block_outcome outcome;

                assert_int_equal(block_outcome_from_string(block_outcome_to_string((enum block_outcome)i), &outcome),
                                 0);
                assert_int_equal(outcome, i);
        }
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_say_what_was_set),
                cmocka_unit_test(words_go_both_ways),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
