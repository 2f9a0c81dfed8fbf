/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How each driver is told to let memory go. The memory must be offline by then. Only the worker process pulls a
 * trigger: each of these writes can wait.
 *
 *   ACPI     1 to /sys/bus/acpi/devices/PNP0C80:NN/eject: queues the ejection and returns
 *            (Documentation/ABI/testing/sysfs-bus-acpi)
 *   dax      the device's name to /sys/bus/dax/drivers/kmem/unbind: returns when all is over, with success even if the
 *            memory could not be removed (drivers/dax/kmem.c)
 *   pseries  "memory remove index 0x…" to /sys/kernel/dlpar: one LMB (arch/powerpc/platforms/pseries/dlpar.c)
 *   s390     0 to /sys/firmware/memory/memoryN/config: one block
 *            (Documentation/ABI/testing/sysfs-firmware-memory, Linux 6.19)
 */

#include <stdbool.h>
#include <stdint.h>

#include "inventory.h"
#include "sysfs.h"

/* Whether the whole device goes at once, so that it is told once; else it is told block by block. */
bool removal_takes_device(enum range_driver driver);
/* Whether everything has happened when the trigger returns; else it is only queued. */
bool removal_is_immediate(enum range_driver driver);

/*
 * Tells the driver. `device` counts where removal_takes_device(), `block` elsewhere. Returns 0, which does not say that
 * the memory went; or -errno, and then it has not: the kernel's, -EOPNOTSUPP for a driver that has no trigger, -EINVAL
 * for a device that is none, -ENXIO for a block that is in no LMB.
 */
int removal_trigger(const struct sysfs *sysfs, enum range_driver driver, const char *device, uint64_t block);
