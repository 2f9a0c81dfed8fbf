/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A third party's driver that adds and removes memory as it likes: /proc/hotplug-driver, in the language of the kernel
 * module tests/vm/hotplug-driver.c, so that one script drives both.
 *
 *      add START SIZE [memmap_on_memory]
 *      remove START SIZE               the blocks must be offline already
 *      offline_and_remove START SIZE
 *      read START SIZE                 one word of every page
 *
 * A write returns the command's errno; the file reads as the last command's result, by name.
 */

#include "attributes.h"

int driver_store(struct simulation *simulation, uint64_t object, const char *text);
int driver_show(const struct simulation *simulation, uint64_t object, FILE *out);
