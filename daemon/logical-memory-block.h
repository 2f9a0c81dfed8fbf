/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The LMBs (logical memory blocks) of a pseries partition, from the device tree that the firmware gave the kernel: node
 * ibm,dynamic-reconfiguration-memory (LoPAR; arch/powerpc/include/asm/drmem.h has both layouts). /sys/kernel/dlpar
 * knows an LMB by its DRC index alone.
 */

#include <stdint.h>

#include "sysfs.h"

/* The DRC index of the LMB that holds an address. Returns 0, -ENXIO if none does, -ENOENT without such a node, -errno.
 */
int logical_memory_block_index(const struct sysfs *sysfs, uint64_t address, uint32_t *ret);
