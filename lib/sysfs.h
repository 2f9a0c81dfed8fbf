/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one place that touches sysfs (and /proc/iomem). Every path is relative to a root directory fd, so that
 * the same code reads the running system, a saved copy (--sysroot) and a simulated machine; every call but that which
 * lists a directory goes through an ops table, so that tests can inject faults. All functions are safe to call from
 * several threads on one struct sysfs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYSFS_MEMORY       "sys/devices/system/memory"
#define SYSFS_NODE         "sys/devices/system/node"
#define SYSFS_MEMORY_RANGE "sys/bus/memory_range/devices"

/* System calls, with their own error convention (-1 and errno). */
struct sysfs_ops {
        int (*openat)(int dir_fd, const char *path, int flags);
        ssize_t (*read)(int fd, void *buffer, size_t size);
        ssize_t (*write)(int fd, const void *buffer, size_t size);
        ssize_t (*readlinkat)(int dir_fd, const char *path, char *buffer, size_t size);
        int (*close)(int fd);
        ssize_t (*pread)(int fd, void *buffer, size_t size, off_t offset);
};

extern const struct sysfs_ops sysfs_ops_default;

struct sysfs {
        int root_fd;
        /*
         * /proc/iomem opened by someone with CAP_SYS_ADMIN: the kernel shows addresses to whoever had it at open
         * (kernel/resource.c, r_show). -1: proc/iomem below the root is opened each time. Not closed by sysfs_close().
         */
        int iomem_fd;
        const struct sysfs_ops *ops;
};

/*
 * Opens the root that paths are relative to: NULL or "/" for the running system. Returns 0 or -errno.
 * `ops` NULL: the real ones. iomem_fd is -1 afterwards; set it where a better one is at hand.
 */
int sysfs_open(const char *sysroot, const struct sysfs_ops *ops, struct sysfs *ret);
/* Closes it; takes NULL and a struct that was never opened (root_fd -1). */
void sysfs_close(struct sysfs *sysfs);

/* An fd of a directory below the root, for the *_at calls; -errno. Close with sysfs_close_fd(). */
int sysfs_open_directory(const struct sysfs *sysfs, const char *path);
void sysfs_close_fd(const struct sysfs *sysfs, int fd);

/*
 * Reads a whole small file, without its last newline, NUL-terminated. `dir_fd` is from
 * sysfs_open_directory() or sysfs->root_fd. Returns its length or -errno; -E2BIG if it does not fit. Three system
 * calls.
 */
ssize_t sysfs_read_at(const struct sysfs *sysfs, int dir_fd, const char *path, char *buffer, size_t size);
/* The start of a file of any size: as much as one read() gives and fits, NUL-terminated, nothing taken off. */
ssize_t sysfs_read_start_at(const struct sysfs *sysfs, int dir_fd, const char *path, char *buffer, size_t size);
/* sysfs_read_at(), parsed: decimal or 0x hex (0), bare hex without prefix (16). -EINVAL if it is no number, -ERANGE. */
int sysfs_read_u64_at(const struct sysfs *sysfs, int dir_fd, const char *path, int base, uint64_t *ret);
/* Writes in one write(). Returns 0 or -errno as the kernel gave it, -EIO for a short write. May wait for ever. */
int sysfs_write_at(const struct sysfs *sysfs, int dir_fd, const char *path, const char *text);
/* Last component of a link's target. Returns 0, -errno. */
int sysfs_readlink_name_at(const struct sysfs *sysfs, int dir_fd, const char *path, char *buffer, size_t size);
/* Reads a file of any size; *ret is NUL-terminated and the caller's to free. Returns its length or -errno. */
ssize_t sysfs_read_all(const struct sysfs *sysfs, const char *path, char **ret);
/* The same of /proc/iomem: from iomem_fd if there is one, always from its start. */
ssize_t sysfs_read_iomem(const struct sysfs *sysfs, char **ret);

/*
 * Calls `each` for every entry of a directory but "." and "..", in the directory's own order. A non-zero
 * return of `each` ends the walk and is returned. Otherwise 0 or -errno.
 */
typedef int (*sysfs_entry_fn)(const char *name, void *userdata);
int sysfs_list(const struct sysfs *sysfs, const char *path, sysfs_entry_fn each, void *userdata);
