/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What /proc/iomem tells of memory on a kernel that exports no ranges.
 *
 * A driver that names its memory (MHP_MERGE_RESOURCE drivers and kmem: "System RAM (kmem)") has hot-added it. The
 * kernel's own image, reserved memory and the crash kernel lie in boot memory; so does a line that is not
 * block-aligned, because a hot-add must be (check_hotplug_memory_range() in mm/memory_hotplug.c). Anything else cannot
 * be told.
 */

#include <stddef.h>
#include <stdint.h>

#include "extent.h"
#include "range.h"

struct iomem_entry {
        struct span span; /* every block it touches */
        enum block_kind kind;
        enum range_driver driver;
        char *name;   /* "System RAM (kmem)" */
        char *device; /* the line it lies in where that is its device: "dax0.0"; or NULL */
};

/* In the file's order, which is by address. All-zero is the empty list. */
struct iomem {
        struct iomem_entry *items;
        size_t n;
        bool readable; /* addresses were shown: without CAP_SYS_ADMIN all are 0 */
};

/* Returns 0 or -ENOMEM; lines that make no sense are passed over. */
int iomem_parse(const char *text, uint64_t block_size_bytes, struct iomem *ret);
void iomem_clear(struct iomem *iomem);

/* The driver that a resource's name tells: DRIVER_OTHER for a plain "System RAM" and for names not known. */
enum range_driver driver_of_resource_name(const char *name);
