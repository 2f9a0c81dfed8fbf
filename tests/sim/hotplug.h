/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The kernel's operations on memory, as mm/memory_hotplug.c and drivers/base/memory.c do them: the same checks in the
 * same order, the same errors, the same events. Drivers (devices.h, and the third party's behind the control file)
 * stand on these.
 */

#include "machine.h"

/* Not an error: the pages have nowhere to go and the kernel would try for ever, until a signal. */
#define OFFLINE_LOOPS 2

/* device_online() and device_offline() of a block: 0, 1 if it is so already, -errno, or OFFLINE_LOOPS. */
int block_online(struct machine *machine, uint64_t block, enum online_type type);
int block_offline(struct machine *machine, uint64_t block);

/* The zone that onlining the offline block with `type` would put it into (policy contig-zones). */
enum zone block_zone_for(const struct machine *machine, uint64_t block, enum online_type type);

struct memory_add {
        uint64_t start;
        uint64_t size;
        int node;
        const char *name;         /* of the resource; "System RAM", … */
        bool memmap_on_memory;    /* the driver passes MHP_MEMMAP_ON_MEMORY */
        bool granularity_unknown; /* see struct range */
};

/* add_memory(): 0, -EINVAL for what is not aligned to blocks, -EEXIST if memory is there. */
int memory_add(struct machine *machine, const struct memory_add *add);
/*
 * remove_memory(): 0, -EBUSY if a block is not offline or, with the guard, a leaf would be split; -EINVAL if it is
 * not hot-added memory. Without the guard a split is what it is: the machine dies of it.
 */
int memory_remove(struct machine *machine, uint64_t start, uint64_t size);
int memory_offline_and_remove(struct machine *machine, uint64_t start, uint64_t size);
/* Reads a word of every page: 0, or the machine dies where a page is no longer mapped. -EFAULT if it has none. */
int memory_read(struct machine *machine, uint64_t start, uint64_t size);
/* True, and a line in the log, if removing the span would split a leaf and the kernel has the guard. */
bool memory_guard_refuses(struct machine *machine, uint64_t start, uint64_t size);

/* "MEMORY_RANGE_START=…\n…": what the bus's uevent callback adds. */
void range_properties(const struct range *range, char *buffer, size_t size);
