/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine made of plain files below a temporary directory, for --sysroot and struct sysfs. */

#include <stdint.h>

struct sysroot {
        char path[64];
};

/* Makes an empty one; the calls below end the test where they fail. */
void sysroot_make(struct sysroot *sysroot);
void sysroot_remove(struct sysroot *sysroot);

/* A file with its folders; the content is printf'd. */
void sysroot_write(const struct sysroot *sysroot, const char *path, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void sysroot_link(const struct sysroot *sysroot, const char *path, const char *target);
void sysroot_unlink(const struct sysroot *sysroot, const char *path);

/* block_size_bytes and the architecture's files: arm64 with 128 MiB blocks. */
void sysroot_add_machine(const struct sysroot *sysroot);
/* memoryN for n blocks, on a node if node >= 0, with state and valid_zones. */
void sysroot_add_blocks(const struct sysroot *sysroot, uint64_t first, uint64_t n, int node, const char *state,
                        const char *valid_zones);
/* rangeN of the memory_range bus, in blocks of 128 MiB. */
void sysroot_add_range(const struct sysroot *sysroot, uint64_t number, uint64_t first, uint64_t n, int node,
                       const char *name, const char *granularity);
