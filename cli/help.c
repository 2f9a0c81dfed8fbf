/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "option-specs.h"
#include "output.h"
#include "util.h"
#include "verbs.h"

/* NULL: it prints no table. */
static const struct column *columns_of(const struct command *command) {
        static const struct {
                unsigned bit;
                const struct column *columns;
        } tables[] = {
                { COMMAND_LIST, list_columns },
                { COMMAND_JOBS, job_columns },
                { COMMAND_POLICY, policy_columns },
                { COMMAND_INHIBIT, inhibitor_columns },
        };

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                if (tables[i].bit == command->bit)
                        return tables[i].columns;

        return NULL;
}

static void print_spec(const struct option_spec *spec) {
        char left[64];
        const char *argument = spec->argument ? spec->argument : "",
                   *separator = spec->argument && !has_optional_argument(spec) ? "=" : "";

        if (spec->value < 0x100)
                snprintf(left, sizeof left, "-%c, --%s%s%s", spec->value, spec->name, separator, argument);
        else
                snprintf(left, sizeof left, "    --%s%s%s", spec->name, separator, argument);

        printf("  %-24s %s\n", left, spec->help);
}

/* "Columns: NAME RANGE …", in lines that fit 80 columns. */
static void print_columns(const struct command *command) {
        const struct column *columns = columns_of(command);
        size_t n_used = strlen("Columns:");

        if (!columns)
                return;

        fputs("\nColumns:", stdout);
        for (; columns->name; columns++) {
                size_t n = 1 + strlen(columns->name);

                if (n_used + n > 80) {
                        fputs("\n        ", stdout);
                        n_used = strlen("Columns:");
                }
                printf(" %s", columns->name);
                n_used += n;
        }
        putchar('\n');
}

void help_print(const struct command *command) {
        if (!command) {
                puts("memctl [OPTION...] COMMAND ...\n\n"
                     "Keep what is hot-plugged removable: list memory, take it online and offline in\n"
                     "whole removal units, remove it.\n\nCommands:");
                for (const struct command *i = commands; i->name; i++)
                        printf("  %-10s %s\n", i->name, i->summary);
                puts("\nWithout a command memctl lists. \"memctl COMMAND --help\" and memctl(1) tell more.\n"
                     "\nOptions:");
        } else
                printf("memctl %s [OPTION...]%s%s\n\n%s.\n\nOptions:\n", command->name, command->arguments ? " " : "",
                       command->arguments ? command->arguments : "", command->summary);

        /* Without a command those that all take, but for inhibit, which has no other machine. */
        for (size_t i = 0; i < n_option_specs; i++)
                if (command ? option_specs[i].commands & command->bit
                            : (option_specs[i].commands | COMMAND_INHIBIT) == (unsigned)COMMAND_ALL)
                        print_spec(option_specs + i);

        if (command && command->arguments && strstr(command->arguments, "SELECTOR"))
                printf("\nA selector is memory40, 40-47, 0x140000000-0x17fffffff, 0x140000000+1G, range0,\n"
                       "est0, node1, device:dax0.0%s.\n",
                       command->bit & COMMANDS_WITH_AMOUNTS
                               ? ", all, or an amount such as 4G (so much more)\nor =4G (so much in all)"
                               : " or all");
        if (command)
                print_columns(command);
}
