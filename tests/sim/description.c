/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "description.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "hotplug.h"
#include "quantity.h"

/* Where in the file we are, for messages. */
struct reader {
        const char *path;
        struct machine *machine;
        char place[128];
};

/* One key of an object and what reads its value; `target` as the reader wants it. */
struct key {
        const char *name;
        int (*read)(struct reader *reader, json_object *value, void *target);
        void *target;
        bool required;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct reader *reader, const char *format, ...) {
        va_list arguments;

        (void)fprintf(stderr, "memsim: %s: %s: ", reader->path, reader->place[0] ? reader->place : "top level");
        va_start(arguments, format);
        (void)vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void)fputc('\n', stderr);
        return -EINVAL;
}

static const struct key *find_key(const struct key *keys, size_t n_keys, const char *name) {
        for (size_t i = 0; i < n_keys; i++)
                if (strcmp(keys[i].name, name) == 0)
                        return &keys[i];
        return NULL;
}

static int read_object(struct reader *reader, json_object *object, const struct key *keys, size_t n_keys) {
        struct json_object_iterator i, end;

        if (!json_object_is_type(object, json_type_object))
                return complain(reader, "is no object");
        end = json_object_iter_end(object);
        for (i = json_object_iter_begin(object); !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
                const char *name = json_object_iter_peek_name(&i);
                json_object *value = json_object_iter_peek_value(&i);
                const struct key *key = find_key(keys, n_keys, name);

                if (!key)
                        return complain(reader, "unknown key \"%s\"", name);
                if (key->read(reader, value, key->target) < 0)
                        return complain(reader, "\"%s\": %s is not what belongs here", name,
                                        json_object_to_json_string(value));
        }
        for (size_t k = 0; k < n_keys; k++)
                if (keys[k].required && !json_object_object_get_ex(object, keys[k].name, NULL))
                        return complain(reader, "\"%s\" is missing", keys[k].name);
        return 0;
}

static int read_string(struct reader *reader, json_object *value, void *target) {
        (void)reader;
        if (!json_object_is_type(value, json_type_string))
                return -EINVAL;
        *(const char **)target = json_object_get_string(value);
        return 0;
}

static int read_bool(struct reader *reader, json_object *value, void *target) {
        (void)reader;
        if (!json_object_is_type(value, json_type_boolean))
                return -EINVAL;
        *(bool *)target = json_object_get_boolean(value);
        return 0;
}

static int read_int(struct reader *reader, json_object *value, void *target) {
        int64_t number = json_object_get_int64(value);

        (void)reader;
        if (!json_object_is_type(value, json_type_int) || number < 0 || number > 1023)
                return -EINVAL;
        *(int *)target = (int)number;
        return 0;
}

static int read_quantity(struct reader *reader, json_object *value, void *target) {
        (void)reader;
        return json_object_is_type(value, json_type_string)
                       ? quantity_parse(json_object_get_string(value), (uint64_t *)target)
                       : -EINVAL;
}

static int read_online_type(struct reader *reader, json_object *value, void *target) {
        int type;

        (void)reader;
        type = json_object_is_type(value, json_type_string) ? online_type_from_string(json_object_get_string(value))
                                                            : -EINVAL;
        if (type < 0)
                return type;
        *(enum online_type *)target = (enum online_type)type;
        return 0;
}

static int read_zone(struct reader *reader, json_object *value, void *target) {
        (void)reader;
        if (!json_object_is_type(value, json_type_string))
                return -EINVAL;
        for (int zone = 0; zone < _ZONE_MAX; zone++) {
                if (strcmp(json_object_get_string(value), zone_name((enum zone)zone)) != 0)
                        continue;
                *(int *)target = zone;
                return 0;
        }
        return -EINVAL;
}

/* A list stays as it is until its turn comes: boot memory before what was added to it. */
static int read_array(struct reader *reader, json_object *value, void *target) {
        (void)reader;
        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        *(json_object **)target = value;
        return 0;
}

static int read_leaf_sizes(struct reader *reader, json_object *value, void *target) {
        uint64_t *sizes = target;
        size_t n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

        if (n == 0 || n >= MAX_LEAF_SIZES)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                int r = read_quantity(reader, json_object_array_get_idx(value, i), &sizes[i]);

                if (r < 0)
                        return r;
                if (sizes[i] == 0 || (sizes[i] & (sizes[i] - 1)) || (i > 0 && sizes[i] >= sizes[i - 1]))
                        return -EINVAL;
        }
        return 0;
}

typedef int (*item_fn)(struct reader *reader, json_object *item);

/* Calls `each` for every item of a list that may be missing. */
static int read_items(struct reader *reader, const char *name, json_object *array, item_fn each) {
        size_t n = array ? json_object_array_length(array) : 0;

        for (size_t i = 0; i < n; i++) {
                int r;

                (void)snprintf(reader->place, sizeof(reader->place), "%s[%zu]", name, i);
                r = each(reader, json_object_array_get_idx(array, i));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_node(struct reader *reader, json_object *item) {
        int number = -1;
        const char *cpus = "";
        uint64_t used = 0;
        const struct key keys[] = {
                { "node", read_int, &number, true },
                { "cpus", read_string, &cpus },
                { "used", read_quantity, &used },
        };
        struct node *node;
        bool created;
        int r = read_object(reader, item, keys, sizeof(keys) / sizeof(*keys));

        if (r < 0)
                return r;
        node = machine_ensure_node(reader->machine, number, &created);
        if (!created)
                return complain(reader, "node %d is listed twice", number);
        free(node->cpus);
        node->cpus = strdup(cpus);
        node->used_bytes = used;
        return node->cpus ? 0 : -ENOMEM;
}

/* Bytes of a block that boot memory covers. */
static uint64_t boot_coverage(const struct machine *machine, uint64_t block) {
        uint64_t start = block * machine->block_size, end = start + machine->block_size, covered = 0;

        for (size_t i = 0; i < machine->n_boot; i++) {
                uint64_t from = machine->boot[i].start, to = from + machine->boot[i].size;

                from = from > start ? from : start;
                to = to < end ? to : end;
                covered += to > from ? to - from : 0;
        }
        return covered;
}

/* A block that one entry covers only in part, or that two entries share. */
static void set_boot_edge(struct machine *machine, uint64_t number, struct block block) {
        const struct block *there = blocks_find(&machine->blocks, number);

        if (there) {
                if (there->node != block.node)
                        block.other_node = there->node;
                if (there->node != block.node || there->zone != block.zone)
                        block.zone = ZONE_SEVERAL;
                block.unmovable |= there->unmovable;
        }
        block.hole = boot_coverage(machine, number) < machine->block_size;
        blocks_set(&machine->blocks, number, 1, &block);
}

static void add_boot_blocks(struct machine *machine, uint64_t start, uint64_t size, const struct block *block) {
        uint64_t block_size = machine->block_size;
        uint64_t first = start / block_size, last = (start + size - 1) / block_size;
        uint64_t first_whole = start % block_size ? first + 1 : first;
        uint64_t end_whole = (start + size) / block_size;

        if (first_whole > first || end_whole == first)
                set_boot_edge(machine, first, *block);
        if (end_whole > first_whole)
                blocks_set(&machine->blocks, first_whole, end_whole - first_whole, block);
        if (last > first && last >= end_whole)
                set_boot_edge(machine, last, *block);
}

static int read_boot(struct reader *reader, json_object *item) {
        struct machine *machine = reader->machine;
        struct boot_memory boot = { .size = 0 }, *list;
        struct block block = { .state = BLOCK_ONLINE, .node = 0, .other_node = NODE_NONE, .boot = true };
        int zone = ZONE_NORMAL;
        bool unmovable = false, created;
        const struct key keys[] = {
                { "start", read_quantity, &boot.start, true },
                { "size", read_quantity, &boot.size, true },
                { "node", read_int, &block.node },
                { "zone", read_zone, &zone },
                { "unmovable", read_bool, &unmovable },
        };
        int r = read_object(reader, item, keys, sizeof(keys) / sizeof(*keys));

        if (r < 0)
                return r;
        if (boot.size == 0 || boot.size - 1 > UINT64_MAX - boot.start)
                return complain(reader, "the memory ends before it starts");
        list = reallocarray(machine->boot, machine->n_boot + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        machine->boot = list;
        machine->boot[machine->n_boot++] = boot;
        block.zone = (enum zone)zone;
        block.unmovable = unmovable;
        (void)machine_ensure_node(machine, block.node, &created);
        add_boot_blocks(machine, boot.start, boot.size, &block);
        return 0;
}

struct added {
        const char *driver;
        const char *device;
        struct memory_add add;
        enum online_type state;
        uint64_t unit;
        uint64_t align;
        bool present;
};

static void online_span(struct machine *machine, uint64_t start, uint64_t size, enum online_type type) {
        uint64_t first = start / machine->block_size, n = size / machine->block_size;
        struct block block;

        if (type == MMOP_OFFLINE)
                return;
        block = *blocks_find(&machine->blocks, first);
        block.zone = block_zone_for(machine, first, type);
        block.state = BLOCK_ONLINE;
        blocks_set(&machine->blocks, first, n, &block);
}

static int add_acpi(struct machine *machine, const struct added *added) {
        struct dimm dimm = {
                .name = (char *)(uintptr_t)added->device,
                .start = added->add.start,
                .size = added->add.size,
                .node = added->add.node,
        };
        struct dimm *known = machine_append_dimm(machine, &dimm);

        return added->present ? dimm_plug(machine, known) : 0;
}

static int add_dax(struct machine *machine, const struct added *added, enum dax_driver driver) {
        struct dax dax = {
                .name = (char *)(uintptr_t)added->device,
                .start = added->add.start,
                .size = added->add.size,
                .node = added->add.node,
                .align = added->align,
        };
        struct dax *known = machine_append_dax(machine, &dax);

        known->has_id[driver] = true;
        return added->present ? dax_bind(machine, known, driver) : 0;
}

/* virtio-mem adds block by block: a range each. */
static int add_in_units(struct machine *machine, const struct added *added) {
        struct memory_add add = added->add;
        uint64_t unit = added->unit ? added->unit : add.size;

        if (add.size % unit)
                return -EINVAL;
        for (add.size = unit; add.start < added->add.start + added->add.size; add.start += unit) {
                int r = memory_add(machine, &add);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_added(struct reader *reader, json_object *item) {
        struct machine *machine = reader->machine;
        struct added added = {
                .driver = "other", .add.name = "System RAM", .align = UINT64_C(2) << 20, .present = true
        };
        const struct key keys[] = {
                { "driver", read_string, &added.driver },
                { "device", read_string, &added.device },
                { "start", read_quantity, &added.add.start, true },
                { "size", read_quantity, &added.add.size, true },
                { "node", read_int, &added.add.node },
                { "name", read_string, &added.add.name },
                { "memmap_on_memory", read_bool, &added.add.memmap_on_memory },
                { "granularity_unknown", read_bool, &added.add.granularity_unknown },
                { "unit", read_quantity, &added.unit },
                { "align", read_quantity, &added.align },
                { "present", read_bool, &added.present },
                { "state", read_online_type, &added.state },
        };
        int r = read_object(reader, item, keys, sizeof(keys) / sizeof(*keys));
        bool is_acpi = strcmp(added.driver, "acpi") == 0, is_dax = strcmp(added.driver, "kmem") == 0;

        if (r < 0)
                return r;
        if ((is_acpi || is_dax) != !!added.device)
                return complain(reader, "a \"device\" belongs to the drivers acpi and kmem, and only to them");
        if (is_acpi && strncmp(added.device, "PNP0C80:", 8) != 0)
                return complain(reader, "an ACPI memory device is called PNP0C80:NN, not %s", added.device);
        if (is_dax && strncmp(added.device, "dax", 3) != 0)
                return complain(reader, "a dax device is called daxN.M, not %s", added.device);
        if (is_acpi)
                r = add_acpi(machine, &added);
        else if (is_dax)
                r = add_dax(machine, &added, DAX_DRIVER_KMEM);
        else if (strcmp(added.driver, "other") == 0)
                r = add_in_units(machine, &added);
        else
                return complain(reader, "unknown driver \"%s\"; acpi, kmem, other", added.driver);
        if (r < 0)
                return complain(reader, "cannot be added: %s", strerror(-r));
        if (added.present)
                online_span(machine, added.add.start, added.add.size, added.state);
        return 0;
}

static void make_offline(struct block *block, void *userdata) {
        (void)userdata;
        block->state = BLOCK_OFFLINE;
        block->zone = ZONE_DMA;
}

static void make_unmovable(struct block *block, void *userdata) {
        (void)userdata;
        block->unmovable = true;
}

static int change_span(struct reader *reader, json_object *item, block_change_fn change) {
        struct machine *machine = reader->machine;
        uint64_t start, size;
        int r = json_object_is_type(item, json_type_string)
                        ? quantity_parse_span(json_object_get_string(item), &start, &size)
                        : -EINVAL;

        if (r < 0)
                return complain(reader, "is no \"START+SIZE\"");
        if (start % machine->block_size || size % machine->block_size)
                return complain(reader, "is not aligned to blocks");
        blocks_change(&machine->blocks, start / machine->block_size, size / machine->block_size, change, NULL);
        return 0;
}

static int read_offline(struct reader *reader, json_object *item) {
        return change_span(reader, item, make_offline);
}

static int read_unmovable(struct reader *reader, json_object *item) {
        return change_span(reader, item, make_unmovable);
}

static int check_sizes(const struct reader *reader) {
        const struct machine *machine = reader->machine;
        const uint64_t sizes[] = { machine->page_size, machine->block_size };

        for (size_t i = 0; i < 2; i++)
                if (sizes[i] == 0 || (sizes[i] & (sizes[i] - 1)))
                        return complain(reader, "page_size and block_size are powers of two");
        if (machine->page_size > machine->block_size)
                return complain(reader, "a page is larger than a block");
        return 0;
}

static int read_machine(struct reader *reader, json_object *root) {
        struct machine *machine = reader->machine;
        const char *architecture = "aarch64", *comment;
        json_object *nodes = NULL, *boot = NULL, *added = NULL, *offline = NULL, *unmovable = NULL;
        enum online_type auto_online = MMOP_OFFLINE;
        const struct key keys[] = {
                { "comment", read_string, &comment },
                { "architecture", read_string, &architecture, true },
                { "page_size", read_quantity, &machine->page_size, true },
                { "block_size", read_quantity, &machine->block_size, true },
                { "leaf_sizes", read_leaf_sizes, machine->leaf_sizes },
                { "guard", read_bool, &machine->has_guard },
                { "memmap_on_memory", read_bool, &machine->memmap_on_memory },
                { "auto_online_blocks", read_online_type, &auto_online },
                { "nodes", read_array, &nodes },
                { "boot", read_array, &boot, true },
                { "hot_added", read_array, &added },
                { "offline", read_array, &offline },
                { "unmovable", read_array, &unmovable },
        };
        int r = read_object(reader, root, keys, sizeof(keys) / sizeof(*keys));

        if (r == 0)
                r = check_sizes(reader);
        if (r < 0)
                return r;
        machine->architecture = strdup(architecture);
        if (!machine->architecture)
                return -ENOMEM;
        r = read_items(reader, "nodes", nodes, read_node);
        if (r == 0)
                r = read_items(reader, "boot", boot, read_boot);
        if (r == 0)
                r = read_items(reader, "hot_added", added, read_added);
        if (r == 0)
                r = read_items(reader, "offline", offline, read_offline);
        if (r == 0)
                r = read_items(reader, "unmovable", unmovable, read_unmovable);
        /* From now on: what was there at the start is described block by block. */
        machine->auto_online = auto_online;
        return r;
}

int description_read(const char *path, struct machine *ret) {
        struct machine machine = { .has_guard = true };
        struct reader reader = { .path = path, .machine = &machine };
        json_object *root = json_object_from_file(path);
        int r;

        if (!root) {
                (void)fprintf(stderr, "memsim: %s", json_util_get_last_err());
                return -EINVAL;
        }
        r = read_machine(&reader, root);
        json_object_put(root);
        if (r < 0) {
                machine_clear(&machine);
                return r;
        }
        *ret = machine;
        return 0;
}
