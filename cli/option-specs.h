/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every option as data: what parses the command line, what prints --help and what checks the manual page read this. */

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

/* Values of options that have no letter. */
enum {
        OPTION_UNITS = 0x100,
        OPTION_RANGES,
        OPTION_OUTPUT_ALL,
        OPTION_SUMMARY,
        OPTION_PARTIAL,
        OPTION_DRY_RUN,
        OPTION_BEST_EFFORT,
        OPTION_IGNORE_HEADROOM,
        OPTION_EMPTY_NODE,
        OPTION_IGNORE_INHIBITORS,
        OPTION_NO_WAIT,
        OPTION_ZONE,
        OPTION_TIMEOUT,
        OPTION_WATCH,
        OPTION_WHAT,
        OPTION_MODE,
        OPTION_WHO,
        OPTION_WHY,
        OPTION_BLOCKS,
        OPTION_LIST,
};

struct option_spec {
        int value; /* a letter, or OPTION_… */
        const char *name;
        const char *argument; /* NULL none; "[=…]" optional */
        unsigned commands;
        const char *help;
};

/* In the order of --help. */
extern const struct option_spec option_specs[];
extern const size_t n_option_specs;
#define MAX_OPTION_SPECS 64

static inline bool has_optional_argument(const struct option_spec *spec) {
        return spec->argument && spec->argument[0] == '[' && spec->argument[1] == '=';
}

const struct option_spec *option_spec_find(int value);

/* Values of which one at most may be given; 0 ends a row shorter than the others. */
#define MAX_EXCLUSIVE 4
extern const int exclusive_options[][MAX_EXCLUSIVE];
extern const size_t n_exclusive_options;

/* Commands that take an amount for a selector: a change of so much. */
#define COMMANDS_WITH_AMOUNTS (COMMAND_ONLINE | COMMAND_OFFLINE | COMMAND_PLAN)

/* --help, of one command or (NULL) of all. */
void help_print(const struct command *command);
