/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int client_read_properties(sd_bus_message *message, property_fn each, void *userdata) {
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *name, *contents;
                char type;

                r = sd_bus_message_read(message, "s", &name);
                if (r >= 0)
                        r = sd_bus_message_peek_type(message, &type, &contents);
                if (r >= 0)
                        r = sd_bus_message_enter_container(message, 'v', contents);
                if (r >= 0)
                        r = each(message, name, userdata);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(message);
}

int client_read_text(sd_bus_message *message, char **ret) {
        const char *text;
        char *copy;
        int r;

        r = sd_bus_message_read(message, "s", &text);
        if (r < 0)
                return r;

        copy = strdup(text);
        if (!copy)
                return -ENOMEM;

        free(*ret);
        *ret = copy;
        return 0;
}

struct manager_properties {
        struct client *client;
        struct inventory *inventory; /* NULL: only what the client keeps */
};

static int read_manager_property(sd_bus_message *message, const char *name, void *userdata) {
        struct manager_properties *properties = userdata;
        struct inventory *inventory = properties->inventory;
        const char *text;
        int r;

        if (strcmp(name, "BlockSize") == 0)
                return sd_bus_message_read(message, "t", &properties->client->block_size_bytes);
        if (strcmp(name, "Generation") == 0)
                return sd_bus_message_read(message, "t", &properties->client->generation);
        if (strcmp(name, "Version") == 0)
                return client_read_text(message, &properties->client->version);
        if (inventory && strcmp(name, "GranularitySource") == 0)
                return READ_WORD(message, granularity_source_to_string, _GRANULARITY_SOURCE_MAX, &inventory->source);
        if (inventory && strcmp(name, "KernelGuard") == 0)
                return READ_WORD(message, kernel_guard_to_string, _KERNEL_GUARD_MAX, &inventory->guard);
        if (inventory && strcmp(name, "AutoOnline") == 0) {
                r = sd_bus_message_read(message, "s", &text);
                if (r >= 0)
                        snprintf(inventory->auto_online, sizeof inventory->auto_online, "%s", text);
                return r;
        }

        return sd_bus_message_skip(message, NULL);
}

int client_read_manager(struct client *client, struct inventory *inventory, sd_bus_error *error) {
        struct manager_properties properties = { client, inventory };
        int r;

        r = client_read_object(client, MEMCTL_ROOT_PATH, MEMCTL_MANAGER, read_manager_property, &properties, error);
        if (r >= 0 && client->block_size_bytes == 0)
                r = -EBADMSG;
        return r;
}

static int read_object(sd_bus_message *message, const char *wanted, object_fn each, void *userdata) {
        const char *path, *interface;
        int r;

        r = sd_bus_message_read(message, "o", &path);
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read(message, "s", &interface);
                if (r < 0)
                        return r;
                if (strcmp(interface, wanted) == 0)
                        r = each(message, path, userdata);
                else
                        r = sd_bus_message_skip(message, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(message);
}

int client_read_objects(struct client *client, const char *interface, object_fn each, void *userdata,
                        sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(client->bus, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, "org.freedesktop.DBus.ObjectManager",
                               "GetManagedObjects", error, &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}")) > 0) {
                r = read_object(reply, interface, each, userdata);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }

        sd_bus_message_unref(reply);
        return r < 0 ? r : 0;
}

int client_read_object(struct client *client, const char *path, const char *interface, property_fn each, void *userdata,
                       sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(client->bus, MEMCTL_BUS_NAME, path, "org.freedesktop.DBus.Properties", "GetAll", error,
                               &reply, "s", interface);
        if (r >= 0)
                r = client_read_properties(reply, each, userdata);

        sd_bus_message_unref(reply);
        return r < 0 ? r : 0;
}
