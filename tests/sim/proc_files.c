/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /proc/iomem and what else /proc tells of the machine, and the simulation's own log and status */

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "devices.h"

struct resource {
        uint64_t start;
        uint64_t end; /* last byte */
        int depth;
        const char *name;
};

/* Parents before what they hold. */
static int compare_resources(const void *a, const void *b) {
        const struct resource *x = a, *y = b;

        if (x->start != y->start)
                return x->start < y->start ? -1 : 1;
        return x->depth - y->depth;
}

static int depth_of_range(const struct machine *machine, const struct range *range) {
        for (size_t i = 0; i < machine->n_daxes; i++) {
                const struct dax *dax = &machine->daxes[i];

                if (range->start >= dax->start && range->start - dax->start < dax->size)
                        return 2;
        }
        return 0;
}

/* Where the kernel lies in the memory it was loaded to: 2 MiB from its start, with 16 MiB of code. */
#define KERNEL_OFFSET (UINT64_C(2) << 20)
#define KERNEL_SIZE   (UINT64_C(16) << 20)

static size_t collect(const struct machine *machine, struct resource *resources) {
        bool kernel_lies_somewhere = false;
        size_t n = 0;

        for (size_t i = 0; i < machine->n_boot; i++) {
                uint64_t start = machine->boot[i].start, size = machine->boot[i].size;

                resources[n++] = (struct resource){ start, start + size - 1, 0, "System RAM" };
                if (kernel_lies_somewhere || size < 2 * KERNEL_SIZE)
                        continue;
                resources[n++] = (struct resource){ start + KERNEL_OFFSET, start + KERNEL_OFFSET + KERNEL_SIZE - 1, 1,
                                                    "Kernel code" };
                kernel_lies_somewhere = true;
        }
        for (size_t i = 0; i < machine->n_daxes; i++) {
                const struct dax *dax = &machine->daxes[i];
                uint64_t end = dax->start + dax->size - 1;

                resources[n++] = (struct resource){ dax->start, end, 0, "Soft Reserved" };
                if (dax->driver != DAX_DRIVER_NONE || dax->stuck)
                        resources[n++] = (struct resource){ dax->start, end, 1, dax->name };
        }
        for (size_t i = 0; i < machine->n_ranges; i++) {
                const struct range *range = &machine->ranges[i];

                resources[n++] = (struct resource){ range->start, range->start + range->size - 1,
                                                    depth_of_range(machine, range), range->name };
        }
        qsort(resources, n, sizeof(*resources), compare_resources);
        return n;
}

/* The addresses are for who opened the file as root: the object tells. */
int show_iomem(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct machine *machine = &simulation->machine;
        size_t n_max = machine->n_boot + 1 + 2 * machine->n_daxes + machine->n_ranges, n;
        struct resource *resources = calloc(n_max, sizeof(*resources));

        if (!resources)
                err(EXIT_FAILURE, "iomem");
        n = collect(machine, resources);
        for (size_t i = 0; i < n; i++)
                (void)fprintf(out, "%*s%08" PRIx64 "-%08" PRIx64 " : %s\n", 2 * resources[i].depth, "",
                              object ? resources[i].start : 0, object ? resources[i].end : 0, resources[i].name);
        free(resources);
        return 0;
}

/* One CPU, with what tells the architecture and whether the linear map may have 1 GiB leaves. */
int show_cpuinfo(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct machine *machine = &simulation->machine;

        (void)object;
        if (strcmp(machine->architecture, "x86_64") == 0)
                (void)fprintf(out, "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu pae lm nx%s\n",
                              machine->leaf_sizes[0] >= UINT64_C(1) << 30 ? " pdpe1gb" : "");
        else if (strcmp(machine->architecture, "aarch64") == 0)
                (void)fputs("processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\n",
                            out);
        else
                (void)fputs("processor\t: 0\n", out);
        return 0;
}

int show_architecture(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        (void)fprintf(out, "%s\n", simulation->machine.architecture);
        return 0;
}

int show_log(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        (void)fwrite(simulation->machine.log, 1, simulation->machine.log_size, out);
        return 0;
}

int show_status(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        (void)fprintf(out, "%s\n", simulation->machine.died ? "died" : "alive");
        return 0;
}
