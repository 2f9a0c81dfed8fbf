/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

const char *runtime_directory(void) {
        const char *path = getenv("RUNTIME_DIRECTORY");

        return path && path[0] == '/' ? path : "/run/memctl";
}

const char *runtime_boot_id(void) {
        static char boot_id[40];
        FILE *file;

        if (boot_id[0] != '\0')
                return boot_id;
        file = fopen(BOOT_ID_PATH, "re");
        if (!file)
                return "";
        if (!fgets(boot_id, sizeof(boot_id), file))
                boot_id[0] = '\0';
        fclose(file);
        boot_id[strcspn(boot_id, "\n")] = '\0';
        return boot_id;
}

int runtime_read(const char *name, char **ret) {
        _cleanup_free_ char *path = format_string("%s/%s", runtime_directory(), name), *text = NULL;
        size_t n_allocated = 0;
        size_t length;
        FILE *file;
        ssize_t n;

        if (!path)
                return -ENOMEM;
        file = fopen(path, "re");
        if (!file)
                return -errno;
        errno = EBADMSG;
        n = getdelim(&text, &n_allocated, '\0', file);
        fclose(file);
        if (n < 0)
                return -errno;
        length = strlen(runtime_boot_id());
        if (strncmp(text, runtime_boot_id(), length) != 0 || text[length] != '\n')
                return -ENOENT;
        memmove(text, text + length + 1, strlen(text + length + 1) + 1);
        *ret = TAKE_PTR(text);
        return 0;
}

static int write_all(int fd, const char *text) {
        size_t size = strlen(text), n_written = 0;

        while (n_written < size) {
                ssize_t n = write(fd, text + n_written, size - n_written);

                if (n < 0)
                        return -errno;
                n_written += (size_t)n;
        }
        return 0;
}

int runtime_write(const char *name, const char *text) {
        _cleanup_free_ char *path = format_string("%s/%s", runtime_directory(), name);
        _cleanup_free_ char *temporary = format_string("%s/.%s.new", runtime_directory(), name);
        _cleanup_close_ int fd = -1;
        int r;

        if (!path || !temporary)
                return -ENOMEM;
        fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        r = write_all(fd, runtime_boot_id());
        if (r == 0)
                r = write_all(fd, "\n");
        if (r == 0)
                r = write_all(fd, text);
        if (r == 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(temporary);
        return r;
}
