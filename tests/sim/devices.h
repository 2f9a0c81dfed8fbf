/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory devices and their drivers: ACPI memory devices (drivers/acpi/acpi_memhotplug.c, drivers/acpi/scan.c) and
 * dax devices with the drivers kmem and device_dax (drivers/dax/).
 */

#include "machine.h"

/* of the character devices; any number that is free */
#define DAX_MAJOR 251

/* Makes the machine know a device; its memory is not added. They take ownership of nothing. */
struct dimm *machine_append_dimm(struct machine *machine, const struct dimm *dimm);
struct dax *machine_append_dax(struct machine *machine, const struct dax *dax);

struct dimm *machine_find_dimm(const struct machine *machine, const char *name);
struct dax *machine_find_dax(const struct machine *machine, const char *name);

/* The firmware puts a DIMM in: its memory is added, then the blocks get their firmware_node. 0 or -errno. */
int dimm_plug(struct machine *machine, struct dimm *dimm);
/* acpi_scan_hot_remove(), which the kernel runs some time after a write to `eject`: nobody hears how it ends. */
void dimm_eject(struct machine *machine, struct dimm *dimm);

int dax_bind(struct machine *machine, struct dax *dax, enum dax_driver driver);
int dax_unbind(struct machine *machine, struct dax *dax, enum dax_driver driver);
/* A write to the driver's new_id or remove_id. */
int dax_add_id(struct machine *machine, struct dax *dax, enum dax_driver driver);
/* "/devices/platform/…", and the properties of its events. */
void dax_device_path(const struct dax *dax, char *buffer, size_t size);
void dax_properties(const struct dax *dax, char *buffer, size_t size);

const char *dax_driver_name(enum dax_driver driver);
