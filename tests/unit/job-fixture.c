/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "file-kernel.h"
#include "journal.h"
#include "test.h"

void set_fault(const struct fixture *fixture, unsigned block, const char *word, const char *fault) {
        char path[64];

        snprintf(path, sizeof(path), "faults/%u.%s", block, word);
        sysroot_write(&fixture->root, path, "%s", fault);
}

void set_blocks(const struct fixture *fixture, unsigned first, unsigned n, const char *state, const char *zone) {
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

int set_up_machine(void **state) {
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

int tear_down_machine(void **state) {
        struct fixture *fixture = *state;

        job_free(fixture->job);
        worker_free(fixture->worker);
        sd_event_unref(fixture->event);
        sysroot_remove(&fixture->root);
        free(fixture);
        return 0;
}

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

void make_job(struct fixture *fixture, const struct wish *wish) {
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

void run_job(struct fixture *fixture) {
        job_start(fixture->job, fixture->worker);
        assert_true(sd_event_loop(fixture->event) >= 0);
        assert_int_equal(fixture->job->state, JOB_FINISHED);
}

void run(struct fixture *fixture, const struct wish *wish) {
        make_job(fixture, wish);
        run_job(fixture);
}

void assert_machine(const struct fixture *fixture, const char *wanted) {
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

void assert_results(const struct fixture *fixture, const char *wanted) {
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

void assert_result(const struct fixture *fixture, const char *wanted) {
        assert_string_equal(job_result_to_string(fixture->job->result), wanted);
}

int job_fixture_main(int argc, char *argv[], int (*run_all)(void)) {
        sigset_t mask;

        if (argc == 4 && strcmp(argv[1], "--worker") == 0)
                return file_kernel_run_worker(argv[3]);
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        return run_all();
}
