/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Both layouts of a pseries partition's LMBs in the device tree, and what cannot be one. */

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "logical-memory-block.h"
#include "sysroot.h"
#include "test.h"
#include "util.h"

#define NODE "sys/firmware/devicetree/base/ibm,dynamic-reconfiguration-memory"
#define MIB  (UINT64_C(1) << 20)

static struct sysroot root;
static struct sysfs sysfs;

/* A property of n big-endian cells. */
static void write_property(const char *name, const uint32_t *cells, size_t n) {
        char path[256];
        FILE *file;

        /* Makes the folders. */
        (void)snprintf(path, sizeof(path), NODE "/%s", name);
        sysroot_write(&root, path, "%s", "");
        (void)snprintf(path, sizeof(path), "%s/" NODE "/%s", root.path, name);
        file = fopen(path, "we");
        assert_non_null(file);
        for (size_t i = 0; i < n; i++) {
                uint32_t cell = htobe32(cells[i]);

                assert_int_equal(fwrite(&cell, sizeof(cell), 1, file), 1);
        }
        assert_int_equal(fclose(file), 0);
}

static void remove_property(const char *name) {
        char path[256];

        (void)snprintf(path, sizeof(path), NODE "/%s", name);
        sysroot_unlink(&root, path);
}

static int set_up(void **state) {
        (void)state;
        sysroot_make(&root);
        return sysfs_open(root.path, NULL, &sysfs);
}

static int tear_down(void **state) {
        (void)state;
        sysfs_close(&sysfs);
        sysroot_remove(&root);
        return 0;
}

static void assert_index(uint64_t address, uint32_t wanted) {
        uint32_t index = 0;

        assert_int_equal(logical_memory_block_index(&sysfs, address, &index), 0);
        assert_int_equal(index, wanted);
}

static void assert_fails(uint64_t address, int error) {
        uint32_t index = 4711;

        assert_int_equal(logical_memory_block_index(&sysfs, address, &index), error);
        assert_int_equal(index, 4711);
}

static void one_by_one(void **state) {
        /* base-address(2) drc-index reserved associativity-index flags */
        static const uint32_t size[] = { 256 * MIB };
        static const uint32_t lmbs[] = { 2, 0, 0x10000000, 0x80000001, 0, 0, 8, 1, 0x20000000, 0x80000007, 0, 0, 8 };

        assert_fails(0, -ENOENT);
        write_property("ibm,lmb-size", size, ARRAY_SIZE(size));
        assert_fails(0, -ENOENT);
        write_property("ibm,dynamic-memory", lmbs, ARRAY_SIZE(lmbs));
        assert_index(0x10000000, 0x80000001);
        assert_index(0x1fffffff, 0x80000001);
        assert_index(0x120000000, 0x80000007);
        assert_fails(0xfffffff, -ENXIO);
        assert_fails(0x20000000, -ENXIO);
        /* Says two and has one. */
        write_property("ibm,dynamic-memory", lmbs, 7);
        assert_fails(0x10000000, -EBADMSG);
        write_property("ibm,dynamic-memory", lmbs, 0);
        assert_fails(0x10000000, -EBADMSG);
        remove_property("ibm,dynamic-memory");
        (void)state;
}

static void in_runs(void **state) {
        /* number-of-lmbs base-address(2) drc-index associativity-index flags */
        static const uint32_t size[] = { 0, 128 * MIB }, zero[] = { 0, 0 };
        static const uint32_t runs[] = { 2, 4, 0, 0, 0x80000000, 0, 8, 2, 1, 0, 0x80000010, 0, 8 };

        write_property("ibm,lmb-size", size, ARRAY_SIZE(size));
        write_property("ibm,dynamic-memory-v2", runs, ARRAY_SIZE(runs));
        assert_index(0, 0x80000000);
        assert_index(4 * 128 * MIB - 1, 0x80000003);
        assert_fails(4 * 128 * MIB, -ENXIO);
        assert_index(0x100000000 + 128 * MIB, 0x80000011);
        write_property("ibm,lmb-size", zero, 2);
        assert_fails(0, -EBADMSG);
        write_property("ibm,lmb-size", runs, 3);
        assert_fails(0, -EBADMSG);
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(one_by_one, set_up, tear_down),
                cmocka_unit_test_setup_teardown(in_runs, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
