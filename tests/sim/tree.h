/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The tree of files as one table. A row is a file, a link, a directory, or a family of them named by number; an inode
 * is a row and the number of the object it belongs to, so that no inode is ever stored: a machine of a million blocks
 * costs nothing here.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "attributes.h"

#define TREE_ROOT     UINT64_C(1)
#define TREE_NAME_MAX 64

struct row {
        const char *name; /* NULL: the family's own */
        mode_t mode;
        show_fn show;
        store_fn store;
        bool takes_lock;    /* its store waits for device_hotplug_lock */
        bool is_faulty;     /* its writes are what faults count */
        bool asks_for_root; /* show's object tells whether root opened the file */
};

/* What stands behind an inode. */
struct tree_file {
        const struct row *row;
        uint64_t object;
        bool is_volatile; /* may come and go, or points where it did not */
        bool is_machine;  /* below /sys or /proc, not the simulation's own */
};

/*
 * The same file under another inode number; 0 is its own. FUSE holds the inode's lock as long as a write is not
 * answered, which sysfs does not: whoever looks up a file whose writes may hang gets an inode of his own.
 */
#define TREE_ALIASES 4096
uint64_t tree_alias(uint64_t inode, unsigned alias);

/* -ENOENT if there is no such thing, or no longer. */
int tree_get(const struct simulation *simulation, uint64_t inode, struct tree_file *ret);
int tree_lookup(const struct simulation *simulation, uint64_t directory, const char *name, uint64_t *ret_inode);
/*
 * The first entry of a directory at or behind `*cursor` (0: from the start); sets the cursor behind it. False at the
 * end.
 */
bool tree_next(const struct simulation *simulation, uint64_t directory, uint64_t *cursor, char name[TREE_NAME_MAX],
               uint64_t *ret_inode);
