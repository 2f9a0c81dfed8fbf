/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What jobs that have ended still owe: blocks that could not go back. */

#include <errno.h>
#include <inttypes.h>

#include "cleanup.h"
#include "log.h"
#include "messages.h"
#include "queue-parts.h"
#include "selector.h"

/* A block that swings between two zones makes events of its own: they must not keep us busy. */
#define RETRY_INTERVAL_USEC (10 * USEC_PER_SEC)

static bool owes(const struct job *job) {
        return job->state == JOB_FINISHED && job->owed.n > 0;
}

void queue_log_owed(const struct job *job) {
        for (size_t i = 0; i < job->owed.n; i++) {
                _cleanup_free_ char *blocks = format_blocks(extent_span(&job->owed.items[i]));

                log_about(LOG_ERR, MESSAGE_ROLLBACK_INCOMPLETE, job->id, blocks, "rollback-incomplete",
                          "Job %" PRIu64
                          ": %s could not be brought back to %s%s%s; trying again when something changes",
                          job->id, blocks ? blocks : "some blocks", block_state_to_string(job->owed.items[i].state),
                          job->owed.items[i].zone == ZONE_NONE ? "" : " in zone ",
                          block_zone_to_string(job->owed.items[i].zone));
        }
}

static int add_what_it_did(const struct job *job, struct span_list *ret) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < job->results.n; i++)
                if (job->results.items[i].outcome == OUTCOME_DONE || job->results.items[i].outcome == OUTCOME_ALREADY)
                        r = span_list_add(ret, job->results.items[i].span);
        return r;
}

/* What was named and needed nothing, as it was so before. Whoever asks for an amount names none. */
static int add_what_was_so(const struct job *job, const struct inventory *inventory, struct span_list *ret) {
        enum block_state target = job->change.verb == VERB_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE;
        struct span_list named = { 0 };
        int r = blocks_named(job->change.selectors, inventory, "it names no blocks", &named, NULL, NULL);

        if (r == -EINVAL)
                return 0;
        for (size_t i = 0; r == 0 && i < named.n; i++) {
                const struct extent_list *extents = &inventory->extents;

                for (size_t e = extent_list_lower_bound(extents, named.items[i].first_block);
                     r == 0 && e < extents->n && extents->items[e].first_block < span_end(&named.items[i]); e++)
                        if (extents->items[e].state == target)
                                r = span_list_add(ret, span_intersect(extent_span(&extents->items[e]), named.items[i]));
        }
        span_list_clear(&named);
        return r;
}

void queue_forgive(struct queue *queue, const struct job *done) {
        struct span_list decided = { 0 };

        if (done->result != JOB_RESULT_DONE && done->result != JOB_RESULT_PARTIAL)
                return;
        if (add_what_it_did(done, &decided) < 0 ||
            add_what_was_so(done, tracker_inventory(queue->options.tracker), &decided) < 0)
                (void)log_oom();
        for (size_t i = 0; i < queue->n_jobs; i++) {
                struct job *job = queue->jobs[i];

                if (job->id >= done->id || job->state != JOB_FINISHED || !job_forgive(job, &decided) ||
                    job->owed.n > 0 || job_awaits_removal(job))
                        continue;
                log_notice("Job %" PRIu64 " owes nothing any more: job %" PRIu64 " decided about its blocks", job->id,
                           done->id);
                job_conclude(job);
                queue_end_journal(job);
                job->finished_usec = queue_now_usec(queue);
        }
        span_list_clear(&decided);
}

static struct job *first_to_retry(const struct queue *queue) {
        for (size_t i = 0; i < queue->n_jobs; i++)
                if (owes(queue->jobs[i]) && queue->jobs[i]->retry_is_due)
                        return queue->jobs[i];
        return NULL;
}

static int on_retry_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct queue *queue = userdata;
        struct job *job = first_to_retry(queue);

        (void)source;
        (void)usec;
        queue->retry_timer = sd_event_source_disable_unref(queue->retry_timer);
        if (!job || queue->running || queue->stopping)
                return 0;
        job->retry_is_due = false;
        queue->retried_usec = queue_now_usec(queue);
        queue->running = job;
        job_retry(job, queue->writer);
        return 0;
}

void queue_retry_owed(struct queue *queue) {
        uint64_t due = queue->retried_usec == 0 ? 0 : queue->retried_usec + RETRY_INTERVAL_USEC;

        if (queue->retry_timer || !first_to_retry(queue))
                return;
        if (sd_event_add_time(queue->event, &queue->retry_timer, CLOCK_MONOTONIC, MAX(due, queue_now_usec(queue)), 0,
                              on_retry_timer, queue) < 0)
                (void)log_oom();
}

void queue_look_at_owed(struct queue *queue) {
        for (size_t i = 0; i < queue->n_jobs; i++)
                if (owes(queue->jobs[i]))
                        queue->jobs[i]->retry_is_due = true;
        queue_retry_owed(queue);
}
