/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filesystem.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tree.h"
#include "writes.h"

/* What an attribute's file size reads in sysfs. */
#define ATTRIBUTE_SIZE 4096
/* For what can never change: the kernel need not ask again. */
#define FOREVER_SEC 86400.0

struct filesystem {
        struct simulation *simulation;
        struct writes writes;
        unsigned last_alias;
};

static struct filesystem *filesystem_of(fuse_req_t request) {
        return fuse_req_userdata(request);
}

/* A dead machine answers nothing. */
static int get_file(fuse_req_t request, fuse_ino_t inode, struct tree_file *ret) {
        const struct simulation *simulation = filesystem_of(request)->simulation;
        int r = tree_get(simulation, inode, ret);

        return r == 0 && ret->is_machine && simulation->machine.died ? -EIO : r;
}

static void fill_stat(fuse_ino_t inode, const struct tree_file *file, struct stat *ret) {
        *ret = (struct stat){
                .st_ino = tree_alias(inode, 0),
                .st_mode = file->row->mode,
                .st_nlink = S_ISDIR(file->row->mode) ? 2 : 1,
                .st_size = S_ISREG(file->row->mode) ? ATTRIBUTE_SIZE : 0,
                .st_blksize = ATTRIBUTE_SIZE,
        };
}

static void handle_init(void *userdata, struct fuse_conn_info *connection) {
        (void)userdata;
        /* Half a million names need no half a million attributes with them. */
        connection->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
}

static uint64_t unused_alias(struct filesystem *filesystem, uint64_t inode) {
        uint64_t alias;

        do
                alias = tree_alias(inode, ++filesystem->last_alias);
        while (writes_use_inode(&filesystem->writes, alias));
        return alias;
}

static void handle_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
        struct fuse_entry_param entry = { .attr_timeout = FOREVER_SEC };
        struct tree_file file = { .row = NULL };
        uint64_t inode;
        int r = tree_lookup(filesystem_of(request)->simulation, parent, name, &inode);

        if (r == 0)
                r = get_file(request, inode, &file);
        if (r != 0) {
                fuse_reply_err(request, -r);
                return;
        }
        entry.ino = file.row->takes_lock ? unused_alias(filesystem_of(request), inode) : inode;
        entry.entry_timeout = file.is_volatile ? 0 : FOREVER_SEC;
        fill_stat(inode, &file, &entry.attr);
        fuse_reply_entry(request, &entry);
}

static void handle_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
        struct tree_file file;
        struct stat stat;
        int r = get_file(request, inode, &file);

        (void)info;
        if (r < 0) {
                fuse_reply_err(request, -r);
                return;
        }
        fill_stat(inode, &file, &stat);
        fuse_reply_attr(request, &stat, FOREVER_SEC);
}

/* Truncation, which a shell's ">" asks for, means nothing to an attribute. */
static void handle_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *attributes, int to_set,
                           struct fuse_file_info *info) {
        (void)attributes;
        if (to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
                fuse_reply_err(request, EPERM);
        else
                handle_getattr(request, inode, info);
}

static char *show(const struct simulation *simulation, const struct tree_file *file, uint64_t object, size_t *ret_size,
                  int *ret) {
        char *text = NULL;
        FILE *out = open_memstream(&text, ret_size);

        if (!out)
                err(EXIT_FAILURE, "show");
        *ret = file->row->show ? file->row->show(simulation, object, out) : -EIO;
        if (fclose(out) != 0)
                err(EXIT_FAILURE, "show");
        return text;
}

static void handle_readlink(fuse_req_t request, fuse_ino_t inode) {
        struct tree_file file;
        size_t size;
        char *text;
        int r = get_file(request, inode, &file);

        if (r < 0) {
                fuse_reply_err(request, -r);
                return;
        }
        text = show(filesystem_of(request)->simulation, &file, file.object, &size, &r);
        if (r < 0)
                fuse_reply_err(request, -r);
        else
                fuse_reply_readlink(request, text);
        free(text);
}

/* kernfs_fop_open(): the file's mode binds root too. */
static int check_access(const struct tree_file *file, int flags) {
        int mode = flags & O_ACCMODE;

        if (mode != O_WRONLY && !(file->row->mode & 0444))
                return -EACCES;
        if (mode != O_RDONLY && !(file->row->mode & 0222))
                return -EACCES;
        return 0;
}

static void handle_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
        struct tree_file file;
        int r = get_file(request, inode, &file);

        if (r == 0)
                r = check_access(&file, info->flags);
        if (r < 0) {
                fuse_reply_err(request, -r);
                return;
        }
        info->direct_io = 1;
        info->fh = fuse_req_ctx(request)->uid == 0;
        fuse_reply_open(request, info);
}

static void handle_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *info) {
        struct tree_file file;
        size_t text_size, start;
        char *text;
        int r = get_file(request, inode, &file);

        if (r < 0) {
                fuse_reply_err(request, r == -ENOENT ? ENODEV : -r);
                return;
        }
        text = show(filesystem_of(request)->simulation, &file, file.row->asks_for_root ? info->fh : file.object,
                    &text_size, &r);
        if (r < 0)
                fuse_reply_err(request, -r);
        else {
                start = (size_t)offset < text_size ? (size_t)offset : text_size;
                fuse_reply_buf(request, text + start, text_size - start < size ? text_size - start : size);
        }
        free(text);
}

static void handle_write(fuse_req_t request, fuse_ino_t inode, const char *data, size_t size, off_t offset,
                         struct fuse_file_info *info) {
        struct filesystem *filesystem = filesystem_of(request);
        struct tree_file file;
        int r = get_file(request, inode, &file);

        /* sysfs takes each write by itself, wherever the file offset is. */
        (void)offset;
        (void)info;
        if (r < 0)
                fuse_reply_err(request, r == -ENOENT ? ENODEV : -r);
        else
                writes_submit(&filesystem->writes, request, inode, &file, data, size);
}

/* "." and ".." have the offsets 1 and 2; the tree's cursor, which is never 0 behind an entry, follows. */
#define FIRST_CURSOR 3

static void handle_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                           struct fuse_file_info *info) {
        const struct simulation *simulation = filesystem_of(request)->simulation;
        char name[TREE_NAME_MAX], *buffer = malloc(size);
        struct stat stat = { .st_mode = S_IFDIR, .st_ino = inode };
        struct tree_file file;
        size_t used = 0;
        uint64_t cursor, child;
        int r = get_file(request, inode, &file);

        (void)info;
        if (!buffer)
                err(EXIT_FAILURE, "readdir");
        if (r < 0) {
                fuse_reply_err(request, -r);
                free(buffer);
                return;
        }
        for (; offset < 2; offset++) {
                size_t n =
                        fuse_add_direntry(request, buffer + used, size - used, offset ? ".." : ".", &stat, offset + 1);

                if (n > size - used)
                        goto full;
                used += n;
        }
        cursor = offset < FIRST_CURSOR ? 0 : (uint64_t)offset - FIRST_CURSOR;
        while (tree_next(simulation, inode, &cursor, name, &child)) {
                size_t n;

                stat.st_ino = child;
                stat.st_mode = tree_get(simulation, child, &file) == 0 ? file.row->mode : S_IFREG;
                n = fuse_add_direntry(request, buffer + used, size - used, name, &stat, (off_t)(cursor + FIRST_CURSOR));
                if (n > size - used)
                        break;
                used += n;
        }
full:
        fuse_reply_buf(request, buffer, used);
        free(buffer);
}

static const struct fuse_lowlevel_ops operations = {
        .init = handle_init,
        .lookup = handle_lookup,
        .getattr = handle_getattr,
        .setattr = handle_setattr,
        .readlink = handle_readlink,
        .open = handle_open,
        .read = handle_read,
        .write = handle_write,
        .readdir = handle_readdir,
};

/* SIGTERM and SIGINT as a file descriptor. Returns it or -errno. */
static int open_signals(void) {
        sigset_t set;
        int fd;

        if (sigemptyset(&set) < 0 || sigaddset(&set, SIGTERM) < 0 || sigaddset(&set, SIGINT) < 0 ||
            sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        fd = signalfd(-1, &set, SFD_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int serve_requests(struct fuse_session *session, struct writes *writes, int signal_fd) {
        struct pollfd fds[] = { { .fd = fuse_session_fd(session), .events = POLLIN },
                                { .fd = signal_fd, .events = POLLIN } };
        struct fuse_buf buffer = { .mem = NULL };
        int r = 0;

        while (!fuse_session_exited(session)) {
                if (poll(fds, 2, writes_timeout_msec(writes)) < 0 && errno != EINTR) {
                        r = -errno;
                        break;
                }
                if (fds[1].revents)
                        break;
                if (fds[0].revents) {
                        r = fuse_session_receive_buf(session, &buffer);
                        if (r == -EINTR)
                                continue;
                        if (r <= 0)
                                break;
                        fuse_session_process_buf(session, &buffer);
                }
                writes_settle(writes);
        }
        free(buffer.mem);
        return r < 0 ? r : 0;
}

int filesystem_serve(struct simulation *simulation, const char *mountpoint) {
        struct filesystem filesystem = { .simulation = simulation, .writes.simulation = simulation };
        char *options[] = { (char *)(uintptr_t) "memsim", (char *)(uintptr_t) "-o",
                            (char *)(uintptr_t) "allow_other,default_permissions,fsname=memsim" };
        struct fuse_args arguments = FUSE_ARGS_INIT(3, options);
        struct fuse_session *session = fuse_session_new(&arguments, &operations, sizeof(operations), &filesystem);
        int signal_fd, r;

        fuse_opt_free_args(&arguments);
        if (!session)
                return -EINVAL;
        signal_fd = open_signals();
        if (signal_fd < 0) {
                fuse_session_destroy(session);
                return signal_fd;
        }
        r = fuse_session_mount(session, mountpoint) < 0 ? -EIO : 0;
        if (r == 0) {
                (void)puts("ready");
                (void)fclose(stdout);
                r = serve_requests(session, &filesystem.writes, signal_fd);
                fuse_session_unmount(session);
        }
        writes_clear(&filesystem.writes);
        fuse_session_destroy(session);
        (void)close(signal_fd);
        return r;
}
