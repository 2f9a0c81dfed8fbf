/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints the kernel's events of memory, one a line: ACTION, DEVPATH and what else there is, but for SEQNUM, which
 * differs from run to run; with --seqnum it comes first. Says "listening" when it listens. An event that somebody
 * made by a write to a `uevent` file ends it: whoever wants to see all that came before sends one.
 */

#include <err.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (64 << 20)

static int open_socket(void) {
        struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
        int size = RECEIVE_BUFFER, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                err(EXIT_FAILURE, "uevents");
        /* More than the limit needs CAP_NET_ADMIN; an overrun is seen in any case. */
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        return fd;
}

static const char *find(const char *message, size_t size, const char *key) {
        size_t n = strlen(key);

        for (const char *at = message; at < message + size; at += strlen(at) + 1)
                if (strncmp(at, key, n) == 0 && at[n] == '=')
                        return at + n + 1;
        return NULL;
}

static bool is_about_memory(const char *subsystem) {
        static const char *const subsystems[] = { "memory", "memory_range", "node", "acpi", "dax" };

        for (size_t i = 0; subsystem && i < sizeof(subsystems) / sizeof(*subsystems); i++)
                if (strcmp(subsystem, subsystems[i]) == 0)
                        return true;
        return false;
}

static bool is_shown(const char *property) {
        static const char *const hidden[] = { "ACTION=", "DEVPATH=", "SUBSYSTEM=", "SEQNUM=" };

        for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
                if (strncmp(property, hidden[i], strlen(hidden[i])) == 0)
                        return false;
        return strchr(property, '=') != NULL;
}

static void print(const char *message, size_t size, bool with_seqnum) {
        if (with_seqnum)
                (void)printf("%s ", find(message, size, "SEQNUM"));
        (void)printf("%s %s", find(message, size, "ACTION"), find(message, size, "DEVPATH"));
        for (const char *at = message; at < message + size; at += strlen(at) + 1)
                if (is_shown(at))
                        (void)printf(" %s", at);
        (void)putchar('\n');
        (void)fflush(stdout);
}

int main(int argc, char *argv[]) {
        bool with_seqnum = argc == 2 && strcmp(argv[1], "--seqnum") == 0;
        char message[8192];
        int fd;

        if (argc > 1 && !with_seqnum) {
                (void)fputs("Usage: uevent-listener [--seqnum]\n", stderr);
                return 2;
        }
        fd = open_socket();
        (void)puts("listening");
        (void)fflush(stdout);
        for (;;) {
                ssize_t n = recv(fd, message, sizeof(message) - 1, 0);

                if (n < 0)
                        err(EXIT_FAILURE, "uevents");
                message[n] = '\0';
                if (find(message, (size_t)n, "SYNTH_UUID"))
                        break;
                if (is_about_memory(find(message, (size_t)n, "SUBSYSTEM")))
                        print(message, (size_t)n, with_seqnum);
        }
        (void)close(fd);
        return 0;
}
