/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon adds to the model's helpers: fds and bus objects that go with their scope, units of time. */

#include <systemd/sd-bus.h>
#include <unistd.h>

#include "util.h"

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_INFINITY UINT64_MAX

#define _cleanup_close_       _cleanup_(cleanup_close)
#define _cleanup_bus_message_ _cleanup_(cleanup_bus_message)
#define _cleanup_bus_error_   _cleanup_(sd_bus_error_free)

static inline int take_fd(int *fd) {
        int taken = *fd;

        *fd = -1;
        return taken;
}

static inline void cleanup_close(int *fd) {
        if (*fd >= 0)
                close(*fd);
}

static inline void cleanup_bus_message(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}
