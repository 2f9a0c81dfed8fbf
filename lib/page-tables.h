/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The kernel's own page tables as debugfs prints them: kernel_page_tables (arm64) or page_tables/kernel (x86-64), with
 * CONFIG_PTDUMP_DEBUGFS (arch/arm64/mm/ptdump.c, arch/x86/mm/dump_pagetables.c). Virtual addresses only: where in them
 * a physical address lies is not told. So this is the largest leaf of the whole linear map, and never finer than any
 * range's own.
 */

#include <stdint.h>

#include "granularity.h"
#include "sysfs.h"

/*
 * The largest leaf of the linear map. Returns 0; -errno where debugfs does not have the file or lets nobody read it;
 * -EBADMSG where it has no linear map, or a level that this architecture and page size have no size for; -ENOMEM.
 */
int page_tables_largest_leaf(const struct sysfs *sysfs, const struct machine *machine, uint64_t *ret_bytes);

/* The same of such a file's text. */
int page_tables_parse(const char *text, const struct machine *machine, uint64_t *ret_bytes);
