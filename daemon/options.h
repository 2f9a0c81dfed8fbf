/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line of memctld(8). */

#include <stdbool.h>

enum mode {
        MODE_SERVE,
        MODE_WORKER,
        MODE_INTROSPECT,
        MODE_VERSION,
        MODE_HELP,
};

/* Strings point into argv. */
struct options {
        enum mode mode;
        const char *sysroot; /* NULL: the running system */
        const char *introspect_path;
};

/* Returns 0, or -EINVAL after saying on stderr what is wrong. */
int options_parse(int argc, char *argv[], struct options *ret);
void options_print_help(void);
