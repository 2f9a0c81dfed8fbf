/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysroot.h"
#include "test.h"

void sysroot_make(struct sysroot *sysroot) {
        /* Thousands of small files: on a disk that others use as well they take a hundred times as long. */
        strcpy(sysroot->path,
               access("/dev/shm", W_OK) == 0 ? "/dev/shm/memctl-test-XXXXXX" : "/tmp/memctl-test-XXXXXX");
        assert_non_null(mkdtemp(sysroot->path));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw) {
        (void)status;
        (void)type;
        (void)ftw;
        return remove(path);
}

void sysroot_remove(struct sysroot *sysroot) {
        nftw(sysroot->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void full_path(const struct sysroot *sysroot, const char *path, char buffer[static 4096]) {
        int n = snprintf(buffer, 4096, "%s/%s", sysroot->path, path);
        assert_in_range(n, 1, 4095);
}

static void make_parents(const char *path) {
        char part[4096];

        strcpy(part, path);
        for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(part, 0755) < 0)
                        assert_int_equal(errno, EEXIST);
                *slash = '/';
        }
}

void sysroot_write(const struct sysroot *sysroot, const char *path, const char *format, ...) {
        char full[4096];
        va_list args;

        full_path(sysroot, path, full);
        make_parents(full);
        FILE *file = fopen(full, "we");
        assert_non_null(file);
        va_start(args, format);
        assert_true(vfprintf(file, format, args) >= 0);
        va_end(args);
        assert_int_equal(fclose(file), 0);
}

void sysroot_link(const struct sysroot *sysroot, const char *path, const char *target) {
        char full[4096];

        full_path(sysroot, path, full);
        make_parents(full);
        assert_int_equal(symlink(target, full), 0);
}

void sysroot_unlink(const struct sysroot *sysroot, const char *path) {
        char full[4096];

        full_path(sysroot, path, full);
        assert_int_equal(nftw(full, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void sysroot_add_machine(const struct sysroot *sysroot) {
        sysroot_write(sysroot, "sys/devices/system/memory/block_size_bytes", "8000000\n");
        sysroot_write(sysroot, "sys/devices/system/memory/auto_online_blocks", "offline\n");
        sysroot_write(sysroot, "proc/sys/kernel/arch", "aarch64\n");
        sysroot_write(sysroot, "proc/sys/kernel/osrelease", "6.12.1\n");
}

void sysroot_add_blocks(const struct sysroot *sysroot, uint64_t first, uint64_t n, int node, const char *state,
                        const char *valid_zones) {
        char path[256], target[256];

        for (uint64_t block = first; block < first + n; block++) {
                snprintf(path, sizeof(path), "sys/devices/system/memory/memory%" PRIu64 "/state", block);
                sysroot_write(sysroot, path, "%s\n", state);
                snprintf(path, sizeof(path), "sys/devices/system/memory/memory%" PRIu64 "/valid_zones", block);
                sysroot_write(sysroot, path, "%s\n", valid_zones);
                if (node < 0)
                        continue;
                snprintf(path, sizeof(path), "sys/devices/system/node/node%d/memory%" PRIu64, node, block);
                snprintf(target, sizeof(target), "../../memory/memory%" PRIu64, block);
                sysroot_link(sysroot, path, target);
                snprintf(path, sizeof(path), "sys/devices/system/memory/memory%" PRIu64 "/node%d", block, node);
                snprintf(target, sizeof(target), "../../node/node%d", node);
                sysroot_link(sysroot, path, target);
        }
}

void sysroot_add_range(const struct sysroot *sysroot, uint64_t number, uint64_t first, uint64_t n, int node,
                       const char *name, const char *granularity) {
        char path[256];

        snprintf(path, sizeof(path), "sys/bus/memory_range/devices/range%" PRIu64 "/start", number);
        sysroot_write(sysroot, path, "0x%" PRIx64 "\n", first << 27);
        snprintf(path, sizeof(path), "sys/bus/memory_range/devices/range%" PRIu64 "/size", number);
        sysroot_write(sysroot, path, "%" PRIu64 "\n", n << 27);
        snprintf(path, sizeof(path), "sys/bus/memory_range/devices/range%" PRIu64 "/node", number);
        sysroot_write(sysroot, path, "%d\n", node);
        snprintf(path, sizeof(path), "sys/bus/memory_range/devices/range%" PRIu64 "/name", number);
        sysroot_write(sysroot, path, "%s\n", name);
        snprintf(path, sizeof(path), "sys/bus/memory_range/devices/range%" PRIu64 "/mapping_granularity", number);
        sysroot_write(sysroot, path, "%s\n", granularity);
        snprintf(path, sizeof(path), "sys/bus/memory_range/devices/range%" PRIu64 "/removal_granularity", number);
        sysroot_write(sysroot, path, "%s\n", granularity);
}
