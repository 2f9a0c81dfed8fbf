/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver.h"

#include <errno.h>
#include <string.h>

#include "hotplug.h"
#include "quantity.h"

/* memory_add_physaddr_to_nid(): the node of the nearest memory below, else node 0. */
static int nearest_node(const struct machine *machine, uint64_t address) {
        int node = 0;

        for (size_t i = 0; i < machine->blocks.n_runs; i++)
                if (machine->blocks.runs[i].first * machine->block_size < address)
                        node = machine->blocks.runs[i].block.node;
        return node;
}

static int run_command(struct machine *machine, const char *text) {
        char verb[24], start_text[32], size_text[32], flag[24];
        struct memory_add add = { .name = "System RAM" };
        int n = sscanf(text, "%23s %31s %31s %23s", verb, start_text, size_text, flag);

        if (n < 3 || quantity_parse(start_text, &add.start) < 0 || quantity_parse(size_text, &add.size) < 0)
                return -EINVAL;
        if (n == 4 && (strcmp(verb, "add") != 0 || strcmp(flag, "memmap_on_memory") != 0))
                return -EINVAL;
        if (strcmp(verb, "add") == 0) {
                add.node = nearest_node(machine, add.start);
                add.memmap_on_memory = n == 4;
                return memory_add(machine, &add);
        }
        if (strcmp(verb, "remove") == 0)
                return memory_remove(machine, add.start, add.size);
        if (strcmp(verb, "offline_and_remove") == 0)
                return memory_offline_and_remove(machine, add.start, add.size);
        if (strcmp(verb, "read") == 0)
                return memory_read(machine, add.start, add.size);
        return -EINVAL;
}

int driver_store(struct simulation *simulation, uint64_t object, const char *text) {
        (void)object;
        simulation->driver_result = run_command(&simulation->machine, text);
        return simulation->driver_result;
}

int driver_show(const struct simulation *simulation, uint64_t object, FILE *out) {
        const char *name = strerrorname_np(-simulation->driver_result);

        (void)object;
        (void)fprintf(out, "%s\n", simulation->driver_result && name ? name : "0");
        return 0;
}
