/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The journal: what a job is about to do, on file before it is done, so that a daemon that was killed knows what it
 * owes. One file a job, jobs/ID.journal in the runtime directory (memory does not keep its state over a reboot either),
 * a JSON object a line:
 *
 *   {"boot":…, "job":7, "verb":"offline", …}                        the record (job-record.h), put there by rename
 *   {"intent":44, "state":"online", "zone":"Movable", "word":"offline"}  before each write to a block's state
 *   {"result":44, "errno":16}                                        after it
 *   {"pool":0, "size-kib":2048, "pages":240}                     before the first write to a block of the node:
 *                                                                huge-pages.h
 *   {"pools-restored":true}                                      they have what they had
 *   {"trigger":44}                                               before a driver is told to remove what holds the block
 *   {"triggered":44, "errno":0}                                  after it
 *   {"end":"failed", …}                                              nothing is owed, or what is
 *
 * What was written outlives the process; a machine that goes down takes the state of its memory with it, so nothing is
 * synchronised. The daemon makes and ends it; the worker writes the lines between, holding an exclusive lock (flock(2))
 * for as long as it lives: whoever recovers gets the lock only when no write of the old worker can still take effect.
 */

#include <stdbool.h>
#include <stdint.h>

#include "extent.h"

/*
 * Makes the journal of a job, with room for what n_blocks can need, so that a full disk is met now or never. Returns
 * 0 or -errno, and nothing is left behind then.
 */
int journal_create(uint64_t job_id, const char *record, uint64_t n_blocks);
/* Appends one line, which needs no newline. Returns 0 or -errno. */
int journal_append(uint64_t job_id, const char *line);
enum journal_write {
        JOURNAL_WRITE_NOT_BEGUN,
        JOURNAL_WRITE_BEGUN, /* or nobody knows: the journal cannot be read */
        JOURNAL_WRITE_DONE,
};
/* How far a job has come with the one write to a block on its way forward. Does not wait for the lock: for when the
 * process that wrote is gone. */
enum journal_write journal_find_write(uint64_t job_id, uint64_t block);
/* Deletes it; none there is no error. */
void journal_remove(uint64_t job_id);

/* Opens it for the calls below and waits for its lock. Returns an fd or -errno. */
int journal_open_locked(uint64_t job_id);
int journal_write_intent(int fd, uint64_t block, enum block_state state, enum block_zone zone, const char *word);
int journal_write_result(int fd, uint64_t block, int error);
int journal_write_trigger(int fd, uint64_t block);
int journal_write_triggered(int fd, uint64_t block, int error);
int journal_write_pool(int fd, int node, uint64_t page_size_kib, uint64_t n_pages);
int journal_write_pools_restored(int fd);
/* All of it, NUL-terminated; to be freed. Returns 0 or -errno. */
int journal_read(int fd, char **ret);

/* Whether the text starts with such a line. */
bool journal_parse_pool(const char *line, int *ret_node, uint64_t *ret_page_size_kib, uint64_t *ret_n_pages);
bool journal_is_pools_restored(const char *line);

/*
 * Calls `each` with the text of every journal there is. Returns 0, -ENOMEM, or -errno where the folder cannot be read.
 */
typedef void (*journal_fn)(uint64_t job_id, const char *text, void *userdata);
int journal_load_all(journal_fn each, void *userdata);
