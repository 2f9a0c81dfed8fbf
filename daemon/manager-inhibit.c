/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inhibitors: taken, shown, and asked before a job begins. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "manager-parts.h"
#include "selector.h"

static void on_released(void *userdata) {
        struct manager *manager = userdata;

        drain_look(manager->drain);
}

static void tell(const struct job *job, bool start, void *userdata) {
        struct manager *manager = userdata;

        manager->observer.prepare_for(job, start, manager->userdata);
}

static void on_drained(struct job *job, void *userdata) {
        struct manager *manager = userdata;

        queue_go_on(manager->queue, job);
}

static const struct inventory *inventory_now(void *userdata) {
        return manager_inventory(userdata);
}

int manager_start_inhibitors(struct manager *manager, sd_event *event, const struct manager_options *options) {
        static const struct drain_callbacks callbacks = { .tell = tell,
                                                          .done = on_drained,
                                                          .inventory = inventory_now };
        int r = inhibitors_new(event, on_released, manager, &manager->inhibitors);

        if (r < 0)
                return r;
        for (size_t i = 0; i < options->n_stored; i++)
                inhibitors_restore(manager->inhibitors, options->stored[i].fd, options->stored[i].name);
        return drain_new(event, manager->inhibitors, manager->configuration.inhibit_delay_max_usec, &callbacks, manager,
                         &manager->drain);
}

bool manager_prepare(struct job *job, void *userdata) {
        struct manager *manager = userdata;

        return drain_begin(manager->drain, job);
}

const struct inhibitor *manager_inhibitor(const struct manager *manager, size_t n) {
        return inhibitors_get(manager->inhibitors, n);
}

static int refuse(char **ret_message, char *message) {
        *ret_message = message;
        return message ? CHANGE_REFUSED : -ENOMEM;
}

static int check_running(const struct manager *manager, const struct inhibitor *inhibitor,
                         const struct span_list *blocks, char **ret_message) {
        size_t n;
        struct job *const *jobs = queue_jobs(manager->queue, &n);

        for (size_t i = 0; i < n; i++)
                if (jobs[i]->state != JOB_FINISHED && inhibitor->verbs & 1U << jobs[i]->change.verb &&
                    job_overlaps(jobs[i], blocks)) {
                        _cleanup_free_ char *held = format_span_list(&jobs[i]->blocks);

                        return refuse(ret_message,
                                      held ? format_string("job %" PRIu64 " (%s) already works on %s\n"
                                                           "  wait for it, or end it:  memctl cancel %" PRIu64,
                                                           jobs[i]->id, verb_to_string(jobs[i]->change.verb), held,
                                                           jobs[i]->id)
                                           : NULL);
                }
        return 0;
}

/* What is not there cannot be kept; a name with a mistake in it would keep nothing and nobody would know. */
static int blocks_kept(const struct manager *manager, const struct inhibitor *inhibitor, struct span_list *ret,
                       char **ret_message) {
        _cleanup_free_ char *missing = NULL;
        int r = blocks_named(inhibitor->selectors, manager_inventory(manager),
                             "an amount says how much, not which; name blocks, ranges, nodes, devices or all", ret,
                             &missing, ret_message);

        if (r == -EINVAL)
                return CHANGE_INVALID_SELECTOR;
        if (r == 0 && missing)
                return refuse(ret_message,
                              format_string("%s is not there\n  what there is:      memctl list", missing));
        if (r == 0 && ret->n == 0)
                return refuse(ret_message, format_string("there is no such memory\n  what there is:      memctl list"));
        return r;
}

int manager_inhibit(struct manager *manager, struct inhibitor *inhibitor, int *ret_fd, char **ret_message) {
        struct span_list blocks = { 0 };
        int r = blocks_kept(manager, inhibitor, &blocks, ret_message);

        if (r == 0)
                r = check_running(manager, inhibitor, &blocks, ret_message);
        span_list_clear(&blocks);
        if (r != 0)
                return r;
        r = inhibitors_add(manager->inhibitors, inhibitor, ret_fd);
        return r == -EDQUOT ? CHANGE_LIMIT : r;
}
