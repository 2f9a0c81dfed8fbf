/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Transport: the bus to talk on, of this machine, of another over ssh, or of a local container. */

#include <systemd/sd-bus.h>

#include "options.h"

/*
 * Opens it as --host and --machine say. Ctrl-C does not reach the ssh that is started: it ends with the connection, so
 * that a cancel can still be sent. Returns 0, -EINVAL for a host that makes no sense, -errno.
 */
int transport_open(const struct options *options, sd_bus **ret);
