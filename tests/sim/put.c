/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * put FILE TEXT: writes TEXT and a newline in one write, as echo does, and prints the errno's name if it fails: every
 * shell has other words for that, or none.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
        char line[256];
        int fd, n;

        if (argc != 3) {
                (void)fputs("Usage: put FILE TEXT\n", stderr);
                return 2;
        }
        n = snprintf(line, sizeof(line), "%s\n", argv[2]);
        if (n < 0 || (size_t)n >= sizeof(line)) {
                (void)fputs("put: the text is too long\n", stderr);
                return 2;
        }
        fd = open(argv[1], O_WRONLY | O_TRUNC | O_CLOEXEC);
        if (fd < 0 || write(fd, line, (size_t)n) != n) {
                (void)puts(strerrorname_np(errno));
                return 1;
        }
        (void)close(fd);
        return 0;
}
