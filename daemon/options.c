/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

enum {
        OPTION_SYSROOT = 256,
        OPTION_WORKER,
        OPTION_INTROSPECT,
        OPTION_VERSION,
};

void options_print_help(void) {
        puts("memctld [OPTION...]\n\n"
             "Owns the onlining, offlining and removal of hot-added memory; see memctld(8).\n\n"
             "  -h --help                 this text\n"
             "     --version              the version\n"
             "     --sysroot DIR          work on a copy or simulation of a machine below DIR\n"
             "     --bus-introspect PATH  print the D-Bus introspection XML of an object\n"
             "     --worker               the process that touches sysfs; started by memctld itself");
}

static int complain(const char *what, const char *argument) {
        fprintf(stderr, "memctld: %s%s; \"memctld --help\" lists the options\n", what, argument);
        return -EINVAL;
}

int options_parse(int argc, char *argv[], struct options *ret) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "sysroot", required_argument, NULL, OPTION_SYSROOT },
                { "bus-introspect", required_argument, NULL, OPTION_INTROSPECT },
                { "worker", no_argument, NULL, OPTION_WORKER },
                { 0 },
        };
        struct options parsed = { 0 };
        int c;

        optind = 0; /* tests parse more than once */
        opterr = 0;
        while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        parsed.mode = MODE_HELP;
                        break;
                case OPTION_VERSION:
                        parsed.mode = MODE_VERSION;
                        break;
                case OPTION_SYSROOT:
                        parsed.sysroot = optarg;
                        break;
                case OPTION_INTROSPECT:
                        parsed.mode = MODE_INTROSPECT;
                        parsed.introspect_path = optarg;
                        break;
                case OPTION_WORKER:
                        parsed.mode = MODE_WORKER;
                        break;
                case ':':
                        return complain("this option needs a value: ", argv[optind - 1]);
                default:
                        return complain("unknown option ", argv[optind - 1]);
                }
        if (optind < argc)
                return complain("unexpected argument ", argv[optind]);
        *ret = parsed;
        return 0;
}
