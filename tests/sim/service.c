/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs a program as a service manager runs one of Type=notify (sd_notify(3)): says "ready PID" on standard output when
 * the program has said READY=1, so that who waits for it needs neither sleep nor poll, "watchdog" each time it says
 * WATCHDOG=1 after that (it does where WATCHDOG_USEC is set), and ends when it ends, with its exit status. SIGTERM is
 * passed on. The program's standard output is standard error.
 *
 *   service [--restart] [--socket] COMMAND…
 *
 * --restart: as Restart=always: starts the program again when it ends, unless it was SIGTERM here that ended it, and
 * gives it the fds it had put into its fd store (sd_pid_notify_with_fds(3)). --socket: it also gets what memctld.socket
 * holds, and holds over restarts: a netlink socket with the kernel's events.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STORE_MAX  256
#define NAME_LIMIT 64

struct stored {
        int fd;
        char name[NAME_LIMIT];
};

/* The fd store, and the socket unit's fd among its entries. */
static struct stored store[STORE_MAX];
static int n_stored;

static void store_fd(int fd, const char *name) {
        if (n_stored == STORE_MAX)
                errx(EXIT_FAILURE, "the fd store is full");
        store[n_stored].fd = fd;
        (void)snprintf(store[n_stored++].name, NAME_LIMIT, "%s", name);
}

static void unstore_fd(const char *name) {
        for (int i = 0; i < n_stored; i++)
                if (strcmp(store[i].name, name) == 0) {
                        (void)close(store[i].fd);
                        store[i] = store[--n_stored];
                        return;
                }
}

static void open_socket_unit(void) {
        struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                err(EXIT_FAILURE, "netlink");
        store_fd(fd, "memctld.socket");
}

/* In the child: fds from 3 on, as sd_listen_fds(3) has it. */
static void pass_fds(void) {
        char names[STORE_MAX * NAME_LIMIT] = "", number[16];
        int copies[STORE_MAX];

        if (n_stored == 0)
                return;
        /* First out of the way of the places they are to have. */
        for (int i = 0; i < n_stored; i++)
                copies[i] = fcntl(store[i].fd, F_DUPFD_CLOEXEC, 3 + STORE_MAX);
        for (int i = 0; i < n_stored; i++) {
                size_t length = strlen(names);

                if (dup2(copies[i], 3 + i) < 0)
                        _exit(EXIT_FAILURE);
                (void)snprintf(names + length, sizeof(names) - length, "%s%s", i > 0 ? ":" : "", store[i].name);
        }
        (void)snprintf(number, sizeof(number), "%d", n_stored);
        (void)setenv("LISTEN_FDS", number, 1);
        (void)setenv("LISTEN_FDNAMES", names, 1);
        (void)snprintf(number, sizeof(number), "%d", (int)getpid());
        (void)setenv("LISTEN_PID", number, 1);
}

/* An abstract socket: nothing to remove, and private to the network namespace. */
static int open_notify_socket(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        char name[sizeof(address.sun_path)];

        if (fd < 0)
                err(EXIT_FAILURE, "socket");
        (void)snprintf(name, sizeof(name), "@memctl-service-%d", (int)getpid());
        memcpy(address.sun_path + 1, name + 1, strlen(name + 1));
        if (bind(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + strlen(name))) < 0)
                err(EXIT_FAILURE, "bind");
        if (setenv("NOTIFY_SOCKET", name, 1) < 0)
                err(EXIT_FAILURE, "NOTIFY_SOCKET");
        return fd;
}

static int open_signals(sigset_t *before) {
        sigset_t set;
        int fd;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGTERM);
        (void)sigaddset(&set, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &set, before) < 0)
                err(EXIT_FAILURE, "signals");
        fd = signalfd(-1, &set, SFD_CLOEXEC);
        if (fd < 0)
                err(EXIT_FAILURE, "signals");
        return fd;
}

static pid_t start(char *argv[], const sigset_t *mask) {
        pid_t parent = getpid(), pid = fork();

        if (pid < 0)
                err(EXIT_FAILURE, "fork");
        if (pid > 0)
                return pid;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
                _exit(EXIT_FAILURE);
        (void)sigprocmask(SIG_SETMASK, mask, NULL);
        pass_fds();
        (void)execvp(argv[0], argv);
        warn("%s", argv[0]);
        _exit(127);
}

static ssize_t receive(int notify_fd, char *text, size_t size, int *ret_fd) {
        struct iovec vector = { text, size };
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        struct msghdr message = {
                .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        ssize_t n = recvmsg(notify_fd, &message, MSG_CMSG_CLOEXEC);
        const struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);

        *ret_fd = -1;
        if (header && header->cmsg_type == SCM_RIGHTS)
                memcpy(ret_fd, CMSG_DATA(header), sizeof(*ret_fd));
        return n;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void)vprintf(format, arguments);
        va_end(arguments);
        (void)fflush(stdout);
}

/* Takes one message. True if it has a line READY=1. */
static bool read_notification(int notify_fd, bool *ret_watchdog) {
        char text[4096], name[NAME_LIMIT] = "stored", *rest;
        bool is_ready = false, to_remove = false;
        int fd;
        ssize_t n = receive(notify_fd, text, sizeof(text) - 1, &fd);

        if (n <= 0)
                return false;
        text[n] = '\0';
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                is_ready = is_ready || strcmp(line, "READY=1") == 0;
                to_remove = to_remove || strcmp(line, "FDSTOREREMOVE=1") == 0;
                *ret_watchdog = *ret_watchdog || strcmp(line, "WATCHDOG=1") == 0;
                if (strncmp(line, "FDNAME=", 7) == 0)
                        (void)snprintf(name, sizeof(name), "%s", line + 7);
        }
        if (fd >= 0)
                store_fd(fd, name);
        else if (to_remove)
                unstore_fd(name);
        return is_ready;
}

/* Returns the exit status when the child has ended, else -1. */
static int handle_signal(int fd, pid_t child, bool *ret_stopping) {
        struct signalfd_siginfo info;
        int status;

        if (read(fd, &info, sizeof(info)) != sizeof(info))
                err(EXIT_FAILURE, "signals");
        if (info.ssi_signo == SIGTERM) {
                *ret_stopping = true;
                (void)kill(child, SIGTERM);
        } else if (waitpid(child, &status, WNOHANG) == child)
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return -1;
}

/* Runs the program once. Returns its exit status. */
static int run(char *argv[], int notify_fd, int signal_fd, const sigset_t *mask, bool *ret_stopping) {
        bool is_ready = false;
        int status = -1;
        pid_t child = start(argv, mask);

        while (status < 0) {
                bool watchdog = false;
                struct pollfd fds[] = { { .fd = notify_fd, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };

                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        err(EXIT_FAILURE, "poll");
                if (fds[0].revents && read_notification(notify_fd, &watchdog) && !is_ready) {
                        say("ready %d\n", (int)child);
                        is_ready = true;
                } else if (watchdog && is_ready)
                        say("watchdog\n");
                if (!fds[0].revents && fds[1].revents)
                        status = handle_signal(signal_fd, child, ret_stopping);
        }
        return status;
}

int main(int argc, char *argv[]) {
        int notify_fd, signal_fd, status;
        bool restarts = false, stopping = false;
        sigset_t mask;

        while (argc > 1 && strncmp(argv[1], "--", 2) == 0) {
                if (strcmp(argv[1], "--restart") == 0)
                        restarts = true;
                else if (strcmp(argv[1], "--socket") == 0)
                        open_socket_unit();
                else
                        argc = 0;
                argc--;
                argv++;
        }
        if (argc < 2) {
                (void)fputs("Usage: service [--restart] [--socket] COMMAND…\n", stderr);
                return 2;
        }
        notify_fd = open_notify_socket();
        signal_fd = open_signals(&mask);
        do
                status = run(argv + 1, notify_fd, signal_fd, &mask, &stopping);
        while (restarts && !stopping);
        return status;
}
