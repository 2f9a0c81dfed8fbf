/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "exit-status.h"

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
};

struct option_spec {
        int value; /* a letter, or OPTION_… */
        const char *name;
        const char *argument; /* NULL none; "[=…]" optional */
        unsigned commands;
        const char *help;
};

/* In the order of --help. */
static const struct option_spec specs[] = {
        { OPTION_RANGES, "ranges", NULL, COMMAND_LIST, "a row for each memory range" },
        { OPTION_UNITS, "units", NULL, COMMAND_LIST, "a row for each removal unit" },
        { OPTION_BLOCKS, "blocks", NULL, COMMAND_LIST, "a row for each memory block" },
        { 'a', "all", NULL, COMMAND_LIST, "the same as --blocks" },
        { 'S', "split", "COL,…", COMMAND_LIST, "start a new row only where one of these columns changes" },
        { 'o', "output", "COL,…", COMMAND_TABLES, "the columns to print, +COL,… to add some" },
        { OPTION_OUTPUT_ALL, "output-all", NULL, COMMAND_TABLES, "all columns" },
        { 'n', "noheadings", NULL, COMMAND_TABLES, "no headings" },
        { 'r', "raw", NULL, COMMAND_TABLES, "raw rows, a space between columns" },
        { 'P', "pairs", NULL, COMMAND_TABLES, "KEY=\"value\" rows" },
        { OPTION_SUMMARY, "summary", "[=WHEN]", COMMAND_LIST, "totals: always, never, only" },
        { 'b', "bytes", NULL, COMMAND_TABLES, "sizes in bytes" },

        { OPTION_PARTIAL, "partial", NULL, COMMAND_OFFLINE | COMMAND_PLAN,
          "a part of a removal unit may go offline (it stays mapped)" },
        { OPTION_ZONE, "zone", "ZONE", COMMAND_ONLINE | COMMAND_PLAN, "movable, kernel or default" },
        { OPTION_BEST_EFFORT, "best-effort", NULL, COMMAND_CHANGES | COMMAND_PLAN,
          "leave out what cannot be done and keep what could" },
        { OPTION_IGNORE_HEADROOM, "ignore-headroom", NULL, COMMAND_OFFLINE | COMMAND_REMOVE | COMMAND_PLAN,
          "even if the rest cannot take what is in use" },
        { OPTION_EMPTY_NODE, "empty-node", NULL, COMMAND_OFFLINE | COMMAND_REMOVE | COMMAND_PLAN,
          "even if a node has no memory left" },
        { OPTION_IGNORE_INHIBITORS, "ignore-inhibitors", NULL, COMMAND_CHANGES | COMMAND_PLAN,
          "even if someone holds an inhibitor" },
        { OPTION_TIMEOUT, "timeout", "TIME", COMMAND_CHANGES | COMMAND_WAIT,
          "give up after this time (30, 90s, 5min); a change rolls back" },
        { OPTION_NO_WAIT, "no-wait", NULL, COMMAND_CHANGES, "print the job and do not wait for its end" },
        { OPTION_DRY_RUN, "dry-run", NULL, COMMAND_CHANGES, "say what would be done and change nothing" },

        { OPTION_WATCH, "watch", NULL, COMMAND_MAP, "draw again whenever something changes" },
        { OPTION_WHAT, "what", "WHAT", COMMAND_INHIBIT, "offline, remove, online, joined by colons" },
        { OPTION_MODE, "mode", "MODE", COMMAND_INHIBIT, "block or delay" },
        { OPTION_WHO, "who", "WHO", COMMAND_INHIBIT, "who asks for it" },
        { OPTION_WHY, "why", "WHY", COMMAND_INHIBIT, "why it is asked for" },

        { 'J', "json", NULL,
          COMMAND_TABLES | COMMAND_CHANGES | COMMAND_PLAN | COMMAND_WAIT | COMMAND_SHOW | COMMAND_MONITOR |
                  COMMAND_DOCTOR,
          "JSON, with the version of its schema" },
        { 's', "sysroot", "DIR", COMMAND_LIST | COMMAND_PLAN | COMMAND_SHOW | COMMAND_MAP | COMMAND_DOCTOR,
          "read a copy of sysfs below this directory, without memctld" },
        { 'H', "host", "[USER@]HOST", COMMAND_ALL & ~COMMAND_INHIBIT, "the memctld of another machine, over ssh" },
        { 'M', "machine", "NAME", COMMAND_ALL & ~COMMAND_INHIBIT, "the memctld of a local container" },
        { 'h', "help", NULL, COMMAND_ALL, "print this help" },
        { 'V', "version", NULL, COMMAND_ALL, "print the version" },
};

#define N_SPECS (sizeof specs / sizeof *specs)

const struct command *command_find(const char *name) {
        for (const struct command *command = commands; command->name; command++)
                if (strcmp(command->name, name) == 0)
                        return command;

        return NULL;
}

static const char *command_name(size_t i) {
        return commands[i].name;
}

static size_t n_commands(void) {
        size_t n = 0;

        while (commands[n].name)
                n++;

        return n;
}

static const char *spec_name(size_t i) {
        return specs[i].name;
}

static size_t edit_distance(const char *a, const char *b) {
        size_t row[64], n = strlen(b);

        if (n >= sizeof row / sizeof *row)
                return SIZE_MAX;

        for (size_t j = 0; j <= n; j++)
                row[j] = j;

        for (size_t i = 0; a[i]; i++) {
                size_t diagonal = row[0];

                row[0] = i + 1;
                for (size_t j = 0; j < n; j++) {
                        size_t replace = diagonal + (a[i] != b[j]), best = replace;

                        diagonal = row[j + 1];
                        if (row[j] + 1 < best)
                                best = row[j] + 1;
                        if (diagonal + 1 < best)
                                best = diagonal + 1;
                        row[j + 1] = best;
                }
        }

        return row[n];
}

const char *nearest_word(const char *word, const char *(*words)(size_t i), size_t n) {
        const char *nearest = NULL;
        size_t best = SIZE_MAX;

        for (size_t i = 0; i < n; i++) {
                size_t distance = edit_distance(word, words(i));

                if (distance < best) {
                        best = distance;
                        nearest = words(i);
                }
        }

        /* A third of the letters may be wrong, two at least: more is another word. */
        return nearest && best <= (strlen(word) < 6 ? 2 : strlen(word) / 3) ? nearest : NULL;
}

static void print_spec(const struct option_spec *spec) {
        char left[64];
        const char *argument = spec->argument ? spec->argument : "",
                   *separator = spec->argument && *argument != '[' ? "=" : "";

        if (spec->value < 0x100)
                snprintf(left, sizeof left, "-%c, --%s%s%s", spec->value, spec->name, separator, argument);
        else
                snprintf(left, sizeof left, "    --%s%s%s", spec->name, separator, argument);

        /* "…" is one column of three bytes */
        printf("  %-*s %s\n", strstr(left, "…") ? 26 : 24, left, spec->help);
}

static void print_help(const struct command *command) {
        if (!command) {
                puts("memctl [OPTION…] COMMAND …\n\nKeep what is hot-plugged removable: list memory, take it online "
                     "and "
                     "offline in whole\nremoval units, remove it.\n\nCommands:");
                for (const struct command *i = commands; i->name; i++)
                        printf("  %-10s %s\n", i->name, i->summary);
                puts("\nWithout a command memctl lists. \"memctl COMMAND --help\" tells more, memctl(1) everything.\n"
                     "\nOptions:");
        } else
                printf("memctl %s [OPTION…]%s%s\n\n%s.\n\nOptions:\n", command->name, command->arguments ? " " : "",
                       command->arguments ? command->arguments : "", command->summary);

        for (size_t i = 0; i < N_SPECS; i++)
                if (command ? specs[i].commands & command->bit : specs[i].commands == (unsigned)COMMAND_ALL)
                        print_spec(specs + i);

        if (command && command->arguments && strstr(command->arguments, "SELECTOR"))
                puts("\nA selector is memory40, 40-47, 0x140000000-0x17fffffff, 0x140000000+1G, range0, est0, node1,\n"
                     "device:dax0.0, all, or an amount such as 4G (so much more) or =4G (so much in all).");
}

int parse_timeout_usec(const char *text, uint64_t *ret) {
        static const struct {
                const char *suffix;
                uint64_t usec;
        } units[] = {
                { "", 1000000 },          { "s", 1000000 },           { "sec", 1000000 },         { "ms", 1000 },
                { "m", 60 * 1000000ULL }, { "min", 60 * 1000000ULL }, { "h", 3600 * 1000000ULL },
        };
        unsigned long long number;
        uint64_t usec;
        char *end;

        if (*text < '0' || *text > '9')
                return -EINVAL;

        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno != 0)
                return -errno;

        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
                if (strcmp(end, units[i].suffix) == 0) {
                        if (__builtin_mul_overflow(number, units[i].usec, &usec))
                                return -ERANGE;
                        if (usec == 0)
                                return -EINVAL;
                        *ret = usec;
                        return 0;
                }

        return -EINVAL;
}

static int bad_argument(const struct option_spec *spec, const char *argument, const char *expected) {
        fprintf(stderr, "memctl: --%s cannot be \"%s\": write %s\n", spec->name, argument, expected);
        return -EINVAL;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c) {
        return strcmp(word, a) == 0 || strcmp(word, b) == 0 || (c && strcmp(word, c) == 0);
}

static int parse_summary(const struct option_spec *spec, const char *argument, enum summary *ret) {
        if (!argument || strcmp(argument, "always") == 0)
                *ret = SUMMARY_ALWAYS;
        else if (strcmp(argument, "never") == 0)
                *ret = SUMMARY_NEVER;
        else if (strcmp(argument, "only") == 0)
                *ret = SUMMARY_ONLY;
        else
                return bad_argument(spec, argument, "always, never or only");

        return 0;
}

static int apply(struct options *options, const struct option_spec *spec, const char *argument) {
        switch (spec->value) {
        case OPTION_RANGES:
                options->listing = LISTING_RANGES;
                break;
        case OPTION_UNITS:
                options->listing = LISTING_UNITS;
                break;
        case OPTION_BLOCKS:
        case 'a':
                options->listing = LISTING_BLOCKS;
                break;
        case 'S':
                options->split = argument;
                break;
        case 'o':
                options->columns = argument;
                break;
        case OPTION_OUTPUT_ALL:
                options->all_columns = true;
                break;
        case 'n':
                options->no_headings = true;
                break;
        case 'r':
                options->format = FORMAT_RAW;
                break;
        case 'P':
                options->format = FORMAT_PAIRS;
                break;
        case 'J':
                options->format = FORMAT_JSON;
                break;
        case OPTION_SUMMARY:
                return parse_summary(spec, argument, &options->summary);
        case 'b':
                options->sizes_in_bytes = true;
                break;
        case OPTION_PARTIAL:
                options->partial = true;
                break;
        case OPTION_ZONE:
                if (!is_one_of(argument, "movable", "kernel", "default"))
                        return bad_argument(spec, argument, "movable, kernel or default");
                options->zone = argument;
                break;
        case OPTION_BEST_EFFORT:
                options->best_effort = true;
                break;
        case OPTION_IGNORE_HEADROOM:
                options->ignore_headroom = true;
                break;
        case OPTION_EMPTY_NODE:
                options->empty_node = true;
                break;
        case OPTION_IGNORE_INHIBITORS:
                options->ignore_inhibitors = true;
                break;
        case OPTION_TIMEOUT:
                if (parse_timeout_usec(argument, &options->timeout_usec) < 0)
                        return bad_argument(spec, argument, "a time such as 30, 90s, 5min or 2h");
                break;
        case OPTION_NO_WAIT:
                options->no_wait = true;
                break;
        case OPTION_DRY_RUN:
                options->dry_run = true;
                break;
        case OPTION_WATCH:
                options->watch = true;
                break;
        case OPTION_WHAT:
                options->what = argument;
                break;
        case OPTION_MODE:
                if (!is_one_of(argument, "block", "delay", NULL))
                        return bad_argument(spec, argument, "block or delay");
                options->mode = argument;
                break;
        case OPTION_WHO:
                options->who = argument;
                break;
        case OPTION_WHY:
                options->why = argument;
                break;
        case 's':
                options->sysroot = argument;
                break;
        case 'H':
                options->host = argument;
                break;
        case 'M':
                options->machine = argument;
                break;
        }

        return 0;
}

static int usage_error(const struct command *command) {
        fprintf(stderr, "memctl: try \"memctl %s%s--help\"\n", command ? command->name : "", command ? " " : "");
        return STATUS_USAGE;
}

/* getopt's own messages name no way out. */
static int unknown_option(const char *word) {
        const char *near = NULL;

        if (word[0] == '-' && word[1] == '-') {
                char name[64];

                snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
                near = nearest_word(name, spec_name, N_SPECS);
        }

        fprintf(stderr, "memctl: there is no option %s", word);
        if (near)
                fprintf(stderr, ", did you mean --%s?\n", near);
        else
                fputs("\n", stderr);

        return usage_error(NULL);
}

static const struct option_spec *find_spec(int value) {
        for (size_t i = 0; i < N_SPECS; i++)
                if (specs[i].value == value)
                        return specs + i;

        return NULL;
}

static void make_getopt_tables(struct option long_options[N_SPECS + 1], char short_options[2 * N_SPECS + 2]) {
        *short_options++ = ':'; /* report a missing argument apart from an unknown option */

        for (size_t i = 0; i < N_SPECS; i++) {
                int has_argument = !specs[i].argument          ? no_argument
                                   : *specs[i].argument == '[' ? optional_argument
                                                               : required_argument;

                long_options[i] = (struct option){ specs[i].name, has_argument, NULL, specs[i].value };
                if (specs[i].value < 0x100) {
                        *short_options++ = (char)specs[i].value;
                        if (has_argument == required_argument)
                                *short_options++ = ':';
                }
        }

        long_options[N_SPECS] = (struct option){ 0 };
        *short_options = '\0';
}

static int find_command(char ***words, size_t *n_words, const struct command **ret) {
        const struct command *command;
        const char *near;

        if (*n_words == 0) {
                *ret = command_find("list");
                return 0;
        }

        command = command_find(**words);
        if (!command) {
                near = nearest_word(**words, command_name, n_commands());
                fprintf(stderr, "memctl: there is no command \"%s\"", **words);
                if (near)
                        fprintf(stderr, ", did you mean \"%s\"?\n", near);
                else
                        fputs("\n", stderr);
                return -EINVAL;
        }

        (*words)++;
        (*n_words)--;
        *ret = command;
        return 0;
}

static int check_exclusions(const struct options *options) {
        if (options->sysroot && (options->host || options->machine)) {
                fputs("memctl: --sysroot reads files, --host and --machine ask a memctld: choose one\n", stderr);
                return -EINVAL;
        }
        if (options->host && options->machine) {
                fputs("memctl: --host and --machine exclude each other\n", stderr);
                return -EINVAL;
        }
        if (options->dry_run && options->no_wait) {
                fputs("memctl: --dry-run starts no job that --no-wait could leave alone: choose one\n", stderr);
                return -EINVAL;
        }

        return 0;
}

int options_parse(int argc, char **argv, struct options *ret, const struct command **ret_command, char ***ret_words,
                  size_t *ret_n_words) {
        struct option long_options[N_SPECS + 1];
        char short_options[2 * N_SPECS + 2];
        bool is_given[N_SPECS] = { false }, want_help = false, want_version = false;
        const struct command *command = NULL;
        struct options options = { 0 };
        size_t n_words;
        char **words;
        int value;

        make_getopt_tables(long_options, short_options);

        while ((value = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
                const struct option_spec *spec = find_spec(value);

                if (value == '?') {
                        char letter[] = { '-', (char)optopt, '\0' };

                        return unknown_option(optopt > 0 && optopt < 0x100 ? letter : argv[optind - 1]);
                }
                if (value == ':') {
                        spec = find_spec(optopt);
                        if (!spec)
                                return usage_error(NULL);
                        fprintf(stderr, "memctl: --%s needs %s behind it\n", spec->name, spec->argument);
                        return usage_error(NULL);
                }

                is_given[spec - specs] = true;
                want_help |= value == 'h';
                want_version |= value == 'V';
                if (apply(&options, spec, optarg) < 0)
                        return STATUS_USAGE;
        }

        words = argv + optind;
        n_words = (size_t)(argc - optind);

        if (want_version) {
                puts("memctl " MEMCTL_VERSION);
                return STATUS_DONE;
        }
        if (want_help && n_words == 0) {
                print_help(NULL);
                return STATUS_DONE;
        }
        if (find_command(&words, &n_words, &command) < 0)
                return usage_error(NULL);
        if (want_help) {
                print_help(command);
                return STATUS_DONE;
        }

        for (size_t i = 0; i < N_SPECS; i++)
                if (is_given[i] && !(specs[i].commands & command->bit)) {
                        fprintf(stderr, "memctl: --%s does not go with %s\n", specs[i].name, command->name);
                        return usage_error(command);
                }

        if (check_exclusions(&options) < 0)
                return STATUS_USAGE;
        if (n_words < command->min_words || n_words > command->max_words) {
                if (n_words < command->min_words)
                        fprintf(stderr, "memctl: %s needs %s\n", command->name, command->arguments);
                else
                        fprintf(stderr, "memctl: %s takes no \"%s\"\n", command->name, words[command->max_words]);
                return usage_error(command);
        }

        *ret = options;
        *ret_command = command;
        *ret_words = words;
        *ret_n_words = n_words;
        return -1;
}
