/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* memctld.conf: what it takes, what it does not, and which of several files counts. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "configuration.h"
#include "sysroot.h"
#include "util.h"

#define SECOND UINT64_C(1000000)

static char said[512];

static void note(const char *file, unsigned line, const char *message, void *userdata) {
        (void)userdata;
        (void)snprintf(said, sizeof(said), "%s:%u: %s", file, line, message);
}

static void keys_are_applied(void **state) {
        struct configuration configuration = configuration_default;

        assert_int_equal(
                configuration_apply(
                        &configuration, "x",
                        "# a comment\n[Manager]\nAssumeGranularity=1G\nReadPageTables=yes\nRollbackTimeoutSec=7\n"
                        "  InhibitDelayMaxSec=2",
                        note, NULL),
                0);
        assert_int_equal(configuration.assume_granularity_bytes, UINT64_C(1) << 30);
        assert_true(configuration.reads_page_tables);
        assert_int_equal(configuration.rollback_timeout_usec, 7 * SECOND);
        assert_int_equal(configuration.inhibit_delay_max_usec, 2 * SECOND);
        assert_int_equal(configuration_apply(&configuration, "x", "[Manager]\nReadPageTables=no\n", note, NULL), 0);
        assert_false(configuration.reads_page_tables);
        (void)state;
}

static void what_is_wrong_is_told(void **state) {
        static char long_line[400];
        static const struct {
                const char *text, *said;
        } bad[] = {
                { "[Manager]\nRollbackTimeoutSec=0\n", "f:2: RollbackTimeoutSec=0: write whole seconds, at least 1" },
                { "[Manager]\nRollbackTimeoutSec=1s\n", "f:2: RollbackTimeoutSec=1s: write whole seconds, at least 1" },
                { "[Manager]\nInhibitDelayMaxSec=\n", "f:2: InhibitDelayMaxSec=: write whole seconds, at least 1" },
                { "[Manager]\nReadPageTables=1\n", "f:2: ReadPageTables=1: write yes or no" },
                { "[Manager]\nAssumeGranularity=3G\n",
                  "f:2: AssumeGranularity=3G: write a power of two, 1G (K M G T P)" },
                { "[Manager]\nAssumeGranularity=1024\n",
                  "f:2: AssumeGranularity=1024: write a power of two, 1G (K M G T P)" },
                { "[Manager]\n\nColour=blue\n",
                  "f:3: [Manager] has no key Colour: it has AssumeGranularity, ReadPageTables, RollbackTimeoutSec and "
                  "InhibitDelayMaxSec" },
                { "[Boss]\nA=b\n", "f:2: [Boss] is no group: there is [Manager]" },
                { "[Manager]\nnonsense\n", "f:2: this is neither a [Group] nor a Key=value" },
                { long_line, "f:2: a line may not be longer than 198 bytes" },
        };

        snprintf(long_line, sizeof(long_line), "[Manager]\nInhibitDelayMaxSec=%0300d\n", 7);

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct configuration configuration = configuration_default;

                said[0] = '\0';
                assert_int_equal(configuration_apply(&configuration, "f", bad[i].text, note, NULL), -EINVAL);
                assert_string_equal(said, bad[i].said);
                assert_memory_equal(&configuration, &configuration_default, sizeof(configuration));
        }
        (void)state;
}

static void etc_wins_and_drop_ins_add(void **state) {
        struct configuration configuration;
        struct sysroot root;
        int root_fd;

        sysroot_make(&root);
        root_fd = open(root.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(root_fd >= 0);
        said[0] = '\0';
        configuration_load(root_fd, note, NULL, &configuration);
        assert_memory_equal(&configuration, &configuration_default, sizeof(configuration));

        sysroot_write(&root, "usr/lib/memctl/memctld.conf", "[Manager]\nRollbackTimeoutSec=1\nInhibitDelayMaxSec=1\n");
        sysroot_write(&root, "etc/memctl/memctld.conf", "[Manager]\nRollbackTimeoutSec=2\n");
        sysroot_write(&root, "usr/lib/memctl/memctld.conf.d/20-x.conf", "[Manager]\nInhibitDelayMaxSec=8\n");
        sysroot_write(&root, "run/memctl/memctld.conf.d/20-x.conf", "[Manager]\nInhibitDelayMaxSec=9\n");
        sysroot_write(&root, "etc/memctl/memctld.conf.d/10-y.conf", "[Manager]\nAssumeGranularity=2M\n");
        sysroot_write(&root, "etc/memctl/memctld.conf.d/ignored", "nonsense");
        configuration_load(root_fd, note, NULL, &configuration);
        assert_string_equal(said, "");
        assert_int_equal(configuration.rollback_timeout_usec, 2 * SECOND);
        assert_int_equal(configuration.inhibit_delay_max_usec, 9 * SECOND);
        assert_int_equal(configuration.assume_granularity_bytes, UINT64_C(2) << 20);

        /* A file that is broken is left out; the others stay in force. */
        sysroot_write(&root, "etc/memctl/memctld.conf.d/30-z.conf", "[Manager]\nRollbackTimeoutSec=5\nno\n");
        configuration_load(root_fd, note, NULL, &configuration);
        assert_string_equal(said, "/etc/memctl/memctld.conf.d/30-z.conf:3: this is neither a [Group] nor a Key=value");
        assert_int_equal(configuration.rollback_timeout_usec, 2 * SECOND);
        close(root_fd);
        sysroot_remove(&root);
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keys_are_applied),
                cmocka_unit_test(what_is_wrong_is_told),
                cmocka_unit_test(etc_wins_and_drop_ins_add),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
