/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

/* "[USER@]HOST[:PORT][/CONTAINER]", as systemctl(1) has it. */
struct host {
        char *name; /* with the user */
        char *port;
        char *container;
};

static void host_clear(struct host *host) {
        free(host->name);
        free(host->port);
        free(host->container);
}

static bool is_number(const char *text) {
        return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static int parse_host(const char *text, struct host *ret) {
        const char *slash = strchr(text, '/');
        struct host host = { .name = strndup(text, slash ? (size_t)(slash - text) : strlen(text)) };
        char *colon = host.name ? strrchr(host.name, ':') : NULL;
        int r = 0;

        if (slash)
                host.container = strdup(slash + 1);
        /* The colons of an IPv6 address are no port's, unless it stands in brackets. */
        if (colon && (strchr(host.name, ':') == colon || colon[-1] == ']') && is_number(colon + 1)) {
                host.port = strdup(colon + 1);
                *colon = '\0';
        }

        if (!host.name || (slash && !host.container) || (colon && *colon == '\0' && !host.port))
                r = -ENOMEM;
        else if (*host.name == '\0' || *host.name == '-' || (host.container && *host.container == '\0'))
                r = -EINVAL;
        if (r < 0) {
                host_clear(&host);
                return r;
        }

        *ret = host;
        return 0;
}

/* What stays open of this process is close-on-exec, but the terminal, which ssh asks for passwords. */
static void run_ssh(const struct host *host, int fd, pid_t parent) {
        char ssh[] = "ssh", no_x11_no_terminal[] = "-xT", port[] = "-p", end_of_options[] = "--",
             bridge[] = "systemd-stdio-bridge";
        _cleanup_free_ char *container = NULL;
        char *arguments[8];
        size_t n = 0;

        arguments[n++] = ssh;
        arguments[n++] = no_x11_no_terminal;
        if (host->port) {
                arguments[n++] = port;
                arguments[n++] = host->port;
        }
        arguments[n++] = end_of_options;
        arguments[n++] = host->name;
        arguments[n++] = bridge;
        if (host->container) {
                container = format_string("--machine=%s", host->container);
                if (!container)
                        return;
                arguments[n++] = container;
        }
        arguments[n] = NULL;

        if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
                return;
        /*
         * An interrupt goes to all programs of the terminal. One that is ignored stays so over exec (ssh(1) asks for
         * that before it takes it). Whoever is interrupted while ssh connects must not leave it behind.
         */
        signal(SIGINT, SIG_IGN);
        signal(SIGPIPE, SIG_DFL);
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                return;

        execvp(ssh, arguments);
        fprintf(stderr, "memctl: cannot run ssh: %s\n", strerror(errno));
}

/* Returns 0, -errno. */
static int start_ssh(const struct host *host, int *ret_fd, pid_t *ret_ssh) {
        pid_t parent = getpid(), ssh;
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;

        ssh = fork();
        if (ssh == 0) {
                run_ssh(host, fds[1], parent);
                _exit(127);
        }
        close(fds[1]);
        if (ssh < 0) {
                close(fds[0]);
                return -EAGAIN;
        }

        *ret_fd = fds[0];
        *ret_ssh = ssh;
        return 0;
}

static int open_over_ssh(const struct host *host, sd_bus **ret, pid_t *ret_ssh) {
        sd_bus *bus = NULL;
        pid_t ssh = 0;
        int r, fd = -1;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = start_ssh(host, &fd, &ssh);
        if (r >= 0) {
                r = sd_bus_set_fd(bus, fd, fd);
                if (r < 0)
                        close(fd);
        }
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                transport_close(bus, ssh);
                return r;
        }

        *ret = bus;
        *ret_ssh = ssh;
        return 0;
}

int transport_open(const struct options *options, sd_bus **ret, pid_t *ret_ssh) {
        struct host host;
        int r;

        *ret_ssh = 0;
        if (options->machine)
                return sd_bus_open_system_machine(ret, options->machine);
        if (!options->host)
                return sd_bus_open_system(ret);

        r = parse_host(options->host, &host);
        if (r < 0)
                return r;
        r = open_over_ssh(&host, ret, ret_ssh);
        host_clear(&host);
        return r;
}

void transport_close(sd_bus *bus, pid_t ssh) {
        sd_bus_flush_close_unref(bus);
        if (ssh == 0)
                return;

        /* What it has to say it says before the prompt is back. */
        kill(ssh, SIGTERM);
        while (waitpid(ssh, NULL, 0) < 0 && errno == EINTR)
                ;
}
