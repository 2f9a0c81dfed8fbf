/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random-machine.h"
#include "util.h"

#define BLOCK_SIZE (UINT64_C(128) << 20)

uint64_t choose(struct choices *choices, uint64_t n) {
        if (n <= 1)
                return 0;
        if (choices->n_bytes > 0) {
                choices->n_bytes--;
                return *choices->bytes++ % n;
        }

        /* xorshift64*: the same numbers everywhere, so that a seed can be reported and tried again. */
        choices->seed ^= choices->seed >> 12;
        choices->seed ^= choices->seed << 25;
        choices->seed ^= choices->seed >> 27;
        return (choices->seed * UINT64_C(0x2545F4914F6CDD1D) >> 33) % n;
}

static unsigned choose_int(struct choices *choices, uint64_t n) {
        uint64_t chosen = choose(choices, n);

        return (unsigned)chosen;
}

static bool chance(struct choices *choices, uint64_t one_in) {
        return choose(choices, one_in) == one_in - 1;
}

static void add_range(struct random_machine *machine, struct choices *choices, uint64_t first, uint64_t n, int node) {
        static const uint64_t granularities[] = { 8, 8, 4, 16, 2, 1, GRANULARITY_UNKNOWN, 3 };
        struct inventory *inventory = machine->inventory;
        char device[32];

        inventory->ranges = reallocarray(inventory->ranges, inventory->n_ranges + 1, sizeof(*inventory->ranges));
        assert(inventory->ranges);
        struct range *range = &inventory->ranges[inventory->n_ranges];
        *range = (struct range){
                .number = inventory->n_ranges,
                .exported = !chance(choices, 4),
                .span = { first, n },
                .node = node,
                .name = strdup("System RAM"),
                .driver = choose_int(choices, _RANGE_DRIVER_MAX),
                .kind = KIND_HOT_ADDED,
                .removal_granularity_bytes = granularities[choose(choices, ARRAY_SIZE(granularities))] * BLOCK_SIZE,
                .source = GRANULARITY_SOURCE_KERNEL,
        };
        range->mapping_granularity_bytes = range->removal_granularity_bytes;
        if (!range->exported) {
                range->source = GRANULARITY_SOURCE_ESTIMATED;
                if (chance(choices, 2))
                        range->kind = KIND_UNKNOWN;
        }
        if (!chance(choices, 6)) {
                snprintf(device, sizeof(device), range->driver == DRIVER_DAX ? "dax%u.0" : "PNP0C80:0%u",
                         choose_int(choices, 3));
                range->device = strdup(device);
        }
        machine->policy_of_range[inventory->n_ranges] = (int)choose_int(choices, machine->policies.n + 1) - 1;
        inventory->n_ranges++;
}

/* Some ways states and zones are spread over a run of blocks. */
static void fill_run(struct random_machine *machine, struct choices *choices, uint64_t first, uint64_t n, int node,
                     int range) {
        unsigned spread = choose_int(choices, 6);
        enum block_zone zone = chance(choices, 2) ? ZONE_NORMAL : ZONE_MOVABLE;
        enum block_state state = BLOCK_ONLINE;

        for (uint64_t i = first; i < first + n; i++) {
                struct position *position = &machine->positions[i];
                *position = (struct position){ .present = !(range >= 0 && chance(choices, 24)), .node = node };
                position->range = position->present ? range : -1;
                position->kind = range >= 0 ? machine->inventory->ranges[range].kind : KIND_BOOT;
                if (spread == 1)
                        state = BLOCK_OFFLINE;
                if (spread == 2 || (spread >= 3 && i % 8 == 0))
                        state = choose_int(choices, spread == 2 ? 3 : 2);
                if (spread == 5 && chance(choices, 3))
                        zone = choose_int(choices, _BLOCK_ZONE_MAX);
                position->state = state;
                position->zone = state == BLOCK_ONLINE ? zone : ZONE_NONE;
        }
}

/*
 * Units by definition: every naturally aligned chunk inside the range, every other block by itself, or the range.
 * Leaves are as large as the granularity says or smaller, and never larger.
 */
static void number_units(struct random_machine *machine) {
        for (int i = 0; i < N_POSITIONS; i++) {
                struct position *position = &machine->positions[i];
                position->unit = position->leaf = position->present ? i : -1;
                if (position->range < 0)
                        continue;

                const struct range *range = &machine->inventory->ranges[position->range];
                int n = (int)(range->removal_granularity_bytes / BLOCK_SIZE);
                int first = (int)range->span.first_block, end = first + (int)range->span.n_blocks;
                if (n == 0 || n == 3) {
                        position->unit = position->leaf = 1000 + position->range;
                        continue;
                }
                int chunk = i / n * n;
                if (chunk >= first && chunk + n <= end) {
                        position->unit = 2000 + chunk;
                        position->leaf = chunk % 3 == 0 || n == 1 ? 2000 + chunk : 3000 + i / (n / 2) * (n / 2);
                }
        }
}

static void make_extents(struct random_machine *machine) {
        for (uint64_t i = 0; i < N_POSITIONS; i++) {
                const struct position *position = &machine->positions[i];
                const struct extent extent = {
                        .first_block = i,
                        .n_blocks = 1,
                        .node = position->node,
                        .range = position->range < 0 ? RANGE_NONE : (uint32_t)position->range,
                        .state = position->state,
                        .zone = position->zone,
                        .kind = position->kind,
                };
                if (position->present && extent_list_append(&machine->inventory->extents, &extent) < 0)
                        abort();
        }
}

static void make_policies(struct random_machine *machine) {
        static const char *const texts[] = {
                "[Match]\nName=none\n[Offline]\nPartial=refuse\nTimeoutSec=7\n",
                "[Match]\nName=none\n[Remove]\nAllow=no\n[Offline]\nKeepAvailable=20%\n",
                "[Match]\nName=none\n[Online]\nZone=kernel\n[Offline]\nKeepAvailable=1G\nTimeoutSec=100\n",
                "[Match]\nName=none\n[Online]\nZone=default\n",
        };
        struct policy_problems problems = { 0 };

        machine->policies.items = calloc(ARRAY_SIZE(texts), sizeof(*machine->policies.items));
        assert(machine->policies.items);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                char name[8];
                snprintf(name, sizeof(name), "p%zu", i);
                if (policy_parse(name, "/etc/p", texts[i], &machine->policies.items[i], &problems) < 0)
                        abort();
        }
        machine->policies.n = ARRAY_SIZE(texts);
}

static void make_node_memory(struct random_machine *machine, struct choices *choices) {
        struct inventory *inventory = machine->inventory;

        inventory->nodes = calloc(3, sizeof(*inventory->nodes));
        assert(inventory->nodes);
        if (chance(choices, 6))
                return;
        for (int node = 0; node < 3; node++) {
                struct node_memory *memory = &inventory->nodes[inventory->n_nodes++];
                memory->node = node;
                for (int i = 0; i < N_POSITIONS; i++)
                        if (machine->positions[i].present && machine->positions[i].node == node &&
                            machine->positions[i].state != BLOCK_OFFLINE)
                                memory->total_bytes += BLOCK_SIZE;
                memory->free_bytes = memory->total_bytes / 8 * choose(choices, 9);
                memory->reclaimable_bytes = (memory->total_bytes - memory->free_bytes) / 4 * choose(choices, 4);
                memory->free_huge_pages = choose(choices, 3);
        }
}

void random_machine_make(struct random_machine *machine, struct choices *choices) {
        *machine = (struct random_machine){ .inventory = calloc(1, sizeof(*machine->inventory)) };
        assert(machine->inventory);

        struct inventory *inventory = machine->inventory;
        inventory->block_size_bytes = BLOCK_SIZE;
        inventory->machine = (struct machine){ chance(choices, 2) ? ARCH_X86_64 : ARCH_ARM64, 4096, true };
        inventory->guard = GUARD_REMOVAL;
        inventory->has_zones = true;
        make_policies(machine);
        for (int i = 0; i < N_POSITIONS; i++)
                machine->positions[i] = (struct position){ .range = -1, .unit = -1, .leaf = -1, .node = NODE_NONE };

        for (uint64_t at = choose(choices, 20); at < N_POSITIONS;) {
                uint64_t wanted = 1 + choose(choices, 20), n = MIN(wanted, N_POSITIONS - at);
                int node = (int)choose_int(choices, 4) - 1;
                unsigned what = choose_int(choices, 6);
                if (what >= 2 && inventory->n_ranges < RANGES_MAX) {
                        add_range(machine, choices, at, n, node);
                        fill_run(machine, choices, at, n, node, (int)inventory->n_ranges - 1);
                } else if (what == 1)
                        fill_run(machine, choices, at, n, node, -1);
                at += n + (chance(choices, 2) ? choose(choices, 4) : 0);
        }
        number_units(machine);
        make_extents(machine);
        make_node_memory(machine, choices);
}

void random_machine_clear(struct random_machine *machine) {
        machine->inventory = inventory_free(machine->inventory);
        policy_set_clear(&machine->policies);
}

void random_machine_print(const struct random_machine *machine) {
        char name[RANGE_NAME_MAX];

        printf("%s\n", machine->inventory->machine.arch == ARCH_ARM64 ? "arm64" : "x86-64");
        for (size_t i = 0; i < machine->inventory->n_ranges; i++) {
                const struct range *range = &machine->inventory->ranges[i];
                printf("%s: %" PRIu64 "+%" PRIu64 " %s %s granularity %" PRIu64 " %s policy %d\n",
                       range_name(range, name), range->span.first_block, range->span.n_blocks,
                       range_driver_to_string(range->driver), range->device ? range->device : "-",
                       range->removal_granularity_bytes / BLOCK_SIZE, block_kind_to_string(range->kind),
                       machine->policy_of_range[i]);
        }
        for (int i = 0; i < N_POSITIONS; i++) {
                const struct position *position = &machine->positions[i];
                if (position->present)
                        printf("%d: %s %s node%d unit %d leaf %d\n", i, block_state_to_string(position->state),
                               block_zone_to_string(position->zone), position->node, position->unit, position->leaf);
        }
        for (size_t i = 0; i < machine->inventory->n_nodes; i++) {
                const struct node_memory *memory = &machine->inventory->nodes[i];
                printf("node%d: %" PRIu64 " %" PRIu64 " %" PRIu64 " MiB\n", memory->node, memory->total_bytes >> 20,
                       memory->free_bytes >> 20, memory->reclaimable_bytes >> 20);
        }
}

const char *random_machine_policy(const struct range *range, void *userdata) {
        const struct random_machine *machine = userdata;
        int policy = machine->policy_of_range[range - machine->inventory->ranges];

        return policy < 0 ? NULL : machine->policies.items[policy].name;
}

static void make_selector(char word[static 64], const struct random_machine *machine, struct choices *choices) {
        uint64_t first = choose(choices, N_POSITIONS + 4), n = 1 + choose(choices, 20);

        switch (choose(choices, 8)) {
        case 0:
        case 1:
        case 2:
                snprintf(word, 64, "%" PRIu64 "-%" PRIu64, first, first + n - 1);
                break;
        case 3:
                snprintf(word, 64, "memory%" PRIu64 ",%" PRIu64, first, first + n);
                break;
        case 4:
                snprintf(word, 64, "0x%" PRIx64 "+%" PRIu64 "M", first * BLOCK_SIZE, n * 128);
                break;
        case 5:
                if (machine->inventory->n_ranges > 0 && !chance(choices, 8)) {
                        const struct range *range =
                                &machine->inventory->ranges[choose(choices, machine->inventory->n_ranges)];
                        if (range->device && chance(choices, 2))
                                snprintf(word, 64, "device:%s", range->device);
                        else
                                range_name(range, word);
                } else
                        snprintf(word, 64, "range%" PRIu64, n + 30);
                break;
        case 6:
                snprintf(word, 64, "node%u", choose_int(choices, 4));
                break;
        default:
                strcpy(word, "all");
                break;
        }
}

void random_request_make(struct random_request *request, const struct random_machine *machine,
                         struct choices *choices) {
        *request = (struct random_request){ .request = { .verb = choose_int(choices, _VERB_MAX) } };

        for (uint64_t n = choose(choices, 4); n > 0; n--)
                make_selector(request->words[request->n_words++], machine, choices);
        if (request->n_words == 0 || chance(choices, 4)) {
                unsigned n_half_blocks = choose_int(choices, 60);
                if (!chance(choices, 6))
                        n_half_blocks &= ~1U;
                bool is_target = n_half_blocks == 0 || chance(choices, 3);
                snprintf(request->words[request->n_words++], 64, "%s%uM", is_target ? "=" : "", n_half_blocks * 64);
        }
        request->request.partial = chance(choices, 4);
        request->request.best_effort = chance(choices, 3);
        request->request.ignore_headroom = chance(choices, 2);
        request->request.empty_node = chance(choices, 2);
        request->request.has_zone = chance(choices, 5);
        request->request.zone = choose_int(choices, _ONLINE_ZONE_MAX);
        request->request.udev_policy = random_machine_policy;
        request->request.udev_policy_userdata = (void *)(uintptr_t)machine;
}

void random_request_print(const struct random_request *request) {
        const struct request *r = &request->request;

        printf("%s%s%s%s%s%s%s", verb_to_string(r->verb), r->partial ? " --partial" : "",
               r->best_effort ? " --best-effort" : "", r->ignore_headroom ? " --ignore-headroom" : "",
               r->empty_node ? " --empty-node" : "", r->has_zone ? " --zone " : "",
               r->has_zone ? online_zone_to_string(r->zone) : "");
        for (size_t i = 0; i < request->n_words; i++)
                printf(" %s", request->words[i]);
        printf("\n");
}
