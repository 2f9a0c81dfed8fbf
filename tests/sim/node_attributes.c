/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* devices/system/node: drivers/base/node.c */

#include <errno.h>
#include <inttypes.h>

#include "attributes.h"
#include "quantity.h"
#include "synthetic.h"

#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)

typedef bool (*node_test_fn)(const struct machine *machine, const struct node *node);

static bool is_any(const struct machine *machine, const struct node *node) {
        (void)machine;
        (void)node;
        return true;
}

static bool has_cpus(const struct machine *machine, const struct node *node) {
        (void)machine;
        return node->cpus[0] != '\0';
}

static bool has_memory(const struct machine *machine, const struct node *node) {
        return machine_node_online_bytes(machine, node->number) > 0;
}

static bool has_normal_memory(const struct machine *machine, const struct node *node) {
        uint64_t first, end;

        for (enum zone zone = ZONE_DMA; zone <= ZONE_NORMAL; zone++)
                if (machine_zone_span(machine, node->number, zone, &first, &end))
                        return true;
        return false;
}

/* As the kernel prints a mask: "0-1,4". */
static int show_nodes(const struct simulation *simulation, node_test_fn test, FILE *out) {
        const struct machine *machine = &simulation->machine;
        const char *separator = "";

        for (size_t i = 0; i < machine->n_nodes;) {
                int first = machine->nodes[i].number, last = first;

                if (!test(machine, &machine->nodes[i++]))
                        continue;
                while (i < machine->n_nodes && machine->nodes[i].number == last + 1 &&
                       test(machine, &machine->nodes[i])) {
                        last++;
                        i++;
                }
                if (last > first)
                        (void)fprintf(out, "%s%d-%d", separator, first, last);
                else
                        (void)fprintf(out, "%s%d", separator, first);
                separator = ",";
        }
        (void)fputc('\n', out);
        return 0;
}

int show_nodes_possible(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct machine *machine = &simulation->machine;
        int last = machine->n_nodes ? machine->nodes[machine->n_nodes - 1].number : 0;

        (void)object;
        if (last > 0)
                (void)fprintf(out, "0-%d\n", last);
        else
                (void)fputs("0\n", out);
        return 0;
}

int show_nodes_online(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        return show_nodes(simulation, is_any, out);
}

int show_nodes_with_memory(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        return show_nodes(simulation, has_memory, out);
}

int show_nodes_with_normal_memory(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        return show_nodes(simulation, has_normal_memory, out);
}

int show_nodes_with_cpus(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)object;
        return show_nodes(simulation, has_cpus, out);
}

int show_meminfo(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct machine *machine = &simulation->machine;
        const struct node *node = machine_find_node(machine, (int)object);
        uint64_t total, used;

        if (!node)
                return -ENODEV;
        total = machine_node_online_bytes(machine, node->number);
        used = node->used_bytes + node->n_huge_pages * HUGE_PAGE_BYTES;
        used = used < total ? used : total;
        const struct {
                const char *name;
                uint64_t bytes;
        } lines[] = {
                { "MemTotal:", total },    { "MemFree:", total - used }, { "MemUsed:", used },
                { "SwapCached:", 0 },      { "Active:", used },          { "Inactive:", 0 },
                { "Active(anon):", used }, { "Inactive(anon):", 0 },     { "Active(file):", 0 },
                { "Inactive(file):", 0 },  { "Unevictable:", 0 },        { "Mlocked:", 0 },
                { "FilePages:", 0 },       { "AnonPages:", used },       { "Shmem:", 0 },
        };
        for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
                (void)fprintf(out, "Node %d %-15s %8" PRIu64 " kB\n", node->number, lines[i].name,
                              lines[i].bytes >> 10);
        (void)fprintf(out,
                      "Node %d HugePages_Total: %5" PRIu64 "\nNode %d HugePages_Free:  %5" PRIu64
                      "\nNode %d HugePages_Surp:  %5d\n",
                      node->number, node->n_huge_pages, node->number, node->n_huge_pages, node->number, 0);
        return 0;
}

int show_huge_pages(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct node *node = machine_find_node(&simulation->machine, (int)object);

        if (!node)
                return -ENODEV;
        (void)fprintf(out, "%" PRIu64 "\n", node->n_huge_pages);
        return 0;
}

/* As many as there is room for, and no error: mm/hugetlb.c, set_max_huge_pages() */
int store_huge_pages(struct simulation *simulation, uint64_t object, const char *text) {
        struct node *node = machine_find_node(&simulation->machine, (int)object);
        uint64_t wanted, online, room;

        if (!node || quantity_parse(text, &wanted) < 0)
                return node ? -EINVAL : -ENODEV;
        online = machine_node_online_bytes(&simulation->machine, node->number);
        room = online > node->used_bytes ? (online - node->used_bytes) / HUGE_PAGE_BYTES : 0;
        node->n_huge_pages = wanted < room ? wanted : room;
        return 0;
}

int show_cpulist(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct node *node = machine_find_node(&simulation->machine, (int)object);

        if (!node)
                return -ENODEV;
        (void)fprintf(out, "%s\n", node->cpus);
        return 0;
}

int show_distance(const struct simulation *simulation, uint64_t object, FILE *out) {
        const struct machine *machine = &simulation->machine;

        for (size_t i = 0; i < machine->n_nodes; i++)
                (void)fprintf(out, "%s%d", i ? " " : "", machine->nodes[i].number == (int)object ? 10 : 20);
        (void)fputc('\n', out);
        return 0;
}

int store_node_uevent(struct simulation *simulation, uint64_t object, const char *text) {
        char device[64];

        (void)snprintf(device, sizeof(device), "/devices/system/node/node%" PRIu64, object);
        return synthetic_uevent(simulation->machine.uevents, device, "node", NULL, text);
}

int link_node_block(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)fprintf(out, "../../memory/memory%" PRIu64, object_block(object));
        return 0;
}

int link_bus_node(const struct simulation *simulation, uint64_t object, FILE *out) {
        (void)simulation;
        (void)fprintf(out, "../../../devices/system/node/node%" PRIu64, object);
        return 0;
}
