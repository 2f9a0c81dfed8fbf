/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client-read.h"
#include "client.h"
#include "config.h"
#include "exit-status.h"
#include "output.h"
#include "verbs.h"

/* `memctld` and `guard` are NULL where nobody answered. */
static int print_json(const char *memctld, const char *guard) {
        json_object *document = document_new("memctl.version", 1);
        int r;

        r = json_add_text(document, "memctl", MEMCTL_VERSION);
        if (r == 0)
                r = json_add_text(document, "memctld", memctld);
        if (r == 0)
                r = json_add_text(document, "kernel_guard", guard);
        if (r == 0)
                return document_print(document, false);

        json_object_put(document);
        return r;
}

int verb_version(const struct options *options, char **words, size_t n_words) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct inventory inventory = { 0 };
        struct client *client = NULL;
        int r, status = STATUS_DONE;

        (void)words;
        (void)n_words;
        r = client_open(options, &client, &error);
        if (r >= 0)
                r = client_read_manager(client, &inventory, &error);

        if (options->format == FORMAT_JSON) {
                if (print_json(r < 0 ? NULL : client->version, r < 0 ? NULL : kernel_guard_to_string(inventory.guard)) <
                    0)
                        status = out_of_memory();
        } else
                puts("memctl " MEMCTL_VERSION);
        if (r >= 0 && options->format != FORMAT_JSON)
                printf("memctld %s\nkernel guard: %s\n", client->version, kernel_guard_to_string(inventory.guard));
        /* Which version this is can be told anyway; another machine's only by its memctld. */
        if (r < 0 && !options->host && !options->machine && client_is_unreachable(r, &error))
                fprintf(stderr, "memctl: memctld cannot be reached (%s)\n",
                        sd_bus_error_is_set(&error) && error.message ? error.message : strerror(-r));
        else if (r < 0)
                status = client_report(r, &error);

        sd_bus_error_free(&error);
        client_close(client);
        return status;
}
