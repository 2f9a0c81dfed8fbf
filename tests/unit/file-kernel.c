/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "file-kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs.h"
#include "worker-process.h"

static const char *fake_root;

static void put(const char *path, const char *text) {
        FILE *file = fopen(path, "we");

        if (!file)
                abort();
        fputs(text, file);
        fclose(file);
}

static bool take_fault(unsigned block, const char *word, char fault[static 64]) {
        char path[256];
        FILE *file;

        snprintf(path, sizeof(path), "%s/faults/%u.%s", fake_root, block, word);
        file = fopen(path, "re");
        if (!file)
                return false;
        if (!fgets(fault, 64, file))
                abort();
        fclose(file);
        if (strncmp(fault, "once ", 5) == 0) {
                memmove(fault, fault + 5, strlen(fault + 5) + 1);
                unlink(path);
        }
        return true;
}

static void hang(bool hard) {
        if (hard)
                signal(SIGTERM, SIG_IGN);
        for (;;)
                pause();
}

static void take_effect(const char *directory, const char *word, bool wrong_zone) {
        bool online = strncmp(word, "online", 6) == 0;
        bool movable = (strcmp(word, "online_movable") == 0) != wrong_zone;
        char path[256];

        snprintf(path, sizeof(path), "%s/state", directory);
        put(path, online ? "online\n" : "offline\n");
        snprintf(path, sizeof(path), "%s/valid_zones", directory);
        put(path, !online ? "Normal Movable\n" : movable ? "Movable\n" : "Normal\n");
}

/* Takes the words about another block off the fault's beginning. */
static void change_another(const char *directory, char *fault) {
        char other[256], state[280], what[16];
        unsigned block;
        int n;

        if (sscanf(fault, "%15s %u%n", what, &block, &n) != 2)
                return;
        snprintf(other, sizeof(other), "%.*s/memory%u", (int)(strrchr(directory, '/') - directory), directory, block);
        snprintf(state, sizeof(state), "%s/state", other);
        if (strcmp(what, "meanwhile") == 0)
                take_effect(other, "offline", false);
        else if (unlink(state) < 0 || (strcmp(what, "fifo") == 0 && mkfifo(state, 0600) < 0))
                abort();
        memmove(fault, fault + n, strlen(fault + n) + 1);
}

/* Returns an errno, 0 to go on. */
static int suffer(const char *fault) {
        if (strncmp(fault, "hang", 4) == 0)
                hang(strcmp(fault, "hang-hard") == 0);
        if (strcmp(fault, "die") == 0)
                raise(SIGKILL);
        if (strcmp(fault, "slow") == 0)
                usleep(100 * 1000);
        return atoi(fault);
}

static ssize_t fake_read(int fd, void *buffer, size_t size) {
        char link[64], path[200], fault[64] = "";
        const char *name;
        unsigned block;
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n < 0)
                abort();
        path[n] = '\0';
        name = strstr(path, "/memory/memory");
        if (name && sscanf(name, "/memory/memory%u/state", &block) == 1 && take_fault(block, "read", fault))
                (void)suffer(fault);
        return read(fd, buffer, size);
}

static ssize_t fake_write(int fd, const void *buffer, size_t size) {
        char link[64], directory[200], word[32], fault[64] = "", now[16] = "";
        unsigned block;
        ssize_t n;
        int error, state_fd;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, directory, sizeof(directory) - 1);
        if (n < 0 || size >= sizeof(word))
                abort();
        directory[n] = '\0';
        *strrchr(directory, '/') = '\0';
        if (sscanf(strrchr(directory, '/'), "/memory%u", &block) != 1)
                abort();
        memcpy(word, buffer, size);
        word[size] = '\0';
        state_fd = open(link, O_RDONLY | O_CLOEXEC);
        if (state_fd < 0 || read(state_fd, now, sizeof(now) - 1) < 0)
                abort();
        close(state_fd);
        /* What is in that state already cannot be brought there (drivers/base/memory.c). */
        if (strncmp(now, word, strcspn(now, "\n")) == 0 && (now[1] == 'n') == (word[1] == 'n')) {
                errno = EINVAL;
                return -1;
        }
        if (take_fault(block, word, fault)) {
                change_another(directory, fault);
                error = suffer(fault);
                if (error > 0) {
                        errno = error;
                        return -1;
                }
        }
        take_effect(directory, word, strcmp(fault, "wrong-zone") == 0);
        if (strcmp(fault, "die-after") == 0)
                raise(SIGKILL);
        return (ssize_t)size;
}

int file_kernel_run_worker(const char *root) {
        struct sysfs_ops ops = sysfs_ops_default;
        struct sysfs sysfs;

        fake_root = root;
        ops.read = fake_read;
        ops.write = fake_write;
        if (sysfs_open(root, &ops, &sysfs) < 0)
                return 1;
        return worker_process_run(WORKER_SOCKET_FD, &sysfs) < 0;
}
