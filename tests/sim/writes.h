/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Writes in progress. The kernel serialises hot-plug by device_hotplug_lock: while one write hangs, the others wait
 * for it. One that hangs in an offline ends with EINTR on any signal; one that waits for the lock only on a fatal one
 * (lock_device_hotplug_sysfs() restarts the system call), and that is all a FUSE file system can do too: a handler
 * runs only when the write has returned.
 */

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "simulation.h"
#include "tree.h"

struct write;

struct writes {
        struct simulation *simulation;
        struct write *holder; /* of the lock, in a write that hangs */
        struct write *queue;  /* waiting for it, oldest first */
};

/* Takes the write over: answers the request, now or later. */
void writes_submit(struct writes *writes, fuse_req_t request, fuse_ino_t inode, const struct tree_file *file,
                   const char *text, size_t size);
/* True if a write through this inode waits for its answer. */
bool writes_use_inode(const struct writes *writes, fuse_ino_t inode);
/* To be called after every request and at least every writes_timeout_msec(): signals, releases, queued ejections. */
void writes_settle(struct writes *writes);
/* How long the caller may sleep; -1 for ever. */
int writes_timeout_msec(const struct writes *writes);
void writes_clear(struct writes *writes);
