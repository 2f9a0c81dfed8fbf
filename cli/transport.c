/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* "[USER@]HOST[:PORT][/CONTAINER]", as systemctl(1) has it. */
struct host {
        char *name; /* with the user */
        char *port;
        char *container;
};

static void host_clear(struct host *host) {
        free(host->name);
        free(host->port);
        free(host->container);
}

static bool is_number(const char *text) {
        return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static int parse_host(const char *text, struct host *ret) {
        const char *slash = strchr(text, '/');
        struct host host = { .name = strndup(text, slash ? (size_t)(slash - text) : strlen(text)) };
        char *colon = host.name ? strrchr(host.name, ':') : NULL;
        int r = 0;

        if (slash)
                host.container = strdup(slash + 1);
        /* The colons of an IPv6 address are no port's, unless it stands in brackets. */
        if (colon && (strchr(host.name, ':') == colon || colon[-1] == ']') && is_number(colon + 1)) {
                host.port = strdup(colon + 1);
                *colon = '\0';
        }

        if (!host.name || (slash && !host.container) || (colon && *colon == '\0' && !host.port))
                r = -ENOMEM;
        else if (*host.name == '\0' || *host.name == '-' || (host.container && *host.container == '\0'))
                r = -EINVAL;
        if (r < 0) {
                host_clear(&host);
                return r;
        }

        *ret = host;
        return 0;
}

static int open_over_ssh(const struct host *host, sd_bus **ret) {
        /*
         * An interrupt goes to all programs of the terminal. One that is ignored stays so over exec, in ssh, too
         * (ssh(1) asks for that before it takes it); ssh keeps the terminal, for passwords.
         */
        char shell[] = "sh", command[] = "-c", script[] = "trap '' INT; exec ssh \"$@\"", ssh[] = "ssh",
             no_x11_no_terminal[] = "-xT", port[] = "-p", end_of_options[] = "--", bridge[] = "systemd-stdio-bridge";
        _cleanup_free_ char *container = NULL;
        char *arguments[16];
        sd_bus *bus = NULL;
        size_t n = 0;
        int r;

        arguments[n++] = shell;
        arguments[n++] = command;
        arguments[n++] = script;
        arguments[n++] = ssh;
        arguments[n++] = no_x11_no_terminal;
        if (host->port) {
                arguments[n++] = port;
                arguments[n++] = host->port;
        }
        arguments[n++] = end_of_options;
        arguments[n++] = host->name;
        arguments[n++] = bridge;
        if (host->container) {
                container = format_string("--machine=%s", host->container);
                if (!container)
                        return -ENOMEM;
                arguments[n++] = container;
        }
        arguments[n] = NULL;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_exec(bus, "/bin/sh", arguments);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }

        *ret = bus;
        return 0;
}

int transport_open(const struct options *options, sd_bus **ret) {
        struct host host;
        int r;

        if (options->machine)
                return sd_bus_open_system_machine(ret, options->machine);
        if (!options->host)
                return sd_bus_open_system(ret);

        r = parse_host(options->host, &host);
        if (r < 0)
                return r;
        r = open_over_ssh(&host, ret);
        host_clear(&host);
        return r;
}
