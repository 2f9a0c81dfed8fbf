/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way forward: a run of blocks is looked at, then written, and with that the next run is looked at. */

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "job-parts.h"
#include "journal.h"
#include "log.h"

static void take_next_block(struct job *job);
static void on_forward_reply(const struct worker_reply *reply, int payload_fd, void *userdata);

static bool is_forward(const struct job *job) {
        return job->rollback_within.n_blocks == 0;
}

/* Where a run ends that starts at `block` of step `i`: steps that follow each other and write the same make one. */
static uint64_t end_of_run(const struct job *job, size_t i, uint64_t block) {
        uint64_t end_max = block + WORKER_RUN_MAX;

        while (i + 1 < job->n_steps && span_end(&job->steps[i].step.span) < end_max &&
               job_step_follows(&job->steps[i], &job->steps[i + 1]))
                i++;
        return MIN(span_end(&job->steps[i].step.span), end_max);
}

/* Blocks to be looked at from `block` of step `i` on. */
static struct worker_run run_from(const struct job *job, size_t i, uint64_t block) {
        return (struct worker_run){ .first_block = block, .n_blocks = end_of_run(job, i, block) - block };
}

/* What comes after `run` if all goes well, unless it was looked at already. */
static struct worker_run next_run(const struct job *job, const struct worker_run *run) {
        uint64_t block = run->first_block + run->n_blocks;
        size_t i = job->step_index;

        if (block < job->found.first_block + job->found.n_blocks)
                return (struct worker_run){ 0 };
        while (span_end(&job->steps[i].step.span) < block)
                i++;
        if (block < span_end(&job->steps[i].step.span))
                return run_from(job, i, block);
        if (i + 1 < job->n_steps)
                return run_from(job, i + 1, job->steps[i + 1].step.span.first_block);
        return (struct worker_run){ 0 };
}

static void ask(struct job *job, struct worker_request *request) {
        worker_reply_fn on_reply = is_forward(job) ? on_forward_reply : job_on_rollback_reply;
        int r;

        request->journal = job->id;
        job->is_writing = request->command == WORKER_WRITE;
        r = worker_send(job->worker, request, on_reply, job);
        if (r < 0)
                on_reply(&(struct worker_reply){ .error = r, .is_untouched = 1 }, -1, job);
}

void job_inspect(struct job *job) {
        struct worker_request request = {
                .command = WORKER_INSPECT,
                .run = is_forward(job) ? run_from(job, job->step_index, job->block)
                                       : (struct worker_run){ .first_block = job->block, .n_blocks = 1 },
        };

        ask(job, &request);
}

void job_write(struct job *job, const struct worker_run *run, const char *word) {
        struct worker_request request = { .command = WORKER_WRITE, .run = *run };

        if (is_forward(job))
                request.next = next_run(job, run);
        job->found_is_old = true;
        snprintf(request.word, sizeof(request.word), "%s", word);
        ask(job, &request);
}

void job_stop(struct job *job, enum job_result why) {
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

static int stop_errno(const struct job *job) {
        return job->stop == JOB_RESULT_TIMED_OUT ? ETIMEDOUT : ECANCELED;
}

static int on_forward_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        job_stop(userdata, JOB_RESULT_TIMED_OUT);
        return 0;
}

void job_arm_block_timer(struct job *job) {
        uint64_t timeout_usec = job->recovers ? job->settings.rollback_timeout_usec : job->settings.block_timeout_usec;

        job_arm(job, &job->block_timer, timeout_usec, on_forward_timer);
}

void job_assume(struct job *job, const struct inventory *inventory) {
        if (job->n_steps == 0)
                return;
        job->found_is_old = true;
        job->found = run_from(job, 0, job->steps[0].step.span.first_block);
        for (uint64_t i = 0; i < job->found.n_blocks; i++) {
                const struct extent *extent = extent_list_find(&inventory->extents, job->found.first_block + i);

                if (!extent) {
                        job->found.n_blocks = i;
                        return;
                }
                job->found.found[i] = (struct worker_found){ .state = extent->state, .zone = extent->zone };
        }
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
        take_next_block(job);
}

static void advance(struct job *job, size_t step_index) {
        job->step_index = step_index;
        if (step_index < job->n_steps)
                job->block = job->steps[step_index].step.span.first_block;
}

/* The worker may be at the next block already. */
static void note_done(struct job *job, enum block_outcome outcome) {
        const struct span *span = &job->steps[job->step_index].step.span;

        job_note(job, (struct span){ job->block, 1 }, outcome, 0);
        job->bytes_done += job->settings.block_size_bytes;
        job->attempts = 0;
        if (++job->block == span_end(span))
                advance(job, job->step_index + 1);
        job->callbacks.changed(job, job->userdata);
}

/* The first step of the unit in work. */
static size_t unit_start(const struct job *job) {
        size_t i = job->step_index;

        while (i > 0 && job->steps[i - 1].unit.first_block == job->steps[i].unit.first_block)
                i--;
        return i;
}

/*
 * Nothing was written to the blocks of the run from this one on: they are as they were. One that does not lie in what
 * was found says nothing about what does.
 */
static void forget_from(struct job *job, uint64_t block) {
        uint64_t end = job->found.first_block + job->found.n_blocks;

        if (block >= job->found.first_block && block < end &&
            extent_list_remove(&job->prior, (struct span){ block, end - block }) < 0)
                (void)log_oom();
        job->found = (struct worker_run){ 0 };
}

/* is_untouched: nothing was written to the block either. */
static void block_failed(struct job *job, int error, bool is_untouched) {
        const struct job_step *step = &job->steps[job->step_index];

        forget_from(job, is_untouched ? job->block : job->block + 1);
        job_note(job, (struct span){ job->block, 1 }, OUTCOME_FAILED, error);
        if (job->change.best_effort && job->settings.keeps_parts && job->stop == JOB_RESULT_NONE) {
                job->has_failed = true;
                job->attempts = 0;
                if (++job->block == span_end(&step->step.span))
                        advance(job, job->step_index + 1);
                take_next_block(job);
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
        take_next_block(job);
}

/* As it was found, or NULL. */
static const struct worker_found *found_block(const struct job *job, uint64_t block) {
        uint64_t i = block - job->found.first_block;

        return block >= job->found.first_block && i < job->found.n_blocks ? &job->found.found[i] : NULL;
}

/* What a block that was found so goes back to. */
static struct extent prior_of(uint64_t block, const struct worker_found *found) {
        struct extent prior = {
                .first_block = block,
                .n_blocks = 1,
                .node = NODE_NONE,
                .range = RANGE_NONE,
                .state = (enum block_state)found->state,
                .zone = (enum block_zone)found->zone,
        };

        /* Somebody else's offline hangs there: what it was before that is what it goes back to. */
        if (prior.state == BLOCK_GOING_OFFLINE)
                prior.state = BLOCK_ONLINE;
        return prior;
}

/* The blocks from the one in work on that are known and not in their target. What was there must be known before it is
 * changed. Returns 0, -ENOMEM. */
static int take_run(struct job *job, struct worker_run *ret) {
        enum block_state target = job->steps[job->step_index].step.target;
        uint64_t end = end_of_run(job, job->step_index, job->block);
        const struct worker_found *found;

        *ret = (struct worker_run){ .first_block = job->block };
        for (uint64_t block = job->block; block < end && (found = found_block(job, block)); block++) {
                struct extent prior = prior_of(block, found);

                if (prior.state == target)
                        break;
                if (extent_list_set(&job->prior, &prior) < 0)
                        return -ENOMEM;
                ret->found[ret->n_blocks++] = *found;
        }
        return 0;
}

/* Nothing was written to the block, but nobody knows what it is now. */
static void look_again(struct job *job) {
        forget_from(job, job->block);
        job_inspect(job);
}

/* Somebody ended it while the worker had nothing to do. */
static void stop_here(struct job *job) {
        if (job->step_index < job->n_steps)
                block_failed(job, stop_errno(job), true);
        else if (job->change.best_effort && job->n_removals == 0)
                job_finish(job);
        else
                job_roll_back(job, job_everything);
}

static void take_block(struct job *job) {
        struct worker_run run;

        job_arm_block_timer(job);
        if (!found_block(job, job->block))
                job_inspect(job);
        else if (take_run(job, &run) < 0)
                block_failed(job, ENOMEM, true);
        else if (run.n_blocks > 0)
                job_write(job, &run, step_state_word(&job->steps[job->step_index].step));
        /* A write is preceded by a look of the worker's own, this is not. */
        else if (job->found_is_old)
                look_again(job);
        else {
                note_done(job, OUTCOME_ALREADY);
                take_next_block(job);
        }
}

static void take_next_block(struct job *job) {
        if (job->stop != JOB_RESULT_NONE)
                stop_here(job);
        else if (job->step_index < job->n_steps)
                take_block(job);
        else if (job->n_removals > 0)
                job_remove_next(job);
        else
                job_finish(job);
}

/* What is known of a block whose process died and says nothing about it. */
static enum journal_write find_write(const struct job *job) {
        return job->is_writing ? journal_find_write(job->id, job->block) : JOURNAL_WRITE_NOT_BEGUN;
}

static void process_died(struct job *job) {
        enum journal_write write = find_write(job);

        if (write == JOURNAL_WRITE_DONE) {
                forget_from(job, job->block + 1);
                note_done(job, OUTCOME_DONE);
                take_next_block(job);
        } else if (write == JOURNAL_WRITE_NOT_BEGUN && job->attempts++ < ATTEMPTS_MAX)
                look_again(job);
        else
                block_failed(job, ECHILD, write == JOURNAL_WRITE_NOT_BEGUN);
}

static void on_forward_reply(const struct worker_reply *reply, int payload_fd, void *userdata) {
        struct job *job = userdata;
        bool is_untouched = !job->is_writing || reply->is_untouched;

        (void)payload_fd;
        if (reply->has_more) {
                note_done(job, OUTCOME_DONE);
                job_arm_block_timer(job);
                return;
        }
        if (reply->error == -ECANCELED || reply->error == -ECHILD)
                is_untouched = find_write(job) == JOURNAL_WRITE_NOT_BEGUN;
        if (job->stop != JOB_RESULT_NONE)
                block_failed(job, stop_errno(job), is_untouched);
        else if (reply->error == -ECHILD)
                process_died(job);
        else if (reply->error == -ESTALE && is_untouched && job->attempts++ < ATTEMPTS_MAX)
                look_again(job);
        else if (reply->error < 0)
                block_failed(job, -reply->error, is_untouched);
        else {
                if (job->is_writing)
                        note_done(job, OUTCOME_DONE);
                if (reply->run.n_blocks > 0) {
                        job->found = reply->run;
                        job->found_is_old = false;
                }
                take_next_block(job);
        }
}
