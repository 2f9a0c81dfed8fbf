/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job as JSON lines: what the journal keeps of it, and the way back to a job. */

#include "inventory.h"
#include "job.h"

/* The first line. The inventory names the ranges the steps lie in. The caller frees it; NULL without memory. */
char *job_record_begin(const struct job *job, const struct inventory *inventory);
/* The last line of a job that has its result. `boottime_usec`: CLOCK_BOOTTIME. */
char *job_record_end(const struct job *job, uint64_t boottime_usec);

struct job_history {
        bool has_ended;
        uint64_t ended_boottime_usec;
};

/*
 * Makes the job again from a whole journal: what it was to do, and in `prior` the blocks with an intent, as they were
 * before it. Blocks whose range is no longer the one recorded are left out: nothing is owed to memory that is gone.
 * Returns 0, -ESTALE for a journal of another boot, -EBADMSG, -ENOMEM.
 */
int job_record_load(sd_event *event, const char *text, const struct inventory *inventory,
                    const struct job_callbacks *callbacks, void *userdata, struct job **ret,
                    struct job_history *ret_history);
