/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"
#include "sysroot.h"
#include "test.h"
#include "util.h"

static struct sysroot sysroot;
static struct sysfs sysfs;
static struct sysfs_ops ops;
static unsigned n_calls;

static int counting_openat(int dir_fd, const char *path, int flags) {
        n_calls++;
        return sysfs_ops_default.openat(dir_fd, path, flags);
}

static ssize_t counting_read(int fd, void *buffer, size_t size) {
        n_calls++;
        return sysfs_ops_default.read(fd, buffer, size);
}

static int counting_close(int fd) {
        n_calls++;
        return sysfs_ops_default.close(fd);
}

static ssize_t interrupted_read(int fd, void *buffer, size_t size) {
        static unsigned n;
        if (n++ % 2 == 0) {
                errno = EINTR;
                return -1;
        }
        return sysfs_ops_default.read(fd, buffer, size);
}

static ssize_t failing_read(int fd, void *buffer, size_t size) {
        (void)fd;
        (void)buffer;
        (void)size;
        errno = EIO;
        return -1;
}

static ssize_t short_write(int fd, const void *buffer, size_t size) {
        return sysfs_ops_default.write(fd, buffer, size - 1);
}

static ssize_t failing_write(int fd, const void *buffer, size_t size) {
        (void)fd;
        (void)buffer;
        (void)size;
        errno = EBUSY;
        return -1;
}

static int setup(void **state) {
        (void)state;
        sysroot_make(&sysroot);
        ops = sysfs_ops_default;
        n_calls = 0;
        return sysfs_open(sysroot.path, &ops, &sysfs);
}

static int teardown(void **state) {
        (void)state;
        sysfs_close(&sysfs);
        sysroot_remove(&sysroot);
        return 0;
}

static void reads_without_the_newline_in_three_calls(void **state) {
        char buffer[16];

        sysroot_write(&sysroot, "a/state", "online\n");
        ops.openat = counting_openat;
        ops.read = counting_read;
        ops.close = counting_close;
        assert_int_equal(sysfs_read_at(&sysfs, sysfs.root_fd, "a/state", buffer, sizeof(buffer)), 6);
        assert_string_equal(buffer, "online");
        assert_int_equal(n_calls, 3);

        assert_int_equal(sysfs_read_at(&sysfs, sysfs.root_fd, "a/state", buffer, 7), -E2BIG);
        assert_int_equal(sysfs_read_at(&sysfs, sysfs.root_fd, "a/none", buffer, sizeof(buffer)), -ENOENT);
        (void)state;
}

static void numbers(void **state) {
        uint64_t value = 7;

        sysroot_write(&sysroot, "hex", "8000000\n");
        sysroot_write(&sysroot, "prefixed", "0x140000000\n");
        sysroot_write(&sysroot, "word", "unknown\n");
        sysroot_write(&sysroot, "huge", "18446744073709551616\n");
        assert_int_equal(sysfs_read_u64_at(&sysfs, sysfs.root_fd, "word", 0, &value), -EINVAL);
        assert_int_equal(sysfs_read_u64_at(&sysfs, sysfs.root_fd, "huge", 0, &value), -ERANGE);
        assert_int_equal(sysfs_read_u64_at(&sysfs, sysfs.root_fd, "none", 0, &value), -ENOENT);
        assert_int_equal(value, 7);
        assert_int_equal(sysfs_read_u64_at(&sysfs, sysfs.root_fd, "hex", 16, &value), 0);
        assert_int_equal(value, 0x8000000);
        assert_int_equal(sysfs_read_u64_at(&sysfs, sysfs.root_fd, "prefixed", 0, &value), 0);
        assert_int_equal(value, 0x140000000);
        (void)state;
}

static void faults_reach_the_caller(void **state) {
        char buffer[16];

        sysroot_write(&sysroot, "state", "online\n");
        ops.read = failing_read;
        assert_int_equal(sysfs_read_at(&sysfs, sysfs.root_fd, "state", buffer, sizeof(buffer)), -EIO);
        char *text = NULL;
        assert_int_equal(sysfs_read_all(&sysfs, "state", &text), -EIO);
        assert_null(text);

        ops.read = interrupted_read;
        assert_int_equal(sysfs_read_at(&sysfs, sysfs.root_fd, "state", buffer, sizeof(buffer)), 6);

        ops.write = failing_write;
        assert_int_equal(sysfs_write_at(&sysfs, sysfs.root_fd, "state", "offline"), -EBUSY);
        ops.write = short_write;
        assert_int_equal(sysfs_write_at(&sysfs, sysfs.root_fd, "state", "offline"), -EIO);
        assert_int_equal(sysfs_write_at(&sysfs, sysfs.root_fd, "none", "offline"), -ENOENT);
        (void)state;
}

static void writes_what_it_is_told(void **state) {
        char buffer[16];

        sysroot_write(&sysroot, "state", "offline");
        assert_int_equal(sysfs_write_at(&sysfs, sysfs.root_fd, "state", "onlined"), 0);
        assert_int_equal(sysfs_read_at(&sysfs, sysfs.root_fd, "state", buffer, sizeof(buffer)), 7);
        assert_string_equal(buffer, "onlined");
        (void)state;
}

static void link_names(void **state) {
        char buffer[16];

        sysroot_link(&sysroot, "firmware_node", "../../../LNXSYSTM:00/LNXSYBUS:00/PNP0C80:00");
        sysroot_link(&sysroot, "bare", "kmem");
        assert_int_equal(sysfs_readlink_name_at(&sysfs, sysfs.root_fd, "firmware_node", buffer, sizeof(buffer)), 0);
        assert_string_equal(buffer, "PNP0C80:00");
        assert_int_equal(sysfs_readlink_name_at(&sysfs, sysfs.root_fd, "bare", buffer, sizeof(buffer)), 0);
        assert_string_equal(buffer, "kmem");
        assert_int_equal(sysfs_readlink_name_at(&sysfs, sysfs.root_fd, "none", buffer, sizeof(buffer)), -ENOENT);
        assert_int_equal(sysfs_readlink_name_at(&sysfs, sysfs.root_fd, "firmware_node", buffer, 10), -ENAMETOOLONG);
        (void)state;
}

static int count_entry(const char *name, void *userdata) {
        unsigned *n = userdata;

        assert_int_not_equal(name[0], '.');
        return ++*n == 250 ? 99 : 0;
}

static void lists_every_entry(void **state) {
        char path[32];
        unsigned n = 0;

        for (int i = 0; i < 200; i++) {
                snprintf(path, sizeof(path), "d/memory%d", i);
                sysroot_write(&sysroot, path, " ");
        }
        assert_int_equal(sysfs_list(&sysfs, "d", count_entry, &n), 0);
        assert_int_equal(n, 200);
        assert_int_equal(sysfs_list(&sysfs, "d", count_entry, &n), 99);
        assert_int_equal(n, 250);
        assert_int_equal(sysfs_list(&sysfs, "none", count_entry, &n), -ENOENT);
        (void)state;
}

static void iomem_from_the_fd_is_read_from_its_start_each_time(void **state) {
        char *text = NULL;
        char line[] = "100000000-13fffffff : System RAM\n";

        char *large = calloc(400, sizeof(line));
        assert_non_null(large);
        for (int i = 0; i < 400; i++)
                strcat(large, line);
        sysroot_write(&sysroot, "proc/iomem", "below the root\n");
        sysroot_write(&sysroot, "privileged", "%s", large);

        assert_int_equal(sysfs_read_iomem(&sysfs, &text), 15);
        assert_string_equal(text, "below the root\n");
        free(text);

        sysfs.iomem_fd = openat(sysfs.root_fd, "privileged", O_RDONLY | O_CLOEXEC);
        assert_true(sysfs.iomem_fd >= 0);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(sysfs_read_iomem(&sysfs, &text), strlen(large));
                assert_string_equal(text, large);
                free(text);
        }
        close(sysfs.iomem_fd);
        free(large);
        (void)state;
}

static void opening(void **state) {
        struct sysfs none = { .root_fd = -1 };

        assert_int_equal(sysfs_open("/nonexistent/memctl", NULL, &none), -ENOENT);
        assert_int_equal(none.root_fd, -1);
        sysfs_close(&none);
        sysfs_close(NULL);
        assert_int_equal(sysfs.iomem_fd, -1);
        assert_int_equal(sysfs_open_directory(&sysfs, "none"), -ENOENT);
        (void)state;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(reads_without_the_newline_in_three_calls),
                TEST(numbers),
                TEST(faults_reach_the_caller),
                TEST(writes_what_it_is_told),
                TEST(link_names),
                TEST(lists_every_entry),
                TEST(iomem_from_the_fd_is_read_from_its_start_each_time),
                TEST(opening),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
