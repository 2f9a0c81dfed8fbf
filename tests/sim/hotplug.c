/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hotplug.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void send_block_event(const struct machine *machine, const char *action, uint64_t block) {
        char device[64];

        (void)snprintf(device, sizeof(device), "/devices/system/memory/memory%" PRIu64, block);
        uevents_send(machine->uevents, action, device, "memory", NULL);
}

static void send_node_event(const struct machine *machine, const char *action, int node) {
        char device[64];

        (void)snprintf(device, sizeof(device), "/devices/system/node/node%d", node);
        uevents_send(machine->uevents, action, device, "node", NULL);
}

void range_properties(const struct range *range, char *buffer, size_t size) {
        int n = 0;

        if (range->is_remainder)
                n = snprintf(buffer, size, "MEMORY_RANGE_REMAINDER_OF=range%" PRIu64 "\n", range->remainder_of);
        if (n >= 0 && (size_t)n < size)
                (void)snprintf(buffer + n, size - (size_t)n,
                               "MEMORY_RANGE_START=0x%" PRIx64 "\nMEMORY_RANGE_SIZE=%" PRIu64
                               "\nMEMORY_RANGE_NODE=%d\n",
                               range->start, range->size, range->node);
}

static void send_range_event(const struct machine *machine, const char *action, const struct range *range) {
        char device[64], properties[256];

        if (!machine->has_guard)
                return;
        (void)snprintf(device, sizeof(device), "/devices/virtual/memory_range/range%" PRIu64, range->number);
        range_properties(range, properties, sizeof(properties));
        uevents_send(machine->uevents, action, device, "memory_range", properties);
}

static bool zone_holds(const struct machine *machine, int node, enum zone zone, uint64_t block) {
        uint64_t first, end;

        return machine_zone_span(machine, node, zone, &first, &end) && block >= first && block < end;
}

static enum zone default_kernel_zone(const struct machine *machine, int node, uint64_t block) {
        for (enum zone zone = ZONE_DMA; zone < ZONE_NORMAL; zone++)
                if (zone_holds(machine, node, zone, block))
                        return zone;
        return ZONE_NORMAL;
}

enum zone block_zone_for(const struct machine *machine, uint64_t block, enum online_type type) {
        const struct block *b = blocks_find(&machine->blocks, block);
        enum zone kernel_zone;

        if (type == MMOP_ONLINE_MOVABLE)
                return ZONE_MOVABLE;
        kernel_zone = default_kernel_zone(machine, b->node, block);
        if (type == MMOP_ONLINE_KERNEL)
                return kernel_zone;
        /* An existing zone is inherited only if no other one overlaps there. */
        if (zone_holds(machine, b->node, ZONE_MOVABLE, block) && !zone_holds(machine, b->node, kernel_zone, block))
                return ZONE_MOVABLE;
        return kernel_zone;
}

static void change_state(struct machine *machine, uint64_t block, enum block_state state, enum zone zone) {
        struct block b = *blocks_find(&machine->blocks, block);

        b.state = state;
        b.zone = zone;
        blocks_set(&machine->blocks, block, 1, &b);
}

static void die(struct machine *machine, uint64_t address) {
        machine_log(machine,
                    "Unable to handle kernel paging request: physical address %#" PRIx64 " is no longer mapped",
                    address);
        machine->died = true;
}

static void set_unmovable(struct block *block, void *userdata) {
        (void)userdata;
        block->unmovable = true;
}

/* A kernel zone that was empty is where the kernel's next pages come from: they are there before anyone can look. */
int block_online(struct machine *machine, uint64_t block, enum online_type type) {
        const struct block *b = blocks_find(&machine->blocks, block);
        uint64_t first, end;
        bool takes_kernel_pages;
        enum zone zone;

        if (!b)
                return -ENODEV;
        if (b->state != BLOCK_OFFLINE)
                return 1;
        if (b->unmapped)
                die(machine, block * machine->block_size);
        zone = block_zone_for(machine, block, type);
        takes_kernel_pages = zone != ZONE_MOVABLE && !machine_zone_span(machine, b->node, zone, &first, &end);
        change_state(machine, block, BLOCK_ONLINE, zone);
        if (takes_kernel_pages)
                blocks_change(&machine->blocks, block, 1, set_unmovable, NULL);
        send_block_event(machine, "online", block);
        return 0;
}

/*
 * Moves what the node can no longer hold to nodes that have room. False if nowhere is room: then nothing is moved.
 */
static bool migrate_pages(struct machine *machine, int node, uint64_t online_bytes) {
        struct node *source = machine_find_node(machine, node);
        uint64_t excess, room = 0;

        if (!source || source->used_bytes <= online_bytes)
                return true;
        excess = source->used_bytes - online_bytes;
        for (size_t i = 0; i < machine->n_nodes; i++) {
                const struct node *other = &machine->nodes[i];
                uint64_t total = machine_node_online_bytes(machine, other->number);

                if (other != source && total > other->used_bytes)
                        room += total - other->used_bytes;
        }
        if (room < excess)
                return false;
        source->used_bytes -= excess;
        for (size_t i = 0; i < machine->n_nodes && excess > 0; i++) {
                struct node *other = &machine->nodes[i];
                uint64_t total = machine_node_online_bytes(machine, other->number), moved;

                if (other == source || total <= other->used_bytes)
                        continue;
                moved = total - other->used_bytes < excess ? total - other->used_bytes : excess;
                other->used_bytes += moved;
                excess -= moved;
        }
        return true;
}

/* They lie evenly in the node's blocks. What is dissolved is made nowhere else (mm/hugetlb.c). */
static void dissolve_huge_pages(struct machine *machine, int number) {
        struct node *node = machine_find_node(machine, number);
        uint64_t n_blocks = machine_node_online_bytes(machine, number) / machine->block_size;

        if (node && n_blocks > 0)
                node->n_huge_pages -= (node->n_huge_pages + n_blocks - 1) / n_blocks;
}

int block_offline(struct machine *machine, uint64_t block) {
        const struct block *b = blocks_find(&machine->blocks, block);

        if (!b)
                return -ENODEV;
        if (b->state == BLOCK_OFFLINE)
                return 1;
        if (b->zone == ZONE_SEVERAL || b->hole)
                return -EINVAL;
        if (b->unmovable)
                return -EBUSY;
        /* arm64's prevent_bootmem_remove_notifier() vetoes, after the pages have been isolated. */
        if (b->boot && strcmp(machine->architecture, "aarch64") == 0)
                return -EPERM;
        if (!migrate_pages(machine, b->node, machine_node_online_bytes(machine, b->node) - machine->block_size))
                return OFFLINE_LOOPS;
        dissolve_huge_pages(machine, b->node);
        change_state(machine, block, BLOCK_OFFLINE, ZONE_DMA);
        send_block_event(machine, "offline", block);
        return 0;
}

static bool is_block_span(const struct machine *machine, uint64_t start, uint64_t size) {
        return size > 0 && start % machine->block_size == 0 && size % machine->block_size == 0 &&
               size - 1 <= UINT64_MAX - start;
}

int memory_add(struct machine *machine, const struct memory_add *add) {
        struct range range = {
                .start = add->start,
                .size = add->size,
                .node = add->node,
                .leaf_limit = add->memmap_on_memory && machine->memmap_on_memory ? machine->block_size : UINT64_MAX,
                .granularity_unknown = add->granularity_unknown,
        };
        struct block block = { .state = BLOCK_OFFLINE, .node = add->node, .other_node = NODE_NONE };
        uint64_t first = add->start / machine->block_size, n = add->size / machine->block_size;
        bool new_node;

        /* The kernel's order: what can be mapped, then the resource, then the alignment. */
        if (add->size == 0 || add->size - 1 > UINT64_MAX - add->start)
                return -E2BIG;
        if (blocks_any(&machine->blocks, first, n ? n : 1))
                return -EEXIST;
        if (!is_block_span(machine, add->start, add->size) || add->node < 0)
                return -EINVAL;
        range.name = strdup(add->name);
        if (!range.name)
                return -ENOMEM;
        (void)machine_ensure_node(machine, add->node, &new_node);
        blocks_set(&machine->blocks, first, n, &block);
        if (machine->uevents)
                for (uint64_t i = first; i < first + n; i++)
                        send_block_event(machine, "add", i);
        if (new_node)
                send_node_event(machine, "add", add->node);
        send_range_event(machine, "add", machine_append_range(machine, &range));
        if (machine->auto_online != MMOP_OFFLINE)
                for (uint64_t i = first; i < first + n; i++)
                        (void)block_online(machine, i, machine->auto_online);
        return 0;
}

/* The size of the leaf that removing [start, end) would split; 0 if there is none. */
static uint64_t find_split_leaf(const struct machine *machine, uint64_t start, uint64_t end) {
        const uint64_t edges[] = { start, end - 1 };

        for (size_t i = 0; i < 2; i++) {
                const struct range *range = machine_range_at(machine, edges[i]);
                uint64_t leaf, leaf_size;

                if (!range)
                        continue;
                range_leaf_at(machine, range, edges[i], &leaf, &leaf_size);
                if (leaf < start || leaf + (leaf_size - 1) > end - 1)
                        return leaf_size;
        }
        return 0;
}

bool memory_guard_refuses(struct machine *machine, uint64_t start, uint64_t size) {
        uint64_t leaf_size = machine->has_guard ? find_split_leaf(machine, start, start + size) : 0;

        if (leaf_size == 0)
                return false;
        machine_log(machine,
                    "removing memory fails, because [mem %#010" PRIx64 "-%#010" PRIx64 "] shares a %" PRIu64
                    " KiB leaf of the linear map with other memory",
                    start, start + size - 1, leaf_size >> 10);
        return true;
}

/* Adds what is left of a range when [start, end) has gone: new ranges, numbered anew. */
static void add_remainder(struct machine *machine, const struct range *of, uint64_t start, uint64_t end) {
        struct range remainder = *of;

        if (start >= end)
                return;
        remainder.start = start;
        remainder.size = end - start;
        remainder.is_remainder = true;
        remainder.remainder_of = of->number;
        remainder.name = strdup(of->name);
        if (!remainder.name)
                err(EXIT_FAILURE, "ranges");
        send_range_event(machine, "add", machine_append_range(machine, &remainder));
}

/* Takes every range that the span overlaps off the bus, into `gone`; the caller frees names and array. */
static size_t take_ranges(struct machine *machine, uint64_t start, uint64_t end, struct range **gone) {
        size_t n = 0;

        *gone = reallocarray(NULL, machine->n_ranges, sizeof(**gone));
        if (!*gone)
                err(EXIT_FAILURE, "ranges");
        for (size_t i = 0; i < machine->n_ranges;) {
                struct range *range = &machine->ranges[i];

                if (range->start >= end || range->start + range->size <= start) {
                        i++;
                        continue;
                }
                send_range_event(machine, "remove", range);
                (*gone)[n] = *range;
                (*gone)[n].name = strdup(range->name);
                if (!(*gone)[n].name)
                        err(EXIT_FAILURE, "ranges");
                n++;
                machine_delete_range(machine, range->number);
        }
        return n;
}

static void remove_node_if_empty(struct machine *machine, int number) {
        struct node *node = machine_find_node(machine, number);
        size_t i;

        if (!node || node->cpus[0] || machine_node_has_blocks(machine, number))
                return;
        i = (size_t)(node - machine->nodes);
        free(node->cpus);
        memmove(node, node + 1, (machine->n_nodes - i - 1) * sizeof(*node));
        machine->n_nodes--;
        send_node_event(machine, "remove", number);
}

static void take_memory_away(struct machine *machine, uint64_t start, uint64_t size) {
        uint64_t first = start / machine->block_size, n = size / machine->block_size;
        int node = blocks_find(&machine->blocks, first + n - 1)->node;
        struct range *gone;
        size_t n_gone = take_ranges(machine, start, start + size, &gone);

        /* Gone before its event is sent: who hears of it and looks finds nothing. */
        for (uint64_t i = first; i < first + n; i++) {
                blocks_erase(&machine->blocks, i, 1);
                send_block_event(machine, "remove", i);
        }
        for (size_t i = 0; i < n_gone; i++) {
                add_remainder(machine, &gone[i], gone[i].start, start);
                add_remainder(machine, &gone[i], start + size, gone[i].start + gone[i].size);
                free(gone[i].name);
        }
        free(gone);
        remove_node_if_empty(machine, node);
}

/* True if every block of the span is there and was hot-added. */
static bool is_hot_added(const struct machine *machine, uint64_t start, uint64_t size) {
        for (uint64_t address = start; address < start + size;) {
                const struct range *range = machine_range_at(machine, address);

                if (!range)
                        return false;
                address = range->start + range->size;
        }
        return true;
}

static uint64_t first_online_block(const struct machine *machine, uint64_t start, uint64_t size) {
        uint64_t first = start / machine->block_size, n = size / machine->block_size;

        for (uint64_t block = first; block < first + n; block++)
                if (blocks_find(&machine->blocks, block)->state != BLOCK_OFFLINE)
                        return block;
        return UINT64_MAX;
}

static void set_unmapped(struct block *block, void *userdata) {
        bool *any_online = userdata;

        block->unmapped = true;
        *any_online |= block->state != BLOCK_OFFLINE;
}

/*
 * What a removal that splits leaves does to the rest of them (arm64: the leaf is cleared as a whole). Memory in use is
 * touched soon enough; the rest waits for somebody to read it. On x86-64 the removal itself walks the data page as if
 * it were a page table.
 */
static void unmap_leaf(struct machine *machine, const struct range *range, uint64_t address) {
        bool any_online = strcmp(machine->architecture, "x86_64") == 0;
        uint64_t leaf, leaf_size;

        range_leaf_at(machine, range, address, &leaf, &leaf_size);
        blocks_change(&machine->blocks, leaf / machine->block_size, (leaf_size - 1) / machine->block_size + 1,
                      set_unmapped, &any_online);
        if (any_online)
                die(machine, leaf);
}

int memory_remove(struct machine *machine, uint64_t start, uint64_t size) {
        struct range ranges[2];
        uint64_t online;
        bool splits;

        if (!is_block_span(machine, start, size) || !is_hot_added(machine, start, size))
                return -EINVAL;
        online = first_online_block(machine, start, size);
        if (online != UINT64_MAX) {
                machine_log(machine,
                            "removing memory fails, because memory [%#018" PRIx64 "-%#018" PRIx64 "] is onlined",
                            online * machine->block_size, (online + 1) * machine->block_size - 1);
                return -EBUSY;
        }
        if (memory_guard_refuses(machine, start, size))
                return -EBUSY;
        splits = find_split_leaf(machine, start, start + size) > 0;
        ranges[0] = *machine_range_at(machine, start);
        ranges[1] = *machine_range_at(machine, start + size - 1);
        take_memory_away(machine, start, size);
        if (splits) {
                unmap_leaf(machine, &ranges[0], start);
                unmap_leaf(machine, &ranges[1], start + size - 1);
        }
        return 0;
}

int memory_read(struct machine *machine, uint64_t start, uint64_t size) {
        uint64_t first = start / machine->block_size, end = (start + size - 1) / machine->block_size + 1;

        if (size == 0 || start % machine->page_size || size % machine->page_size)
                return -EINVAL;
        for (uint64_t block = first; block < end && !machine->died; block++) {
                const struct block *b = blocks_find(&machine->blocks, block);

                if (!b || b->unmapped)
                        die(machine, block * machine->block_size);
        }
        return machine->died ? -EFAULT : 0;
}

int memory_offline_and_remove(struct machine *machine, uint64_t start, uint64_t size) {
        uint64_t first = start / machine->block_size, n = size / machine->block_size, done = 0;
        enum online_type *before;
        int r = 0;

        if (!is_block_span(machine, start, size) || !is_hot_added(machine, start, size))
                return -EINVAL;
        if (memory_guard_refuses(machine, start, size))
                return -EBUSY;
        before = calloc(n, sizeof(*before));
        if (!before)
                return -ENOMEM;
        for (; done < n; done++) {
                const struct block *b = blocks_find(&machine->blocks, first + done);
                bool movable = b->zone == ZONE_MOVABLE;

                r = block_offline(machine, first + done);
                if (r == 0)
                        before[done] = movable ? MMOP_ONLINE_MOVABLE : MMOP_ONLINE_KERNEL;
                else if (r != 1)
                        break;
        }
        if (done == n)
                r = memory_remove(machine, start, size);
        else if (r == OFFLINE_LOOPS)
                r = -EBUSY; /* a driver without a signal to end it: call it refused, not a machine that hangs */
        for (uint64_t i = 0; r < 0 && i < done; i++)
                if (before[i] != MMOP_OFFLINE)
                        (void)block_online(machine, first + i, before[i]);
        free(before);
        return r;
}
