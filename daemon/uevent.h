/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The kernel's own uevents (netlink(7), NETLINK_KOBJECT_UEVENT group 1): they come with and without udevd and carry
 * SEQNUM, so that a loss is seen. Knows nothing of what the events are for.
 */

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct uevent_stream;

struct uevent {
        const char *action;    /* "add", "online", …; never NULL, as the others */
        const char *subsystem; /* "memory", "memory_range", … */
        const char *name;      /* last component of DEVPATH */
        uint64_t seqnum;
        const char *properties; /* all KEY=VALUE strings, each NUL-terminated */
        size_t properties_size_bytes;
};

enum uevent_loss {
        UEVENT_LOSS_OVERRUN, /* the socket's buffer overflowed (ENOBUFS) */
        UEVENT_LOSS_GAP,     /* a SEQNUM did not come; also when another network namespace got an event of its own */
};

typedef void (*uevent_fn)(const struct uevent *event, void *userdata);
typedef void (*uevent_loss_fn)(enum uevent_loss loss, void *userdata);

/*
 * Parses one datagram of the kernel. Returns 0 and pointers into `datagram`, or -EBADMSG. The datagram must end
 * with a NUL.
 */
int uevent_parse(const char *datagram, size_t size_bytes, struct uevent *ret);
/* The value of a property, or NULL. */
const char *uevent_property(const struct uevent *event, const char *key);

/*
 * Listens on `socket_fd` (a bound NETLINK_KOBJECT_UEVENT socket, taken over) or, with -1, on a socket of its own.
 * Returns 0 or -errno; -EPROTONOSUPPORT if socket_fd is something else.
 */
int uevent_stream_new(sd_event *event, int socket_fd, uevent_fn on_event, uevent_loss_fn on_loss, void *userdata,
                      struct uevent_stream **ret);
/* Takes all that has come, for who has to know what happened until now; the loop takes it by and by otherwise. */
void uevent_stream_take_all(struct uevent_stream *stream);
/* Takes NULL, returns NULL. */
struct uevent_stream *uevent_stream_free(struct uevent_stream *stream);
