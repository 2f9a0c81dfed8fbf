/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client-read.h"
#include "client.h"
#include "string-list.h"
#include "util.h"

static void policy_view_clear(struct policy_view *view) {
        free(view->name);
        free(view->file);
        strings_free(view->settings);
        strings_free(view->ranges);
        *view = (struct policy_view){ 0 };
}

void policy_view_list_clear(struct policy_view_list *list) {
        for (size_t i = 0; i < list->n; i++)
                policy_view_clear(list->items + i);
        free(list->items);
        *list = (struct policy_view_list){ 0 };
}

/* Reads a{ss} as key, value, key, value. */
static int read_settings(sd_bus_message *message, char ***ret) {
        struct strings settings = { 0 };
        const char *key, *value;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{ss}");
        while (r >= 0 && (r = sd_bus_message_read(message, "{ss}", &key, &value)) > 0) {
                r = strings_add(&settings, key);
                if (r == 0)
                        r = strings_add(&settings, value);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0) {
                strings_free(settings.items);
                return r;
        }

        *ret = settings.items;
        return 0;
}

static int read_view(sd_bus_message *message, struct policy_view_list *list) {
        struct policy_view *items = array_grow(list->items, &list->n_allocated, list->n + 1, sizeof *items), *view;
        int r;

        if (!items)
                return -ENOMEM;
        list->items = items;

        r = sd_bus_message_enter_container(message, 'r', "ssa{ss}as");
        if (r <= 0)
                return r;

        view = list->items + list->n++;
        *view = (struct policy_view){ 0 };
        r = client_read_text(message, &view->name);
        if (r >= 0)
                r = client_read_text(message, &view->file);
        if (r >= 0)
                r = read_settings(message, &view->settings);
        if (r >= 0)
                r = sd_bus_message_read_strv(message, &view->ranges);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r < 0 ? r : 1;
}

static int read_problem(sd_bus_message *message, struct policy_problems *problems) {
        struct policy_problem *items;
        const char *file, *text;
        uint32_t line;
        int r;

        r = sd_bus_message_read(message, "(sus)", &file, &line, &text);
        if (r <= 0)
                return r;

        items = reallocarray(problems->items, problems->n + 1, sizeof *items);
        if (!items)
                return -ENOMEM;
        problems->items = items;
        items[problems->n] = (struct policy_problem){ strdup(file), line, strdup(text) };
        problems->n++;
        return items[problems->n - 1].file && items[problems->n - 1].message ? 1 : -ENOMEM;
}

int client_list_policies(struct client *client, struct policy_view_list *ret, struct policy_problems *ret_problems,
                         sd_bus_error *error) {
        struct policy_problems problems = { 0 };
        struct policy_view_list list = { 0 };
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(client->bus, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER, "ListPolicies", error,
                               &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssa{ss}as)");
        while (r >= 0 && (r = read_view(reply, &list)) > 0)
                ;
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sus)");
        while (r >= 0 && (r = read_problem(reply, &problems)) > 0)
                ;
        sd_bus_message_unref(reply);
        if (r < 0) {
                policy_view_list_clear(&list);
                policy_problems_clear(&problems);
                return r;
        }

        *ret = list;
        *ret_problems = problems;
        return 0;
}

int client_reload(struct client *client, sd_bus_error *error) {
        sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(client->bus, &message, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER,
                                           "Reload");
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(message, isatty(STDIN_FILENO));
        if (r >= 0)
                r = sd_bus_call(client->bus, message, UINT64_MAX, error, NULL);

        sd_bus_message_unref(message);
        return r < 0 ? r : 0;
}
