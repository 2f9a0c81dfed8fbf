/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The tracker keeps the inventory true: it turns uevents into readings by a worker process (the reader) and tells what
 * changed. Bursts are merged, a loss of events reads the machine again, and nothing here waits for sysfs.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "inventory.h"
#include "uevent.h"

struct tracker;

struct tracker_callbacks {
        /*
         * A new inventory is in force. `changed`: blocks whose extent is another one now; `gone`: some blocks
         * vanished. `previous` is NULL the first time.
         */
        void (*updated)(const struct inventory *previous, const struct span_list *changed, bool gone, void *userdata);
        /* The first reading failed: there is nothing to serve. */
        void (*failed)(int error, void *userdata);
};

struct tracker_options {
        const char *executable; /* of the reader */
        const char *sysroot;
        int uevent_fd;                     /* see uevent_stream_new() */
        uint64_t assume_granularity_bytes; /* 0: none */
        bool reads_page_tables;
        struct tracker_callbacks callbacks;
        void *userdata;
};

/* Starts listening and reading; the inventory comes with the first `updated`. Returns 0 or -errno. */
int tracker_new(sd_event *event, const struct tracker_options *options, struct tracker **ret);
/* Takes NULL, returns NULL. */
struct tracker *tracker_free(struct tracker *tracker);

/* NULL until the first reading is done. Valid until the loop runs again. */
const struct inventory *tracker_inventory(const struct tracker *tracker);
/* Counts the inventories that differed, from 1. */
uint64_t tracker_generation(const struct tracker *tracker);
/* Overruns, and gaps after which the inventory differed. */
uint64_t tracker_events_lost(const struct tracker *tracker);

/* AssumeGranularity= or ReadPageTables= is another one: reads everything again. */
void tracker_set_granularity(struct tracker *tracker, uint64_t assume_bytes, bool reads_page_tables);

/* Whether nothing has happened that the inventory does not show yet, as far as events tell. */
bool tracker_is_current(struct tracker *tracker);

/* Reads everything again, soon. */
void tracker_resync(struct tracker *tracker);

/*
 * Calls `done` once every event that has come is followed, and the inventory shows what the blocks are now or later
 * than now; with -ETIMEDOUT if the reader does not answer (a stock kernel lets reading wait for an offline that hangs).
 * Returns 0 or -ENOMEM.
 */
typedef void (*tracker_sync_fn)(int error, void *userdata);
int tracker_sync(struct tracker *tracker, const struct span_list *blocks, tracker_sync_fn done, void *userdata);
/* Forgets every sync with this userdata. */
void tracker_sync_cancel(struct tracker *tracker, const void *userdata);
