/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The job with a true worker process: this program started once more, with a kernel made of plain files behind it. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "file-kernel.h"
#include "job.h"
#include "journal.h"
#include "sysroot.h"
#include "test.h"
#include "worker-process.h"

#define FIRST      40
#define N_BLOCKS   16
#define UNIT       4
#define BLOCK_SIZE (UINT64_C(128) << 20)

/* --- a machine and a job on it ------------------------------------------------------------------------------- */

struct fixture {
        struct sysroot root;
        sd_event *event;
        struct worker *worker;
        struct job *job;
        unsigned n_stuck;
        bool cancel_when_running;
        uint64_t cancel_at_bytes;
        bool has_settled;
};

static void set_fault(const struct fixture *fixture, unsigned block, const char *word, const char *fault) {
        char path[64];

        snprintf(path, sizeof(path), "faults/%u.%s", block, word);
        sysroot_write(&fixture->root, path, "%s", fault);
}

static void set_blocks(const struct fixture *fixture, unsigned first, unsigned n, const char *state, const char *zone) {
        for (unsigned block = first; block < first + n; block++) {
                char path[64];

                snprintf(path, sizeof(path), SYSFS_MEMORY "/memory%u/state", block);
                sysroot_write(&fixture->root, path, "%s\n", state);
                snprintf(path, sizeof(path), SYSFS_MEMORY "/memory%u/valid_zones", block);
                sysroot_write(&fixture->root, path, "%s\n", zone);
        }
}

static void on_changed(struct job *job, void *userdata) {
        const struct fixture *fixture = userdata;

        if (fixture->cancel_when_running && job->state == JOB_RUNNING)
                job_cancel(job);
}

static void on_ended(struct job *job, void *userdata) {
        const struct fixture *fixture = userdata;

        job_conclude(job);
        sd_event_exit(fixture->event, 0);
}

static void on_stuck(void *userdata) {
        struct fixture *fixture = userdata;

        fixture->n_stuck++;
        job_worker_stuck(fixture->job);
}

static void on_first_reply(const struct worker_reply *reply, int payload_fd, void *userdata) {
        bool *replied = userdata;

        (void)payload_fd;
        assert_int_equal(reply->error, 0);
        *replied = true;
}

/* A process that is still starting must not use up a job's time. */
static void await_worker(struct fixture *fixture) {
        struct worker_request request = { .command = WORKER_INSPECT, .journal = 1 };
        bool replied = false;

        assert_int_equal(journal_create(1, "{}", N_BLOCKS), 0);
        assert_int_equal(worker_send(fixture->worker, &request, on_first_reply, &replied), 0);
        while (!replied)
                assert_true(sd_event_run(fixture->event, UINT64_MAX) >= 0);
}

static int set_up(void **state) {
        struct fixture *fixture = calloc(1, sizeof(*fixture));
        struct worker_options options = {
                .executable = "/proc/self/exe",
                .description = "writer",
                .term_timeout_usec = 100 * USEC_PER_MSEC,
                .kill_timeout_usec = USEC_PER_SEC,
                .on_stuck = on_stuck,
                .userdata = fixture,
        };

        assert_non_null(fixture);
        sysroot_make(&fixture->root);
        sysroot_add_machine(&fixture->root);
        sysroot_add_blocks(&fixture->root, FIRST, N_BLOCKS, 0, "online", "Movable");
        assert_int_equal(setenv("RUNTIME_DIRECTORY", fixture->root.path, 1), 0);
        assert_true(sd_event_new(&fixture->event) >= 0);
        options.sysroot = fixture->root.path;
        assert_int_equal(worker_new(fixture->event, &options, &fixture->worker), 0);
        await_worker(fixture);
        *state = fixture;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *fixture = *state;

        job_free(fixture->job);
        worker_free(fixture->worker);
        sd_event_unref(fixture->event);
        sysroot_remove(&fixture->root);
        free(fixture);
        return 0;
}

/* Units of four blocks, the first `n_steps` of them as steps and `n_spares` as spares. */
static struct job_step *make_units(uint64_t first, size_t n, enum verb verb) {
        struct job_step *steps = calloc(n + 1, sizeof(*steps));

        assert_non_null(steps);
        for (size_t i = 0; i < n; i++) {
                steps[i].unit = (struct span){ first + i * UNIT, UNIT };
                steps[i].step.span = steps[i].unit;
                steps[i].step.target = verb == VERB_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE;
                steps[i].step.zone = ONLINE_ZONE_MOVABLE;
        }
        return steps;
}

struct wish {
        enum verb verb;
        size_t n_units, n_spares;
        bool best_effort, keeps_parts;
        uint64_t timeout_usec, block_timeout_usec, rollback_timeout_usec;
};

static void make_job(struct fixture *fixture, const struct wish *wish) {
        static const struct job_callbacks callbacks = { .changed = on_changed, .ended = on_ended };
        struct change change = {
                .verb = wish->verb,
                .best_effort = wish->best_effort,
                .timeout_usec = wish->timeout_usec ? wish->timeout_usec : USEC_INFINITY,
        };
        struct job_settings settings = {
                .keeps_parts = wish->keeps_parts,
                .block_timeout_usec = wish->block_timeout_usec ? wish->block_timeout_usec : USEC_INFINITY,
                .rollback_timeout_usec = wish->rollback_timeout_usec ? wish->rollback_timeout_usec : USEC_INFINITY,
                .block_size_bytes = BLOCK_SIZE,
        };

        assert_int_equal(job_new(fixture->event, 1, &change, &callbacks, fixture, &fixture->job), 0);
        assert_int_equal(job_plan(fixture->job, &settings, make_units(FIRST, wish->n_units, wish->verb), wish->n_units,
                                  make_units(FIRST + wish->n_units * UNIT, wish->n_spares, wish->verb), wish->n_spares),
                         0);
}

static void run(struct fixture *fixture, const struct wish *wish) {
        make_job(fixture, wish);
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_int_equal(fixture->job->state, JOB_FINISHED);
}

/* "M" online in Movable, "N" online in Normal, "-" offline: a letter a block. */
static void assert_machine(const struct fixture *fixture, const char *wanted) {
        char got[N_BLOCKS + 1] = "";

        for (unsigned i = 0; i < N_BLOCKS; i++) {
                char path[160], text[32] = "";
                FILE *file;

                snprintf(path, sizeof(path), "%s/sys/devices/system/memory/memory%u/state", fixture->root.path,
                         FIRST + i);
                file = fopen(path, "re");
                assert_non_null(file);
                assert_non_null(fgets(text, sizeof(text), file));
                fclose(file);
                if (strncmp(text, "offline", 7) == 0) {
                        got[i] = '-';
                        continue;
                }
                snprintf(path, sizeof(path), "%s/sys/devices/system/memory/memory%u/valid_zones", fixture->root.path,
                         FIRST + i);
                file = fopen(path, "re");
                assert_non_null(file);
                assert_non_null(fgets(text, sizeof(text), file));
                fclose(file);
                got[i] = text[0];
        }
        assert_string_equal(got, wanted);
}

/* "40-43 rolled-back; 44 failed 16" */
static void assert_results(const struct fixture *fixture, const char *wanted) {
        char got[512] = "";

        for (size_t i = 0; i < fixture->job->results.n; i++) {
                const struct result_run *result = &fixture->job->results.items[i];
                _cleanup_free_ char *blocks = format_blocks(result->span);
                char error[16] = "";

                assert_non_null(blocks);
                if (result->error)
                        snprintf(error, sizeof(error), " %d", result->error);
                snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s %s%s", i ? "; " : "",
                         blocks + strlen("memory"), block_outcome_to_string(result->outcome), error);
        }
        assert_string_equal(got, wanted);
}

static void assert_result(const struct fixture *fixture, const char *wanted) {
        assert_string_equal(job_result_to_string(fixture->job->result), wanted);
}

/* --- tests --------------------------------------------------------------------------------------------------- */

static void all_goes_well(void **state) {
        struct fixture *fixture = *state;

        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2 });
        assert_result(fixture, "done");
        assert_machine(fixture, "--------MMMMMMMM");
        assert_results(fixture, "40-47 done");
        assert_true(fixture->job->bytes_done == 8 * BLOCK_SIZE);
        assert_true(fixture->job->bytes_total == 8 * BLOCK_SIZE);
}

static void what_is_so_already_is_done(void **state) {
        struct fixture *fixture = *state;

        set_blocks(fixture, FIRST + 1, 2, "offline", "Movable");
        set_fault(fixture, FIRST + 1, "offline", "5");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "done");
        assert_machine(fixture, "----MMMMMMMMMMMM");
        assert_results(fixture, "40 done; 41-42 already; 43 done");
}

static void nothing_to_do_is_done(void **state) {
        struct fixture *fixture = *state;

        run(fixture, &(struct wish){ .verb = VERB_OFFLINE });
        assert_result(fixture, "done");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_failure_puts_state_and_zone_back(void **state) {
        struct fixture *fixture = *state;

        set_blocks(fixture, FIRST + 1, 2, "online", "Normal");
        set_blocks(fixture, FIRST + 3, 1, "offline", "Movable");
        set_fault(fixture, FIRST + 5, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MNN-MMMMMMMMMMMM");
        assert_results(fixture, "40-42 rolled-back; 43 already; 44 rolled-back; 45 failed 16; 46-47 not-tried");
        assert_true(fixture->job->bytes_done == BLOCK_SIZE);
}

static void online_rolls_back_to_offline(void **state) {
        struct fixture *fixture = *state;

        set_blocks(fixture, FIRST, N_BLOCKS, "offline", "Movable");
        set_fault(fixture, FIRST + 6, "online_movable", "1");
        run(fixture, &(struct wish){ .verb = VERB_ONLINE, .n_units = 2, .keeps_parts = true });
        assert_result(fixture, "failed");
        assert_machine(fixture, "----------------");
        assert_results(fixture, "40-45 rolled-back; 46 failed 1; 47 not-tried");
}

static void what_changes_meanwhile_is_looked_at_again(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST, "offline", "meanwhile 42");
        set_fault(fixture, FIRST + 5, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MM-MMMMMMMMMMMMM");
        assert_results(fixture, "40-41 rolled-back; 42 already; 43-44 rolled-back; 45 failed 16; 46-47 not-tried");
}

static void what_vanishes_owes_nothing(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST, "offline", "vanish 42");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_results(fixture, "40-41 rolled-back; 42 failed 2; 43 not-tried");
}

static void what_was_so_already_is_looked_at_again(void **state) {
        struct fixture *fixture = *state;

        set_blocks(fixture, FIRST, 2, "offline", "Movable");
        set_blocks(fixture, FIRST + 3, 13, "offline", "Movable");
        set_fault(fixture, FIRST, "online_movable", "meanwhile 42");
        run(fixture, &(struct wish){ .verb = VERB_ONLINE, .n_units = 1, .keeps_parts = true });
        assert_result(fixture, "done");
        assert_results(fixture, "40-43 done");
        assert_machine(fixture, "MMMM------------");
}

static void many_blocks_take_their_time(void **state) {
        struct fixture *fixture = *state;

        for (unsigned block = FIRST; block < FIRST + N_BLOCKS; block++)
                set_fault(fixture, block, "offline", "slow");
        run(fixture,
            &(struct wish){ .verb = VERB_OFFLINE, .n_units = N_BLOCKS / UNIT, .block_timeout_usec = USEC_PER_SEC });
        assert_result(fixture, "done");
        assert_machine(fixture, "----------------");
}

static void a_write_that_is_on_file_counts(void **state) {
        struct fixture *fixture = *state;

        /* The worker dies where it looks at what comes after the run, of which it has not told the end. */
        set_fault(fixture, FIRST + 2 * UNIT, "read", "once die");
        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 3 });
        fixture->job->steps[1] = fixture->job->steps[2];
        fixture->job->n_steps = 2;
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "done");
        assert_results(fixture, "40-43 done; 44-47 not-tried; 48-51 done");
        assert_machine(fixture, "----MMMM----MMMM");
}

static void on_changed_settle(struct job *job, void *userdata) {
        struct fixture *fixture = userdata;
        char path[200];

        if (job->state != JOB_ROLLING_BACK || fixture->has_settled)
                return;
        fixture->has_settled = true;
        snprintf(path, sizeof(path), "%s/sys/devices/system/memory/memory42/state", fixture->root.path);
        assert_int_equal(unlink(path), 0);
        set_blocks(fixture, FIRST + 2, 1, "offline", "Movable");
}

static void a_stop_leaves_alone_what_was_only_looked_at(void **state) {
        struct fixture *fixture = *state;

        /* The worker looks at memory42 before it writes, and that hangs; then somebody else's offline is through. */
        set_fault(fixture, FIRST + 1, "offline", "fifo 42");
        make_job(fixture,
                 &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .block_timeout_usec = 400 * USEC_PER_MSEC });
        fixture->job->callbacks.changed = on_changed_settle;
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "timed-out");
        assert_results(fixture, "40-41 rolled-back; 42 failed 110; 43 not-tried");
        assert_machine(fixture, "MM-MMMMMMMMMMMMM");
}

static void on_changed_cancel(struct job *job, void *userdata) {
        const struct fixture *fixture = userdata;

        if (job->bytes_done == fixture->cancel_at_bytes)
                job_cancel(job);
}

static void cancel_after(struct fixture *fixture, unsigned n_blocks) {
        set_blocks(fixture, FIRST, 1, "offline", "Movable");
        fixture->cancel_at_bytes = n_blocks * BLOCK_SIZE;
        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        fixture->job->callbacks.changed = on_changed_cancel;
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "cancelled");
        assert_machine(fixture, "-MMMMMMMMMMMMMMM");
}

static void cancelled_while_the_worker_is_idle(void **state) {
        cancel_after(*state, 1);
}

static void cancelled_at_the_last_block(void **state) {
        cancel_after(*state, UNIT);
}

static void a_failure_leaves_alone_what_was_not_written(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 1, "offline", "meanwhile 43 16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMM-MMMMMMMMMMMM");
        assert_results(fixture, "40 rolled-back; 41 failed 16; 42-43 not-tried");
}

/* "40 42-47 41": the steps */
static void assert_order(uint64_t first, const uint64_t *sizes, size_t n, const char *wanted) {
        struct job_step *steps = calloc(n, sizeof(*steps));
        char got[128] = "";

        assert_non_null(steps);
        for (size_t i = 0; i < n; i++) {
                steps[i].step = (struct step){ .span = { first, sizes[i] }, .target = BLOCK_ONLINE };
                /* 0: a gap */
                first += sizes[i] ? sizes[i] : 1;
        }
        for (size_t i = 0; i < n; i++)
                if (steps[i].step.span.n_blocks == 0)
                        memmove(steps + i, steps + i + 1, (--n - i) * sizeof(*steps));
        assert_int_equal(job_order_online(&steps, &n), 0);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *blocks = format_blocks(steps[i].step.span);

                assert_non_null(blocks);
                snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i > 0 ? " " : "",
                         blocks + strlen("memory"));
        }
        free(steps);
        assert_string_equal(got, wanted);
}

static void the_second_block_of_a_stretch_comes_last(void **state) {
        (void)state;
        assert_order(40, (uint64_t[]){ 8 }, 1, "40 42-47 41");
        assert_order(40, (uint64_t[]){ 3 }, 1, "40-42");
        assert_order(40, (uint64_t[]){ 1, 1, 6 }, 3, "40 42-47 41");
        assert_order(40, (uint64_t[]){ 4, 4 }, 2, "40 42-43 44-47 41");
        assert_order(40, (uint64_t[]){ 2, 0, 4 }, 3, "40-41 43 45-46 44");
}

static void best_effort_keeps_whole_units(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 5, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 3, .best_effort = true });
        assert_result(fixture, "partial");
        assert_machine(fixture, "----MMMM----MMMM");
        assert_results(fixture, "40-43 done; 44 rolled-back; 45 failed 16; 46-47 not-tried; 48-51 done");
}

static void best_effort_keeps_parts_where_it_may(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 1, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .best_effort = true, .keeps_parts = true });
        assert_result(fixture, "partial");
        assert_machine(fixture, "-M--MMMMMMMMMMMM");
}

static void best_effort_without_effect_failed(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .best_effort = true });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_spare_steps_in(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 1, "offline", "16");
        set_fault(fixture, FIRST + UNIT * 2 + 1, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2, .n_spares = 2 });
        assert_result(fixture, "done");
        assert_machine(fixture, "MMMM----MMMM----");
}

static void without_spares_left_all_goes_back(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + UNIT + 1, "offline", "16");
        set_fault(fixture, FIRST + UNIT * 2 + 3, "offline", "16");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2, .n_spares = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

/* What comes next lies below what was written, and cannot be looked at: that says nothing of what was written. */
static void a_hole_that_vanishes_is_no_reason_to_forget(void **state) {
        struct fixture *fixture = *state;
        size_t n = 1;

        set_blocks(fixture, FIRST, N_BLOCKS, "offline", "Movable");
        set_fault(fixture, FIRST + 7, "online_movable", "vanish 41");
        make_job(fixture, &(struct wish){ .verb = VERB_ONLINE, .n_units = 1, .keeps_parts = true });
        fixture->job->steps[0].step.span = fixture->job->steps[0].unit = (struct span){ FIRST, 8 };
        assert_int_equal(job_order_online(&fixture->job->steps, &n), 0);
        fixture->job->n_steps = n;
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        set_blocks(fixture, FIRST + 1, 1, "offline", "Movable");
        assert_result(fixture, "failed");
        assert_machine(fixture, "----------------");
}

static void a_unit_that_vanishes_is_no_reason_to_forget(void **state) {
        struct fixture *fixture = *state;
        struct job_step second;

        set_fault(fixture, FIRST + 3 * UNIT - 1, "offline", "vanish 44");
        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 3 });
        second = fixture->job->steps[1];
        fixture->job->steps[1] = fixture->job->steps[2];
        fixture->job->steps[2] = second;
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        set_blocks(fixture, FIRST + UNIT, 1, "online", "Movable");
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_spare_that_cannot_be_read_is_no_reason_to_forget(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + UNIT * 2 + 1, "offline", "16");
        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 3, .n_spares = 1 });
        /* The first unit stands by, below those that are steps. */
        fixture->job->spares[0] = fixture->job->steps[0];
        memmove(fixture->job->steps, fixture->job->steps + 1, 2 * sizeof(*fixture->job->steps));
        fixture->job->n_steps = 2;
        sysroot_write(&fixture->root, SYSFS_MEMORY "/memory40/state", "%s\n", "nonsense");
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "failed");
        set_blocks(fixture, FIRST, 1, "online", "Movable");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_spare_of_another_size_is_no_spare(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 1, "offline", "16");
        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .n_spares = 2 });
        fixture->job->spares[0].step.span.n_blocks--;
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "done");
        assert_machine(fixture, "MMMMMMMM----MMMM");
}

static void a_hang_times_out(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "hang");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .block_timeout_usec = 400 * USEC_PER_MSEC });
        assert_result(fixture, "timed-out");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
        assert_results(fixture, "40-41 rolled-back; 42 failed 110; 43 not-tried");
        assert_int_equal(fixture->n_stuck, 0);
}

static void the_whole_forward_phase_times_out(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "hang-hard");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .timeout_usec = 100 * USEC_PER_MSEC });
        assert_result(fixture, "timed-out");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void best_effort_keeps_what_went_before_the_timeout(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 6, "offline", "hang");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE,
                                     .n_units = 3,
                                     .best_effort = true,
                                     .block_timeout_usec = 400 * USEC_PER_MSEC });
        assert_result(fixture, "partial");
        assert_machine(fixture, "----MMMMMMMMMMMM");
}

static void cancelled_while_it_runs(void **state) {
        struct fixture *fixture = *state;

        fixture->cancel_when_running = true;
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2 });
        assert_result(fixture, "cancelled");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void cancelled_before_it_runs(void **state) {
        struct fixture *fixture = *state;

        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        job_cancel(fixture->job);
        job_cancel(fixture->job);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "cancelled");
        assert_results(fixture, "40-43 not-tried");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void rejected_before_it_runs(void **state) {
        struct fixture *fixture = *state;

        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        job_reject(fixture->job, ESTALE);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_result(fixture, "failed");
        assert_results(fixture, "40-43 not-tried 116");
}

static void a_process_that_dies_is_a_failure(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "die");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
        assert_results(fixture, "40-41 rolled-back; 42 failed 10; 43 not-tried");
}

static void a_write_whose_process_died_is_put_back_too(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 2, "offline", "die-after");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_death_in_the_rollback_is_overcome(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "once die");
        set_fault(fixture, FIRST + 2, "online_movable", "once die-after");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void what_cannot_go_back_is_owed(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "12");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "rollback-incomplete");
        assert_machine(fixture, "M-MMMMMMMMMMMMMM");
        assert_results(fixture, "40 rolled-back; 41 owed 12; 42 rolled-back; 43 failed 16");
        assert_int_equal(fixture->job->owed.n, 1);
        assert_int_equal(fixture->job->owed.items[0].first_block, FIRST + 1);
        assert_int_equal(fixture->job->owed.items[0].zone, ZONE_MOVABLE);
}

static void a_wrong_zone_is_put_right(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "once wrong-zone");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "failed");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

static void a_zone_that_cannot_be_had_is_owed(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "wrong-zone");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1 });
        assert_result(fixture, "rollback-incomplete");
        assert_int_equal(fixture->job->owed.n, 1);
        assert_int_equal(fixture->job->owed.items[0].first_block, FIRST + 1);
}

static void a_rollback_that_hangs_ends(void **state) {
        struct fixture *fixture = *state;

        set_fault(fixture, FIRST + 3, "offline", "16");
        set_fault(fixture, FIRST + 1, "online_movable", "hang-hard");
        run(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 1, .rollback_timeout_usec = USEC_PER_SEC });
        assert_result(fixture, "rollback-incomplete");
        assert_machine(fixture, "--MMMMMMMMMMMMMM");
        assert_results(fixture, "40-41 owed 110; 42 rolled-back; 43 failed 16");
}

#define test_with_machine(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                test_with_machine(all_goes_well),
                test_with_machine(what_is_so_already_is_done),
                test_with_machine(nothing_to_do_is_done),
                test_with_machine(a_failure_puts_state_and_zone_back),
                test_with_machine(online_rolls_back_to_offline),
                test_with_machine(what_changes_meanwhile_is_looked_at_again),
                test_with_machine(a_failure_leaves_alone_what_was_not_written),
                test_with_machine(what_vanishes_owes_nothing),
                test_with_machine(what_was_so_already_is_looked_at_again),
                test_with_machine(many_blocks_take_their_time),
                test_with_machine(a_write_that_is_on_file_counts),
                test_with_machine(a_stop_leaves_alone_what_was_only_looked_at),
                test_with_machine(cancelled_while_the_worker_is_idle),
                test_with_machine(cancelled_at_the_last_block),
                cmocka_unit_test(the_second_block_of_a_stretch_comes_last),
                test_with_machine(best_effort_keeps_whole_units),
                test_with_machine(best_effort_keeps_parts_where_it_may),
                test_with_machine(best_effort_without_effect_failed),
                test_with_machine(a_spare_steps_in),
                test_with_machine(without_spares_left_all_goes_back),
                test_with_machine(a_hole_that_vanishes_is_no_reason_to_forget),
                test_with_machine(a_unit_that_vanishes_is_no_reason_to_forget),
                test_with_machine(a_spare_that_cannot_be_read_is_no_reason_to_forget),
                test_with_machine(a_spare_of_another_size_is_no_spare),
                test_with_machine(a_hang_times_out),
                test_with_machine(the_whole_forward_phase_times_out),
                test_with_machine(best_effort_keeps_what_went_before_the_timeout),
                test_with_machine(cancelled_while_it_runs),
                test_with_machine(cancelled_before_it_runs),
                test_with_machine(rejected_before_it_runs),
                test_with_machine(a_process_that_dies_is_a_failure),
                test_with_machine(a_write_whose_process_died_is_put_back_too),
                test_with_machine(a_death_in_the_rollback_is_overcome),
                test_with_machine(what_cannot_go_back_is_owed),
                test_with_machine(a_wrong_zone_is_put_right),
                test_with_machine(a_zone_that_cannot_be_had_is_owed),
                test_with_machine(a_rollback_that_hangs_ends),
        };
        sigset_t mask;

        if (argc == 4 && strcmp(argv[1], "--worker") == 0)
                return file_kernel_run_worker(argv[3]);
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
