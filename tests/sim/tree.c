/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "control.h"
#include "devices.h"
#include "driver.h"
#include "family.h"

#define DIRECTORY (S_IFDIR | 0755)
#define LINK      (S_IFLNK | 0777)
#define READ      (S_IFREG | 0444)
#define WRITE     (S_IFREG | 0200)
#define CHANGE    (S_IFREG | 0644)

/* Directories, for rows to name their parent by. */
enum directory {
        ROOT,
        PROC,
        PROC_SYS,
        PROC_SYS_KERNEL,
        SYS,
        DEVICES,
        SYSTEM,
        MEMORY,
        MEMORY_N,
        NODE,
        NODE_N,
        HUGE_PAGES,
        HUGE_PAGES_2M,
        VIRTUAL,
        RANGES,
        RANGE_N,
        ACPI_SYSTEM,
        ACPI_BUS,
        DIMM,
        PLATFORM,
        REGION,
        REGION_ATTRIBUTES,
        DAX,
        DAX_MAPPING,
        BUS,
        BUS_MEMORY,
        BUS_MEMORY_DEVICES,
        BUS_NODE,
        BUS_NODE_DEVICES,
        BUS_RANGE,
        BUS_RANGE_DEVICES,
        BUS_ACPI,
        BUS_ACPI_DEVICES,
        BUS_DAX,
        BUS_DAX_DEVICES,
        BUS_DAX_DRIVERS,
        DRIVER_KMEM,
        DRIVER_DEVICE_DAX,
        DEV,
        DEV_CHAR,
        MODULE,
        MODULE_MEMORY,
        MODULE_PARAMETERS,
        MODULE_KMEM,
        MODULE_DEVICE_DAX,
        KERNEL,
        FIRMWARE,
        FIRMWARE_MEMORY,
        FIRMWARE_MEMORY_N,
        DEVICE_TREE,
        DEVICE_TREE_BASE,
        DEVICE_TREE_MEMORY,
        NO_DIRECTORY,
};

typedef bool (*exists_fn)(const struct simulation *simulation, uint64_t object);

struct tree_row {
        struct row row;
        enum directory parent;
        enum directory self; /* what it is itself, if it is a directory; NO_DIRECTORY */
        const struct family *family;
        exists_fn exists;    /* NULL: always */
        uint64_t own_object; /* of a directory that stands for an object of a fixed number */
};

static bool has_range_bus(const struct simulation *simulation, uint64_t object) {
        (void)object;
        return simulation->machine.has_guard;
}

static bool has_firmware_node(const struct simulation *simulation, uint64_t object) {
        return machine_dimm_of(&simulation->machine, object) != NULL;
}

static bool has_driver(const struct simulation *simulation, uint64_t object) {
        return simulation->machine.daxes[object].driver != DAX_DRIVER_NONE;
}

static bool has_dax(const struct simulation *simulation, uint64_t object) {
        (void)object;
        return simulation->machine.n_daxes > 0;
}

/* Link targets that no object changes. */
#define LINK_TO(function, target)                                                                                      \
        static int function(const struct simulation *simulation, uint64_t object, FILE *out) {                         \
                (void)simulation;                                                                                      \
                (void)object;                                                                                          \
                return fputs(target, out) < 0 ? -EIO : 0;                                                              \
        }

LINK_TO(link_subsystem_memory, "../../../../bus/memory")
LINK_TO(link_subsystem_node, "../../../../bus/node")
LINK_TO(link_subsystem_range, "../../../../bus/memory_range")
LINK_TO(link_subsystem_acpi, "../../../../bus/acpi")
LINK_TO(link_subsystem_dax, "../../../../bus/dax")
LINK_TO(link_subsystem_platform, "../../../bus/platform")

#define IN(directory) .parent = (directory), .self = NO_DIRECTORY
#define DIR(directory, in, title)                                                                                      \
        { .row = { .name = (title), .mode = DIRECTORY }, .parent = (in), .self = (directory) }
#define DIR_OF(directory, in, members)                                                                                 \
        { .row = { .mode = DIRECTORY }, .parent = (in), .self = (directory), .family = (members) }
#define RO(in, title, reader)                                                                                          \
        { .row = { .name = (title), .mode = READ, .show = (reader) }, IN(in) }
#define WO(in, title, writer)                                                                                          \
        { .row = { .name = (title), .mode = WRITE, .store = (writer) }, IN(in) }
#define RW(in, title, reader, writer)                                                                                  \
        { .row = { .name = (title), .mode = CHANGE, .show = (reader), .store = (writer) }, IN(in) }
#define LN(in, title, target)                                                                                          \
        { .row = { .name = (title), .mode = LINK, .show = (target) }, IN(in) }
#define LN_OF(in, members, target)                                                                                     \
        { .row = { .mode = LINK, .show = (target) }, IN(in), .family = (members) }

static const struct tree_row rows[] = {
        DIR(ROOT, NO_DIRECTORY, ""),
        { .row = { .name = "control", .mode = WRITE, .store = control_store }, IN(ROOT) },
        RO(ROOT, "log", show_log),
        RO(ROOT, "status", show_status),

        DIR(PROC, ROOT, "proc"),
        { .row = { .name = "iomem", .mode = READ, .show = show_iomem, .asks_for_root = true }, IN(PROC) },

        RO(PROC, "cpuinfo", show_cpuinfo),
        { .row = { "hotplug-driver", CHANGE, driver_show, driver_store, true, false }, IN(PROC) },
        DIR(PROC_SYS, PROC, "sys"),
        DIR(PROC_SYS_KERNEL, PROC_SYS, "kernel"),
        RO(PROC_SYS_KERNEL, "arch", show_architecture),

        DIR(SYS, ROOT, "sys"),
        DIR(DEVICES, SYS, "devices"),
        DIR(SYSTEM, DEVICES, "system"),

        DIR(MEMORY, SYSTEM, "memory"),
        RO(MEMORY, "block_size_bytes", show_block_size),
        RW(MEMORY, "auto_online_blocks", show_auto_online, store_auto_online),
        RW(MEMORY, "uevent", show_nothing, NULL),
        DIR_OF(MEMORY_N, MEMORY, &family_blocks),
        RO(MEMORY_N, "phys_index", show_phys_index),
        { .row = { "state", CHANGE, show_state, store_state, true, true }, IN(MEMORY_N) },
        { .row = { "online", CHANGE, show_online, store_online, true, true }, IN(MEMORY_N) },
        RO(MEMORY_N, "phys_device", show_zero),
        RO(MEMORY_N, "removable", show_one),
        RO(MEMORY_N, "valid_zones", show_valid_zones),
        RW(MEMORY_N, "uevent", show_nothing, store_block_uevent),
        LN(MEMORY_N, "subsystem", link_subsystem_memory),
        LN_OF(MEMORY_N, &family_block_nodes, link_block_node),
        { .row = { .name = "firmware_node", .mode = LINK, .show = link_firmware_node },
          IN(MEMORY_N),
          .exists = has_firmware_node },

        DIR(NODE, SYSTEM, "node"),
        RO(NODE, "possible", show_nodes_possible),
        RO(NODE, "online", show_nodes_online),
        RO(NODE, "has_memory", show_nodes_with_memory),
        RO(NODE, "has_normal_memory", show_nodes_with_normal_memory),
        RO(NODE, "has_cpu", show_nodes_with_cpus),
        RW(NODE, "uevent", show_nothing, NULL),
        DIR_OF(NODE_N, NODE, &family_nodes),
        RO(NODE_N, "meminfo", show_meminfo),
        RO(NODE_N, "cpulist", show_cpulist),
        RO(NODE_N, "distance", show_distance),
        RW(NODE_N, "uevent", show_nothing, store_node_uevent),
        LN(NODE_N, "subsystem", link_subsystem_node),
        LN_OF(NODE_N, &family_node_blocks, link_node_block),
        DIR(HUGE_PAGES, NODE_N, "hugepages"),
        DIR(HUGE_PAGES_2M, HUGE_PAGES, "hugepages-2048kB"),
        RW(HUGE_PAGES_2M, "nr_hugepages", show_huge_pages, store_huge_pages),
        RO(HUGE_PAGES_2M, "free_hugepages", show_huge_pages),
        RO(HUGE_PAGES_2M, "surplus_hugepages", show_zero),

        DIR(VIRTUAL, DEVICES, "virtual"),
        { .row = { .name = "memory_range", .mode = DIRECTORY },
          .parent = VIRTUAL,
          .self = RANGES,
          .exists = has_range_bus },
        RW(RANGES, "uevent", show_nothing, NULL),
        DIR_OF(RANGE_N, RANGES, &family_ranges),
        RO(RANGE_N, "start", show_range_start),
        RO(RANGE_N, "size", show_range_size),
        RO(RANGE_N, "node", show_range_node),
        RO(RANGE_N, "name", show_range_name),
        RO(RANGE_N, "mapping_granularity", show_range_mapping),
        RO(RANGE_N, "removal_granularity", show_range_removal),
        RW(RANGE_N, "uevent", show_range_uevent, store_range_uevent),
        LN(RANGE_N, "subsystem", link_subsystem_range),

        DIR(ACPI_SYSTEM, DEVICES, "LNXSYSTM:00"),
        DIR(ACPI_BUS, ACPI_SYSTEM, "LNXSYBUS:00"),
        DIR_OF(DIMM, ACPI_BUS, &family_dimms),
        { .row = { "eject", WRITE, NULL, store_eject, false, true }, IN(DIMM) },
        RO(DIMM, "hid", show_dimm_hid),
        RO(DIMM, "path", show_dimm_path),
        RO(DIMM, "status", show_dimm_status),
        RO(DIMM, "uid", show_dimm_uid),
        RO(DIMM, "modalias", show_dimm_modalias),
        RW(DIMM, "uevent", show_dimm_uevent, store_dimm_uevent),
        LN(DIMM, "subsystem", link_subsystem_acpi),
        LN_OF(DIMM, &family_dimm_blocks, link_dimm_block),

        DIR(PLATFORM, DEVICES, "platform"),
        DIR_OF(REGION, PLATFORM, &family_dax_regions),
        RW(REGION, "uevent", show_nothing, NULL),
        LN(REGION, "subsystem", link_subsystem_platform),
        DIR(REGION_ATTRIBUTES, REGION, "dax_region"),
        RO(REGION_ATTRIBUTES, "id", show_dax_region),
        RO(REGION_ATTRIBUTES, "size", show_dax_size),
        RO(REGION_ATTRIBUTES, "align", show_dax_align),
        RO(REGION_ATTRIBUTES, "available_size", show_zero),
        DIR_OF(DAX, REGION, &family_region_daxes),
        RO(DAX, "size", show_dax_size),
        RO(DAX, "align", show_dax_align),
        RO(DAX, "resource", show_dax_resource),
        RO(DAX, "target_node", show_dax_node),
        RO(DAX, "numa_node", show_dax_node),
        RO(DAX, "modalias", show_dax_modalias),
        RO(DAX, "dev", show_dax_dev),
        RO(DAX, "memmap_on_memory", show_dax_memmap),
        RW(DAX, "uevent", show_dax_uevent, store_dax_uevent),
        LN(DAX, "subsystem", link_subsystem_dax),
        { .row = { .name = "driver", .mode = LINK, .show = link_dax_driver }, IN(DAX), .exists = has_driver },
        DIR(DAX_MAPPING, DAX, "mapping0"),
        RO(DAX_MAPPING, "start", show_dax_resource),
        RO(DAX_MAPPING, "end", show_dax_end),
        RO(DAX_MAPPING, "page_offset", show_zero),

        DIR(BUS, SYS, "bus"),
        DIR(BUS_MEMORY, BUS, "memory"),
        DIR(BUS_MEMORY_DEVICES, BUS_MEMORY, "devices"),
        LN_OF(BUS_MEMORY_DEVICES, &family_blocks, link_bus_block),
        DIR(BUS_NODE, BUS, "node"),
        DIR(BUS_NODE_DEVICES, BUS_NODE, "devices"),
        LN_OF(BUS_NODE_DEVICES, &family_nodes, link_bus_node),
        { .row = { .name = "memory_range", .mode = DIRECTORY },
          .parent = BUS,
          .self = BUS_RANGE,
          .exists = has_range_bus },
        DIR(BUS_RANGE_DEVICES, BUS_RANGE, "devices"),
        LN_OF(BUS_RANGE_DEVICES, &family_ranges, link_bus_range),
        DIR(BUS_ACPI, BUS, "acpi"),
        DIR(BUS_ACPI_DEVICES, BUS_ACPI, "devices"),
        LN_OF(BUS_ACPI_DEVICES, &family_dimms, link_bus_dimm),
        { .row = { .name = "dax", .mode = DIRECTORY }, .parent = BUS, .self = BUS_DAX, .exists = has_dax },
        DIR(BUS_DAX_DEVICES, BUS_DAX, "devices"),
        LN_OF(BUS_DAX_DEVICES, &family_daxes, link_bus_dax),
        DIR(BUS_DAX_DRIVERS, BUS_DAX, "drivers"),
        { .row = { .name = "kmem", .mode = DIRECTORY },
          .parent = BUS_DAX_DRIVERS,
          .self = DRIVER_KMEM,
          .own_object = DAX_DRIVER_KMEM },
        { .row = { "bind", WRITE, NULL, store_dax_bind, true, false }, IN(DRIVER_KMEM) },
        { .row = { "unbind", WRITE, NULL, store_dax_unbind, true, true }, IN(DRIVER_KMEM) },
        { .row = { "new_id", WRITE, NULL, store_dax_new_id, true, false }, IN(DRIVER_KMEM) },
        WO(DRIVER_KMEM, "remove_id", store_dax_remove_id),
        LN_OF(DRIVER_KMEM, &family_driver_daxes, link_driver_dax),
        { .row = { .name = "device_dax", .mode = DIRECTORY },
          .parent = BUS_DAX_DRIVERS,
          .self = DRIVER_DEVICE_DAX,
          .own_object = DAX_DRIVER_DEVICE_DAX },
        WO(DRIVER_DEVICE_DAX, "bind", store_dax_bind),
        WO(DRIVER_DEVICE_DAX, "unbind", store_dax_unbind),
        WO(DRIVER_DEVICE_DAX, "new_id", store_dax_new_id),
        WO(DRIVER_DEVICE_DAX, "remove_id", store_dax_remove_id),
        LN_OF(DRIVER_DEVICE_DAX, &family_driver_daxes, link_driver_dax),

        DIR(DEV, SYS, "dev"),
        DIR(DEV_CHAR, DEV, "char"),
        LN_OF(DEV_CHAR, &family_dax_numbers, link_dax_number),

        DIR(MODULE, SYS, "module"),
        DIR(MODULE_MEMORY, MODULE, "memory_hotplug"),
        DIR(MODULE_PARAMETERS, MODULE_MEMORY, "parameters"),
        RO(MODULE_PARAMETERS, "memmap_on_memory", show_memmap_on_memory),
        RO(MODULE_PARAMETERS, "online_policy", show_online_policy),
        DIR(MODULE_KMEM, MODULE, "kmem"),
        RO(MODULE_KMEM, "initstate", show_initstate),
        DIR(MODULE_DEVICE_DAX, MODULE, "device_dax"),
        RO(MODULE_DEVICE_DAX, "initstate", show_initstate),

        DIR(KERNEL, SYS, "kernel"),
        { .row = { "dlpar", CHANGE, show_dlpar, store_dlpar, true, true }, IN(KERNEL), .exists = is_pseries },
        DIR(FIRMWARE, SYS, "firmware"),
        { .row = { .name = "devicetree", .mode = DIRECTORY },
          .parent = FIRMWARE,
          .self = DEVICE_TREE,
          .exists = is_pseries },
        DIR(DEVICE_TREE_BASE, DEVICE_TREE, "base"),
        DIR(DEVICE_TREE_MEMORY, DEVICE_TREE_BASE, "ibm,dynamic-reconfiguration-memory"),
        RO(DEVICE_TREE_MEMORY, "ibm,lmb-size", show_lmb_size),
        RO(DEVICE_TREE_MEMORY, "ibm,dynamic-memory-v2", show_lmbs),
        { .row = { .name = "memory", .mode = DIRECTORY },
          .parent = FIRMWARE,
          .self = FIRMWARE_MEMORY,
          .exists = is_s390 },
        DIR_OF(FIRMWARE_MEMORY_N, FIRMWARE_MEMORY, &family_blocks),
        { .row = { "config", CHANGE, show_block_config, store_block_config, true, true }, IN(FIRMWARE_MEMORY_N) },
};

#define N_ROWS      (sizeof(rows) / sizeof(*rows))
#define OBJECT_BITS 44
#define ROW_SHIFT   (OBJECT_BITS + 12) /* TREE_ALIASES between */
#define OBJECT_MASK ((UINT64_C(1) << OBJECT_BITS) - 1)
#define CURSOR_BITS 48
#define CURSOR_MASK ((UINT64_C(1) << CURSOR_BITS) - 1)

static uint64_t make_inode(size_t row, uint64_t object) {
        return ((uint64_t)row << ROW_SHIFT | object) + TREE_ROOT;
}

uint64_t tree_alias(uint64_t inode, unsigned alias) {
        const uint64_t aliases = (uint64_t)(TREE_ALIASES - 1) << OBJECT_BITS;

        return ((inode - TREE_ROOT) & ~aliases) + TREE_ROOT + ((uint64_t)(alias % TREE_ALIASES) << OBJECT_BITS);
}

static const struct tree_row *inode_row(uint64_t inode) {
        size_t row = (inode - TREE_ROOT) >> ROW_SHIFT;

        return row < N_ROWS ? &rows[row] : NULL;
}

static uint64_t inode_object(uint64_t inode) {
        return (inode - TREE_ROOT) & OBJECT_MASK;
}

/* NULL for NO_DIRECTORY. Looked for once. */
static const struct tree_row *directory_row(enum directory directory) {
        static const struct tree_row *found[NO_DIRECTORY];

        if (directory == NO_DIRECTORY)
                return NULL;
        for (size_t i = 0; i < N_ROWS && !found[directory]; i++)
                if (rows[i].self == directory)
                        found[directory] = &rows[i];
        return found[directory];
}

/* True if the row's object is still there: asked of the family that made it, which may be some levels up. */
static bool object_exists(const struct simulation *simulation, const struct tree_row *row, uint64_t object) {
        uint64_t found;

        if (row->exists && !row->exists(simulation, object))
                return false;
        for (; row && row->parent != NO_DIRECTORY; row = directory_row(row->parent)) {
                if (!row->family)
                        continue;
                if (row->family->object) /* a link between two: whoever reads it is told */
                        return true;
                return row->family->next(simulation, object, object, &found) && found == object;
        }
        return true;
}

int tree_get(const struct simulation *simulation, uint64_t inode, struct tree_file *ret) {
        const struct tree_row *row = inode_row(inode);
        const struct tree_row *up;
        uint64_t object = inode_object(inode);
        bool is_machine = false;

        if (!row || !object_exists(simulation, row, object))
                return -ENOENT;
        for (up = row; up && up->parent != NO_DIRECTORY; up = directory_row(up->parent))
                is_machine |= up->self == SYS || up->self == PROC;
        *ret = (struct tree_file){
                .row = &row->row,
                .object = object,
                .is_volatile = row->family || row->exists || row->row.takes_lock,
                .is_machine = is_machine,
        };
        return 0;
}

/* The object of a row's files, given the object of the directory it stands in. */
static uint64_t child_object(const struct tree_row *row, uint64_t parent, uint64_t id) {
        if (row->family)
                return row->family->object ? row->family->object(parent, id) : id;
        return row->own_object ? row->own_object : parent;
}

static bool row_exists(const struct simulation *simulation, const struct tree_row *row, uint64_t object) {
        return !row->exists || row->exists(simulation, object);
}

int tree_lookup(const struct simulation *simulation, uint64_t directory, const char *name, uint64_t *ret_inode) {
        const struct tree_row *parent = inode_row(directory);
        uint64_t object = inode_object(directory), id;

        if (!parent || parent->self == NO_DIRECTORY)
                return -ENOTDIR;
        for (size_t i = 0; i < N_ROWS; i++) {
                if (rows[i].parent != parent->self)
                        continue;
                if (rows[i].family) {
                        if (!family_find(rows[i].family, simulation, object, name, &id))
                                continue;
                } else {
                        if (strcmp(rows[i].row.name, name) != 0 || !row_exists(simulation, &rows[i], object))
                                continue;
                        id = 0;
                }
                *ret_inode = make_inode(i, child_object(&rows[i], object, id));
                return 0;
        }
        return -ENOENT;
}

bool tree_next(const struct simulation *simulation, uint64_t directory, uint64_t *cursor, char name[TREE_NAME_MAX],
               uint64_t *ret_inode) {
        const struct tree_row *parent = inode_row(directory);
        uint64_t object = inode_object(directory), id = *cursor & CURSOR_MASK;

        for (size_t i = *cursor >> CURSOR_BITS; parent && i < N_ROWS; i++, id = 0) {
                if (rows[i].parent != parent->self)
                        continue;
                if (rows[i].family) {
                        if (!rows[i].family->next(simulation, object, id, &id))
                                continue;
                        family_format(rows[i].family, simulation, id, name, TREE_NAME_MAX);
                        *cursor = (uint64_t)i << CURSOR_BITS | (id + 1);
                } else {
                        if (id > 0 || !row_exists(simulation, &rows[i], object))
                                continue;
                        (void)snprintf(name, TREE_NAME_MAX, "%s", rows[i].row.name);
                        *cursor = (uint64_t)(i + 1) << CURSOR_BITS;
                }
                *ret_inode = make_inode(i, child_object(&rows[i], object, id));
                return true;
        }
        return false;
}
