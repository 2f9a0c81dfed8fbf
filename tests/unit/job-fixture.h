/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A job with a true worker process: the test's program started once more, with a kernel made of plain files behind it
 * (file-kernel.h). All blocks are online in Movable at first.
 */

#include "job.h"
#include "sysroot.h"

#define FIRST      40
#define N_BLOCKS   16
#define UNIT       4
#define BLOCK_SIZE (UINT64_C(128) << 20)

struct fixture {
        struct sysroot root;
        sd_event *event;
        struct worker *worker;
        struct job *job;
        unsigned n_stuck;
        bool cancel_when_running;
        uint64_t cancel_at_bytes; /* for the test's own callbacks */
        bool has_settled;
};

/* Units of four blocks from FIRST on: n_units of them as steps, those behind as spares. A timeout of 0 is none. */
struct wish {
        enum verb verb;
        size_t n_units, n_spares;
        bool best_effort, keeps_parts;
        uint64_t timeout_usec, block_timeout_usec, rollback_timeout_usec;
};

#define test_with_machine(function) cmocka_unit_test_setup_teardown(function, set_up_machine, tear_down_machine)
int set_up_machine(void **state);
int tear_down_machine(void **state);

void set_fault(const struct fixture *fixture, unsigned block, const char *word, const char *fault);
void set_blocks(const struct fixture *fixture, unsigned first, unsigned n, const char *state, const char *zone);

void make_job(struct fixture *fixture, const struct wish *wish);
/* Runs what was made to its end. */
void run_job(struct fixture *fixture);
void run(struct fixture *fixture, const struct wish *wish);

/* "M" online in Movable, "N" online in Normal, "-" offline: a letter a block. */
void assert_machine(const struct fixture *fixture, const char *wanted);
/* "40-43 rolled-back; 44 failed 16" */
void assert_results(const struct fixture *fixture, const char *wanted);
void assert_result(const struct fixture *fixture, const char *wanted);

/* What main() is: the worker, or run_all() with SIGCHLD blocked. */
int job_fixture_main(int argc, char *argv[], int (*run_all)(void));
