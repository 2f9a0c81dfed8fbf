/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"
#include "util.h"

/* A page: the kernel never puts more into one attribute (Documentation/filesystems/sysfs.rst). */
#define READ_STEP 4096
/* /proc/iomem of the largest machines is far below this; anything longer is not what we think it is. */
#define READ_ALL_MAX  (64U << 20)
#define DIRENT_BUFFER (32U << 10)

static int real_openat(int dir_fd, const char *path, int flags) {
        return openat(dir_fd, path, flags);
}

const struct sysfs_ops sysfs_ops_default = {
        .openat = real_openat,
        .read = read,
        .write = write,
        .readlinkat = readlinkat,
        .close = close,
        .pread = pread,
};

int sysfs_open(const char *sysroot, const struct sysfs_ops *ops, struct sysfs *ret) {
        if (!ops)
                ops = &sysfs_ops_default;

        int fd = ops->openat(AT_FDCWD, sysroot ? sysroot : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        *ret = (struct sysfs){ .root_fd = fd, .iomem_fd = -1, .ops = ops };
        return 0;
}

void sysfs_close(struct sysfs *sysfs) {
        if (!sysfs || sysfs->root_fd < 0)
                return;

        sysfs->ops->close(sysfs->root_fd);
        sysfs->root_fd = -1;
}

int sysfs_open_directory(const struct sysfs *sysfs, const char *path) {
        int fd = sysfs->ops->openat(sysfs->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

void sysfs_close_fd(const struct sysfs *sysfs, int fd) {
        if (fd >= 0)
                sysfs->ops->close(fd);
}

static ssize_t read_retry(const struct sysfs *sysfs, int fd, void *buffer, size_t size) {
        ssize_t n;

        do
                n = sysfs->ops->read(fd, buffer, size);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

static ssize_t pread_retry(const struct sysfs *sysfs, int fd, void *buffer, size_t size, off_t offset) {
        ssize_t n;

        do
                n = sysfs->ops->pread(fd, buffer, size, offset);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

/* One open, one read, one close. One read() gives a whole attribute: a second one, to see the end, would be a third
 * more. */
static ssize_t read_once(const struct sysfs *sysfs, int dir_fd, const char *path, char *buffer, size_t size) {
        int fd = sysfs->ops->openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        ssize_t n = read_retry(sysfs, fd, buffer, size);
        sysfs->ops->close(fd);
        return n;
}

ssize_t sysfs_read_at(const struct sysfs *sysfs, int dir_fd, const char *path, char *buffer, size_t size) {
        ssize_t n = read_once(sysfs, dir_fd, path, buffer, size);
        if (n < 0)
                return n;
        if ((size_t)n >= size)
                return -E2BIG;

        if (n > 0 && buffer[n - 1] == '\n')
                n--;
        buffer[n] = '\0';
        return n;
}

ssize_t sysfs_read_start_at(const struct sysfs *sysfs, int dir_fd, const char *path, char *buffer, size_t size) {
        ssize_t n = read_once(sysfs, dir_fd, path, buffer, size - 1);
        if (n >= 0)
                buffer[n] = '\0';
        return n;
}

int sysfs_read_u64_at(const struct sysfs *sysfs, int dir_fd, const char *path, int base, uint64_t *ret) {
        char buffer[64];

        ssize_t n = sysfs_read_at(sysfs, dir_fd, path, buffer, sizeof(buffer));
        if (n < 0)
                return (int)n;
        return parse_u64(buffer, (size_t)n, (unsigned)base, ret);
}

int sysfs_write_at(const struct sysfs *sysfs, int dir_fd, const char *path, const char *text) {
        int fd = sysfs->ops->openat(dir_fd, path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        size_t size = strlen(text);
        ssize_t n = sysfs->ops->write(fd, text, size);
        int error = n < 0 ? -errno : (size_t)n == size ? 0 : -EIO;
        sysfs->ops->close(fd);
        return error;
}

int sysfs_readlink_name_at(const struct sysfs *sysfs, int dir_fd, const char *path, char *buffer, size_t size) {
        char target[READ_STEP];

        ssize_t n = sysfs->ops->readlinkat(dir_fd, path, target, sizeof(target));
        if (n < 0)
                return -errno;
        if ((size_t)n >= sizeof(target))
                return -ENAMETOOLONG;
        target[n] = '\0';

        const char *slash = strrchr(target, '/');
        const char *name = slash ? slash + 1 : target;
        if (strlen(name) >= size)
                return -ENAMETOOLONG;
        strcpy(buffer, name);
        return 0;
}

/* Reads to the end: at its own offset, or with pread from the start where others share the fd. */
static ssize_t read_fd_all(const struct sysfs *sysfs, int fd, bool from_start, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t n_allocated = 0, size = 0;

        for (;;) {
                char *grown = array_grow(text, &n_allocated, size + READ_STEP + 1, 1);
                if (!grown)
                        return -ENOMEM;
                text = grown;

                ssize_t n = from_start ? pread_retry(sysfs, fd, text + size, n_allocated - size - 1, (off_t)size)
                                       : read_retry(sysfs, fd, text + size, n_allocated - size - 1);
                if (n < 0)
                        return n;
                if (n == 0)
                        break;
                size += (size_t)n;
                if (size > READ_ALL_MAX)
                        return -E2BIG;
        }

        text[size] = '\0';
        *ret = TAKE_PTR(text);
        return (ssize_t)size;
}

ssize_t sysfs_read_all(const struct sysfs *sysfs, const char *path, char **ret) {
        int fd = sysfs->ops->openat(sysfs->root_fd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        ssize_t n = read_fd_all(sysfs, fd, false, ret);
        sysfs->ops->close(fd);
        return n;
}

ssize_t sysfs_read_iomem(const struct sysfs *sysfs, char **ret) {
        if (sysfs->iomem_fd >= 0)
                return read_fd_all(sysfs, sysfs->iomem_fd, true, ret);

        return sysfs_read_all(sysfs, "proc/iomem", ret);
}

/* Not readdir(): that keeps its state in an allocated DIR and asks for the fd's flags, two more calls a directory. */
static int list_fd(int fd, sysfs_entry_fn each, void *userdata) {
        _Alignas(struct dirent64) char buffer[DIRENT_BUFFER];

        for (;;) {
                ssize_t size = getdents64(fd, buffer, sizeof(buffer));
                if (size < 0)
                        return -errno;
                if (size == 0)
                        return 0;

                for (ssize_t at = 0; at < size;) {
                        const struct dirent64 *entry = (const void *)(buffer + at);
                        at += entry->d_reclen;
                        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                                continue;

                        int r = each(entry->d_name, userdata);
                        if (r != 0)
                                return r;
                }
        }
}

int sysfs_list(const struct sysfs *sysfs, const char *path, sysfs_entry_fn each, void *userdata) {
        int fd = sysfs_open_directory(sysfs, path);
        if (fd < 0)
                return fd;

        int r = list_fd(fd, each, userdata);
        sysfs_close_fd(sysfs, fd);
        return r;
}
