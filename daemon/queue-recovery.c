/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a former process left in the journals. */

#include <errno.h>
#include <inttypes.h>

#include "cleanup.h"
#include "job-record.h"
#include "journal.h"
#include "log.h"
#include "queue-parts.h"

/* How long a former worker may hold its journal before its write counts as stuck. */
#define LOCK_TIMEOUT_USEC (10 * USEC_PER_SEC)

/* Recovery: first the lock, so that no write of the former worker can still take effect; then a look; then back. */

static void on_recovery_synced(int error, void *userdata) {
        struct job *job = userdata;
        struct queue *queue = job->userdata;

        (void)error;
        job_recover(job, queue->writer, tracker_inventory(queue->options.tracker));
}

static void on_locked(const struct worker_reply *reply, int payload_fd, void *userdata) {
        struct job *job = userdata;
        struct queue *queue = job->userdata;

        (void)reply;
        (void)payload_fd;
        queue->lock_timer = sd_event_source_disable_unref(queue->lock_timer);
        if (tracker_sync(queue->options.tracker, &job->blocks, on_recovery_synced, job) < 0)
                on_recovery_synced(-ENOMEM, job);
}

static int on_lock_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        job_worker_stuck(userdata);
        return 0;
}

void queue_start_recovery(struct queue *queue, struct job *job) {
        struct worker_request request = { .command = WORKER_INSPECT, .journal = job->id };

        log_notice("Job %" PRIu64 " was interrupted; taking it up", job->id);
        (void)sd_event_add_time_relative(queue->event, &queue->lock_timer, CLOCK_MONOTONIC, LOCK_TIMEOUT_USEC, 0,
                                         on_lock_timer, job);
        if (worker_send(queue->writer, &request, on_locked, job) < 0)
                on_locked(NULL, -1, job);
}

/* Returns whether the job is to be kept. */
static bool take_up(struct queue *queue, struct job *job, const struct job_history *history) {
        uint64_t age_usec = queue_boottime_usec() - history->ended_boottime_usec;

        if (!history->has_ended || job->result == JOB_RESULT_ROLLBACK_INCOMPLETE) {
                job->removal_timed_out = history->has_ended;
                job->result = JOB_RESULT_NONE;
                job->recovers = true;
                return true;
        }
        extent_list_clear(&job->prior);
        job->state = JOB_FINISHED;
        job->finished_usec = queue_now_usec(queue) - MIN(age_usec, queue_now_usec(queue));
        return age_usec < RETENTION_USEC;
}

static void load_journal(uint64_t job_id, const char *text, void *userdata) {
        struct queue *queue = userdata;
        struct job_history history;
        struct job *job;
        int r = job_record_load(queue->event, text, tracker_inventory(queue->options.tracker), &queue_job_callbacks,
                                queue, &job, &history);

        if (r < 0) {
                if (r != -ESTALE)
                        log_errno(LOG_ERR, r, "The journal of job %" PRIu64 " cannot be used and is dropped", job_id);
                journal_remove(job_id);
                return;
        }
        queue->next_id = MAX(queue->next_id, job->id + 1);
        if (!take_up(queue, job, &history)) {
                journal_remove(job_id);
                job_free(job);
        } else
                (void)queue_add(queue, job);
}

void queue_recover(struct queue *queue) {
        int r = journal_load_all(load_journal, queue);

        if (r < 0)
                log_errno(LOG_ERR, r, "Cannot read the journals of earlier jobs");
        queue_expire(queue);
}
