/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <unistd.h>

static bool is_wanted(const struct options *options) {
        return !options->host && !options->machine && geteuid() != 0 && isatty(STDIN_FILENO);
}

/*
 * A session's own agent, that of a desktop, comes first. Where there is no session (a container's shell, ssh without
 * PAM) polkit 122 does not take a fallback into account, and nobody would be asked. It looks for a process's session
 * in the same way.
 */
static bool in_session(void) {
        char *session = NULL;
        uid_t owner;
        bool found;

        found = sd_pid_get_session(0, &session) >= 0 ||
                (sd_pid_get_owner_uid(0, &owner) >= 0 && sd_uid_get_display(owner, &session) >= 0);
        free(session);
        return found;
}

static void run_agent(int notify_fd, pid_t parent) {
        const char *fallback = in_session() ? "--fallback" : NULL;
        char number[16];

        snprintf(number, sizeof number, "%d", notify_fd);
        /* It outlives nobody: whoever is killed cannot end it. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent)
                execlp("pkttyagent", "pkttyagent", "--notify-fd", number, fallback, (char *)NULL);
        _exit(127);
}

/* It closes the pipe once it is registered, or when it ends. */
static void await_registration(int fd) {
        struct pollfd descriptor = { .fd = fd, .events = 0 };

        while (poll(&descriptor, 1, -1) < 0 && errno == EINTR)
                ;
}

pid_t agent_open(const struct options *options) {
        pid_t parent = getpid(), agent;
        int fds[2];

        if (!is_wanted(options) || pipe(fds) < 0)
                return 0;

        agent = fork();
        if (agent == 0) {
                close(fds[0]);
                run_agent(fds[1], parent);
        }

        close(fds[1]);
        if (agent > 0)
                await_registration(fds[0]);
        close(fds[0]);
        return agent > 0 ? agent : 0;
}

void agent_close(pid_t agent) {
        if (agent == 0)
                return;

        kill(agent, SIGTERM);
        kill(agent, SIGCONT); /* it may have been stopped for reading the terminal */
        while (waitpid(agent, NULL, 0) < 0 && errno == EINTR)
                ;
}
