/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "synthetic.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_action(const char *word) {
        static const char *const actions[] = {
                "add", "remove", "change", "move", "online", "offline", "bind", "unbind",
        };

        for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
                if (strcmp(word, actions[i]) == 0)
                        return true;
        return false;
}

int synthetic_uevent(struct uevents *uevents, const char *device, const char *subsystem, const char *properties,
                     const char *text) {
        char words[1024], all[2048], *rest, *action, *uuid, *argument;
        size_t n;

        if (strlen(text) >= sizeof(words))
                return -EINVAL;
        memcpy(words, text, strlen(text) + 1);
        action = strtok_r(words, " ", &rest);
        if (!action || !is_action(action))
                return -EINVAL;
        uuid = strtok_r(NULL, " ", &rest);
        if (uuid && strlen(uuid) != 36)
                return -EINVAL;
        n = (size_t)snprintf(all, sizeof(all), "%sSYNTH_UUID=%s\n", properties ? properties : "", uuid ? uuid : "0");
        while ((argument = strtok_r(NULL, " ", &rest))) {
                if (!strchr(argument, '='))
                        return -EINVAL;
                n += (size_t)snprintf(all + n, sizeof(all) - n, "SYNTH_ARG_%s\n", argument);
        }
        uevents_send(uevents, action, device, subsystem, all);
        return 0;
}
