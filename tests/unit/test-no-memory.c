/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whichever allocation it is that fails: the caller is told -ENOMEM and gets nothing, or gets all of it where it could
 * be done without. That nothing is left behind or used half made is for AddressSanitizer to say. The model's calls of
 * these functions come here by the linker's --wrap.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "plan.h"
#include "policy.h"
#include "sysroot.h"
#include "test.h"
#include "util.h"

static size_t n_allocations, failing; /* the failing-th fails; 0: none */

static bool fails(void) {
        return ++n_allocations == failing;
}

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker makes these names. */
#define WRAP(type, function, parameters, arguments, failure)                                                           \
        type __real_##function parameters;                                                                             \
        type __wrap_##function parameters;                                                                             \
        type __wrap_##function parameters {                                                                            \
                if (!fails())                                                                                          \
                        return __real_##function arguments;                                                            \
                errno = ENOMEM;                                                                                        \
                return failure;                                                                                        \
        }

WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, (void *items, size_t size), (items, size), NULL)
WRAP(void *, reallocarray, (void *items, size_t n, size_t size), (items, n, size), NULL)
WRAP(char *, strdup, (const char *text), (text), NULL)
WRAP(char *, strndup, (const char *text, size_t size), (text, size), NULL)
WRAP(FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL)
WRAP(int, vasprintf, (char **text, const char *format, va_list arguments), (text, format, arguments), -1)
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* What is tried, with everything it needs there already: fills in `ret`, the result in words, if that is 0 or -EINVAL.
 */
typedef int (*try_fn)(const void *what, char **ret);

static int attempt(try_fn function, const void *what, size_t which, char **ret) {
        n_allocations = 0;
        failing = which;
        int r = function(what, ret);
        failing = 0;
        return r;
}

static void assert_survives(try_fn function, const void *what) {
        char *wanted = NULL;
        int r = attempt(function, what, 0, &wanted);
        size_t n = n_allocations;

        assert_true(n > 0);
        for (size_t which = 1; which <= n; which++) {
                char *got = NULL;
                int failed = attempt(function, what, which, &got);
                if (failed == -ENOMEM)
                        assert_null(got);
                else {
                        assert_int_equal(failed, r);
                        assert_non_null(got);
                        /* A message may lack its hint. */
                        if (r == 0)
                                assert_string_equal(got, wanted);
                }
                free(got);
        }
        free(wanted);
}

/* From here to the result in words nothing fails. */
static void done(void) {
        failing = 0;
}

static struct inventory *inventory;
static struct policy_set policies;

struct wish {
        enum verb verb;
        const char *words;
        bool partial, best_effort, empty_node;
};

static struct selector_list selectors;

static int try_plan(const void *what, char **ret) {
        const struct wish *wish = what;
        const struct request request = {
                .verb = wish->verb,
                .selectors = &selectors,
                .partial = wish->partial,
                .best_effort = wish->best_effort,
                .empty_node = wish->empty_node,
        };
        struct plan *plan = NULL;
        char *message = NULL;
        int r = plan_make(inventory, &policies, &request, &plan, &message);

        done();
        if (r == -EINVAL)
                *ret = message;
        if (r < 0)
                return r;

        char *steps = model_steps_to_string(plan->steps, plan->n_steps);
        char *refusals = model_refusals_to_string(plan), *text = plan_refusal_text(plan);
        *ret = format_string("%s; %s; %s; %zu spares, %zu side effects", steps, refusals, text ? text : "",
                             plan->n_spares, plan->n_side_effects);
        free(steps);
        free(refusals);
        free(text);
        plan_free(plan);
        return 0;
}

static void plans(void **state) {
        static const struct wish wishes[] = {
                { VERB_OFFLINE, "40-47" },
                { VERB_OFFLINE, "44" },
                { VERB_OFFLINE, "44", .partial = true },
                { VERB_OFFLINE, "44 48-55", .best_effort = true },
                { VERB_OFFLINE, "0-3" },
                { VERB_OFFLINE, "56-63 70000" },
                { VERB_OFFLINE, "range9 node1" },
                { VERB_OFFLINE, "node1" },
                { VERB_OFFLINE, "node1", .empty_node = true },
                { VERB_OFFLINE, "all" },
                { VERB_OFFLINE, "1G" },
                { VERB_OFFLINE, "1G node0" },
                { VERB_OFFLINE, "3G" },
                { VERB_OFFLINE, "=100G" },
                { VERB_ONLINE, "range2" },
                { VERB_ONLINE, "=1G range2" },
                { VERB_ONLINE, "44", .partial = true },
                { VERB_REMOVE, "40-47" },
                { VERB_REMOVE, "range0 range1" },
                { VERB_REMOVE, "all" },
                { VERB_REMOVE, "range2 range3 44" },
                { VERB_REMOVE, "1G" },
        };

        inventory = model_server();
        for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
                model_select(wishes[i].words, inventory->block_size_bytes, &selectors);
                assert_survives(try_plan, &wishes[i]);
                selector_list_clear(&selectors);
        }
        inventory_free(inventory);
        (void)state;
}

static int try_names(const void *what, char **ret) {
        struct span_list blocks = { 0 };
        char *missing = NULL, *message = NULL;
        int r = blocks_named((char *const *)what, inventory, "say which", &blocks, &missing, &message);

        done();
        if (r == -EINVAL)
                *ret = message;
        if (r < 0)
                return r;

        char *present = format_span_list(&blocks);
        *ret = format_string("%s, %s", present, missing ? missing : "all there");
        free(present);
        free(missing);
        span_list_clear(&blocks);
        return 0;
}

static void names(void **state) {
        static const char *const lines[][6] = {
                { "40-47,52", "range1", "node0", "device:dax0.0", "0x140000000+1G", NULL },
                { "range9", "all", "300-400", NULL },
                { "rnge1", NULL },
                { "40", "4G", NULL },
                { "0x141000000-0x17fffffff", NULL },
        };

        inventory = model_server();
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                assert_survives(try_names, lines[i]);
        inventory_free(inventory);
        (void)state;
}

static struct sysroot root;
static struct sysfs sysfs;

static char *inventory_to_string(const struct inventory *read) {
        char *text = format_string("%zu nodes:", read->n_nodes);

        for (size_t i = 0; i < read->extents.n; i++) {
                const struct extent *extent = &read->extents.items[i];
                char name[RANGE_NAME_MAX] = "-", *longer;

                if (extent->range != RANGE_NONE)
                        range_name(&read->ranges[extent->range], name);
                longer = format_string("%s %" PRIu64 "+%" PRIu64 " %s", text, extent->first_block, extent->n_blocks,
                                       name);
                free(text);
                text = longer;
        }
        return text;
}

static int try_read(const void *what, char **ret) {
        const struct inventory_options options = { .flags = INVENTORY_ZONES | INVENTORY_NODE_MEMORY, .n_threads = 1 };
        struct inventory *read = NULL;
        int r = inventory_read(&sysfs, &options, &read);

        (void)what;
        done();
        if (r < 0)
                return r;
        *ret = inventory_to_string(read);
        inventory_free(read);
        return 0;
}

/* A block of a range that is new since the inventory was read. */
static int try_refresh(const void *what, char **ret) {
        const struct inventory_options options = { .flags = INVENTORY_ZONES, .n_threads = 1 };
        size_t which = failing;
        struct inventory *read = NULL;
        int r;

        (void)what;
        done();
        sysroot_unlink(&root, "sys/devices/system/memory/memory44/state");
        assert_int_equal(inventory_read(&sysfs, &options, &read), 0);
        sysroot_write(&root, "sys/devices/system/memory/memory44/state", "offline\n");
        n_allocations = 0;
        failing = which;
        r = inventory_refresh_machine(read, &sysfs);
        if (r == 0)
                r = inventory_refresh_range(read, &sysfs, 0);
        if (r == 0)
                r = inventory_refresh_blocks(read, &sysfs, (struct span){ 44, 1 });
        done();
        if (r == 0)
                *ret = inventory_to_string(read);
        inventory_free(read);
        return r;
}

static void make_machine(void) {
        sysroot_make(&root);
        sysroot_add_machine(&root);
        sysroot_add_blocks(&root, 0, 16, 0, "online", "Normal");
        sysroot_add_blocks(&root, 40, 16, 1, "online", "Movable");
        sysroot_write(&root, "sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 2097152 kB\n");
        sysroot_write(&root, "sys/devices/system/node/node1/meminfo", "Node 1 MemTotal: 2097152 kB\n");
        assert_int_equal(sysfs_open(root.path, NULL, &sysfs), 0);
}

static void unmake_machine(void) {
        sysfs_close(&sysfs);
        sysroot_remove(&root);
}

static void reading(void **state) {
        make_machine();
        sysroot_write(&root, "proc/iomem", "00000000-7fffffff : System RAM\n140000000-1bfffffff : System RAM (kmem)\n");
        assert_survives(try_read, NULL);
        sysroot_add_range(&root, 0, 40, 16, 1, "System RAM", "1073741824");
        assert_survives(try_read, NULL);
        assert_survives(try_refresh, NULL);
        unmake_machine();
        (void)state;
}

static int try_policies(const void *what, char **ret) {
        struct policy_set set = { 0 };
        struct policy_problems problems = { 0 };
        int r = policy_set_load(sysfs.root_fd, &set, &problems);

        (void)what;
        done();
        if (r == 0)
                *ret = format_string("%zu policies, %zu problems, the first is %s", set.n, problems.n,
                                     set.n > 0 ? set.items[0].name : "");
        policy_set_clear(&set);
        policy_problems_clear(&problems);
        return r;
}

static void reading_policies(void **state) {
        make_machine();
        sysroot_write(&root, "etc/memctl/policy.d/10-a.policy", "[Match]\nName=x*\n[Online]\nMode=auto\n");
        sysroot_write(&root, "etc/memctl/policy.d/10-a.policy.d/x.conf", "[Offline]\nPartial=refuse\n");
        sysroot_write(&root, "run/memctl/policy.d/20-b.policy", "[Match]\nNode=1\n");
        sysroot_write(&root, "usr/lib/memctl/policy.d/30-c.policy", "[Nonsense]\n");
        assert_survives(try_policies, NULL);
        unmake_machine();
        (void)state;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(plans),
                cmocka_unit_test(names),
                cmocka_unit_test(reading),
                cmocka_unit_test(reading_policies),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
