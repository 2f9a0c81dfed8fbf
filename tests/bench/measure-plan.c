/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a plan costs beside reading the machine it is made for: measure-plan SYSROOT. CPU time of this process, the
 * least of three runs, for the dearest kinds of request; then again with every unit in pieces, no two neighbours
 * being alike. The last line is the worst share of the machine as it was read, in percent of the reading.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "inventory.h"
#include "plan.h"
#include "util.h"

#define RUNS 3

static const struct {
        enum verb verb;
        const char *selectors;
} requests[] = {
        { VERB_OFFLINE, "range0" }, { VERB_OFFLINE, "node1" },    { VERB_OFFLINE, "all" }, /* boot memory is refused */
        { VERB_OFFLINE, "1T" },                                   /* units are chosen, the others are spares */
        { VERB_OFFLINE, "=5T" },    { VERB_OFFLINE, "1048704M" }, /* no sum of whole units: the nearest are looked for
                                                                   */
        { VERB_ONLINE, "all" },     { VERB_ONLINE, "1T" },        { VERB_REMOVE, "all" },
};

static double cpu_seconds(void) {
        struct timespec now;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what, int error) {
        fprintf(stderr, "measure-plan: %s: %s\n", what, strerror(-error));
        exit(EXIT_FAILURE);
}

static double measure_reading(const struct sysfs *sysfs, struct inventory **ret) {
        const struct inventory_options options = { .flags = INVENTORY_ZONES | INVENTORY_NODE_MEMORY };
        double least = 0;

        for (int run = 0; run < RUNS; run++) {
                *ret = inventory_free(*ret);
                double begin = cpu_seconds();
                int r = inventory_read(sysfs, &options, ret);
                if (r < 0)
                        fail("the machine cannot be read", r);
                double took = cpu_seconds() - begin;
                least = run == 0 ? took : MIN(least, took);
        }
        return least;
}

/* Of a range's units the first has no block offline, the next one, the next two, … */
static void break_up(struct inventory *inventory) {
        struct extent_list pieces = { 0 };

        for (size_t i = 0; i < inventory->extents.n; i++) {
                struct extent piece = inventory->extents.items[i];
                uint64_t end = extent_end(&piece);

                for (uint64_t block = piece.first_block; block < end; block += piece.n_blocks) {
                        struct span unit = inventory_unit_of(inventory, block);
                        uint64_t n_offline = unit.first_block / unit.n_blocks % unit.n_blocks;
                        bool offline = block < unit.first_block + n_offline;

                        piece.first_block = block;
                        piece.n_blocks = MIN(end, offline ? unit.first_block + n_offline : span_end(&unit)) - block;
                        piece.state = offline ? BLOCK_OFFLINE : BLOCK_ONLINE;
                        int r = extent_list_append(&pieces, &piece);
                        if (r < 0)
                                fail("the machine cannot be broken up", r);
                }
        }
        extent_list_clear(&inventory->extents);
        inventory->extents = pieces;
}

static double measure_plan(const struct inventory *inventory, enum verb verb, const char *words) {
        struct request request = { .verb = verb, .ignore_headroom = true, .empty_node = true };
        struct selector_list selectors;
        char *word = strdup(words), *message = NULL;
        double least = 0;

        int r = selector_list_parse(&word, 1, inventory->block_size_bytes, &selectors, &message);
        if (r < 0)
                fail(message ? message : words, r);
        request.selectors = &selectors;
        for (int run = 0; run < RUNS; run++) {
                struct plan *plan = NULL;
                double begin = cpu_seconds();
                r = plan_make(inventory, NULL, &request, &plan, &message);
                if (r < 0)
                        fail(words, r);
                double took = cpu_seconds() - begin;
                least = run == 0 ? took : MIN(least, took);
                if (run == 0)
                        printf("%-7s %-9s %6zu steps %6zu spares %2zu refusals", verb_to_string(verb), words,
                               plan->n_steps, plan->n_spares, plan->n_refusals);
                plan_free(plan);
        }
        selector_list_clear(&selectors);
        free(word);
        return least;
}

/* Returns the worst share. */
static double measure_plans(const struct inventory *inventory, double reading) {
        double worst = 0;

        printf("%zu extents, %zu ranges\n", inventory->extents.n, inventory->n_ranges);
        for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
                double planning = measure_plan(inventory, requests[i].verb, requests[i].selectors);
                printf(" %8.2f ms %6.2f %%\n", planning * 1e3, planning / reading * 100);
                worst = MAX(worst, planning / reading * 100);
        }
        return worst;
}

int main(int argc, char **argv) {
        struct inventory *inventory = NULL;
        struct sysfs sysfs;

        if (argc != 2) {
                fprintf(stderr, "Usage: measure-plan SYSROOT\n");
                return 2;
        }
        int r = sysfs_open(argv[1], NULL, &sysfs);
        if (r < 0)
                fail(argv[1], r);
        double reading = measure_reading(&sysfs, &inventory);
        printf("reading: %.1f ms\n", reading * 1e3);
        double worst = measure_plans(inventory, reading);
        break_up(inventory);
        double worst_broken_up = measure_plans(inventory, reading);
        printf("worst share broken up: %.2f %%\n", worst_broken_up);
        printf("worst share: %.2f %%\n", worst);
        inventory_free(inventory);
        sysfs_close(&sysfs);
        return EXIT_SUCCESS;
}
