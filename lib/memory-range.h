/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The memory_range bus: rangeN below SYSFS_MEMORY_RANGE, and the device each range belongs to. */

#include "extent.h"
#include "range.h"
#include "sysfs.h"

/* A dax device whose driver is kmem: memory of it is removed by unbinding it. */
struct dax_device {
        char *name;       /* "dax0.0" */
        uint64_t start;   /* address */
        uint64_t n_bytes; /* its whole size: kmem uses the blocks that lie wholly inside */
};

struct dax_devices {
        struct dax_device *items;
        size_t n;
};

/*
 * Reads /sys/bus/dax/devices. Devices without the kmem driver and those whose address is not shown (only root may read
 * it) are left out. Returns 0, also without a dax bus, or -ENOMEM.
 */
int dax_devices_read(const struct sysfs *sysfs, struct dax_devices *ret);
void dax_devices_clear(struct dax_devices *devices);
/* The whole blocks inside a device. */
struct span dax_device_span(const struct dax_device *device, uint64_t block_size_bytes);

/* "PNP0C80:00"; NULL without memory. */
char *acpi_device_name(uint32_t acpi);

struct range_reading {
        uint64_t block_size_bytes;
        const struct dax_devices *dax;
        enum range_driver platform_driver; /* of a plain "System RAM" without an ACPI device */
};

/*
 * Reads one range. Returns 0 and a range to be cleared with range_clear(); -ENOENT if it is gone (or going, or
 * without a whole block); -errno.
 */
int range_read(const struct sysfs *sysfs, uint64_t number, const struct range_reading *reading, struct range *ret);
/* Reads all of them, unsorted. Returns 0, -ENOENT without the bus, -errno. */
int range_list_read(const struct sysfs *sysfs, const struct range_reading *reading, struct range_list *ret);
