/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "options.h"
#include "test.h"
#include "util.h"

#define WORDS_MAX 5

struct line {
        const char *words[WORDS_MAX];
        enum mode mode;
        const char *sysroot, *path;
};

static int parse(const char *const words[WORDS_MAX], struct options *ret) {
        char *argv[WORDS_MAX + 2] = { (char *)"memctld" };
        int argc = 1;

        for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
                argv[argc++] = (char *)words[i];
        return options_parse(argc, argv, ret);
}

static void assert_same(const char *got, const char *wanted) {
        if (wanted)
                assert_string_equal(got, wanted);
        else
                assert_null(got);
}

static void options_mean_what_the_manual_says(void **state) {
        static const struct line lines[] = {
                { { NULL }, MODE_SERVE },
                { { "--sysroot", "/x" }, MODE_SERVE, "/x" },
                { { "--worker", "--sysroot=/x" }, MODE_WORKER, "/x" },
                { { "--bus-introspect", "/org/memctl1" }, MODE_INTROSPECT, NULL, "/org/memctl1" },
                { { "--version" }, MODE_VERSION },
                { { "-h" }, MODE_HELP },
                { { "--help" }, MODE_HELP },
        };
        struct options options;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                assert_int_equal(parse(lines[i].words, &options), 0);
                assert_int_equal(options.mode, lines[i].mode);
                assert_same(options.sysroot, lines[i].sysroot);
                assert_same(options.introspect_path, lines[i].path);
        }
        (void)state;
}

static void what_is_no_option_is_refused(void **state) {
        static const char *const lines[][WORDS_MAX] = {
                { "--nonsense" }, { "-x" }, { "--sysroot" }, { "--bus-introspect" }, { "extra" }, { "--worker=1" },
        };
        struct options options = { .sysroot = "untouched" };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                assert_int_equal(parse(lines[i], &options), -EINVAL);
                assert_string_equal(options.sysroot, "untouched");
        }
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_mean_what_the_manual_says),
                cmocka_unit_test(what_is_no_option_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
