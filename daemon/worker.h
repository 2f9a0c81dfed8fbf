/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The worker: a process of its own (`memctld --worker`) that does everything in sysfs that can wait, so that the main
 * loop never does. Here is the daemon's side: it starts the process, sends one request at a time and gets exactly one
 * last reply for each, whatever becomes of the process. worker-process.h is the other side.
 *
 * A write to memoryN/state can wait for ever, and a caught signal does not end the part that waits for
 * device_hotplug_lock (the kernel restarts it). So a request is ended by ending the process: SIGTERM at its default
 * action, then SIGKILL. A process that survives that sits in the kernel and is reported as stuck.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "extent.h"

enum worker_command {
        WORKER_READ,    /* reads the whole machine; replies with an inventory */
        WORKER_REFRESH, /* reads the named blocks and ranges again; replies with an inventory */
        WORKER_INSPECT, /* replies with state and zone of a run of blocks */
        /*
         * Writes memoryN/state of a run of blocks, one after another, and replies for each before it goes on to the
         * next; ends with the first that fails, or is no longer as it was found. When all is written it looks at the
         * run that is next.
         */
        WORKER_WRITE,
        WORKER_TRIGGER, /* tells a driver to let memory go (removal.h) */
        WORKER_RESTORE, /* gives pools of huge pages back what a job's offlining took (huge-pages.h) */
        _WORKER_COMMAND_MAX,
};

#define WORKER_SPANS_MAX  64
#define WORKER_RANGES_MAX 64
#define WORKER_WORD_MAX   24
#define WORKER_RUN_MAX    16

/* How a block was found. */
struct worker_found {
        uint32_t state; /* enum block_state */
        uint32_t zone;  /* enum block_zone */
};

/* Blocks that follow each other. */
struct worker_run {
        uint64_t first_block;
        uint64_t n_blocks; /* at most WORKER_RUN_MAX */
        struct worker_found found[WORKER_RUN_MAX];
};

struct worker_request {
        uint32_t command;
        uint32_t serial;        /* set by worker_send() */
        uint64_t journal;       /* INSPECT, WRITE, TRIGGER, RESTORE: the job whose journal is to be locked first */
        struct worker_run run;  /* INSPECT (of none: only the lock); WRITE, with how they were found, for the journal */
        struct worker_run next; /* WRITE: INSPECT these once all is written; of none: nothing */
        uint64_t block;         /* TRIGGER */
        uint32_t driver;        /* TRIGGER: enum range_driver */
        /* WRITE: "online", "online_kernel", "online_movable", "offline"; TRIGGER: the device, or "" */
        char word[WORKER_WORD_MAX];
        uint64_t assume_granularity_bytes; /* READ */
        uint64_t reads_page_tables;        /* READ: 0 or 1 */
        uint64_t n_spans;                  /* REFRESH */
        uint64_t n_ranges;
        struct span spans[WORKER_SPANS_MAX];
        uint64_t ranges[WORKER_RANGES_MAX];
};

struct worker_reply {
        uint32_t serial;
        int32_t error;         /* 0 or -errno as the kernel gave it; see worker_reply_fn for our own */
        uint32_t has_more;     /* WRITE: 1 if this is of one block, and not of the last */
        uint32_t is_untouched; /* with an error, 1: nothing was written to the block */
        /* INSPECT: `run`, WRITE: `next`, as they were found, up to the first that cannot be read. */
        struct worker_run run;
};

struct worker;

/*
 * The reply to a request, or with has_more one of several. reply->error is -ECANCELED if worker_abort() ended it and
 * -ECHILD if the process died by itself: what it wrote to the block it was at may or may not have taken effect then. It
 * is -ESTALE, and nothing was written, if that block was not as `run` says. payload_fd (-1: none) is a memory file
 * with an encoded inventory, closed by the caller of the function.
 */
typedef void (*worker_reply_fn)(const struct worker_reply *reply, int payload_fd, void *userdata);
/* A request that was aborted outlives SIGKILL. The reply still comes if it ever ends. */
typedef void (*worker_stuck_fn)(void *userdata);

struct worker_options {
        const char *executable;     /* normally /proc/self/exe, which survives an upgrade of the package */
        const char *sysroot;        /* NULL: the running system */
        const char *description;    /* for the log: "reader", "writer" */
        uint64_t term_timeout_usec; /* SIGTERM → SIGKILL */
        uint64_t kill_timeout_usec; /* SIGKILL → stuck */
        worker_stuck_fn on_stuck;
        void *userdata;
};

/* Starts the process. Returns 0 or -errno. SIGCHLD must be blocked. Strings are copied. */
int worker_new(sd_event *event, const struct worker_options *options, struct worker **ret);
/* Ends the process with SIGKILL, without waiting for it; a pending request gets no reply. Takes NULL, returns NULL. */
struct worker *worker_free(struct worker *worker);

bool worker_is_busy(const struct worker *worker);
/* Returns 0, -EBUSY while a request is pending, -ENOMEM. */
int worker_send(struct worker *worker, const struct worker_request *request, worker_reply_fn on_reply, void *userdata);
/* Ends the pending request by ending the process; does nothing without one. */
void worker_abort(struct worker *worker);
