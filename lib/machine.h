/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What kind of machine a root directory shows: the running one, a saved one, or a simulated one. */

#include "granularity.h"
#include "range.h"
#include "sysfs.h"

/* What the kernel checks by itself; the D-Bus property KernelGuard. */
enum kernel_guard {
        GUARD_REMOVAL, /* the memory_range bus exists: a removal that splits a mapping is refused */
        GUARD_OFFLINE, /* arm64 and Linux ≥ 7.1 without the bus: offlining part of a mapping is refused */
        GUARD_NONE,
        GUARD_UNKNOWN,
        _KERNEL_GUARD_MAX,
};

/*
 * Architecture: proc/sys/kernel/arch below the root (Linux ≥ 6.1), else what proc/cpuinfo there looks like, else the
 * running kernel's. Page size: page_size_bytes if not 0, else the running kernel's if the root is "/" and the
 * architecture its own, else the one that goes with the block size (arm64: 128 MiB blocks mean pages of up to 16K,
 * larger blocks are taken for 64K pages, whose leaves are the largest; others: 4K). Never fails: what cannot be told is
 * the value that makes the estimate coarser.
 */
struct machine machine_read(const struct sysfs *sysfs, uint64_t block_size_bytes, uint64_t page_size_bytes);

enum { AUTO_ONLINE_SIZE = 24 };

/* auto_online_blocks: "offline", "online", …; "" where it cannot be read. */
void auto_online_read(const struct sysfs *sysfs, char ret[static AUTO_ONLINE_SIZE]);

/* Whether the kernel has the memory_range bus, and what it checks by itself. */
enum kernel_guard kernel_guard_read(const struct sysfs *sysfs, const struct machine *machine);
const char *kernel_guard_to_string(enum kernel_guard guard);

/*
 * Who adds memory named plain "System RAM" that has no ACPI device: DRIVER_PSERIES (sys/kernel/dlpar),
 * DRIVER_S390 (sys/firmware/memory), else DRIVER_OTHER.
 */
enum range_driver platform_driver_read(const struct sysfs *sysfs);
