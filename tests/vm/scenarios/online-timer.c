/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * online-timer START SIZE BLOCK-SIZE: has the module hot-add memory (/proc/hotplug-driver), and prints the milliseconds
 * until the last of its blocks is online. All numbers in bytes; it gives up after two minutes.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_MSEC = 120 * 1000 };

static double now_msec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

static int add(unsigned long long start, unsigned long long size) {
        int fd = open("/proc/hotplug-driver", O_WRONLY | O_CLOEXEC), n;

        if (fd < 0)
                return -1;
        n = dprintf(fd, "add %#llx %#llx\n", start, size);
        return close(fd) < 0 || n < 0 ? -1 : 0;
}

static bool is_online(unsigned long long block) {
        char path[64], state[16] = "";
        ssize_t n = -1;
        int fd;

        (void)snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%llu/state", block);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
                n = read(fd, state, sizeof(state) - 1);
                (void)close(fd);
        }
        return n > 0 && strcmp(state, "online\n") == 0;
}

int main(int argc, char *argv[]) {
        unsigned long long start, size, block_size, block, end;
        const struct timespec pause = { .tv_nsec = 2000000 };
        double begin;

        if (argc != 4) {
                (void)fputs("Usage: online-timer START SIZE BLOCK-SIZE\n", stderr);
                return 2;
        }
        start = strtoull(argv[1], NULL, 0);
        size = strtoull(argv[2], NULL, 0);
        block_size = strtoull(argv[3], NULL, 0);
        if (size == 0 || block_size == 0) {
                (void)fputs("online-timer: a size is 0\n", stderr);
                return 2;
        }
        begin = now_msec();
        if (add(start, size) < 0) {
                perror("/proc/hotplug-driver");
                return 1;
        }
        /* One after the other, so that each is looked at a few times only, whoever brings it online. */
        end = (start + size) / block_size;
        for (block = start / block_size; block < end;) {
                if (is_online(block)) {
                        block++;
                        continue;
                }
                if (now_msec() - begin > TIMEOUT_MSEC) {
                        (void)fprintf(stderr, "online-timer: memory%llu is not online\n", block);
                        return 1;
                }
                (void)nanosleep(&pause, NULL);
        }
        (void)printf("%.1f\n", now_msec() - begin);
        return 0;
}
