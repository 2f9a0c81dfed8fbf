/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "journal.h"
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

static void take_next_block(struct job *job, const struct worker_reply *next);
static void write_block(struct job *job, const struct worker_reply *found);
static void on_forward_reply(const struct worker_reply *reply, int payload_fd, void *userdata);

static bool is_forward(const struct job *job) {
        return job->rollback_within.n_blocks == 0;
}

/* Not only a unit that failed: the end of the job. */
bool job_is_all_going_back(const struct job *job) {
        return job->rollback_within.n_blocks == UINT64_MAX;
}

/* The block that comes after job->block if all goes well, or WORKER_BLOCK_NONE. */
static uint64_t next_block(const struct job *job) {
        if (!is_forward(job) || job->step_index >= job->n_steps)
                return WORKER_BLOCK_NONE;
        if (job->block + 1 < span_end(&job->steps[job->step_index].step.span))
                return job->block + 1;
        return job->step_index + 1 < job->n_steps ? job->steps[job->step_index + 1].step.span.first_block
                                                  : WORKER_BLOCK_NONE;
}

void job_ask_worker(struct job *job, enum worker_command command, const char *word) {
        struct worker_request request = {
                .command = command,
                .block = job->block,
                .journal = job->id,
                .next_block = next_block(job),
                .prior_state = job->found.state,
                .prior_zone = job->found.zone,
        };
        worker_reply_fn on_reply = is_forward(job) ? on_forward_reply : job_on_rollback_reply;
        int r;

        job->is_writing = command == WORKER_WRITE;
        if (word)
                snprintf(request.word, sizeof(request.word), "%s", word);
        r = worker_send(job->worker, &request, on_reply, job);
        if (r < 0)
                on_reply(&(struct worker_reply){ .error = r }, -1, job);
}

static void stop(struct job *job, enum job_result why) {
        if (job_is_all_going_back(job) || job->stop != JOB_RESULT_NONE || job_is_ending(job))
                return;
        /* Too late to go back; only the waiting has an end. */
        if (job_is_committed(job)) {
                if (why == JOB_RESULT_TIMED_OUT)
                        job_removal_timeout(job);
                return;
        }
        job->stop = why;
        /* A unit that is going back is let finish. */
        if (is_forward(job))
                worker_abort(job->worker);
}

static int on_forward_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        stop(userdata, JOB_RESULT_TIMED_OUT);
        return 0;
}

void job_arm(struct job *job, sd_event_source **timer, uint64_t timeout_usec, sd_event_time_handler_t handler) {
        *timer = sd_event_source_disable_unref(*timer);
        if (timeout_usec == USEC_INFINITY)
                return;
        if (sd_event_add_time_relative(job->event, timer, CLOCK_MONOTONIC, timeout_usec, 0, handler, job) < 0)
                (void)log_oom();
}

void job_arm_block_timer(struct job *job) {
        uint64_t timeout_usec = job->recovers ? job->settings.rollback_timeout_usec : job->settings.block_timeout_usec;

        job_arm(job, &job->block_timer, timeout_usec, on_forward_timer);
}

void job_start(struct job *job, struct worker *worker) {
        job->worker = worker;
        job_set_state(job, JOB_RUNNING);
        job_arm(job, &job->total_timer, job->change.timeout_usec, on_forward_timer);
        if (job->n_steps == 0) {
                if (job->n_removals > 0)
                        job_remove_next(job);
                else
                        job_finish_later(job);
                return;
        }
        job->block = job->steps[0].step.span.first_block;
        take_next_block(job, NULL);
}

void job_cancel(struct job *job) {
        /* What a former process left is rolled back whatever anybody says. */
        if (job_is_ending(job) || (job->state == JOB_QUEUED && job->recovers))
                return;
        if (job->state == JOB_QUEUED) {
                job->stop = JOB_RESULT_CANCELLED;
                job_finish_later(job);
        } else
                stop(job, JOB_RESULT_CANCELLED);
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

/* next: how the worker just found the block, NULL if it has to be asked. */
static void take_next_block(struct job *job, const struct worker_reply *next) {
        if (job->step_index == job->n_steps) {
                if (job->n_removals > 0)
                        job_remove_next(job);
                else
                        job_finish(job);
                return;
        }
        job->attempts = 0;
        job_arm_block_timer(job);
        if (next) {
                job->found = *next;
                write_block(job, next);
        } else
                job_ask_worker(job, WORKER_INSPECT, NULL);
}

static void advance(struct job *job, size_t step_index) {
        job->step_index = step_index;
        if (step_index < job->n_steps)
                job->block = job->steps[step_index].step.span.first_block;
}

static void block_done(struct job *job, enum block_outcome outcome, const struct worker_reply *next) {
        const struct span *span = &job->steps[job->step_index].step.span;

        job_note(job, (struct span){ job->block, 1 }, outcome, 0);
        job->bytes_done += job->settings.block_size_bytes;
        if (++job->block == span_end(span))
                advance(job, job->step_index + 1);
        job->callbacks.changed(job, job->userdata);
        take_next_block(job, next);
}

/* The first step of the unit in work. */
static size_t unit_start(const struct job *job) {
        size_t i = job->step_index;

        while (i > 0 && job->steps[i - 1].unit.first_block == job->steps[i].unit.first_block)
                i--;
        return i;
}

static void block_failed(struct job *job, int error) {
        const struct job_step *step = &job->steps[job->step_index];

        job_note(job, (struct span){ job->block, 1 }, OUTCOME_FAILED, error);
        if (job->change.best_effort && job->settings.keeps_parts && job->stop == JOB_RESULT_NONE) {
                job->has_failed = true;
                if (++job->block == span_end(&step->step.span))
                        advance(job, job->step_index + 1);
                take_next_block(job, NULL);
                return;
        }
        /* Units that went whole stay for now: only the one that failed goes back. */
        if (job->change.best_effort || (job->stop == JOB_RESULT_NONE && job->n_spares > 0))
                job_roll_back(job, job->change.best_effort && job->settings.keeps_parts ? (struct span){ job->block, 1 }
                                                                                        : step->unit);
        else
                job_roll_back(job, job_everything);
}

void job_unit_restored(struct job *job) {
        size_t first, behind;

        if (job->owed.n > 0 || job->stop != JOB_RESULT_NONE) {
                /* Never go on over a rollback that failed. */
                if (job->change.best_effort && job->n_removals == 0)
                        job_finish(job);
                else
                        job_roll_back(job, job_everything);
                return;
        }
        first = unit_start(job);
        behind = first + job_count_unit_steps(job->steps, job->n_steps, first);
        if (!job_take_spare(job, first, behind)) {
                job->has_failed = true;
                if (!job->change.best_effort) {
                        job_roll_back(job, job_everything);
                        return;
                }
        }
        advance(job, behind);
        job_set_state(job, JOB_RUNNING);
        take_next_block(job, NULL);
}

static int stop_errno(const struct job *job, int error) {
        switch (job->stop) {
        case JOB_RESULT_TIMED_OUT:
                return ETIMEDOUT;
        case JOB_RESULT_CANCELLED:
                return ECANCELED;
        default:
                return -error;
        }
}

static void write_block(struct job *job, const struct worker_reply *found) {
        const struct step *step = &job->steps[job->step_index].step;
        struct extent prior = {
                .first_block = job->block,
                .n_blocks = 1,
                .node = NODE_NONE,
                .range = RANGE_NONE,
                .state = (enum block_state)found->state,
                .zone = (enum block_zone)found->zone,
        };

        /* Somebody else's offline hangs there: what it was before that is what it goes back to. */
        if (prior.state == BLOCK_GOING_OFFLINE)
                prior.state = BLOCK_ONLINE;
        if (prior.state == step->target) {
                block_done(job, OUTCOME_ALREADY, NULL);
                return;
        }
        /* What was there must be known before it is changed. */
        if (extent_list_set(&job->prior, &prior) < 0) {
                block_failed(job, ENOMEM);
                return;
        }
        job_ask_worker(job, WORKER_WRITE, step_state_word(step));
}

/* What is known of a block whose process died and says nothing about it. */
static void process_died(struct job *job) {
        enum journal_write write = job->is_writing ? journal_find_write(job->id, job->block) : JOURNAL_WRITE_NOT_BEGUN;

        if (write == JOURNAL_WRITE_DONE)
                block_done(job, OUTCOME_DONE, NULL);
        else if (write == JOURNAL_WRITE_NOT_BEGUN && job->attempts++ < ATTEMPTS_MAX)
                job_ask_worker(job, WORKER_INSPECT, NULL);
        else
                block_failed(job, ECHILD);
}

static void on_forward_reply(const struct worker_reply *reply, int payload_fd, void *userdata) {
        const struct worker_reply next = { .state = reply->next_state, .zone = reply->next_zone };
        struct job *job = userdata;

        (void)payload_fd;
        job->found = *reply;
        if (reply->error == -ECHILD && job->stop == JOB_RESULT_NONE)
                process_died(job);
        else if (reply->error < 0)
                block_failed(job, stop_errno(job, reply->error));
        else if (job->is_writing && job->stop == JOB_RESULT_NONE)
                block_done(job, OUTCOME_DONE, reply->knows_next ? &next : NULL);
        else if (job->stop != JOB_RESULT_NONE)
                block_failed(job, stop_errno(job, 0));
        else
                write_block(job, reply);
}
