/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs a command and watches the files below a directory meanwhile, whoever writes to them and through whatever mount
 * (fanotify(7), FAN_MARK_FILESYSTEM): files are known by their inode numbers, as a path says nothing in another mount
 * namespace. Names every file that was written or was open for writing, and ends with 1 if there was one, else with
 * the command's exit status. Files made after the start are not seen, nor is a sysfs that is mounted anew in another
 * network namespace: it is a file system of its own.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct known_file {
        ino_t inode;
        char *path;
};

static struct known_file *files;
static size_t n_files;

static int add_file(const char *path, const struct stat *stat, int type, struct FTW *walk) {
        struct known_file *more;

        (void)walk;
        if (type != FTW_F)
                return 0;
        more = reallocarray(files, n_files + 1, sizeof(*files));
        if (!more)
                err(125, "%s", path);
        files = more;
        files[n_files].inode = stat->st_ino;
        files[n_files].path = strdup(path);
        if (!files[n_files++].path)
                err(125, "%s", path);
        return 0;
}

static int start_watch(const char *directory) {
        int fd =
                fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE, O_RDONLY | O_CLOEXEC);

        if (nftw(directory, add_file, 16, FTW_PHYS | FTW_MOUNT) != 0)
                err(125, "%s", directory);
        if (fd < 0 || fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_MODIFY | FAN_CLOSE_WRITE, AT_FDCWD,
                                    directory) < 0)
                err(125, "fanotify: %s", directory);
        return fd;
}

/* True, and a line, if the event is about a file we know. */
static bool report(const struct fanotify_event_metadata *event) {
        struct stat stat;

        if (fstat(event->fd, &stat) < 0)
                err(125, "fanotify");
        for (size_t i = 0; i < n_files; i++) {
                if (files[i].inode != stat.st_ino)
                        continue;
                (void)printf("written: %s\n", files[i].path);
                return true;
        }
        return false;
}

static bool read_events(int fd) {
        _Alignas(struct fanotify_event_metadata) char buffer[16384];
        bool found = false;
        ssize_t n;

        while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
                const struct fanotify_event_metadata *event = (const void *)buffer;

                for (; FAN_EVENT_OK(event, n); event = FAN_EVENT_NEXT(event, n)) {
                        if (event->fd < 0)
                                continue;
                        found |= report(event);
                        (void)close(event->fd);
                }
        }
        return found;
}

int main(int argc, char *argv[]) {
        int fd, status;
        bool written;
        pid_t child;

        if (argc < 3) {
                (void)fputs("Usage: write-watch DIRECTORY COMMAND…\n", stderr);
                return 2;
        }
        fd = start_watch(argv[1]);
        child = fork();
        if (child < 0)
                err(125, "fork");
        if (child == 0) {
                (void)execvp(argv[2], argv + 2);
                warn("%s", argv[2]);
                _exit(127);
        }
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                ;
        /* Events are queued as they happen: after the end of the command all are there. */
        written = read_events(fd);
        (void)close(fd);
        for (size_t i = 0; i < n_files; i++)
                free(files[i].path);
        free(files);
        if (written)
                return 1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
