/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-parts.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "messages.h"

static const char *const state_words[_JOB_STATE_MAX] = {
        [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",   [JOB_ROLLING_BACK] = "rolling-back",
        [JOB_STUCK] = "stuck",   [JOB_FINISHED] = "finished",
};

static const char *const result_words[_JOB_RESULT_MAX] = {
        [JOB_RESULT_NONE] = "",
        [JOB_RESULT_DONE] = "done",
        [JOB_RESULT_FAILED] = "failed",
        [JOB_RESULT_PARTIAL] = "partial",
        [JOB_RESULT_TIMED_OUT] = "timed-out",
        [JOB_RESULT_CANCELLED] = "cancelled",
        [JOB_RESULT_ROLLBACK_INCOMPLETE] = "rollback-incomplete",
};

const char *job_state_to_string(enum job_state state) {
        return word_of(state_words, _JOB_STATE_MAX, (int)state);
}

const char *job_result_to_string(enum job_result result) {
        return word_of(result_words, _JOB_RESULT_MAX, (int)result);
}

int job_result_from_string(const char *word, enum job_result *ret) {
        int index = index_of_word(result_words, _JOB_RESULT_MAX, word);

        if (index < 0)
                return index;
        *ret = (enum job_result)index;
        return 0;
}

struct job *job_free(struct job *job) {
        if (!job)
                return NULL;
        sd_event_source_disable_unref(job->total_timer);
        sd_event_source_disable_unref(job->block_timer);
        sd_event_source_disable_unref(job->rollback_timer);
        sd_event_source_disable_unref(job->start_source);
        sd_event_source_disable_unref(job->finish_source);
        sd_event_unref(job->event);
        change_clear(&job->change);
        free(job->steps);
        free(job->spares);
        job_removals_clear(job);
        span_list_clear(&job->blocks);
        span_list_clear(&job->scope);
        result_list_clear(&job->results);
        extent_list_clear(&job->prior);
        extent_list_clear(&job->owed);
        free(job);
        return NULL;
}

int job_new(sd_event *event, uint64_t id, struct change *change, const struct job_callbacks *callbacks, void *userdata,
            struct job **ret) {
        struct job *job = calloc(1, sizeof(*job));

        if (!job)
                return -ENOMEM;
        job->event = sd_event_ref(event);
        job->id = id;
        job->change = *change;
        *change = (struct change){ 0 };
        job->callbacks = *callbacks;
        job->userdata = userdata;
        *ret = job;
        return 0;
}

static int hold(struct job *job, const struct job_step *steps, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = span_list_add(&job->blocks, steps[i].step.span);

                if (r < 0)
                        return r;
        }
        return 0;
}

int job_plan(struct job *job, const struct job_settings *settings, struct job_step *steps, size_t n_steps,
             struct job_step *spares, size_t n_spares) {
        int r;

        free(job->steps);
        free(job->spares);
        job->settings = *settings;
        job->steps = steps;
        job->n_steps = n_steps;
        job->spares = spares;
        job->n_spares = n_spares;
        job->bytes_total = 0;
        job_removals_clear(job);
        span_list_clear(&job->blocks);
        result_list_clear(&job->results);
        r = hold(job, steps, n_steps);
        if (r == 0)
                r = hold(job, spares, n_spares);
        for (size_t i = 0; r == 0 && i < n_steps; i++) {
                r = result_list_set(&job->results, steps[i].step.span, OUTCOME_NOT_TRIED, 0);
                job->bytes_total += steps[i].step.span.n_blocks * settings->block_size_bytes;
        }
        return r;
}

double job_progress(const struct job *job) {
        if (job->bytes_total == 0)
                return job->state == JOB_FINISHED ? 1.0 : 0.0;
        return (double)job->bytes_done / (double)job->bytes_total;
}

bool job_overlaps(const struct job *job, const struct span_list *blocks) {
        for (size_t i = 0; i < blocks->n; i++)
                if (span_list_overlaps(&job->blocks, blocks->items[i]))
                        return true;
        return false;
}

void job_set_state(struct job *job, enum job_state state) {
        if (job->state == state)
                return;
        job->state = state;
        job->callbacks.changed(job, job->userdata);
}

/* Memory for bookkeeping that ran out must not lose what was done: the job goes on and says what it still knows. */
void job_note(struct job *job, struct span span, enum block_outcome outcome, int error) {
        if (result_list_set(&job->results, span, outcome, error) < 0)
                (void)log_oom();
}

static bool any_block_went(const struct job *job) {
        for (size_t i = 0; i < job->results.n; i++)
                if (job->results.items[i].outcome == OUTCOME_DONE)
                        return true;
        return false;
}

static enum job_result outcome_of_all(const struct job *job) {
        bool keeps = job->change.best_effort && any_block_went(job);

        if (job->owed.n > 0 || job_awaits_removal(job))
                return JOB_RESULT_ROLLBACK_INCOMPLETE;
        if (job->stop != JOB_RESULT_NONE)
                return keeps ? JOB_RESULT_PARTIAL : job->stop;
        if (job->has_failed && keeps)
                return JOB_RESULT_PARTIAL;
        /* What is gone does not come back. */
        if (job->has_failed)
                return job_is_committed(job) ? JOB_RESULT_ROLLBACK_INCOMPLETE : JOB_RESULT_FAILED;
        return job->settings.dropped_refusals ? JOB_RESULT_PARTIAL : JOB_RESULT_DONE;
}

bool job_is_ending(const struct job *job) {
        return job->has_ended || job->finish_source || job->state == JOB_FINISHED;
}

void job_conclude(struct job *job) {
        job->result = outcome_of_all(job);
        job->state = JOB_FINISHED;
}

void job_finish(struct job *job) {
        job->total_timer = sd_event_source_disable_unref(job->total_timer);
        job->block_timer = sd_event_source_disable_unref(job->block_timer);
        job->rollback_timer = sd_event_source_disable_unref(job->rollback_timer);
        job->worker = NULL;
        job->has_ended = true;
        job->callbacks.ended(job, job->userdata);
}

/* Where nothing has to be waited for, the end still comes from the loop: whoever started the job replies first. */
static int on_finish_source(sd_event_source *source, void *userdata) {
        struct job *job = userdata;

        (void)source;
        job->finish_source = sd_event_source_disable_unref(job->finish_source);
        job_finish(job);
        return 0;
}

void job_finish_later(struct job *job) {
        if (sd_event_add_defer(job->event, &job->finish_source, on_finish_source, job) < 0)
                job_finish(job);
}

/* Not only a unit that failed: the end of the job. */
bool job_is_all_going_back(const struct job *job) {
        return job->rollback_within.n_blocks == UINT64_MAX;
}

bool job_step_follows(const struct job_step *a, const struct job_step *b) {
        return b->step.span.first_block == span_end(&a->step.span) && b->step.target == a->step.target &&
               b->step.zone == a->step.zone;
}

void job_arm(struct job *job, sd_event_source **timer, uint64_t timeout_usec, sd_event_time_handler_t handler) {
        *timer = sd_event_source_disable_unref(*timer);
        if (timeout_usec == USEC_INFINITY)
                return;
        if (sd_event_add_time_relative(job->event, timer, CLOCK_MONOTONIC, timeout_usec, 0, handler, job) < 0)
                (void)log_oom();
}

void job_cancel(struct job *job) {
        /* What a former process left is rolled back whatever anybody says. */
        if (job_is_ending(job) || (job->state == JOB_QUEUED && job->recovers))
                return;
        if (job->state == JOB_QUEUED) {
                job->stop = JOB_RESULT_CANCELLED;
                job_finish_later(job);
        } else
                job_stop(job, JOB_RESULT_CANCELLED);
}

void job_reject(struct job *job, int error) {
        for (size_t i = 0; i < job->n_steps; i++)
                job_note(job, job->steps[i].step.span, OUTCOME_NOT_TRIED, error);
        for (size_t i = 0; i < job->n_removals; i++)
                job_note(job, job->removals[i].span, OUTCOME_NOT_TRIED, error);
        job->has_failed = true;
        job_finish_later(job);
}

void job_worker_stuck(struct job *job) {
        log_about(LOG_ERR, MESSAGE_STUCK, job->id, NULL, "stuck",
                  "Job %llu: a write %s memory%llu does not end; memory hot-plug is blocked on this machine",
                  (unsigned long long)job->id, job->is_pulling ? "that removes" : "to the state of",
                  (unsigned long long)job->block);
        job_set_state(job, JOB_STUCK);
}
