/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a job that has ended took from the pools of huge pages is given back before it is finished. */

#include <inttypes.h>

#include "log.h"
#include "queue-parts.h"

/* Whether it took memory offline, for good or not. */
static bool may_have_dissolved(const struct job *job) {
        for (size_t i = 0; i < job->results.n; i++)
                if (job->results.items[i].outcome != OUTCOME_NOT_TRIED &&
                    job->results.items[i].outcome != OUTCOME_ALREADY)
                        return job->change.verb != VERB_ONLINE;
        return false;
}

static void on_restored(const struct worker_reply *reply, int payload_fd, void *userdata) {
        struct job *job = userdata;
        struct queue *queue = job->userdata;

        (void)payload_fd;
        queue->huge_pages_timer = sd_event_source_disable_unref(queue->huge_pages_timer);
        if (reply->error < 0)
                log_errno(LOG_WARNING, reply->error,
                          "Job %" PRIu64 ": cannot give all huge pages back that its offlining dissolved", job->id);
        queue_show_end(queue, job);
}

/* Making huge pages is as long as finding room for them: it ends with the process, and keeps what it has. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct queue *queue = userdata;

        (void)source;
        (void)usec;
        worker_abort(queue->writer);
        return 0;
}

bool queue_restore_huge_pages(struct queue *queue, struct job *job) {
        struct worker_request request = { .command = WORKER_RESTORE, .journal = job->id };

        if (!may_have_dissolved(job) || worker_send(queue->writer, &request, on_restored, job) < 0)
                return false;
        (void)sd_event_add_time_relative(queue->event, &queue->huge_pages_timer, CLOCK_MONOTONIC,
                                         job->settings.rollback_timeout_usec, 0, on_timer, queue);
        return true;
}
