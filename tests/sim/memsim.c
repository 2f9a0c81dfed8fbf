/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* memsim: a machine's /sys and /proc/iomem as a FUSE file system, as far as memory goes. */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "description.h"
#include "filesystem.h"

static void print_help(FILE *out) {
        (void)fputs(
                "Usage: memsim --description FILE [--uevents] MOUNTPOINT\n"
                "\n"
                "Serves a simulated machine's /sys, as far as memory goes, as a FUSE file system.\n"
                "Says \"ready\" on standard output when it can be used; SIGTERM ends it.\n"
                "\n"
                "  --description FILE  the machine (JSON)\n"
                "  --uevents           send kernel events into this network namespace; never use it in the host's\n"
                "  --help              this text\n",
                out);
}

int main(int argc, char *argv[]) {
        static const struct option options[] = {
                { "description", required_argument, NULL, 'd' },
                { "uevents", no_argument, NULL, 'u' },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        struct simulation simulation = { .n_faults = 0 };
        const char *description = NULL;
        bool uevents = false;
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (option == 'd')
                        description = optarg;
                else if (option == 'u')
                        uevents = true;
                else {
                        print_help(option == 'h' ? stdout : stderr);
                        return option == 'h' ? EXIT_SUCCESS : 2;
                }
        }
        if (!description || optind != argc - 1) {
                print_help(stderr);
                return 2;
        }
        if (description_read(description, &simulation.machine) < 0)
                return EXIT_FAILURE;
        r = uevents ? uevents_open(&simulation.machine.uevents) : 0;
        if (r < 0)
                (void)fprintf(stderr, "memsim: uevents: %s\n", strerror(-r));
        else {
                r = filesystem_serve(&simulation, argv[optind]);
                if (r < 0)
                        (void)fprintf(stderr, "memsim: %s: %s\n", argv[optind], strerror(-r));
        }
        simulation_clear(&simulation);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
