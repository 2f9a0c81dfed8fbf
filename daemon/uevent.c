/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "log.h"
#include "uevent-sequence.h"

#define KERNEL_GROUP         1
#define DATAGRAM_BYTES_MAX   8192
#define RECEIVE_BUFFER_BYTES (16 * 1024 * 1024)
/* So many datagrams are taken at a time that a burst cannot keep the bus waiting. */
#define DATAGRAMS_PER_TURN 256
/* So long an event may be late behind those with higher numbers. */
#define LATE_USEC (50 * USEC_PER_MSEC)

struct uevent_stream {
        struct nl_sock *socket;
        sd_event_source *source;
        struct uevent_sequence sequence;
        sd_event_source *late_timer; /* NULL: nothing is missing */
        uevent_fn on_event;
        uevent_loss_fn on_loss;
        void *userdata;
};

const char *uevent_property(const struct uevent *event, const char *key) {
        size_t key_length = strlen(key);
        const char *end = event->properties + event->properties_size_bytes;

        for (const char *line = event->properties; line < end; line += strlen(line) + 1)
                if (strncmp(line, key, key_length) == 0 && line[key_length] == '=')
                        return line + key_length + 1;
        return NULL;
}

int uevent_parse(const char *datagram, size_t size_bytes, struct uevent *ret) {
        struct uevent event = { 0 };
        const char *devpath, *seqnum, *slash;
        size_t header_length;
        char *end;

        if (size_bytes == 0 || datagram[size_bytes - 1] != '\0')
                return -EBADMSG;
        /* "ACTION@DEVPATH"; udevd's own messages start with "libudev" and are sent to another group. */
        header_length = strlen(datagram);
        if (!memchr(datagram, '@', header_length))
                return -EBADMSG;
        event.properties = datagram + header_length + 1;
        event.properties_size_bytes = size_bytes - header_length - 1;

        event.action = uevent_property(&event, "ACTION");
        event.subsystem = uevent_property(&event, "SUBSYSTEM");
        devpath = uevent_property(&event, "DEVPATH");
        seqnum = uevent_property(&event, "SEQNUM");
        if (!event.action || !event.subsystem || !devpath || !seqnum)
                return -EBADMSG;
        errno = 0;
        event.seqnum = strtoull(seqnum, &end, 10);
        if (errno != 0 || end == seqnum || *end != '\0')
                return -EBADMSG;
        slash = strrchr(devpath, '/');
        event.name = slash ? slash + 1 : devpath;
        *ret = event;
        return 0;
}

static void give_up_late(struct uevent_stream *stream) {
        stream->late_timer = sd_event_source_disable_unref(stream->late_timer);
        if (uevent_sequence_give_up(&stream->sequence))
                stream->on_loss(UEVENT_LOSS_GAP, stream->userdata);
}

static int on_late_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        give_up_late(userdata);
        return 0;
}

static void note_seqnum(struct uevent_stream *stream, uint64_t seqnum) {
        if (!uevent_sequence_take(&stream->sequence, seqnum))
                stream->on_loss(UEVENT_LOSS_GAP, stream->userdata);
        if (stream->sequence.missing == 0)
                stream->late_timer = sd_event_source_disable_unref(stream->late_timer);
        else if (!stream->late_timer &&
                 sd_event_add_time_relative(sd_event_source_get_event(stream->source), &stream->late_timer,
                                            CLOCK_MONOTONIC, LATE_USEC, 1, on_late_timer, stream) < 0)
                give_up_late(stream);
}

static void take_datagram(struct uevent_stream *stream, const char *datagram, size_t size_bytes) {
        struct uevent event;

        if (uevent_parse(datagram, size_bytes, &event) < 0) {
                log_debug("A uevent that cannot be read was dropped");
                return;
        }
        note_seqnum(stream, event.seqnum);
        stream->on_event(&event, stream->userdata);
}

/* Returns 1 if a datagram was taken, 0 if there is none, -errno. */
static int receive_one(struct uevent_stream *stream) {
        struct sockaddr_nl sender = { 0 };
        _cleanup_free_ unsigned char *buffer = NULL;
        _cleanup_free_ struct ucred *credentials = NULL;
        int n;

        errno = 0;
        n = nl_recv(stream->socket, &sender, &buffer, &credentials);
        if (n == -NLE_AGAIN || n == 0)
                return 0;
        /* libnl folds ENOBUFS and ENOMEM into NLE_NOMEM; the kernel reports an overrun as ENOBUFS. */
        if (n == -NLE_NOMEM) {
                stream->on_loss(UEVENT_LOSS_OVERRUN, stream->userdata);
                return 1;
        }
        /* What does not fit is not the kernel's. */
        if (n == -NLE_INTR || n == -NLE_MSG_TRUNC)
                return 1;
        if (n < 0)
                return log_errno(LOG_ERR, errno > 0 ? -errno : -EIO, "Cannot read the kernel's events");
        /* Only the kernel sends from port 0. */
        if (sender.nl_pid == 0)
                take_datagram(stream, (const char *)buffer, (size_t)n);
        return 1;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct uevent_stream *stream = userdata;

        (void)source;
        (void)fd;
        (void)revents;
        for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
                int r = receive_one(stream);

                if (r <= 0)
                        return r;
        }
        return 0;
}

void uevent_stream_take_all(struct uevent_stream *stream) {
        while (receive_one(stream) > 0)
                ;
}

static int adopt(struct nl_sock *sock, int fd) {
        /* libnl looks at the family and the protocol itself. */
        return nl_socket_set_fd(sock, NETLINK_KOBJECT_UEVENT, fd) < 0 ? -EPROTONOSUPPORT : 0;
}

static int connect_own(struct nl_sock *sock) {
        int size_bytes = RECEIVE_BUFFER_BYTES;

        nl_join_groups(sock, KERNEL_GROUP);
        if (nl_connect(sock, NETLINK_KOBJECT_UEVENT) < 0)
                return errno > 0 ? -errno : -EIO;
        /* Beyond net.core.rmem_max only with CAP_NET_ADMIN; without it a burst costs one resynchronisation. */
        (void)setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUF, &size_bytes, sizeof(size_bytes));
        return 0;
}

int uevent_stream_new(sd_event *event, int socket_fd, uevent_fn on_event, uevent_loss_fn on_loss, void *userdata,
                      struct uevent_stream **ret) {
        struct uevent_stream *stream;
        int r;

        stream = calloc(1, sizeof(*stream));
        if (!stream)
                return -ENOMEM;
        stream->on_event = on_event;
        stream->on_loss = on_loss;
        stream->userdata = userdata;
        stream->socket = nl_socket_alloc();
        if (!stream->socket) {
                r = -ENOMEM;
                goto fail;
        }
        /* Events are no answers to requests: their sequence numbers are not libnl's. */
        nl_socket_disable_seq_check(stream->socket);
        /* Asking for the size first would be a call more for each event. The kernel's have at most 2 KiB
         * (UEVENT_BUFFER_SIZE), a header included. */
        r = nl_socket_set_msg_buf_size(stream->socket, DATAGRAM_BYTES_MAX) < 0 ? -ENOMEM : 0;
        if (r < 0)
                goto fail;
        r = socket_fd >= 0 ? adopt(stream->socket, socket_fd) : connect_own(stream->socket);
        if (r < 0)
                goto fail;
        if (nl_socket_set_nonblocking(stream->socket) < 0) {
                r = -EIO;
                goto fail;
        }
        r = sd_event_add_io(event, &stream->source, nl_socket_get_fd(stream->socket), EPOLLIN, on_readable, stream);
        if (r < 0)
                goto fail;
        (void)sd_event_source_set_description(stream->source, "uevent");
        *ret = stream;
        return 0;

fail:
        uevent_stream_free(stream);
        return r;
}

struct uevent_stream *uevent_stream_free(struct uevent_stream *stream) {
        if (!stream)
                return NULL;
        sd_event_source_disable_unref(stream->source);
        sd_event_source_disable_unref(stream->late_timer);
        if (stream->socket)
                nl_socket_free(stream->socket);
        free(stream);
        return NULL;
}
