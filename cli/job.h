/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs of memctld: what they have done and how they ended, for whoever started them or asks later. */

#include <json-c/json.h>

#include "client.h"
#include "options.h"

/* A run of blocks and what became of it. */
struct job_result {
        struct span span;
        char *result;
        int error; /* a positive errno, 0 none */
        char *meaning;
};

struct job {
        uint64_t id;
        char *path;
        char *verb;
        char *state;
        char *result; /* "" until it is over */
        uint64_t bytes_total;
        uint64_t bytes_done;
        uint32_t started_by_uid;
        char **selectors; /* NULL-terminated */
        struct job_result *results;
        size_t n_results;
};

struct job_list {
        struct job *items; /* by id */
        size_t n;
        size_t n_allocated;
};

void job_clear(struct job *job);

/* Reads a job's properties, and its results with them. Returns 0, -errno. */
int job_read(struct client *client, const char *path, struct job *ret, sd_bus_error *error);
/* All jobs there are objects for: those that are not over, and those that ended within the last minute. */
int job_list_read(struct client *client, struct job_list *ret, sd_bus_error *error);
void job_list_clear(struct job_list *list);

int job_cancel(struct client *client, const char *path, sd_bus_error *error);

/* "done", "failed", … → what memctl exits with; STATUS_FAILED for a word it does not know. */
int job_exit_status(const char *result);

/* Prints the job that nobody waits for; in JSON it is a result that is not known yet. */
void job_report_begun(const struct options *options, enum verb verb, uint64_t id);

/*
 * Prints how a job ended. `by_amount`: nobody asked for certain blocks, so only the total is told. Returns the exit
 * status.
 */
int job_report(const struct options *options, const struct job *job, uint64_t block_size_bytes, bool by_amount);
