/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "queue-parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "job-record.h"
#include "journal.h"
#include "log.h"
#include "messages.h"
#include "runtime.h"

#define JOBS_MAX          1024
#define NEXT_JOB_FILE     "next-job"
#define TERM_TIMEOUT_USEC (2 * USEC_PER_SEC)
#define KILL_TIMEOUT_USEC (5 * USEC_PER_SEC)

static void start_next(struct queue *queue);

struct job *queue_find(const struct queue *queue, uint64_t id) {
        for (size_t i = 0; i < queue->n_jobs; i++)
                if (queue->jobs[i]->id == id)
                        return queue->jobs[i];
        return NULL;
}

struct job *queue_find_request(const struct queue *queue, uid_t uid, const char *request_id) {
        for (size_t i = 0; i < queue->n_jobs; i++) {
                const struct change *change = &queue->jobs[i]->change;

                if (change->uid == uid && change->request_id && strcmp(change->request_id, request_id) == 0)
                        return queue->jobs[i];
        }
        return NULL;
}

struct job *const *queue_jobs(const struct queue *queue, size_t *ret_n) {
        *ret_n = queue->n_jobs;
        return queue->jobs;
}

struct job *queue_holder(const struct queue *queue, const struct span_list *blocks, const struct job *except) {
        for (size_t i = 0; i < queue->n_jobs; i++)
                if (queue->jobs[i] != except && queue->jobs[i]->state != JOB_FINISHED &&
                    job_overlaps(queue->jobs[i], blocks))
                        return queue->jobs[i];
        return NULL;
}

size_t queue_count_active(const struct queue *queue, uid_t uid) {
        size_t n = 0;

        for (size_t i = 0; i < queue->n_jobs; i++)
                n += queue->jobs[i]->state != JOB_FINISHED && queue->jobs[i]->change.uid == uid &&
                     !queue->jobs[i]->change.by_policy;
        return n;
}

static void remove_job(struct queue *queue, size_t index) {
        struct job *job = queue->jobs[index];

        queue->options.callbacks.job_removed(job, queue->options.userdata);
        tracker_sync_cancel(queue->options.tracker, job);
        journal_remove(job->id);
        memmove(queue->jobs + index, queue->jobs + index + 1, (queue->n_jobs - index - 1) * sizeof(struct job *));
        queue->n_jobs--;
        job_free(job);
}

static struct job *first_to_expire(const struct queue *queue, size_t *ret_index) {
        struct job *first = NULL;

        for (size_t i = 0; i < queue->n_jobs; i++) {
                struct job *job = queue->jobs[i];

                /* What is owed is kept until it is paid. */
                if (job->state == JOB_FINISHED && job->owed.n == 0 && !job_may_still_remove(job) &&
                    (!first || job->finished_usec < first->finished_usec)) {
                        first = job;
                        *ret_index = i;
                }
        }
        return first;
}

uint64_t queue_now_usec(const struct queue *queue) {
        uint64_t usec = 0;

        (void)sd_event_now(queue->event, CLOCK_MONOTONIC, &usec);
        return usec;
}

void queue_expire(struct queue *queue) {
        struct job *job;
        size_t index;

        while ((job = first_to_expire(queue, &index))) {
                if (queue->n_jobs <= JOBS_MAX && queue_now_usec(queue) < job->finished_usec + RETENTION_USEC) {
                        (void)sd_event_source_set_time(queue->expiry, job->finished_usec + RETENTION_USEC);
                        (void)sd_event_source_set_enabled(queue->expiry, SD_EVENT_ONESHOT);
                        return;
                }
                remove_job(queue, index);
        }
}

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        queue_expire(userdata);
        return 0;
}

/* One that was not taken up again keeps its journal for the next start. */
/* What can no longer be undone needs nobody: the next process takes it up from its journal. */
static bool all_finished(const struct queue *queue) {
        for (size_t i = 0; i < queue->n_jobs; i++)
                if (queue->jobs[i]->state != JOB_FINISHED && !job_is_committed(queue->jobs[i]) &&
                    !(queue->jobs[i]->recovers && queue->jobs[i]->state == JOB_QUEUED))
                        return false;
        return true;
}

static int on_idle_source(sd_event_source *source, void *userdata) {
        struct queue *queue = userdata;

        (void)source;
        queue->idle_source = sd_event_source_disable_unref(queue->idle_source);
        queue->options.callbacks.idle(queue->options.userdata);
        return 0;
}

static void tell_if_idle(struct queue *queue) {
        if (queue->stopping && !queue->idle_source && all_finished(queue) &&
            sd_event_add_defer(queue->event, &queue->idle_source, on_idle_source, queue) < 0)
                (void)log_oom();
}

static void log_result(const struct job *job) {
        _cleanup_free_ char *blocks = format_span_list(&job->blocks);
        const char *result = job_result_to_string(job->result);

        log_about(job->result == JOB_RESULT_DONE ? LOG_INFO : LOG_NOTICE, MESSAGE_JOB_FINISHED, job->id, blocks, result,
                  "Job %" PRIu64 " (%s) is finished: %s", job->id, verb_to_string(job->change.verb), result);
}

uint64_t queue_boottime_usec(void) {
        struct timespec now;

        if (clock_gettime(CLOCK_BOOTTIME, &now) < 0)
                return 0;
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

void queue_end_journal(const struct job *job) {
        _cleanup_free_ char *line = job_record_end(job, queue_boottime_usec());
        int r = line ? journal_append(job->id, line) : -ENOMEM;

        /* A job that wrote nothing has no journal. */
        if (r < 0 && r != -ENOENT)
                log_errno(LOG_WARNING, r, "Cannot end the journal of job %" PRIu64, job->id);
}

static void conclude(struct queue *queue, struct job *job) {
        job_conclude(job);
        queue_end_journal(job);
        queue_log_owed(job);
        queue_forgive(queue, job);
        job->finished_usec = queue_now_usec(queue);
        if (queue->running == job)
                queue->running = NULL;
        log_result(job);
        queue->options.callbacks.job_finished(job, queue->options.userdata);
        queue_expire(queue);
        tell_if_idle(queue);
        start_next(queue);
        queue_retry_owed(queue);
}

static void on_end_synced(int error, void *userdata) {
        struct job *job = userdata;

        if (error < 0)
                log_warning("The inventory does not show yet what job %" PRIu64 " did", job->id);
        conclude(job->userdata, job);
}

/* Whoever hears that a job is finished and looks must see what it did. */
void queue_show_end(struct queue *queue, struct job *job) {
        if (queue->running != job || tracker_sync(queue->options.tracker, &job->blocks, on_end_synced, job) < 0)
                conclude(queue, job);
}

static void on_job_ended(struct job *job, void *userdata) {
        struct queue *queue = userdata;

        if (queue->running != job || !queue_restore_huge_pages(queue, job))
                queue_show_end(queue, job);
}

static void on_job_changed(struct job *job, void *userdata) {
        struct queue *queue = userdata;

        queue->options.callbacks.job_changed(job, queue->options.userdata);
}

static void start_journalled(struct queue *queue, struct job *job) {
        _cleanup_free_ char *record = NULL;
        int r = 0;

        if (job->n_steps > 0 || job->n_removals > 0) {
                record = job_record_begin(job, tracker_inventory(queue->options.tracker));
                r = record ? journal_create(job->id, record, span_list_count_blocks(&job->blocks)) : -ENOMEM;
        }
        if (r < 0) {
                log_errno(LOG_ERR, r, "Job %" PRIu64 ": cannot write its journal, so nothing is changed", job->id);
                job_reject(job, -r);
                return;
        }
        job_assume(job, tracker_inventory(queue->options.tracker));
        job_start(job, queue->writer);
}

static void on_start_synced(int error, void *userdata) {
        struct job *job = userdata;
        struct queue *queue = job->userdata;

        if (job->state != JOB_QUEUED || job_is_ending(job))
                return;
        /* A reader that hangs does not stop the writer: the worker looks at each block before it writes. */
        if (error < 0 && job->n_steps == 0 && job->n_removals == 0)
                job_reject(job, -error);
        else if (!queue->options.callbacks.plan_again(job, queue->options.userdata))
                job_reject(job, ESTALE);
        else
                start_journalled(queue, job);
}

static int on_start_source(sd_event_source *source, void *userdata) {
        struct job *job = userdata;

        (void)source;
        job->start_source = sd_event_source_disable_unref(job->start_source);
        on_start_synced(0, job);
        return 0;
}

/* Policy acts on what was read just before: if nothing has happened since, that need not be read again. */
static bool is_fresh(const struct queue *queue, const struct job *job) {
        return job->change.by_policy && job->planned_at_generation == tracker_generation(queue->options.tracker) &&
               tracker_is_current(queue->options.tracker);
}

void queue_go_on(struct queue *queue, struct job *job) {
        if (is_fresh(queue, job) && sd_event_add_defer(queue->event, &job->start_source, on_start_source, job) >= 0)
                return;
        if (tracker_sync(queue->options.tracker, &job->scope, on_start_synced, job) < 0)
                on_start_synced(-ENOMEM, job);
}

static void start(struct queue *queue, struct job *job) {
        queue->running = job;
        if (job->recovers)
                queue_start_recovery(queue, job);
        else if ((job->n_steps == 0 && job->n_removals == 0) ||
                 !queue->options.callbacks.prepare(job, queue->options.userdata))
                queue_go_on(queue, job);
}

static void start_next(struct queue *queue) {
        for (size_t i = 0; i < queue->n_jobs && !queue->running; i++)
                if (queue->jobs[i]->state == JOB_QUEUED && !job_is_ending(queue->jobs[i]) && !queue->stopping)
                        start(queue, queue->jobs[i]);
}

/* Only a job that runs waits; one that ended is looked at, too: what was told to go may go late. */
static void look_at_removals(struct queue *queue) {
        const struct inventory *inventory = tracker_inventory(queue->options.tracker);

        if (queue->running)
                job_removal_look(queue->running, inventory, false);
        for (size_t i = 0; i < queue->n_jobs; i++) {
                struct job *job = queue->jobs[i];

                if (job->state != JOB_FINISHED || !job_removal_settle(job, inventory))
                        continue;
                log_notice("Job %" PRIu64 ": the memory that was told to go is gone now", job->id);
                job_conclude(job);
                queue_end_journal(job);
                job->finished_usec = queue_now_usec(queue);
        }
}

static void on_looked(int error, void *userdata) {
        struct job *job = userdata;
        struct queue *queue = job->userdata;

        job_removal_look(job, tracker_inventory(queue->options.tracker), error == 0);
}

static void on_job_look(struct job *job, void *userdata) {
        struct queue *queue = userdata;

        /* An earlier reading says nothing of what was told since. */
        tracker_sync_cancel(queue->options.tracker, job);
        if (job->is_unanswered)
                tracker_resync(queue->options.tracker);
        if (tracker_sync(queue->options.tracker, &job->blocks, on_looked, job) < 0)
                on_looked(-ENOMEM, job);
}

void queue_look(struct queue *queue) {
        look_at_removals(queue);
        queue_look_at_owed(queue);
}

static uint64_t read_next_id(void) {
        _cleanup_free_ char *text = NULL;
        uint64_t id;

        if (runtime_read(NEXT_JOB_FILE, &text) < 0 || parse_u64(text, strlen(text), 10, &id) < 0)
                return 1;
        return id;
}

static int save_next_id(uint64_t id) {
        char text[24];

        snprintf(text, sizeof(text), "%" PRIu64, id);
        return runtime_write(NEXT_JOB_FILE, text);
}

const struct job_callbacks queue_job_callbacks = {
        .changed = on_job_changed,
        .look = on_job_look,
        .ended = on_job_ended,
};

int queue_make_job(struct queue *queue, struct change *change, struct job **ret) {
        int r = job_new(queue->event, queue->next_id, change, &queue_job_callbacks, queue, ret);

        if (r < 0)
                return r;
        r = save_next_id(++queue->next_id);
        if (r < 0)
                log_errno(LOG_WARNING, r, "Cannot save the number of the next job; a restart will count from 1 again");
        return 0;
}

int queue_add(struct queue *queue, struct job *job) {
        struct job **grown = array_grow(queue->jobs, &queue->n_allocated, queue->n_jobs + 1, sizeof(struct job *));

        if (!grown) {
                job_free(job);
                return -ENOMEM;
        }
        queue->jobs = grown;
        queue->jobs[queue->n_jobs++] = job;
        queue->options.callbacks.job_new(job, queue->options.userdata);
        start_next(queue);
        return 0;
}

void queue_stop(struct queue *queue) {
        queue->stopping = true;
        for (size_t i = 0; i < queue->n_jobs; i++)
                job_cancel(queue->jobs[i]);
        tell_if_idle(queue);
}

static void on_stuck(void *userdata) {
        struct queue *queue = userdata;

        if (queue->running)
                job_worker_stuck(queue->running);
}

int queue_new(sd_event *event, const struct queue_options *options, struct queue **ret) {
        struct queue *queue = calloc(1, sizeof(*queue));
        struct worker_options writer = {
                .executable = options->executable,
                .sysroot = options->sysroot,
                .description = "writer",
                .term_timeout_usec = TERM_TIMEOUT_USEC,
                .kill_timeout_usec = KILL_TIMEOUT_USEC,
                .on_stuck = on_stuck,
                .userdata = queue,
        };
        int r;

        if (!queue)
                return -ENOMEM;
        queue->event = sd_event_ref(event);
        queue->options = *options;
        queue->next_id = read_next_id();
        r = worker_new(event, &writer, &queue->writer);
        if (r >= 0)
                r = sd_event_add_time(event, &queue->expiry, CLOCK_MONOTONIC, 0, 0, on_expiry, queue);
        if (r >= 0)
                r = sd_event_source_set_enabled(queue->expiry, SD_EVENT_OFF);
        if (r < 0) {
                queue_free(queue);
                return r;
        }
        *ret = queue;
        return 0;
}

struct queue *queue_free(struct queue *queue) {
        if (!queue)
                return NULL;
        worker_free(queue->writer);
        sd_event_source_disable_unref(queue->expiry);
        sd_event_source_disable_unref(queue->idle_source);
        sd_event_source_disable_unref(queue->retry_timer);
        sd_event_source_disable_unref(queue->lock_timer);
        sd_event_source_disable_unref(queue->huge_pages_timer);
        for (size_t i = 0; i < queue->n_jobs; i++) {
                tracker_sync_cancel(queue->options.tracker, queue->jobs[i]);
                job_free(queue->jobs[i]);
        }
        free(queue->jobs);
        sd_event_unref(queue->event);
        free(queue);
        return NULL;
}
