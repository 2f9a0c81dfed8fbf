/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit-status.h"
#include "output.h"
#include "selector.h"
#include "util.h"

char *policy_problem_text(const struct policy_problem *problem) {
        if (problem->line == 0)
                return format_string("%s: %s", problem->file, problem->message);

        return format_string("%s:%u: %s", problem->file, problem->line, problem->message);
}

void print_policy_problems(const struct policy_problems *problems) {
        for (size_t i = 0; i < problems->n; i++) {
                _cleanup_free_ char *text = policy_problem_text(problems->items + i);

                fprintf(stderr, "memctl: %s\n", text ? text : problems->items[i].message);
        }
}

static int read_policies(struct snapshot *snapshot, int root_fd) {
        const struct inventory *inventory = snapshot->inventory;
        struct policy_problems problems = { 0 };
        int r;

        r = policy_set_load(root_fd, &snapshot->policies, &problems);
        print_policy_problems(&problems);
        policy_problems_clear(&problems);
        if (r < 0)
                return r;

        snapshot->range_policies = calloc(inventory->n_ranges + 1, sizeof *snapshot->range_policies);
        if (!snapshot->range_policies)
                return -ENOMEM;

        for (size_t i = 0; i < inventory->n_ranges; i++) {
                const struct policy *policy =
                        policy_set_find(&snapshot->policies, inventory->ranges + i, inventory->block_size_bytes, NULL);

                snapshot->range_policies[i].name = strdup(policy->name);
                snapshot->range_policies[i].file = strdup(policy->file);
                if (!snapshot->range_policies[i].name || !snapshot->range_policies[i].file)
                        return -ENOMEM;
        }

        return 0;
}

static int read_sysfs(struct snapshot *snapshot, const char *sysroot, enum inventory_flags flags) {
        const struct inventory_options inventory_options = { .flags = flags };
        struct sysfs sysfs;
        int r;

        r = sysfs_open(sysroot, NULL, &sysfs);
        if (r < 0) {
                fprintf(stderr, "memctl: cannot open %s: %s\n", sysroot, strerror(-r));
                return STATUS_FAILED;
        }

        r = inventory_read(&sysfs, &inventory_options, &snapshot->inventory);
        if (r >= 0)
                r = read_policies(snapshot, sysfs.root_fd);
        sysfs_close(&sysfs);

        if (sysroot && strcmp(sysroot, "/") == 0)
                sysroot = NULL;
        if (r == -ENOENT) {
                fprintf(stderr,
                        "memctl: there are no memory blocks in %s/" SYSFS_MEMORY
                        ": this kernel has no memory hot-plug (CONFIG_MEMORY_HOTPLUG)\n",
                        sysroot ? sysroot : "");
                return STATUS_FAILED;
        }
        if (r == -EINVAL || r == -ERANGE || r == -EBADMSG) {
                fprintf(stderr,
                        "memctl: %s/" SYSFS_MEMORY
                        " makes no sense: look at block_size_bytes, which has to be a power "
                        "of two in hex, at each block's state, and at start and size in %s/" SYSFS_MEMORY_RANGE "\n",
                        sysroot ? sysroot : "", sysroot ? sysroot : "");
                return STATUS_FAILED;
        }
        if (r < 0) {
                fprintf(stderr, "memctl: cannot read the memory blocks: %s\n", strerror(-r));
                return STATUS_FAILED;
        }

        return STATUS_DONE;
}

static int read_memctld(struct snapshot *snapshot, const struct options *options, bool or_sysfs,
                        enum inventory_flags flags) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r, status = STATUS_DONE;

        r = client_open(options, &snapshot->client, &error);
        if (r >= 0)
                r = client_read_inventory(snapshot->client, &snapshot->inventory, &snapshot->range_policies, &error);
        if (r >= 0)
                goto finish;

        snapshot->client = client_close(snapshot->client);
        /* The files of another machine cannot be read from here. */
        if (!or_sysfs || options->host || options->machine || !client_is_unreachable(r, &error)) {
                status = client_report(r, &error);
                goto finish;
        }

        fprintf(stderr, "memctl: memctld cannot be reached (%s), this is read from sysfs\n",
                sd_bus_error_is_set(&error) && error.message ? error.message : strerror(-r));
        status = read_sysfs(snapshot, NULL, flags);

finish:
        sd_bus_error_free(&error);
        return status;
}

static int read_snapshot(const struct options *options, bool or_sysfs, enum inventory_flags flags,
                         struct snapshot **ret) {
        struct snapshot *snapshot = calloc(1, sizeof *snapshot);
        int status;

        if (!snapshot)
                return out_of_memory();

        status = options->sysroot ? read_sysfs(snapshot, options->sysroot, flags)
                                  : read_memctld(snapshot, options, or_sysfs, flags);
        if (status != STATUS_DONE) {
                snapshot_free(snapshot);
                return status;
        }

        *ret = snapshot;
        return STATUS_DONE;
}

int snapshot_read(const struct options *options, enum inventory_flags flags, struct snapshot **ret) {
        return read_snapshot(options, true, flags, ret);
}

int snapshot_read_memctld(const struct options *options, struct snapshot **ret) {
        return read_snapshot(options, false, 0, ret);
}

static void forget_inventory(struct snapshot *snapshot) {
        range_policies_free(snapshot->range_policies, snapshot->inventory ? snapshot->inventory->n_ranges : 0);
        snapshot->range_policies = NULL;
        snapshot->inventory = inventory_free(snapshot->inventory);
}

int snapshot_refresh(struct snapshot *snapshot, sd_bus_error *error) {
        struct range_policy *policies;
        struct inventory *inventory;
        int r;

        r = client_read_inventory(snapshot->client, &inventory, &policies, error);
        if (r < 0)
                return r;

        forget_inventory(snapshot);
        snapshot->inventory = inventory;
        snapshot->range_policies = policies;
        return 0;
}

struct snapshot *snapshot_free(struct snapshot *snapshot) {
        if (!snapshot)
                return NULL;

        forget_inventory(snapshot);
        policy_set_clear(&snapshot->policies);
        client_close(snapshot->client);
        free(snapshot);
        return NULL;
}

static int parse_selectors(const struct snapshot *snapshot, char **words, size_t n_words, struct selector_list *ret) {
        char *message = NULL;
        int r;

        r = selector_list_parse(words, n_words, snapshot->inventory->block_size_bytes, ret, &message);
        if (r == -EINVAL) {
                fprintf(stderr, "memctl: %s\n", message);
                free(message);
                return STATUS_USAGE;
        }

        return r < 0 ? out_of_memory() : STATUS_DONE;
}

/* The option with which memctl list names all of this type. */
static const char *lists_ranges(enum selector_type type) {
        return type == SELECTOR_BLOCKS || type == SELECTOR_NODE ? "" : " --ranges";
}

/* Everything that was named has to be there: an empty table would hide a slip of the pen. */
static int check_selection(const struct selection *selection) {
        for (size_t i = 0; i < selection->n_missing; i++)
                fprintf(stderr,
                        "memctl: refused: there is no %s on this machine\n"
                        "  what is there:      memctl list%s\n",
                        selection->missing[i].selector->text, lists_ranges(selection->missing[i].selector->type));

        return selection->n_missing ? STATUS_REFUSED : STATUS_DONE;
}

int snapshot_select(const struct snapshot *snapshot, char **words, size_t n_words, struct selection *ret) {
        char all[] = "all", *everything[] = { all, NULL };
        struct selector_list selectors = { 0 };
        const struct selector *amount;
        struct selection selection;
        int status;

        status = n_words ? parse_selectors(snapshot, words, n_words, &selectors)
                         : parse_selectors(snapshot, everything, 1, &selectors);
        if (status != STATUS_DONE)
                return status;

        amount = selector_list_amount(&selectors);
        if (amount) {
                fprintf(stderr,
                        "memctl: the amount %s names no memory: name blocks, addresses, ranges, nodes or devices\n",
                        amount->text);
                selector_list_clear(&selectors);
                return STATUS_USAGE;
        }

        if (selector_list_resolve(&selectors, snapshot->inventory, &selection) < 0) {
                selector_list_clear(&selectors);
                return out_of_memory();
        }

        status = check_selection(&selection);
        selector_list_clear(&selectors);
        if (status != STATUS_DONE) {
                selection_clear(&selection);
                return status;
        }

        /* What is missing points into the selectors, which are gone; there is none. */
        *ret = selection;
        return STATUS_DONE;
}

static int plan_here(const struct snapshot *snapshot, const struct options *options, enum verb verb, char **words,
                     size_t n_words, struct plan **ret) {
        struct selector_list selectors;
        struct request request = {
                .verb = verb,
                .selectors = &selectors,
                .partial = options->partial,
                .best_effort = options->best_effort,
                .ignore_headroom = options->ignore_headroom,
                .empty_node = options->empty_node,
        };
        char *message = NULL;
        int r, status;

        if (options->zone) {
                request.has_zone = true;
                r = online_zone_from_string(options->zone, &request.zone);
                if (r < 0)
                        return STATUS_USAGE;
        }

        status = parse_selectors(snapshot, words, n_words, &selectors);
        if (status != STATUS_DONE)
                return status;

        r = plan_make(snapshot->inventory, &snapshot->policies, &request, ret, &message);
        selector_list_clear(&selectors);
        if (r == -EINVAL) {
                fprintf(stderr, "memctl: %s\n", message);
                free(message);
                return STATUS_USAGE;
        }

        return r < 0 ? out_of_memory() : STATUS_DONE;
}

int snapshot_plan(const struct snapshot *snapshot, const struct options *options, enum verb verb, char **words,
                  size_t n_words, struct plan **ret) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r, status = STATUS_DONE;

        if (!snapshot->client)
                return plan_here(snapshot, options, verb, words, n_words, ret);

        r = client_plan(snapshot->client, options, verb, words, ret, &error);
        if (r < 0)
                status = client_report(r, &error);
        sd_bus_error_free(&error);
        return status;
}

const char *snapshot_teller(const struct snapshot *snapshot) {
        return snapshot->client ? "memctld" : "sysfs";
}

/* The one removal granularity of all ranges, or false if they differ. */
static bool same_granularity(const struct inventory *inventory, uint64_t *ret) {
        for (size_t i = 0; i < inventory->n_ranges; i++) {
                if (i > 0 && inventory->ranges[i].removal_granularity_bytes != *ret)
                        return false;
                *ret = inventory->ranges[i].removal_granularity_bytes;
        }

        return inventory->n_ranges > 0;
}

char *snapshot_granularity_note(const struct snapshot *snapshot) {
        static const char *const sources[] = {
                [GRANULARITY_SOURCE_KERNEL] = "kernel",
                [GRANULARITY_SOURCE_PAGE_TABLES] = "page-tables: read from debugfs",
                [GRANULARITY_SOURCE_CONFIGURED] = "configured: AssumeGranularity= in memctld.conf",
                [GRANULARITY_SOURCE_ESTIMATED] = "estimated: this kernel does not tell it",
                [GRANULARITY_SOURCE_UNKNOWN] = "unknown",
        };
        const struct inventory *inventory = snapshot->inventory;
        const char *source = sources[inventory->source];
        char size[FORMAT_BYTES_MAX];
        uint64_t granularity_bytes;

        if (inventory->n_ranges == 0)
                return format_string("none, there is no hot-added memory (%s)", source);
        if (!same_granularity(inventory, &granularity_bytes))
                return format_string("differs by range (%s)", source);
        if (granularity_bytes == GRANULARITY_UNKNOWN)
                return format_string("a whole range (%s)", source);

        return format_string("%s (%s)", format_bytes(granularity_bytes, size), source);
}
