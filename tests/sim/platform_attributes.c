/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where the platform itself adds and removes memory: /sys/kernel/dlpar and the device tree of a pseries partition
 * (arch/powerpc/platforms/pseries/hotplug-memory.c; an LMB is one block here), /sys/firmware/memory of s390
 * (drivers/s390/char/sclp_mem.c, Linux 6.19).
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "attributes.h"
#include "hotplug.h"

/* The DRC indexes of LMBs count from here. */
#define FIRST_INDEX UINT32_C(0x80000000)

bool is_pseries(const struct simulation *simulation, uint64_t object) {
        (void)object;
        return strcmp(simulation->machine.architecture, "ppc64le") == 0;
}

bool is_s390(const struct simulation *simulation, uint64_t object) {
        (void)object;
        return strcmp(simulation->machine.architecture, "s390x") == 0;
}

int show_dlpar(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("memory,cpu\n", out);
        return 0;
}

/* dlpar_memory_remove_by_index() takes the LMB offline by itself. */
int store_dlpar(struct simulation *simulation, uint64_t object, const char *text) {
        struct machine *machine = &simulation->machine;
        uint32_t index;
        char end;

        (void)object;
        if (sscanf(text, "memory remove index %" SCNi32 "%c", (int32_t *)&index, &end) != 1 || index < FIRST_INDEX)
                return -EINVAL;
        if (!blocks_find(&machine->blocks, index - FIRST_INDEX))
                return -EINVAL;
        return memory_offline_and_remove(machine, (index - FIRST_INDEX) * machine->block_size, machine->block_size);
}

static void put_cell(FILE *out, uint32_t value) {
        for (int shift = 24; shift >= 0; shift -= 8)
                (void)fputc((int)(value >> shift & 0xff), out);
}

static void put_address(FILE *out, uint64_t value) {
        put_cell(out, (uint32_t)(value >> 32));
        put_cell(out, (uint32_t)value);
}

int show_lmb_size(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        put_address(out, simulation->machine.block_size);
        return 0;
}

/* One run of LMBs, from address 0 to where the last block ends. */
int show_lmbs(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct blocks *blocks = &simulation->machine.blocks;
        const struct run *last = &blocks->runs[blocks->n_runs - 1];

        (void)object;
        put_cell(out, 1);
        put_cell(out, (uint32_t)(last->first + last->n));
        put_address(out, 0);
        put_cell(out, FIRST_INDEX);
        put_cell(out, 0);
        put_cell(out, 8); /* DRCONF_MEM_ASSIGNED */
        return 0;
}

/* Here a block that is no longer configured has no folder any more. */
int show_block_config(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("1\n", out);
        return 0;
}

int store_block_config(struct simulation *simulation, uint64_t object, const char *text) {
        struct machine *machine = &simulation->machine;

        if (strcmp(text, "0") != 0)
                return strcmp(text, "1") == 0 ? 0 : -EINVAL;
        return memory_remove(machine, object * machine->block_size, machine->block_size);
}
