/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bus/acpi (drivers/acpi/device_sysfs.c) and bus/dax (drivers/dax/bus.c) */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "attributes.h"
#include "devices.h"
#include "synthetic.h"

static const struct dimm *find_dimm(const struct simulation *simulation, uint64_t index) {
        return &simulation->machine.dimms[index];
}

/* eject_store() only queues the work. */
int store_eject(struct simulation *simulation, uint64_t object, const char *text) {
        if (text[0] != '1')
                return -EINVAL;
        if (!find_dimm(simulation, object)->enabled)
                return -ENODEV;
        simulation_queue_eject(simulation, object);
        return 0;
}

int show_dimm_hid(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("PNP0C80\n", out);
        return 0;
}

int show_dimm_path(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)fprintf(out, "\\_SB_.MHPC.MP%02" PRIX64 "\n", object);
        return 0;
}

int show_dimm_status(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)fprintf(out, "%d\n", find_dimm(simulation, object)->enabled ? 15 : 0);
        return 0;
}

int show_dimm_uid(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)fprintf(out, "0x%02" PRIX64 "\n", object);
        return 0;
}

int show_dimm_modalias(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("acpi:PNP0C80:\n", out);
        return 0;
}

int show_dimm_uevent(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("MODALIAS=acpi:PNP0C80:\n", out);
        return 0;
}

int store_dimm_uevent(struct simulation *simulation, uint64_t object, const char *text) {
        char device[96];

        (void)snprintf(device, sizeof(device), "/devices/LNXSYSTM:00/LNXSYBUS:00/%s",
                       find_dimm(simulation, object)->name);
        return synthetic_uevent(simulation->machine.uevents, device, "acpi", "MODALIAS=acpi:PNP0C80:\n", text);
}

int link_bus_dimm(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)fprintf(out, "../../../devices/LNXSYSTM:00/LNXSYBUS:00/%s", find_dimm(simulation, object)->name);
        return 0;
}

int link_dimm_block(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct machine *machine = &simulation->machine;
        const struct dimm *dimm = find_dimm(simulation, object_device(object));

        (void)fprintf(out, "../../../system/memory/memory%" PRIu64,
                      dimm->start / machine->block_size + object_block(object));
        return 0;
}

static const struct dax *find_dax(const struct simulation *simulation, uint64_t index) {
        return &simulation->machine.daxes[index];
}

int show_dax_size(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)fprintf(out, "%" PRIu64 "\n", find_dax(simulation, object)->size);
        return 0;
}

int show_dax_align(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)fprintf(out, "%" PRIu64 "\n", find_dax(simulation, object)->align);
        return 0;
}

int show_dax_resource(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)fprintf(out, "0x%" PRIx64 "\n", find_dax(simulation, object)->start);
        return 0;
}

int show_dax_end(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct dax *dax = find_dax(simulation, object);

        (void)fprintf(out, "0x%" PRIx64 "\n", dax->start + dax->size - 1);
        return 0;
}

int show_dax_node(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)fprintf(out, "%d\n", find_dax(simulation, object)->node);
        return 0;
}

int show_dax_modalias(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("dax:t0\n", out);
        return 0;
}

int show_dax_dev(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)fprintf(out, "%d:%u\n", DAX_MAJOR, find_dax(simulation, object)->region);
        return 0;
}

int show_dax_memmap(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        (void)fprintf(out, "%d\n", simulation->machine.memmap_on_memory);
        return 0;
}

int show_dax_region(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)fprintf(out, "%u\n", find_dax(simulation, object)->region);
        return 0;
}

int show_dax_uevent(const struct simulation *simulation, uint64_t object, FILE *out) {
        char properties[256];

        dax_properties(find_dax(simulation, object), properties, sizeof(properties));
        (void)fputs(properties, out);
        return 0;
}

int store_dax_uevent(struct simulation *simulation, uint64_t object, const char *text) {
        const struct dax *dax = find_dax(simulation, object);
        char device[128], properties[256];

        dax_device_path(dax, device, sizeof(device));
        dax_properties(dax, properties, sizeof(properties));
        return synthetic_uevent(simulation->machine.uevents, device, "dax", properties, text);
}

/* Drivers' files: the object is the driver, the text names the device. */

int store_dax_bind(struct simulation *simulation, uint64_t object, const char *text) {
        struct dax *dax = machine_find_dax(&simulation->machine, text);

        return dax ? dax_bind(&simulation->machine, dax, (enum dax_driver)object) : -ENODEV;
}

int store_dax_unbind(struct simulation *simulation, uint64_t object, const char *text) {
        struct dax *dax = machine_find_dax(&simulation->machine, text);

        return dax ? dax_unbind(&simulation->machine, dax, (enum dax_driver)object) : -ENODEV;
}

static int check_dax_id(const char *text) {
        unsigned region, id;

        return sscanf(text, "dax%u.%u", &region, &id) == 2 ? 0 : -EINVAL;
}

int store_dax_new_id(struct simulation *simulation, uint64_t object, const char *text) {
        struct dax *dax = machine_find_dax(&simulation->machine, text);

        return dax ? dax_add_id(&simulation->machine, dax, (enum dax_driver)object) : check_dax_id(text);
}

int store_dax_remove_id(struct simulation *simulation, uint64_t object, const char *text) {
        struct dax *dax = machine_find_dax(&simulation->machine, text);

        if (!dax)
                return check_dax_id(text);
        dax->has_id[object] = false;
        return 0;
}

int link_dax_driver(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct dax *dax = find_dax(simulation, object);

        if (dax->driver == DAX_DRIVER_NONE)
                return -ENOENT;
        (void)fprintf(out, "../../../../bus/dax/drivers/%s", dax_driver_name(dax->driver));
        return 0;
}

int link_bus_dax(const struct simulation *simulation, uint64_t object, FILE *out) {
        char device[128];

        dax_device_path(find_dax(simulation, object), device, sizeof(device));
        (void)fprintf(out, "../../..%s", device);
        return 0;
}

int link_dax_number(const struct simulation *simulation, uint64_t object, FILE *out) {
        char device[128];

        dax_device_path(find_dax(simulation, object), device, sizeof(device));
        (void)fprintf(out, "../..%s", device);
        return 0;
}

int link_driver_dax(const struct simulation *simulation, uint64_t object, FILE *out) {
        char device[128];

        dax_device_path(find_dax(simulation, object_block(object)), device, sizeof(device));
        (void)fprintf(out, "../../../..%s", device);
        return 0;
}

/* What libkmod asks before it would load a driver. */
int show_initstate(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("live\n", out);
        return 0;
}
