/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The numbers of estimated ranges over a restart, and what a file that is not ours is worth. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "estimates.h"
#include "runtime.h"
#include "test.h"

static char folder[] = "/tmp/test-estimates.XXXXXX";

static struct range ranges[] = {
        { .number = 0, .span = { 40, 16 } },
        { .number = 3, .span = { 64, 8 } },
        { .number = 7, .span = { 128, 8 }, .exported = true }, /* a rangeN keeps its number by itself */
};
static const struct inventory inventory = { .block_size_bytes = 128 << 20, .ranges = ranges, .n_ranges = 3 };

static char *path_of_file(void) {
        char *path = format_string("%s/estimates", folder);

        assert_non_null(path);
        return path;
}

static int set_up(void **state) {
        (void)state;
        return !mkdtemp(folder) || setenv("RUNTIME_DIRECTORY", folder, 1) < 0;
}

static int tear_down(void **state) {
        _cleanup_free_ char *path = path_of_file();

        (void)state;
        (void)unlink(path);
        return rmdir(folder);
}

static int remember_all(void) {
        struct estimates estimates = { 0 };
        int r = estimates_remember(&estimates, &inventory);

        estimates_clear(&estimates);
        return r;
}

static void overwrite(const char *text) {
        _cleanup_free_ char *path = path_of_file();
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void assert_known(size_t n_ranges, uint64_t next_estimate) {
        struct estimates estimates = { 0 };
        const struct inventory *known = estimates_known(&estimates);

        assert_non_null(known);
        assert_int_equal(known->n_ranges, n_ranges);
        assert_int_equal(known->next_estimate, next_estimate);
        for (size_t i = 0; i < n_ranges; i++) {
                assert_int_equal(known->ranges[i].number, ranges[i].number);
                assert_int_equal(known->ranges[i].span.first_block, ranges[i].span.first_block);
                assert_int_equal(known->ranges[i].span.n_blocks, ranges[i].span.n_blocks);
        }
        estimates_clear(&estimates);
}

static void numbers_outlive_the_process(void **state) {
        (void)state;
        assert_known(0, 0);
        assert_int_equal(remember_all(), 0);
        assert_known(2, 4);
        /* Once more changes nothing. */
        assert_int_equal(remember_all(), 0);
        assert_known(2, 4);
}

static void numbers_do_not_outlive_the_boot(void **state) {
        (void)state;
        overwrite("another boot\n0 40 16\n");
        assert_known(0, 0);
}

static void what_is_broken_ends_the_list(void **state) {
        _cleanup_free_ char *text = format_string("%s\n0 40 16\nnonsense\n3 64 8\n", runtime_boot_id());

        (void)state;
        assert_non_null(text);
        overwrite(text);
        assert_known(1, 1);
}

static void without_a_folder_nothing_is_saved(void **state) {
        (void)state;
        assert_int_equal(setenv("RUNTIME_DIRECTORY", "/dev/null/none", 1), 0);
        assert_int_equal(remember_all(), -ENOTDIR);
        assert_known(0, 0);
        assert_int_equal(setenv("RUNTIME_DIRECTORY", folder, 1), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_outlive_the_process),
                cmocka_unit_test(numbers_do_not_outlive_the_boot),
                cmocka_unit_test(what_is_broken_ends_the_list),
                cmocka_unit_test(without_a_folder_nothing_is_saved),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
