/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The machine and what a test does to it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "machine.h"

enum fault_kind {
        FAULT_ERRNO,       /* the write fails with an errno */
        FAULT_HANG,        /* it waits until a signal, or until the test lets it go on */
        FAULT_HANG_FOREVER /* it ignores signals, SIGKILL too */
};

/* Counts down with every write that takes the hot-plug lock; 0 is now. */
struct fault {
        enum fault_kind kind;
        int error; /* positive */
        uint64_t writes_before;
};

struct simulation {
        struct machine machine;
        struct fault *faults;
        size_t n_faults;
        uint64_t *ejects; /* DIMMs, by index, whose ejection the kernel has queued */
        size_t n_ejects;
        bool ejects_held;   /* the kernel's worker does not get round to them */
        int driver_result;  /* of the third party's last command */
        bool write_hangs;   /* now */
        bool release_asked; /* it is to go on */
};

void simulation_clear(struct simulation *simulation);
void simulation_add_fault(struct simulation *simulation, const struct fault *fault);
/* Counts one write. True, and the fault, if it is to go wrong. */
bool simulation_next_fault(struct simulation *simulation, struct fault *ret);
void simulation_queue_eject(struct simulation *simulation, uint64_t dimm);
/* Runs what is queued, unless it is held. */
void simulation_run_ejects(struct simulation *simulation);
