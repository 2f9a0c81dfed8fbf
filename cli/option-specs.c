/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "option-specs.h"

#include "util.h"

const struct option_spec option_specs[] = {
        { OPTION_RANGES, "ranges", NULL, COMMAND_LIST, "a row for each memory range" },
        { OPTION_UNITS, "units", NULL, COMMAND_LIST, "a row for each removal unit" },
        { OPTION_BLOCKS, "blocks", NULL, COMMAND_LIST, "a row for each memory block" },
        { 'a', "all", NULL, COMMAND_LIST, "the same as --blocks" },
        { 'S', "split", "COL,...", COMMAND_LIST, "start a new row only where one of these changes" },
        { 'o', "output", "COL,...", COMMAND_TABLES, "the columns to print, +COL,... to add some" },
        { OPTION_OUTPUT_ALL, "output-all", NULL, COMMAND_TABLES, "all columns" },
        { 'n', "noheadings", NULL, COMMAND_TABLES, "no headings" },
        { 'r', "raw", NULL, COMMAND_TABLES, "raw rows, a space between columns" },
        { 'P', "pairs", NULL, COMMAND_TABLES, "KEY=\"value\" rows" },
        { OPTION_SUMMARY, "summary", "[=WHEN]", COMMAND_LIST, "totals: always, never, only" },
        { 'b', "bytes", NULL, COMMAND_LIST | COMMAND_JOBS, "sizes in bytes" },

        { OPTION_PARTIAL, "partial", NULL, COMMAND_OFFLINE | COMMAND_PLAN,
          "part of a removal unit may go, and stays mapped" },
        { OPTION_ZONE, "zone", "ZONE", COMMAND_ONLINE | COMMAND_PLAN, "movable, kernel or default" },
        { OPTION_BEST_EFFORT, "best-effort", NULL, COMMAND_CHANGES | COMMAND_PLAN,
          "leave out what cannot be done and keep what could" },
        { OPTION_IGNORE_HEADROOM, "ignore-headroom", NULL, COMMAND_OFFLINE | COMMAND_REMOVE | COMMAND_PLAN,
          "even if the rest cannot take what is in use" },
        { OPTION_EMPTY_NODE, "empty-node", NULL, COMMAND_OFFLINE | COMMAND_REMOVE | COMMAND_PLAN,
          "even if a node has no memory left" },
        { OPTION_IGNORE_INHIBITORS, "ignore-inhibitors", NULL, COMMAND_CHANGES | COMMAND_PLAN,
          "even if someone holds an inhibitor" },
        { OPTION_TIMEOUT, "timeout", "TIME", COMMAND_CHANGES | COMMAND_WAIT, "give up after this time: 30, 90s, 5min" },
        { OPTION_NO_WAIT, "no-wait", NULL, COMMAND_CHANGES, "print the job and do not wait for its end" },
        { OPTION_DRY_RUN, "dry-run", NULL, COMMAND_CHANGES, "say what would be done and change nothing" },

        { OPTION_WATCH, "watch", NULL, COMMAND_MAP, "draw again whenever something changes" },
        { OPTION_LIST, "list", NULL, COMMAND_INHIBIT, "list who inhibits what" },
        { OPTION_WHAT, "what", "WHAT", COMMAND_INHIBIT, "offline, remove, online; offline:remove if not given" },
        { OPTION_MODE, "mode", "MODE", COMMAND_INHIBIT, "block (the default) refuses, delay waits a little" },
        { OPTION_WHO, "who", "WHO", COMMAND_INHIBIT, "who asks for it" },
        { OPTION_WHY, "why", "WHY", COMMAND_INHIBIT, "why it is asked for" },

        { 'J', "json", NULL,
          COMMAND_TABLES | COMMAND_CHANGES | COMMAND_PLAN | COMMAND_WAIT | COMMAND_SHOW | COMMAND_MONITOR |
                  COMMAND_DOCTOR | COMMAND_VERSION,
          "JSON, with the version of its schema" },
        { 's', "sysroot", "DIR",
          COMMAND_LIST | COMMAND_PLAN | COMMAND_SHOW | COMMAND_MAP | COMMAND_POLICY | COMMAND_DOCTOR,
          "read a copy of sysfs below DIR, without memctld" },
        { 'H', "host", "[USER@]HOST", COMMAND_ALL & ~COMMAND_INHIBIT, "the memctld of another machine, over ssh" },
        { 'M', "machine", "NAME", COMMAND_ALL & ~COMMAND_INHIBIT, "the memctld of a local container" },
        { 'h', "help", NULL, COMMAND_ALL, "print this help" },
        { 'V', "version", NULL, COMMAND_ALL, "print the version" },
};

const size_t n_option_specs = ARRAY_SIZE(option_specs);
_Static_assert(ARRAY_SIZE(option_specs) <= MAX_OPTION_SPECS, "tables of this size are kept of them");

const int exclusive_options[][MAX_EXCLUSIVE] = {
        { OPTION_RANGES, OPTION_UNITS, OPTION_BLOCKS, 'a' },
        { 'J', 'P', 'r' },
        { 'o', OPTION_OUTPUT_ALL },
        { OPTION_LIST, OPTION_WHAT },
        { OPTION_LIST, OPTION_MODE },
        { OPTION_LIST, OPTION_WHO },
        { OPTION_LIST, OPTION_WHY },
        { 's', 'H', 'M' },
        { OPTION_WATCH, 's' },
        { OPTION_DRY_RUN, OPTION_NO_WAIT },
};

const size_t n_exclusive_options = ARRAY_SIZE(exclusive_options);

const struct option_spec *option_spec_find(int value) {
        for (size_t i = 0; i < n_option_specs; i++)
                if (option_specs[i].value == value)
                        return option_specs + i;

        return NULL;
}
