/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "granularity.h"
#include "test.h"
#include "util.h"

#define MIB   (UINT64_C(1) << 20)
#define GIB   (UINT64_C(1) << 30)
#define BLOCK (128 * MIB)

static void unit_of_a_block(void **state) {
        static const struct {
                struct span range;
                uint64_t granularity, block_size, block;
                struct span unit;
        } cases[] = {
                /* 2 GiB at 5 GiB, 1 GiB leaves */
                { { 40, 16 }, GIB, BLOCK, 44, { 40, 8 } },
                { { 40, 16 }, GIB, BLOCK, 48, { 48, 8 } },
                /* leaves no larger than a block */
                { { 40, 16 }, BLOCK, BLOCK, 44, { 44, 1 } },
                { { 40, 16 }, 2 * MIB, BLOCK, 44, { 44, 1 } },
                /* unaligned head and tail: no leaf fits there */
                { { 42, 16 }, GIB, BLOCK, 43, { 43, 1 } },
                { { 42, 16 }, GIB, BLOCK, 48, { 48, 8 } },
                { { 42, 16 }, GIB, BLOCK, 57, { 57, 1 } },
                /* a range smaller than a leaf */
                { { 41, 3 }, GIB, BLOCK, 42, { 42, 1 } },
                /* cannot be told, or makes no sense: the range as a whole */
                { { 40, 16 }, GRANULARITY_UNKNOWN, BLOCK, 44, { 40, 16 } },
                { { 40, 16 }, 3 * GIB, BLOCK, 44, { 40, 16 } },
                /* 64K pages: 16 GiB leaves of 512 MiB blocks; 2 GiB blocks */
                { { 32, 64 }, 16 * GIB, 512 * MIB, 70, { 64, 32 } },
                { { 3, 4 }, GIB, 2 * GIB, 5, { 5, 1 } },
                /* the top of the address space */
                { { (UINT64_MAX >> 27) - 7, 8 }, GIB, BLOCK, UINT64_MAX >> 27, { (UINT64_MAX >> 27) - 7, 8 } },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct span unit =
                        granularity_unit(cases[i].range, cases[i].granularity, cases[i].block_size, cases[i].block);
                assert_int_equal(unit.first_block, cases[i].unit.first_block);
                assert_int_equal(unit.n_blocks, cases[i].unit.n_blocks);
        }
        (void)state;
}

/* The runs, taken apart, are the units of the blocks, one behind the other. */
static void runs_agree_with_units(void **state) {
        static const uint64_t granularities[] = {
                GRANULARITY_UNKNOWN, MIB, BLOCK, 2 * BLOCK, 4 * BLOCK, GIB, 3 * BLOCK
        };

        for (size_t g = 0; g < ARRAY_SIZE(granularities); g++)
                for (uint64_t first = 0; first < 20; first++)
                        for (uint64_t n = 1; n < 40; n++) {
                                struct span range = { first, n };
                                struct unit_run runs[3];
                                unsigned n_runs = granularity_unit_runs(range, granularities[g], BLOCK, runs);
                                uint64_t block = first;

                                assert_in_range(n_runs, 1, 3);
                                for (unsigned r = 0; r < n_runs; r++) {
                                        assert_int_equal(runs[r].first_block, block);
                                        for (uint64_t u = 0; u < runs[r].n_units; u++) {
                                                struct span unit =
                                                        granularity_unit(range, granularities[g], BLOCK, block);
                                                assert_int_equal(unit.first_block, block);
                                                assert_int_equal(unit.n_blocks, runs[r].blocks_per_unit);
                                                block += runs[r].blocks_per_unit;
                                        }
                                }
                                assert_int_equal(block, first + n);
                        }

        struct unit_run runs[3];
        assert_int_equal(granularity_unit_runs((struct span){ 40, 0 }, GIB, BLOCK, runs), 0);
        (void)state;
}

static void estimate_is_the_largest_leaf(void **state) {
        static const struct {
                struct machine machine;
                uint64_t bytes;
        } cases[] = {
                { { ARCH_ARM64, 4096, false }, GIB },
                { { ARCH_ARM64, 16384, false }, GIB },
                { { ARCH_ARM64, 65536, false }, 16 * GIB },
                { { ARCH_ARM64, 8192, false }, GRANULARITY_UNKNOWN },
                { { ARCH_X86_64, 4096, true }, GIB },
                { { ARCH_X86_64, 4096, false }, 2 * MIB },
                { { ARCH_OTHER, 4096, true }, GRANULARITY_UNKNOWN },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(granularity_estimate(&cases[i].machine), cases[i].bytes);
        assert_string_equal(granularity_source_to_string(GRANULARITY_SOURCE_PAGE_TABLES), "page-tables");
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(unit_of_a_block),
                cmocka_unit_test(runs_agree_with_units),
                cmocka_unit_test(estimate_is_the_largest_leaf),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
