/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* devices/system/memory: drivers/base/memory.c, and drivers/base/core.c for `online` */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "attributes.h"
#include "hotplug.h"
#include "synthetic.h"

int show_block_size(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        (void)fprintf(out, "%" PRIx64 "\n", simulation->machine.block_size);
        return 0;
}

int show_auto_online(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        (void)fprintf(out, "%s\n", online_type_to_string(simulation->machine.auto_online));
        return 0;
}

int store_auto_online(struct simulation *simulation, uint64_t object, const char *text) {
        int type = online_type_from_string(text);

        (void)object;
        if (type < 0)
                return type;
        simulation->machine.auto_online = (enum online_type)type;
        return 0;
}

int show_state(const struct simulation *simulation, uint64_t object, FILE *out) {
        static const char *const states[] = {
                [BLOCK_OFFLINE] = "offline",
                [BLOCK_ONLINE] = "online",
                [BLOCK_GOING_OFFLINE] = "going-offline",
        };
        const struct block *block = blocks_find(&simulation->machine.blocks, object);

        if (!block)
                return -ENODEV;
        (void)fprintf(out, "%s\n", states[block->state]);
        return 0;
}

/* state_store(): unlike `online` it does not take "so already" for an answer. */
int store_state(struct simulation *simulation, uint64_t object, const char *text) {
        int type = online_type_from_string(text), r;

        if (type < 0)
                return type;
        if (type != MMOP_OFFLINE)
                r = block_online(&simulation->machine, object, (enum online_type)type);
        else
                r = block_offline(&simulation->machine, object);
        return r == 1 ? -EINVAL : r;
}

int show_online(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct block *block = blocks_find(&simulation->machine.blocks, object);

        if (!block)
                return -ENODEV;
        (void)fprintf(out, "%d\n", block->state != BLOCK_OFFLINE);
        return 0;
}

/* kstrtobool() */
static int parse_bool(const char *text) {
        switch (text[0]) {
        case 'y':
        case 'Y':
        case 't':
        case 'T':
        case '1':
                return 1;
        case 'n':
        case 'N':
        case 'f':
        case 'F':
        case '0':
                return 0;
        case 'o':
        case 'O':
                if (text[1] == 'n' || text[1] == 'N')
                        return 1;
                if (text[1] == 'f' || text[1] == 'F')
                        return 0;
                return -EINVAL;
        default:
                return -EINVAL;
        }
}

int store_online(struct simulation *simulation, uint64_t object, const char *text) {
        int value = parse_bool(text), r;

        if (value < 0)
                return value;
        if (value)
                r = block_online(&simulation->machine, object, MMOP_ONLINE);
        else
                r = block_offline(&simulation->machine, object);
        return r == 1 ? 0 : r;
}

int show_valid_zones(const struct simulation *simulation, uint64_t object, FILE *out) {
        static const enum online_type others[] = { MMOP_ONLINE_KERNEL, MMOP_ONLINE_MOVABLE };
        const struct machine *machine = &simulation->machine;
        const struct block *block = blocks_find(&machine->blocks, object);
        enum zone zone;

        if (!block)
                return -ENODEV;
        if (block->state == BLOCK_ONLINE) {
                (void)fprintf(out, "%s\n", zone_name(block->zone));
                return 0;
        }
        zone = block_zone_for(machine, object, MMOP_ONLINE);
        (void)fputs(zone_name(zone), out);
        for (size_t i = 0; i < 2; i++)
                if (block_zone_for(machine, object, others[i]) != zone)
                        (void)fprintf(out, " %s", zone_name(block_zone_for(machine, object, others[i])));
        (void)fputc('\n', out);
        return 0;
}

int show_phys_index(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)fprintf(out, "%08" PRIx64 "\n", object);
        return 0;
}

int show_zero(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("0\n", out);
        return 0;
}

int show_one(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("1\n", out);
        return 0;
}

int show_nothing(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)out;
        return 0;
}

int store_block_uevent(struct simulation *simulation, uint64_t object, const char *text) {
        char device[64];

        (void)snprintf(device, sizeof(device), "/devices/system/memory/memory%" PRIu64, object);
        return synthetic_uevent(simulation->machine.uevents, device, "memory", NULL, text);
}

int link_firmware_node(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct dimm *dimm = machine_dimm_of(&simulation->machine, object);

        if (!dimm)
                return -ENOENT;
        (void)fprintf(out, "../../../LNXSYSTM:00/LNXSYBUS:00/%s", dimm->name);
        return 0;
}

int link_block_node(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)fprintf(out, "../../node/node%" PRIu64, object_device(object));
        return 0;
}

int link_bus_block(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)fprintf(out, "../../../devices/system/memory/memory%" PRIu64, object);
        return 0;
}

int show_memmap_on_memory(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        (void)fprintf(out, "%s\n", simulation->machine.memmap_on_memory ? "Y" : "N");
        return 0;
}

int show_online_policy(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)object;
        (void)fputs("contig-zones\n", out);
        return 0;
}
