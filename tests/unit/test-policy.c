/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy.h"
#include "sysfs.h"
#include "sysroot.h"
#include "test.h"
#include "util.h"

#define MIB   (UINT64_C(1) << 20)
#define GIB   (UINT64_C(1) << 30)
#define BLOCK (128 * MIB)

static struct sysroot sysroot;
static struct sysfs sysfs;

static int setup(void **state) {
        (void)state;
        sysroot_make(&sysroot);
        return sysfs_open(sysroot.path, NULL, &sysfs);
}

static int teardown(void **state) {
        (void)state;
        sysfs_close(&sysfs);
        sysroot_remove(&sysroot);
        return 0;
}

static void every_key(void **state) {
        struct policy_problems problems = { 0 };
        struct policy policy;
        static const char text[] =
                "# a comment\n"
                "[Match]\n"
                "Name=System RAM (kmem)      # globs\n"
                "Node=1\n"
                "Driver=dax\n"
                "MinimumSize=4G\n"
                "\n"
                "[Online] ; what happens by itself\n"
                "  Mode = auto\n"
                "\tZone: kernel\n"
                "[Offline]\r\n"
                "Partial=refuse\r\n"
                "KeepAvailable=10%\n"
                "TimeoutSec=90\n"
                "[Remove]\n"
                "Allow=no";

        assert_int_equal(policy_parse("50-cxl", "/etc/50-cxl.policy", text, &policy, &problems), 0);
        assert_int_equal(problems.n, 0);
        assert_string_equal(policy.name, "50-cxl");
        assert_string_equal(policy.file, "/etc/50-cxl.policy");
        assert_string_equal(policy.match_name, "System RAM (kmem)");
        assert_int_equal(policy.match_node, 1);
        assert_int_equal(policy.match_driver, DRIVER_DAX);
        assert_int_equal(policy.match_minimum_size_bytes, 4 * GIB);
        assert_int_equal(policy.mode, POLICY_MODE_AUTO);
        assert_int_equal(policy.zone, ONLINE_ZONE_KERNEL);
        assert_false(policy.partial_allowed);
        assert_int_equal(policy.keep_available_percent, 10);
        assert_int_equal(policy.keep_available_bytes, 0);
        assert_int_equal(policy.timeout_usec, 90000000);
        assert_false(policy.remove_allowed);
        policy_clear(&policy);
        (void)state;
}

static void missing_keys_are_the_default(void **state) {
        struct policy_problems problems = { 0 };
        struct policy policy;

        assert_int_equal(policy_parse("empty", "/empty", "", &policy, &problems), 0);
        assert_null(policy.match_name);
        assert_int_equal(policy.match_node, NODE_NONE);
        assert_int_equal(policy.match_driver, -1);
        assert_int_equal(policy.mode, POLICY_MODE_MANUAL);
        assert_int_equal(policy.zone, ONLINE_ZONE_MOVABLE);
        assert_true(policy.partial_allowed);
        assert_int_equal(policy.keep_available_percent, 5);
        assert_int_equal(policy.timeout_usec, 60000000);
        assert_true(policy.remove_allowed);
        policy_clear(&policy);

        assert_int_equal(policy_parse("x", "/x", "[Offline]\nKeepAvailable=2G\n", &policy, &problems), 0);
        assert_int_equal(policy.keep_available_bytes, 2 * GIB);
        policy_clear(&policy);
        assert_int_equal(policy_parse("x", "/x", "[Offline]\nKeepAvailable=0\n", &policy, &problems), 0);
        assert_int_equal(policy.keep_available_percent, 0);
        policy_clear(&policy);
        (void)state;
}

static void broken_files(void **state) {
        static char long_line[400];
        static const struct {
                const char *text;
                unsigned line;
                const char *message;
        } cases[] = {
                { "[Match]\nColour=red\n", 2, "[Match] has no key Colour" },
                { "[Online]\nName=x\n", 2, "[Online] has no key Name" },
                { "[Offline]\n\n\nAllow=no\n", 4, "[Offline] has no key Allow" },
                { "[Remove]\nMode=auto\n", 2, "[Remove] has no key Mode" },
                { "[Mach]\n", 1, "[Mach] is no group" },
                { "[Match]\n[Extra]\nKey=1\n", 2, "[Extra] is no group" },
                { "[match]\n", 1, "[match] is no group" },
                { "[Match\nName=x\n", 1, "must end with ']'" },
                { "[Match] Name=x\n", 1, "nothing but a comment" },
                { "Name=x\n", 1, "before any group" },
                { "[Match]\nName\n", 2, "neither" },
                { "[Match]\nName=\n", 2, "has no value" },
                { "[Match]\nName=   # nothing\n", 2, "has no value" },
                { "[Match]\nNode=-1\n", 2, "Node=-1" },
                { "[Match]\nNode=4294967296\n", 2, "no node number" },
                { "[Match]\nDriver=nvdimm\n", 2, "no driver" },
                { "[Match]\nMinimumSize=4\n", 2, "MinimumSize=4" },
                { "[Online]\nMode=Auto\n", 2, "Mode=Auto is no mode" },
                { "[Online]\nZone=normal\n", 2, "Zone=normal is no zone" },
                { "[Offline]\nPartial=yes\n", 2, "write allow or refuse" },
                { "[Offline]\nKeepAvailable=101%\n", 2, "KeepAvailable=101%" },
                { "[Offline]\nKeepAvailable=%\n", 2, "KeepAvailable=%" },
                { "[Offline]\nKeepAvailable=5\n", 2, "KeepAvailable=5" },
                { "[Offline]\nTimeoutSec=0\n", 2, "TimeoutSec=0" },
                { "[Offline]\nTimeoutSec=1min\n", 2, "TimeoutSec=1min" },
                { "[Offline]\nTimeoutSec=18446744073710\n", 2, "TimeoutSec" },
                { "[Remove]\nAllow=maybe\n", 2, "Allow=maybe" },
                { long_line, 2, "longer than" },
        };
        snprintf(long_line, sizeof(long_line), "[Match]\nName=%0300d\n", 7);

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct policy_problems problems = { 0 };
                struct policy policy = { .timeout_usec = 4711 };
                assert_int_equal(policy_parse("x", "/etc/x.policy", cases[i].text, &policy, &problems), -EINVAL);
                assert_true(problems.n >= 1);
                assert_string_equal(problems.items[0].file, "/etc/x.policy");
                if (problems.items[0].line != cases[i].line || !strstr(problems.items[0].message, cases[i].message))
                        print_error("%u: %s\n", problems.items[0].line, problems.items[0].message);
                assert_int_equal(problems.items[0].line, cases[i].line);
                assert_non_null(strstr(problems.items[0].message, cases[i].message));
                assert_int_equal(policy.timeout_usec, 4711);
                policy_problems_clear(&problems);
        }

        /* Every problem of a file is named, not the first only. */
        struct policy_problems problems = { 0 };
        struct policy policy;
        assert_int_equal(policy_parse("x", "/x", "[Match]\nA=1\nNode=x\n[B]\n", &policy, &problems), -EINVAL);
        assert_int_equal(problems.n, 3);
        assert_int_equal(problems.items[2].line, 4);
        policy_problems_clear(&problems);
        (void)state;
}

#define ETC "etc/memctl/policy.d/"
#define RUN "run/memctl/policy.d/"
#define USR "usr/lib/memctl/policy.d/"

static struct policy_set load(struct policy_problems *problems) {
        struct policy_set set;

        assert_int_equal(policy_set_load(sysfs.root_fd, &set, problems), 0);
        return set;
}

static void names(const struct policy_set *set, char buffer[static 256]) {
        *buffer = '\0';
        for (size_t i = 0; i < set->n; i++)
                strcat(strcat(buffer, set->items[i].file), i + 1 < set->n ? " " : "");
}

static void precedence_and_masking(void **state) {
        struct policy_problems problems = { 0 };
        char list[256];

        sysroot_write(&sysroot, USR "10-a.policy", "[Online]\nMode=auto\n");
        sysroot_write(&sysroot, USR "20-b.policy", "[Online]\nMode=auto\n");
        sysroot_write(&sysroot, USR "30-c.policy", "[Online]\nMode=auto\n");
        sysroot_write(&sysroot, USR "40-d.policy", "[Online]\nMode=auto\n");
        sysroot_write(&sysroot, RUN "20-b.policy", "[Online]\nMode=kernel\n");
        sysroot_write(&sysroot, RUN "30-c.policy", "[Online]\nMode=kernel\n");
        sysroot_write(&sysroot, ETC "30-c.policy", "[Online]\nMode=manual\n");
        sysroot_write(&sysroot, ETC "05-z.policy", "[Online]\nMode=manual\n");
        sysroot_link(&sysroot, ETC "40-d.policy", "/dev/null");
        sysroot_write(&sysroot, ETC "05-z.policy~", "garbage");
        sysroot_write(&sysroot, ETC ".hidden.policy", "garbage");
        sysroot_write(&sysroot, ETC "README", "garbage");
        sysroot_write(&sysroot, ETC ".policy", "garbage");

        struct policy_set set = load(&problems);
        names(&set, list);
        assert_string_equal(list, "/" ETC "05-z.policy /" USR "10-a.policy /" RUN "20-b.policy /" ETC "30-c.policy");
        assert_int_equal(set.items[1].mode, POLICY_MODE_AUTO);
        assert_int_equal(set.items[2].mode, POLICY_MODE_KERNEL);
        assert_int_equal(set.items[3].mode, POLICY_MODE_MANUAL);
        assert_string_equal(set.items[3].name, "30-c");
        assert_int_equal(problems.n, 0);
        policy_set_clear(&set);
        (void)state;
}

static void drop_ins(void **state) {
        struct policy_problems problems = { 0 };

        sysroot_write(&sysroot, USR "10-a.policy", "[Online]\nMode=auto\nZone=kernel\n[Offline]\nTimeoutSec=7\n");
        sysroot_write(&sysroot, USR "10-a.policy.d/50-x.conf", "[Online]\nMode=manual\n");
        sysroot_write(&sysroot, ETC "10-a.policy.d/10-y.conf", "[Online]\nMode=kernel\nZone=movable\n");
        sysroot_write(&sysroot, ETC "10-a.policy.d/60-broken.conf", "[Offline]\nTimeoutSec=9\nPartial=perhaps\n");
        sysroot_write(&sysroot, USR "10-a.policy.d/70-z.conf", "[Offline]\nPartial=refuse\n");
        sysroot_link(&sysroot, ETC "10-a.policy.d/70-z.conf", "/dev/null");
        sysroot_write(&sysroot, ETC "10-a.policy.d/notes.txt", "garbage");

        struct policy_set set = load(&problems);
        assert_int_equal(set.n, 1);
        assert_string_equal(set.items[0].file, "/" USR "10-a.policy");
        assert_int_equal(set.items[0].mode, POLICY_MODE_MANUAL);
        assert_int_equal(set.items[0].zone, ONLINE_ZONE_MOVABLE);
        /* Nothing of a broken drop-in counts. */
        assert_int_equal(set.items[0].timeout_usec, 7000000);
        assert_true(set.items[0].partial_allowed);
        assert_int_equal(problems.n, 1);
        assert_string_equal(problems.items[0].file, "/" ETC "10-a.policy.d/60-broken.conf");
        assert_int_equal(problems.items[0].line, 3);
        policy_set_clear(&set);
        policy_problems_clear(&problems);
        (void)state;
}

static void a_broken_file_does_not_touch_the_others(void **state) {
        struct policy_problems problems = { 0 };
        char path[128], *large = malloc(70000);

        sysroot_write(&sysroot, USR "10-good.policy", "[Online]\nMode=auto\n");
        sysroot_write(&sysroot, USR "20-bad.policy", "[Online]\nMode=sometimes\n");
        sysroot_write(&sysroot, USR "30-directory.policy/file", "x");
        snprintf(path, sizeof(path), "%s/" USR "40-fifo.policy", sysroot.path);
        assert_int_equal(mkfifo(path, 0644), 0);
        sysroot_link(&sysroot, USR "50-dangling.policy", "nowhere");
        memset(large, '#', 69999);
        large[69999] = '\0';
        sysroot_write(&sysroot, USR "60-large.policy", "%s", large);
        sysroot_write(&sysroot, USR "70-binary.policy", "[Online]\n%cMode=auto\n", 0);
        free(large);

        struct policy_set set = load(&problems);
        assert_int_equal(set.n, 1);
        assert_string_equal(set.items[0].name, "10-good");
        assert_int_equal(problems.n, 6);
        assert_int_equal(problems.items[0].line, 2);
        for (size_t i = 1; i < problems.n; i++)
                assert_int_equal(problems.items[i].line, 0);
        policy_set_clear(&set);
        policy_problems_clear(&problems);

        /* A broken file in /etc still wins over the one it hides: it was to replace it. */
        sysroot_write(&sysroot, ETC "10-good.policy", "[Online\n");
        set = load(&problems);
        assert_int_equal(set.n, 0);
        policy_set_clear(&set);
        policy_problems_clear(&problems);
        (void)state;
}

static void no_directories_no_policies(void **state) {
        struct policy_problems problems = { 0 };
        struct policy_set set = load(&problems);
        struct range range = { .name = (char *)"System RAM" };

        assert_int_equal(set.n, 0);
        assert_int_equal(problems.n, 0);
        assert_ptr_equal(policy_set_find(&set, &range, BLOCK, "keep-offline"), &policy_default);
        policy_set_clear(&set);
        (void)state;
}

static void the_first_that_fits(void **state) {
        struct policy_problems problems = { 0 };
        struct range range = {
                .name = (char *)"System RAM (kmem)", .span = { 40, 8 }, .node = 1, .driver = DRIVER_DAX
        };

        sysroot_write(&sysroot, ETC "10-name.policy", "[Match]\nName=System RAM (virtio*)\n");
        sysroot_write(&sysroot, ETC "20-node.policy", "[Match]\nNode=0\n");
        sysroot_write(&sysroot, ETC "30-driver.policy", "[Match]\nDriver=acpi\n");
        sysroot_write(&sysroot, ETC "40-size.policy", "[Match]\nMinimumSize=1025M\n");
        sysroot_write(&sysroot, ETC "50-all-but.policy", "[Match]\nName=*kmem?\nNode=1\nDriver=dax\nMinimumSize=2G\n");
        sysroot_write(&sysroot, ETC "60-this.policy", "[Match]\nName=*kmem?\nNode=1\nDriver=dax\nMinimumSize=1G\n");
        sysroot_write(&sysroot, ETC "70-any.policy", "\n");
        struct policy_set set = load(&problems);

        assert_string_equal(policy_set_find(&set, &range, BLOCK, NULL)->name, "60-this");
        assert_string_equal(policy_set_find(&set, &range, BLOCK, "20-node")->name, "20-node");
        assert_string_equal(policy_set_find(&set, &range, BLOCK, "none-such")->name, "60-this");
        range.node = 0;
        assert_string_equal(policy_set_find(&set, &range, BLOCK, NULL)->name, "20-node");
        range.node = 2;
        assert_string_equal(policy_set_find(&set, &range, BLOCK, NULL)->name, "70-any");
        range.driver = DRIVER_ACPI;
        assert_string_equal(policy_set_find(&set, &range, BLOCK, NULL)->name, "30-driver");
        range.driver = DRIVER_OTHER;
        range.span.n_blocks = 9;
        assert_string_equal(policy_set_find(&set, &range, BLOCK, NULL)->name, "40-size");
        policy_set_clear(&set);
        (void)state;
}

static void words(void **state) {
        enum online_zone zone;

        assert_string_equal(policy_mode_to_string(POLICY_MODE_KERNEL), "kernel");
        for (int i = 0; i < _ONLINE_ZONE_MAX; i++) {
                assert_int_equal(online_zone_from_string(online_zone_to_string((enum online_zone)i), &zone), 0);
                assert_int_equal(zone, i);
        }
        assert_int_equal(online_zone_from_string("Movable", &zone), -EINVAL);
        policy_clear(NULL);
        policy_set_clear(NULL);
        policy_problems_clear(NULL);
        (void)state;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(every_key),
                TEST(missing_keys_are_the_default),
                TEST(broken_files),
                TEST(precedence_and_masking),
                TEST(drop_ins),
                TEST(a_broken_file_does_not_touch_the_others),
                TEST(no_directories_no_policies),
                TEST(the_first_that_fits),
                TEST(words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
