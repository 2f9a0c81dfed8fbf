/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager-parts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "change-plan.h"
#include "cleanup.h"
#include "log.h"
#include "messages.h"

#define ACTIVE_JOBS_PER_USER_MAX 64

const struct inventory *manager_inventory(const struct manager *manager) {
        return tracker_inventory(manager->tracker);
}

uint64_t manager_generation(const struct manager *manager) {
        return tracker_generation(manager->tracker);
}

uint64_t manager_events_lost(const struct manager *manager) {
        return tracker_events_lost(manager->tracker);
}

static const char *udev_policy(const struct range *range, void *userdata) {
        const struct manager *manager = userdata;

        return range->exported ? udev_watch_policy(manager->udev, range->number) : NULL;
}

const struct policy *manager_policy(const struct manager *manager, const struct range *range,
                                    enum policy_choice *ret_choice) {
        const char *udev_name = udev_policy(range, (void *)manager);
        const struct policy *policy =
                policy_set_find(&manager->policies, range, manager_inventory(manager)->block_size_bytes, udev_name);

        if (policy->name[0] == '\0')
                *ret_choice = POLICY_CHOICE_DEFAULT;
        else if (udev_name && strcmp(policy->name, udev_name) == 0)
                *ret_choice = POLICY_CHOICE_UDEV;
        else
                *ret_choice = POLICY_CHOICE_MATCH;
        return policy;
}

const struct policy_set *manager_policies(const struct manager *manager) {
        return &manager->policies;
}

const struct policy_problems *manager_policy_problems(const struct manager *manager) {
        return &manager->problems;
}

static void log_problem(const struct policy_problem *problem) {
        if (problem->line > 0)
                log_about(LOG_WARNING, MESSAGE_POLICY_BROKEN, 0, NULL, NULL, "%s:%u: %s; this file is not in force",
                          problem->file, problem->line, problem->message);
        else
                log_about(LOG_WARNING, MESSAGE_POLICY_BROKEN, 0, NULL, NULL, "%s: %s; this file is not in force",
                          problem->file, problem->message);
}

static void log_configuration_problem(const char *file, unsigned line, const char *message, void *userdata) {
        const struct policy_problem problem = { (char *)file, line, (char *)message };

        (void)userdata;
        log_problem(&problem);
}

/* What holds for the next job; the assumed granularity needs the whole machine read again. */
static void load_configuration(struct manager *manager) {
        const struct configuration before = manager->configuration;

        configuration_load(manager->root.root_fd, log_configuration_problem, manager, &manager->configuration);
        if (manager->tracker && (manager->configuration.assume_granularity_bytes != before.assume_granularity_bytes ||
                                 manager->configuration.reads_page_tables != before.reads_page_tables))
                tracker_set_granularity(manager->tracker, manager->configuration.assume_granularity_bytes,
                                        manager->configuration.reads_page_tables);
        if (manager->drain)
                drain_set_delay_max(manager->drain, manager->configuration.inhibit_delay_max_usec);
}

int manager_reload(struct manager *manager) {
        struct policy_set policies = { 0 };
        struct policy_problems problems = { 0 };
        int r = policy_set_load(manager->root.root_fd, &policies, &problems);

        load_configuration(manager);
        for (size_t i = 0; i < problems.n; i++)
                log_problem(&problems.items[i]);
        if (r < 0) {
                policy_problems_clear(&problems);
                return r;
        }
        policy_set_clear(&manager->policies);
        policy_problems_clear(&manager->problems);
        manager->policies = policies;
        manager->problems = problems;
        return 0;
}

static struct change_planning planning_now(struct manager *manager, const struct job *except) {
        return (struct change_planning){
                .inventory = manager_inventory(manager),
                .policies = &manager->policies,
                .queue = manager->queue,
                .inhibitors = manager->inhibitors,
                .rollback_timeout_usec = manager->configuration.rollback_timeout_usec,
                .generation = manager_generation(manager),
                .except = except,
                .udev_policy = udev_policy,
                .udev_policy_userdata = manager,
        };
}

int manager_plan(struct manager *manager, const struct change *change, struct plan **ret, char **ret_message) {
        struct change_planning planning = planning_now(manager, NULL);

        return change_plan_make(&planning, change, ret, ret_message);
}

bool manager_is_refused(const struct change *change, const struct plan *plan) {
        return plan->n_refusals > 0 && (!change->best_effort || (plan->n_steps == 0 && plan->n_removals == 0));
}

static int make_job(struct manager *manager, const struct plan *plan, struct change *change, struct job **ret) {
        struct change_planning planning = planning_now(manager, NULL);
        struct job *job;
        int r;

        r = queue_make_job(manager->queue, change, &job);
        if (r < 0)
                return r;
        r = change_plan_to_job(&planning, plan, job);
        if (r < 0) {
                job_free(job);
                return r;
        }
        r = queue_add(manager->queue, job);
        if (r < 0)
                return r;
        *ret = job;
        return 0;
}

struct job *manager_find_request(const struct manager *manager, const struct change *change) {
        return change->request_id ? queue_find_request(manager->queue, change->uid, change->request_id) : NULL;
}

int manager_sync(struct manager *manager, const struct change *change, manager_sync_fn done, void *userdata) {
        struct span_list scope = { 0 };
        int r = change_scope(change, manager_inventory(manager), &scope);

        if (r == 0)
                r = tracker_sync(manager->tracker, &scope, done, userdata);
        span_list_clear(&scope);
        return r;
}

void manager_sync_cancel(struct manager *manager, const void *userdata) {
        tracker_sync_cancel(manager->tracker, userdata);
}

int manager_submit(struct manager *manager, struct change *change, struct job **ret, struct plan **ret_plan,
                   char **ret_message) {
        struct job *known;
        struct plan *plan;
        int r;

        if (manager->stopping)
                return -ESHUTDOWN;
        known = manager_find_request(manager, change);
        if (known) {
                *ret = known;
                change_clear(change);
                return CHANGE_PLANNED;
        }
        if (!change->by_policy && queue_count_active(manager->queue, change->uid) >= ACTIVE_JOBS_PER_USER_MAX)
                return CHANGE_LIMIT;
        r = manager_plan(manager, change, &plan, ret_message);
        if (r != CHANGE_PLANNED)
                return r;
        if (manager_is_refused(change, plan)) {
                *ret_plan = plan;
                return CHANGE_REFUSED;
        }
        r = make_job(manager, plan, change, ret);
        plan_free(plan);
        return r;
}

static bool plan_again(struct job *job, void *userdata) {
        struct manager *manager = userdata;
        struct change_planning planning = planning_now(manager, job);
        _cleanup_free_ char *message = NULL;
        struct change change = job->change;
        struct plan *plan;
        bool fits;

        if (job->planned_at_generation == planning.generation)
                return true;
        /* What was expected held when the job was accepted; since then other jobs of the queue ran. */
        change.has_expect_generation = false;
        if (change_plan_make(&planning, &change, &plan, &message) != CHANGE_PLANNED)
                return false;
        fits = !manager_is_refused(&change, plan);
        if (fits)
                fits = change_plan_to_job(&planning, plan, job) == 0;
        else {
                _cleanup_free_ char *text = plan_refusal_text(plan);

                log_notice("Job %" PRIu64 " no longer fits the machine: %s", job->id, text ? text : "");
        }
        plan_free(plan);
        return fits;
}

struct job *manager_find_job(const struct manager *manager, uint64_t id) {
        return queue_find(manager->queue, id);
}

struct job *const *manager_jobs(const struct manager *manager, size_t *ret_n) {
        return queue_jobs(manager->queue, ret_n);
}

void manager_recover(struct manager *manager) {
        queue_recover(manager->queue);
        manager->is_serving = true;
        onliner_look(manager->onliner, manager_inventory(manager));
}

static void on_udev_range(const char *action, uint64_t range_number, void *userdata) {
        struct manager *manager = userdata;

        (void)action;
        (void)range_number;
        if (manager->is_serving)
                onliner_look(manager->onliner, manager_inventory(manager));
}

void manager_stop(struct manager *manager) {
        manager->stopping = true;
        queue_stop(manager->queue);
}

static void warn_if_estimated(const struct manager *manager) {
        enum granularity_source source = manager_inventory(manager)->source;

        if (manager->configuration.reads_page_tables && source > GRANULARITY_SOURCE_PAGE_TABLES)
                log_warning(
                        "ReadPageTables=yes: the kernel shows no page tables in /sys/kernel/debug that can be read, "
                        "so the granularity is %s",
                        granularity_source_to_string(source));
}

static void on_updated(const struct inventory *previous, const struct span_list *changed, bool gone, void *userdata) {
        struct manager *manager = userdata;

        if (!previous) {
                warn_if_estimated(manager);
                manager->observer.ready(manager->userdata);
                return;
        }
        manager->observer.inventory_changed(previous, changed, gone, manager->userdata);
        if (!manager->is_serving)
                return;
        queue_look(manager->queue);
        onliner_look(manager->onliner, manager_inventory(manager));
}

static void on_failed(int error, void *userdata) {
        struct manager *manager = userdata;

        manager->observer.failed(error, manager->userdata);
}

static void on_job_new(struct job *job, void *userdata) {
        struct manager *manager = userdata;

        manager->observer.job_new(job, manager->userdata);
}

static void on_job_changed(struct job *job, void *userdata) {
        struct manager *manager = userdata;

        manager->observer.job_changed(job, manager->userdata);
}

static void on_job_finished(struct job *job, void *userdata) {
        struct manager *manager = userdata;

        drain_end(manager->drain, job);
        manager->observer.job_finished(job, manager->userdata);
}

static void on_job_removed(struct job *job, void *userdata) {
        struct manager *manager = userdata;

        manager->observer.job_removed(job, manager->userdata);
}

static void on_idle(void *userdata) {
        struct manager *manager = userdata;

        manager->observer.idle(manager->userdata);
}

static int start(struct manager *manager, sd_event *event, const struct manager_options *options) {
        struct tracker_options tracker = {
                .executable = options->executable,
                .sysroot = options->sysroot,
                .uevent_fd = options->uevent_fd,
                .callbacks = { .updated = on_updated, .failed = on_failed },
                .userdata = manager,
        };
        struct queue_options queue = {
                .executable = options->executable,
                .sysroot = options->sysroot,
                .callbacks = {
                        .prepare = manager_prepare,
                        .plan_again = plan_again,
                        .job_new = on_job_new,
                        .job_changed = on_job_changed,
                        .job_finished = on_job_finished,
                        .job_removed = on_job_removed,
                        .idle = on_idle,
                },
                .userdata = manager,
        };
        int r;

        r = sysfs_open(options->sysroot, NULL, &manager->root);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot open %s", options->sysroot ? options->sysroot : "/");
        r = manager_reload(manager);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot read the policies");
        if (!options->sysroot) {
                r = udev_watch_new(event, on_udev_range, manager, &manager->udev);
                if (r < 0)
                        log_errno(LOG_WARNING, r, "Cannot listen to udev; no udev rule can choose a policy");
        }
        r = onliner_new(event, &manager_onliner_callbacks, manager, &manager->onliner);
        if (r < 0)
                return r;
        r = manager_start_inhibitors(manager, event, options);
        if (r < 0)
                return r;
        tracker.assume_granularity_bytes = manager->configuration.assume_granularity_bytes;
        tracker.reads_page_tables = manager->configuration.reads_page_tables;
        r = tracker_new(event, &tracker, &manager->tracker);
        if (r < 0)
                return r;
        queue.tracker = manager->tracker;
        return queue_new(event, &queue, &manager->queue);
}

int manager_new(sd_event *event, const struct manager_options *options, struct manager **ret) {
        struct manager *manager = calloc(1, sizeof(*manager));
        int r;

        if (!manager)
                return -ENOMEM;
        manager->root.root_fd = -1;
        manager->observer = *options->observer;
        manager->userdata = options->userdata;
        r = start(manager, event, options);
        if (r < 0) {
                manager_free(manager);
                return r;
        }
        *ret = manager;
        return 0;
}

struct manager *manager_free(struct manager *manager) {
        if (!manager)
                return NULL;
        onliner_free(manager->onliner);
        drain_free(manager->drain);
        inhibitors_free(manager->inhibitors);
        queue_free(manager->queue);
        tracker_free(manager->tracker);
        udev_watch_free(manager->udev);
        policy_set_clear(&manager->policies);
        policy_problems_clear(&manager->problems);
        sysfs_close(&manager->root);
        free(manager);
        return NULL;
}
