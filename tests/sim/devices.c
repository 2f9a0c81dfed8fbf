/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "devices.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

static char *copy(const char *text) {
        char *text_copy = strdup(text);

        if (!text_copy)
                err(EXIT_FAILURE, "devices");
        return text_copy;
}

struct dimm *machine_append_dimm(struct machine *machine, const struct dimm *dimm) {
        struct dimm *dimms = reallocarray(machine->dimms, machine->n_dimms + 1, sizeof(*dimms));

        if (!dimms)
                err(EXIT_FAILURE, "devices");
        machine->dimms = dimms;
        dimms[machine->n_dimms] = *dimm;
        dimms[machine->n_dimms].name = copy(dimm->name);
        return &dimms[machine->n_dimms++];
}

struct dax *machine_append_dax(struct machine *machine, const struct dax *dax) {
        struct dax *daxes = reallocarray(machine->daxes, machine->n_daxes + 1, sizeof(*daxes));

        if (!daxes)
                err(EXIT_FAILURE, "devices");
        machine->daxes = daxes;
        daxes[machine->n_daxes] = *dax;
        daxes[machine->n_daxes].name = copy(dax->name);
        daxes[machine->n_daxes].region = (unsigned)machine->n_daxes;
        return &daxes[machine->n_daxes++];
}

struct dimm *machine_find_dimm(const struct machine *machine, const char *name) {
        for (size_t i = 0; i < machine->n_dimms; i++)
                if (strcmp(machine->dimms[i].name, name) == 0)
                        return &machine->dimms[i];
        return NULL;
}

struct dax *machine_find_dax(const struct machine *machine, const char *name) {
        for (size_t i = 0; i < machine->n_daxes; i++)
                if (strcmp(machine->daxes[i].name, name) == 0)
                        return &machine->daxes[i];
        return NULL;
}

int dimm_plug(struct machine *machine, struct dimm *dimm) {
        struct memory_add add = {
                .start = dimm->start,
                .size = dimm->size,
                .node = dimm->node,
                .name = "System RAM",
                .memmap_on_memory = true,
        };
        int r;

        if (dimm->enabled)
                return -EBUSY;
        r = memory_add(machine, &add);
        if (r < 0)
                return r;
        dimm->enabled = true;
        return 0;
}

/* One pass of acpi_bus_offline() over the DIMM's blocks; the first ignores errors, the second stops at one. */
static bool offline_pass(struct machine *machine, const struct dimm *dimm, bool *put_online, bool second) {
        uint64_t first = dimm->start / machine->block_size, n = dimm->size / machine->block_size;
        bool all = true;

        for (uint64_t i = 0; i < n; i++) {
                int r;

                if (second && put_online[i])
                        continue;
                r = block_offline(machine, first + i);
                /* A driver's removal has taken the block away since: its device is no longer bound to the DIMM. */
                if (r == -ENODEV)
                        continue;
                put_online[i] = r == 0;
                if (r >= 0 && r != OFFLINE_LOOPS)
                        continue;
                all = false;
                if (second)
                        break;
        }
        return all;
}

void dimm_eject(struct machine *machine, struct dimm *dimm) {
        uint64_t first = dimm->start / machine->block_size, n = dimm->size / machine->block_size;
        bool *put_online;

        if (!dimm->enabled || memory_guard_refuses(machine, dimm->start, dimm->size))
                return;
        put_online = calloc(n, sizeof(*put_online));
        if (!put_online)
                err(EXIT_FAILURE, "eject");
        if (offline_pass(machine, dimm, put_online, false) || offline_pass(machine, dimm, put_online, true)) {
                int r = memory_remove(machine, dimm->start, dimm->size);

                if (r < 0) /* __remove_memory() of a kernel without the guard */
                        machine_log(machine, "kernel BUG at mm/memory_hotplug.c: %s", strerror(-r));
                else
                        dimm->enabled = false;
        } else {
                machine_log(machine, "acpi %s: Offline failed.", dimm->name);
                /* With the default type: the zone may be another one than before. */
                for (uint64_t i = 0; i < n; i++)
                        if (put_online[i])
                                (void)block_online(machine, first + i, MMOP_ONLINE);
        }
        free(put_online);
}

const char *dax_driver_name(enum dax_driver driver) {
        static const char *const names[_DAX_DRIVER_MAX] = {
                [DAX_DRIVER_NONE] = "",
                [DAX_DRIVER_KMEM] = "kmem",
                [DAX_DRIVER_DEVICE_DAX] = "device_dax",
        };

        return names[driver];
}

void dax_device_path(const struct dax *dax, char *buffer, size_t size) {
        (void)snprintf(buffer, size, "/devices/platform/hmem.%u/%s", dax->region, dax->name);
}

void dax_properties(const struct dax *dax, char *buffer, size_t size) {
        (void)snprintf(buffer, size, "MAJOR=%d\nMINOR=%u\nDEVNAME=%s\n%s%s%sMODALIAS=dax:t0\n", DAX_MAJOR, dax->region,
                       dax->name, dax->driver ? "DRIVER=" : "", dax_driver_name(dax->driver), dax->driver ? "\n" : "");
}

static void send_dax_event(const struct machine *machine, const struct dax *dax, const char *action) {
        char device[128], properties[256];

        dax_device_path(dax, device, sizeof(device));
        dax_properties(dax, properties, sizeof(properties));
        uevents_send(machine->uevents, action, device, "dax", properties);
}

static int kmem_probe(struct machine *machine, const struct dax *dax) {
        struct memory_add add = {
                .start = dax->start,
                .size = dax->size,
                .node = dax->node,
                .name = "System RAM (kmem)",
                .memmap_on_memory = true,
        };

        if (dax->stuck) {
                machine_log(machine, "kmem %s: mapping0: %#" PRIx64 "-%#" PRIx64 " could not reserve region", dax->name,
                            dax->start, dax->start + dax->size - 1);
                return -EBUSY;
        }
        return memory_add(machine, &add);
}

/* The regions are hmem's, as CXL memory's are: kmem matches by type, device_dax only by id. */
static bool matches(const struct dax *dax, enum dax_driver driver) {
        return driver == DAX_DRIVER_KMEM || dax->has_id[driver];
}

int dax_bind(struct machine *machine, struct dax *dax, enum dax_driver driver) {
        if (!matches(dax, driver))
                return -ENODEV;
        if (dax->driver != DAX_DRIVER_NONE)
                return -EBUSY;
        if (driver == DAX_DRIVER_KMEM) {
                int r = kmem_probe(machine, dax);

                if (r < 0)
                        return r;
        }
        dax->driver = driver;
        send_dax_event(machine, dax, "bind");
        return 0;
}

int dax_add_id(struct machine *machine, struct dax *dax, enum dax_driver driver) {
        dax->has_id[driver] = true;
        if (dax->driver != DAX_DRIVER_NONE)
                return 0;
        /* driver_attach() swallows what a probe says. */
        (void)dax_bind(machine, dax, driver);
        return 0;
}

int dax_unbind(struct machine *machine, struct dax *dax, enum dax_driver driver) {
        if (dax->driver != driver)
                return -ENODEV;
        /* The driver goes, whatever became of the memory. */
        if (driver == DAX_DRIVER_KMEM && memory_remove(machine, dax->start, dax->size) < 0) {
                machine_log(machine,
                            "kmem %s: mapping0: %#" PRIx64 "-%#" PRIx64 " cannot be hotremoved until the next reboot",
                            dax->name, dax->start, dax->start + dax->size - 1);
                dax->stuck = true;
        }
        dax->driver = DAX_DRIVER_NONE;
        send_dax_event(machine, dax, "unbind");
        return 0;
}
