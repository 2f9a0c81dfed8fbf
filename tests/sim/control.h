/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The control file: what no program inside the machine can do. One command a line; README.md lists them. A command
 * that fails ends the write with its errno and leaves a line in `log`.
 */

#include <stdbool.h>
#include <stdint.h>

#include "simulation.h"

int control_store(struct simulation *simulation, uint64_t object, const char *text);
/* True if a command in the text needs device_hotplug_lock: drivers' operations do, faults do not. */
bool control_takes_lock(const char *text);
