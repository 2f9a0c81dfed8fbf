/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "exit-status.h"
#include "nearest.h"
#include "option-specs.h"
#include "util.h"

const struct command *command_find(const char *name) {
        for (const struct command *command = commands; command->name; command++)
                if (strcmp(command->name, name) == 0)
                        return command;

        return NULL;
}

static const char *command_name(size_t i, const void *userdata) {
        (void)userdata;
        return commands[i].name;
}

static size_t n_commands(void) {
        size_t n = 0;

        while (commands[n].name)
                n++;

        return n;
}

static const char *spec_name(size_t i, const void *userdata) {
        (void)userdata;
        return option_specs[i].name;
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

        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
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
        case OPTION_LIST:
                options->list_inhibitors = true;
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
                if (*argument == '\0')
                        return bad_argument(spec, argument, "a directory with a copy of sysfs below it");
                options->sysroot = argument;
                break;
        case 'H':
                if (*argument == '\0' || *argument == '-')
                        return bad_argument(spec, argument, "[USER@]HOST[:PORT][/CONTAINER]");
                options->host = argument;
                break;
        case 'M':
                if (*argument == '\0' || *argument == '-')
                        return bad_argument(spec, argument, "a container's name, as machinectl lists them, or .host");
                options->machine = argument;
                break;
        }

        return 0;
}

static int usage_error(const struct command *command) {
        fprintf(stderr, "memctl: try \"memctl %s%s--help\"\n", command ? command->name : "", command ? " " : "");
        return STATUS_USAGE;
}

/* getopt's own messages name no way out. `command`: the first word so far, NULL none. */
static int unknown_option(const char *word, const char *command) {
        const char *near = NULL;

        if (word[0] == '-' && word[1] == '-') {
                char name[64];

                snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
                near = nearest_word(name, spec_name, n_option_specs, NULL);
        }

        fprintf(stderr, "memctl: there is no option %s", word);
        if (near)
                fprintf(stderr, ", did you mean --%s?\n", near);
        else
                fputs("\n", stderr);

        return usage_error(command ? command_find(command) : NULL);
}

static void make_getopt_tables(struct option long_options[MAX_OPTION_SPECS + 1],
                               char short_options[2 * MAX_OPTION_SPECS + 3]) {
        *short_options++ = '-'; /* hand out the words one by one, so that what follows "--" can be told apart */
        *short_options++ = ':'; /* report a missing argument apart from an unknown option */

        for (size_t i = 0; i < n_option_specs; i++) {
                int has_argument = !option_specs[i].argument                 ? no_argument
                                   : has_optional_argument(option_specs + i) ? optional_argument
                                                                             : required_argument;

                long_options[i] = (struct option){ option_specs[i].name, has_argument, NULL, option_specs[i].value };
                if (option_specs[i].value < 0x100) {
                        *short_options++ = (char)option_specs[i].value;
                        if (has_argument == required_argument)
                                *short_options++ = ':';
                }
        }

        long_options[n_option_specs] = (struct option){ 0 };
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
                near = nearest_word(**words, command_name, n_commands(), NULL);
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

static int check_exclusions(const bool is_given[static MAX_OPTION_SPECS]) {
        for (size_t i = 0; i < n_exclusive_options; i++) {
                const struct option_spec *first = NULL;

                for (size_t j = 0; j < MAX_EXCLUSIVE && exclusive_options[i][j]; j++) {
                        const struct option_spec *spec = option_spec_find(exclusive_options[i][j]);

                        if (!is_given[spec - option_specs])
                                continue;
                        if (first) {
                                fprintf(stderr, "memctl: --%s and --%s exclude each other, choose one\n", first->name,
                                        spec->name);
                                return -EINVAL;
                        }
                        first = spec;
                }
        }

        return 0;
}

int options_parse(int argc, char **argv, struct options *ret, const struct command **ret_command, char ***ret_words,
                  size_t *ret_n_words) {
        struct option long_options[MAX_OPTION_SPECS + 1];
        char short_options[2 * MAX_OPTION_SPECS + 3];
        bool is_given[MAX_OPTION_SPECS] = { false }, want_help = false, want_version = false;
        const struct command *command = NULL;
        struct options options = { 0 };
        size_t n_words = 0;
        char **words;
        int value;

        make_getopt_tables(long_options, short_options);

        while ((value = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
                const struct option_spec *spec = option_spec_find(value);

                if (value == 1) {
                        /* Behind what getopt has done with. */
                        argv[1 + n_words++] = optarg;
                        continue;
                }
                if (value == '?') {
                        char letter[] = { '-', (char)optopt, '\0' };

                        /* One that it knows it refuses only for what stands behind it. */
                        spec = option_spec_find(optopt);
                        if (spec) {
                                fprintf(stderr, "memctl: --%s takes nothing behind it: %s\n", spec->name,
                                        argv[optind - 1]);
                                return usage_error(n_words > 0 ? command_find(argv[1]) : NULL);
                        }
                        return unknown_option(optopt > 0 && optopt < 0x100 ? letter : argv[optind - 1],
                                              n_words > 0 ? argv[1] : NULL);
                }
                if (value == ':') {
                        spec = option_spec_find(optopt);
                        if (spec)
                                fprintf(stderr, "memctl: --%s needs %s behind it\n", spec->name, spec->argument);
                        return usage_error(n_words > 0 ? command_find(argv[1]) : NULL);
                }

                is_given[spec - option_specs] = true;
                want_help |= value == 'h';
                want_version |= value == 'V';
                if (apply(&options, spec, optarg) < 0)
                        return STATUS_USAGE;
        }

        words = argv + 1;
        options.n_command_words = (size_t)(argc - optind);
        while (optind < argc)
                words[n_words++] = argv[optind++];
        words[n_words] = NULL;

        if (want_version) {
                puts("memctl " MEMCTL_VERSION);
                return STATUS_DONE;
        }
        if (want_help && n_words == 0) {
                help_print(NULL);
                return STATUS_DONE;
        }
        if (find_command(&words, &n_words, &command) < 0)
                return usage_error(NULL);
        if (want_help) {
                help_print(command);
                return STATUS_DONE;
        }

        for (size_t i = 0; i < n_option_specs; i++)
                if (is_given[i] && !(option_specs[i].commands & command->bit)) {
                        fprintf(stderr, "memctl: --%s does not go with %s\n", option_specs[i].name, command->name);
                        return usage_error(command);
                }

        if (check_exclusions(is_given) < 0)
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
