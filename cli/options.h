/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The command line. Options may stand anywhere; "--" ends them. The first word is the command,
 * without one it is "list".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum listing {
        LISTING_EXTENTS,
        LISTING_BLOCKS,
        LISTING_UNITS,
        LISTING_RANGES,
};

enum output_format {
        FORMAT_TABLE,
        FORMAT_RAW,
        FORMAT_PAIRS,
        FORMAT_JSON,
};

enum summary {
        SUMMARY_AUTO, /* below tables, not below what programs read */
        SUMMARY_NEVER,
        SUMMARY_ALWAYS,
        SUMMARY_ONLY,
};

struct options {
        enum listing listing;
        enum output_format format;
        enum summary summary;
        bool sizes_in_bytes;
        bool no_headings;
        bool all_columns;
        const char *columns; /* COL,… or +COL,…; NULL the default ones */
        const char *split;   /* columns whose change starts a new row; NULL all */

        const char *sysroot; /* NULL the running system, through memctld */
        const char *host;    /* [user@]host over ssh */
        const char *machine; /* local container */

        bool partial;
        bool dry_run;
        bool best_effort;
        bool ignore_headroom;
        bool empty_node;
        bool ignore_inhibitors;
        bool no_wait;
        const char *zone; /* NULL: that of the unit, or the policy's */
        uint64_t timeout_usec;

        bool watch;
        const char *what; /* inhibit: offline:remove:online */
        const char *mode; /* inhibit: block, delay */
        const char *who;
        const char *why;
        bool list_inhibitors;
        size_t n_command_words; /* of the words, those behind "--" */
};

/* Which command an option goes with. */
enum {
        COMMAND_LIST = 1 << 0,
        COMMAND_PLAN = 1 << 1,
        COMMAND_ONLINE = 1 << 2,
        COMMAND_OFFLINE = 1 << 3,
        COMMAND_REMOVE = 1 << 4,
        COMMAND_SHOW = 1 << 5,
        COMMAND_MAP = 1 << 6,
        COMMAND_JOBS = 1 << 7,
        COMMAND_CANCEL = 1 << 8,
        COMMAND_WAIT = 1 << 9,
        COMMAND_MONITOR = 1 << 10,
        COMMAND_POLICY = 1 << 11,
        COMMAND_INHIBIT = 1 << 12,
        COMMAND_DOCTOR = 1 << 13,
        COMMAND_VERSION = 1 << 14,
        COMMAND_CHANGES = COMMAND_ONLINE | COMMAND_OFFLINE | COMMAND_REMOVE,
        COMMAND_TABLES = COMMAND_LIST | COMMAND_JOBS | COMMAND_POLICY | COMMAND_INHIBIT,
        COMMAND_ALL = ~0,
};

struct command {
        const char *name;
        const char *arguments; /* "SELECTOR…", for --help; NULL none */
        const char *summary;
        unsigned bit; /* COMMAND_… */
        size_t min_words;
        size_t max_words;
        /* `words` are the arguments behind the command, NULL-terminated. Returns an exit status. */
        int (*run)(const struct options *options, char **words, size_t n_words);
};

/* NULL-terminated by name; defined by memctl.c. */
extern const struct command commands[];
const struct command *command_find(const char *name);

/*
 * Parses argv. Returns -1 and what to run, or an exit status if there is nothing more to do: --help and --version
 * were printed, or an error was.
 */
int options_parse(int argc, char **argv, struct options *ret, const struct command **ret_command, char ***ret_words,
                  size_t *ret_n_words);

/* "30", "90s", "5min", "2h" → microseconds. Returns 0, -EINVAL, -ERANGE. */
int parse_timeout_usec(const char *text, uint64_t *ret);
