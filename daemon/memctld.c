/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "bus.h"
#include "cleanup.h"
#include "config.h"
#include "log.h"
#include "options.h"
#include "worker-process.h"

static void on_ready(void *userdata) {
        (void)userdata;
        log_info("Ready");
        (void)sd_notify(false, "READY=1\nSTATUS=Serving org.memctl1");
}

static void on_failed(int error, void *userdata) {
        (void)sd_event_exit(userdata, error);
}

static void on_idle(void *userdata) {
        (void)sd_event_exit(userdata, 0);
}

static int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        (void)source;
        log_info("%s: cancelling what runs and rolling it back", strsignal((int)info->ssi_signo));
        (void)sd_notify(false, "STOPPING=1\nSTATUS=Rolling back");
        service_stop(userdata);
        return 0;
}

static int on_reload_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        (void)source;
        (void)info;
        service_reload(userdata);
        return 0;
}

/*
 * memctld.socket holds the netlink socket over restarts, so that no event is lost in between; the fd store holds the
 * inhibitors. Each comes with its name.
 */
struct inherited {
        char **names;
        int uevent_fd; /* -1: none */
        struct stored_fd *stored;
        size_t n_stored;
};

static int take_inherited(struct inherited *ret) {
        struct inherited inherited = { .uevent_fd = -1 };
        int n = sd_listen_fds_with_names(true, &inherited.names);

        if (n <= 0) {
                *ret = inherited;
                return n;
        }
        inherited.stored = calloc((size_t)n, sizeof(*inherited.stored));
        if (!inherited.stored)
                return log_oom();
        for (int i = 0; i < n; i++)
                if (inherited.uevent_fd < 0 && sd_is_socket(SD_LISTEN_FDS_START + i, AF_NETLINK, 0, -1) > 0)
                        inherited.uevent_fd = SD_LISTEN_FDS_START + i;
                else
                        inherited.stored[inherited.n_stored++] =
                                (struct stored_fd){ SD_LISTEN_FDS_START + i, inherited.names[i] };
        *ret = inherited;
        return 0;
}

static void inherited_clear(struct inherited *inherited) {
        for (char **name = inherited->names; name && *name; name++)
                free(*name);
        free(inherited->names);
        free(inherited->stored);
}

static int add_signals(sd_event *event, struct service *service) {
        int r;

        r = sd_event_add_signal(event, NULL, SIGTERM, on_stop_signal, service);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, on_stop_signal, service);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGHUP, on_reload_signal, service);
        return r;
}

static int block_signals(void) {
        sigset_t mask;

        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGHUP);
        sigaddset(&mask, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &mask, NULL) < 0 ? -errno : 0;
}

/*
 * Memory is brought online when there is too little of it: that must not wait for pages of ours. Where the limit is not
 * infinite a lock on what is yet to come would make allocations fail instead.
 */
static void lock_memory(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY &&
            mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
                log_errno(LOG_WARNING, -errno, "Cannot lock the service's memory");
}

static int serve(const struct options *options) {
        _cleanup_(inherited_clear) struct inherited inherited = { .uevent_fd = -1 };
        struct manager_options manager = { .executable = "/proc/self/exe", .sysroot = options->sysroot };
        sd_event *event = NULL;
        struct service *service = NULL;
        int r;

        r = block_signals();
        if (r < 0)
                return r;
        r = take_inherited(&inherited);
        if (r >= 0)
                r = sd_event_default(&event);
        if (r < 0)
                return r;
        manager.uevent_fd = inherited.uevent_fd;
        manager.stored = inherited.stored;
        manager.n_stored = inherited.n_stored;
        (void)sd_event_set_watchdog(event, true);
        r = service_new(event, &manager,
                        &(struct service_callbacks){ .ready = on_ready, .failed = on_failed, .idle = on_idle }, event,
                        &service);
        if (r >= 0)
                r = add_signals(event, service);
        if (r >= 0)
                r = sd_event_loop(event);
        service_free(service);
        sd_event_unref(event);
        return r;
}

/*
 * The unit's StandardInput= is /proc/iomem, opened by root: only such an fd shows addresses. ProtectProc= gives the
 * unit a procfs mount of its own, so the device numbers differ; an entry's inode number is the same in each.
 */
static bool stdin_is_iomem(void) {
        struct stat input, iomem;
        struct statfs filesystem;

        return fstatfs(STDIN_FILENO, &filesystem) == 0 && filesystem.f_type == PROC_SUPER_MAGIC &&
               fstat(STDIN_FILENO, &input) == 0 && stat("/proc/iomem", &iomem) == 0 && input.st_ino == iomem.st_ino;
}

static int work(const struct options *options) {
        struct sysfs sysfs;
        int r;

        r = sysfs_open(options->sysroot, NULL, &sysfs);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot open %s", options->sysroot ? options->sysroot : "/");
        if (!options->sysroot && stdin_is_iomem())
                sysfs.iomem_fd = STDIN_FILENO;
        r = worker_process_run(WORKER_SOCKET_FD, &sysfs);
        sysfs_close(&sysfs);
        return r;
}

static int introspect(const char *path) {
        int r = service_introspect(path, stdout);

        if (r == -ENOENT)
                fprintf(stderr,
                        "memctld: %s is no object of org.memctl1; there are /org/memctl1, /org/memctl1/range/NAME and "
                        "/org/memctl1/job/N\n",
                        path);
        else if (r < 0)
                fprintf(stderr, "memctld: cannot introspect %s: %s\n", path, strerror(-r));
        return r;
}

int main(int argc, char *argv[]) {
        struct options options;
        int r = options_parse(argc, argv, &options);

        if (r < 0)
                return 2;
        switch (options.mode) {
        case MODE_HELP:
                options_print_help();
                return 0;
        case MODE_VERSION:
                puts("memctld " MEMCTL_VERSION);
                return 0;
        case MODE_INTROSPECT:
                r = introspect(options.introspect_path);
                return r == -ENOENT ? 2 : r < 0;
        case MODE_WORKER:
                lock_memory();
                r = work(&options);
                break;
        default:
                lock_memory();
                r = serve(&options);
        }
        return r < 0;
}
