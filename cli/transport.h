/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Transport: the bus to talk on, of this machine, of another over ssh, or of a local container. */

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "options.h"

/*
 * Opens it as --host and --machine say. Ctrl-C does not reach the ssh that is started: it ends with the connection, so
 * that a cancel can still be sent, and with this process. Its pid is for transport_close(), 0 where there is none.
 * Returns 0, -EINVAL for a host that makes no sense, -errno.
 */
int transport_open(const struct options *options, sd_bus **ret, pid_t *ret_ssh);
/* Takes NULL and 0. */
void transport_close(sd_bus *bus, pid_t ssh);
