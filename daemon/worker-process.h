/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The worker process: takes requests (worker.h) from its socket until the other end is closed. */

#include "sysfs.h"

/* Where the process finds its socket. */
#define WORKER_SOCKET_FD 3

/*
 * Serves requests on `socket_fd`. The calling process ends with the parent that made the socket. Returns 0 once the
 * other end is closed, else -errno.
 */
int worker_process_run(int socket_fd, const struct sysfs *sysfs);
