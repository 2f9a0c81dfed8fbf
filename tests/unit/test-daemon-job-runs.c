/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job whose blocks are written in runs: what is known of each of them, and in which order they come. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "inventory.h"
#include "job-fixture.h"
#include "test.h"

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
        run_job(fixture);
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
        run_job(fixture);
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
        run_job(fixture);
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
        run_job(fixture);
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
        run_job(fixture);
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
        run_job(fixture);
        assert_result(fixture, "failed");
        set_blocks(fixture, FIRST, 1, "online", "Movable");
        assert_machine(fixture, "MMMMMMMMMMMMMMMM");
}

/* A job that believes of the first two units what is wrong of two blocks. */
static void run_with_assumption(struct fixture *fixture, enum block_state wrong, uint64_t first, uint64_t n) {
        struct inventory inventory = { 0 };
        struct extent extent = { .first_block = FIRST, .n_blocks = 2 * UNIT, .node = NODE_NONE, .range = RANGE_NONE };

        extent.state = BLOCK_ONLINE;
        extent.zone = ZONE_MOVABLE;
        assert_int_equal(extent_list_set(&inventory.extents, &extent), 0);
        extent.first_block = first;
        extent.n_blocks = n;
        extent.state = wrong;
        extent.zone = wrong == BLOCK_ONLINE ? ZONE_MOVABLE : ZONE_NONE;
        assert_int_equal(extent_list_set(&inventory.extents, &extent), 0);
        make_job(fixture, &(struct wish){ .verb = VERB_OFFLINE, .n_units = 2 });
        job_assume(fixture->job, &inventory);
        extent_list_clear(&inventory.extents);
        run_job(fixture);
}

static void what_is_assumed_is_looked_at(void **state) {
        struct fixture *fixture = *state;

        set_blocks(fixture, FIRST + 1, 2, "offline", "Movable");
        set_fault(fixture, FIRST + 5, "offline", "16");
        run_with_assumption(fixture, BLOCK_ONLINE, FIRST + 1, 2);
        assert_result(fixture, "failed");
        assert_machine(fixture, "M--MMMMMMMMMMMMM");
}

static void what_is_assumed_to_be_done_is_looked_at(void **state) {
        struct fixture *fixture = *state;

        run_with_assumption(fixture, BLOCK_OFFLINE, FIRST, 2);
        assert_result(fixture, "done");
        assert_results(fixture, "40-47 done");
        assert_machine(fixture, "--------MMMMMMMM");
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

static int run_all(void) {
        const struct CMUnitTest tests[] = {
                test_with_machine(what_changes_meanwhile_is_looked_at_again),
                test_with_machine(a_failure_leaves_alone_what_was_not_written),
                test_with_machine(what_vanishes_owes_nothing),
                test_with_machine(what_was_so_already_is_looked_at_again),
                test_with_machine(many_blocks_take_their_time),
                test_with_machine(a_write_that_is_on_file_counts),
                test_with_machine(a_stop_leaves_alone_what_was_only_looked_at),
                test_with_machine(cancelled_while_the_worker_is_idle),
                test_with_machine(cancelled_at_the_last_block),
                test_with_machine(a_hole_that_vanishes_is_no_reason_to_forget),
                test_with_machine(a_unit_that_vanishes_is_no_reason_to_forget),
                test_with_machine(a_spare_that_cannot_be_read_is_no_reason_to_forget),
                test_with_machine(what_is_assumed_is_looked_at),
                test_with_machine(what_is_assumed_to_be_done_is_looked_at),
                cmocka_unit_test(the_second_block_of_a_stretch_comes_last),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char *argv[]) {
        return job_fixture_main(argc, argv, run_all);
}
