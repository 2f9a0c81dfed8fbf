/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The drain hook: before a job changes anything, those who asked for it (inhibitors of mode delay) are told and get a
 * bounded time to get out of the way. One job at a time, as only one runs.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "inhibitors.h"
#include "job.h"

struct drain;

struct drain_callbacks {
        void (*tell)(const struct job *job, bool start, void *userdata); /* PrepareFor */
        void (*done)(struct job *job, void *userdata);                   /* the job may go on */
        const struct inventory *(*inventory)(void *userdata);
};

/* Returns 0, -ENOMEM. */
int drain_new(sd_event *event, const struct inhibitors *inhibitors, uint64_t delay_max_usec,
              const struct drain_callbacks *callbacks, void *userdata, struct drain **ret);
/* Takes NULL, returns NULL. */
struct drain *drain_free(struct drain *drain);

/* Holds from the next job on. */
void drain_set_delay_max(struct drain *drain, uint64_t usec);

/* Tells that the job begins. Returns true if somebody delays it: `done` follows, unless drain_end() comes before. */
bool drain_begin(struct drain *drain, struct job *job);
/* Tells that the job has ended, if it was told that it begins. */
void drain_end(struct drain *drain, const struct job *job);
/* An inhibitor was released. */
void drain_look(struct drain *drain);
