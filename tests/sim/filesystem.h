/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "simulation.h"

/*
 * Mounts the machine at `mountpoint`, says "ready" on standard output and serves it until SIGTERM, SIGINT or an
 * unmount. One thread: requests that have to wait are answered later (writes.h), so that none blocks another.
 * Returns 0 or -errno.
 */
int filesystem_serve(struct simulation *simulation, const char *mountpoint);
