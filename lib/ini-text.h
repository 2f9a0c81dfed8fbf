/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The text of an ini file, taken apart by libinih, and what libinih leaves out: the line that something is wrong in,
 * groups without keys, lines that are too long. Knows no group and no key.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util.h"

struct ini_text {
        const char *rest; /* what is not read yet; the caller sets it to the whole */
        unsigned line;    /* that is being read, from 1; 0: the text as a whole */
        bool is_broken;   /* a problem has been told */
        bool no_memory;

        /* A line that opens a group, from its bracket on; NULL where only groups with keys count. */
        void (*group)(struct ini_text *text, const char *line, size_t length);
        void (*key)(struct ini_text *text, const char *group, const char *key, const char *value);
        /* Returns 0, -ENOMEM. */
        int (*problem)(struct ini_text *text, const char *message);
        void *userdata;
};

/*
 * Calls `group` and `key` for all there is, `problem` for each line that is neither. Returns 0, -EINVAL if a problem
 * was told, -ENOMEM.
 */
int ini_text_read(struct ini_text *text);

/* Tells a problem with the line that is being read. */
void ini_text_complain(struct ini_text *text, const char *format, ...) _printf_(2, 3);
