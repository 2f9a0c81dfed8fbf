/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uevent.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* UEVENT_BUFFER_SIZE of the kernel */
#define PAYLOAD_MAX 2048

struct uevents {
        int fd;
        int nowhere_fd; /* in a namespace where nobody listens */
        uint64_t *lost; /* events still to come before each one to be lost, itself included */
        size_t n_lost;
};

static int open_socket(void) {
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

        return fd < 0 ? -errno : fd;
}

/* A socket stays in the namespace it was opened in. */
static int open_socket_nowhere(void) {
        int home, fd, r = 0;

        home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (home < 0)
                return -errno;
        if (unshare(CLONE_NEWNET) < 0)
                fd = -errno;
        else {
                fd = open_socket();
                if (setns(home, CLONE_NEWNET) < 0)
                        r = -errno;
        }
        (void)close(home);
        return r < 0 ? r : fd;
}

int uevents_open(struct uevents **ret) {
        struct uevents *uevents = calloc(1, sizeof(*uevents));

        if (!uevents)
                return -ENOMEM;
        uevents->nowhere_fd = -1;
        uevents->fd = open_socket();
        if (uevents->fd >= 0)
                uevents->nowhere_fd = open_socket_nowhere();
        if (uevents->fd < 0 || uevents->nowhere_fd < 0) {
                int r = uevents->fd < 0 ? uevents->fd : uevents->nowhere_fd;

                uevents_free(uevents);
                return r;
        }
        *ret = uevents;
        return 0;
}

struct uevents *uevents_free(struct uevents *uevents) {
        if (!uevents)
                return NULL;
        if (uevents->fd >= 0)
                (void)close(uevents->fd);
        if (uevents->nowhere_fd >= 0)
                (void)close(uevents->nowhere_fd);
        free(uevents->lost);
        free(uevents);
        return NULL;
}

void uevents_lose(struct uevents *uevents, uint64_t nth) {
        uint64_t *lost;

        if (!uevents)
                return;
        lost = reallocarray(uevents->lost, uevents->n_lost + 1, sizeof(*lost));
        if (!lost)
                err(EXIT_FAILURE, "uevents");
        uevents->lost = lost;
        uevents->lost[uevents->n_lost++] = nth;
}

void uevents_lose_none(struct uevents *uevents) {
        if (uevents)
                uevents->n_lost = 0;
}

static bool is_lost(struct uevents *uevents) {
        bool lost = false;

        for (size_t i = uevents->n_lost; i-- > 0;) {
                if (--uevents->lost[i] > 0)
                        continue;
                lost = true;
                uevents->lost[i] = uevents->lost[--uevents->n_lost];
        }
        return lost;
}

struct payload {
        char text[PAYLOAD_MAX];
        size_t size;
};

/* Appends a string and its NUL. */
__attribute__((format(printf, 2, 3))) static void add(struct payload *payload, const char *format, ...) {
        size_t room = sizeof(payload->text) - payload->size;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vsnprintf(payload->text + payload->size, room, format, arguments);
        va_end(arguments);
        if (n < 0 || (size_t)n >= room)
                errx(EXIT_FAILURE, "uevent too long");
        payload->size += (size_t)n + 1;
}

void uevents_send(struct uevents *uevents, const char *action, const char *device, const char *subsystem,
                  const char *properties) {
        struct payload payload = { .size = 0 };
        struct nlmsghdr header = { .nlmsg_type = NLMSG_MIN_TYPE, .nlmsg_flags = NLM_F_REQUEST };
        struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        struct iovec parts[2];
        struct msghdr message = {
                .msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = parts, .msg_iovlen = 2
        };
        int fd;

        if (!uevents)
                return;
        fd = is_lost(uevents) ? uevents->nowhere_fd : uevents->fd;
        add(&payload, "%s@%s", action, device);
        add(&payload, "ACTION=%s", action);
        add(&payload, "DEVPATH=%s", device);
        add(&payload, "SUBSYSTEM=%s", subsystem);
        while (properties && *properties) {
                size_t n = strcspn(properties, "\n");

                add(&payload, "%.*s", (int)n, properties);
                properties += n + (properties[n] == '\n');
        }
        header.nlmsg_len = NLMSG_LENGTH((uint32_t)payload.size);
        parts[0] = (struct iovec){ &header, sizeof(header) };
        parts[1] = (struct iovec){ payload.text, payload.size };
        /* A listener whose buffer is full has lost the event: its own affair, as with the kernel. */
        if (sendmsg(fd, &message, 0) < 0 && errno != ENOBUFS)
                warn("uevent %s of %s", action, device);
}
