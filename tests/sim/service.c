/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs a program as a service manager runs one of Type=notify (sd_notify(3)): says "ready PID" on standard output when
 * the program has said READY=1, so that who waits for it needs neither sleep nor poll, and ends when it ends, with
 * its exit status. SIGTERM is passed on. The program's standard output is standard error.
 */

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
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
        (void)execvp(argv[0], argv);
        warn("%s", argv[0]);
        _exit(127);
}

/* True if the datagram has a line READY=1. */
static bool read_ready(int fd) {
        char text[4096], *rest;
        ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

        if (n <= 0)
                return false;
        text[n] = '\0';
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                if (strcmp(line, "READY=1") == 0)
                        return true;
        return false;
}

/* Returns the exit status when the child has ended, else -1. */
static int handle_signal(int fd, pid_t child) {
        struct signalfd_siginfo info;
        int status;

        if (read(fd, &info, sizeof(info)) != sizeof(info))
                err(EXIT_FAILURE, "signals");
        if (info.ssi_signo == SIGTERM)
                (void)kill(child, SIGTERM);
        else if (waitpid(child, &status, WNOHANG) == child)
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return -1;
}

int main(int argc, char *argv[]) {
        int notify_fd, signal_fd, status = -1;
        bool is_ready = false;
        sigset_t mask;
        pid_t child;

        if (argc < 2) {
                (void)fputs("Usage: service COMMAND…\n", stderr);
                return 2;
        }
        notify_fd = open_notify_socket();
        signal_fd = open_signals(&mask);
        child = start(argv + 1, &mask);
        while (status < 0) {
                struct pollfd fds[] = { { .fd = notify_fd, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };

                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        err(EXIT_FAILURE, "poll");
                if (fds[0].revents && read_ready(notify_fd) && !is_ready) {
                        (void)printf("ready %d\n", (int)child);
                        (void)fflush(stdout);
                        is_ready = true;
                }
                if (fds[1].revents)
                        status = handle_signal(signal_fd, child);
        }
        return status;
}
