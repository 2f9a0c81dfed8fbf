/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How replies are read: shared by the client's own files, of no use to anyone else. */

#include <string.h>
#include <systemd/sd-bus.h>

#include "client.h"

/* Reads one word of an enum by trying its words; returns -EBADMSG for one this memctl does not know. */
#define READ_WORD(message, to_string, max, ret)                                                                        \
        __extension__({                                                                                                \
                const char *_word;                                                                                     \
                int _r = sd_bus_message_read(message, "s", &_word);                                                    \
                if (_r >= 0) {                                                                                         \
                        unsigned _i = 0;                                                                               \
                        while (_i < (unsigned)(max) && strcmp(to_string(_i), _word) != 0)                              \
                                _i++;                                                                                  \
                        if (_i < (unsigned)(max))                                                                      \
                                *(ret) = _i;                                                                           \
                        else                                                                                           \
                                _r = -EBADMSG;                                                                         \
                }                                                                                                      \
                _r;                                                                                                    \
        })

/*
 * Calls `each` for every property of the a{sv} that the message stands at; `each` reads the value or skips it.
 */
typedef int (*property_fn)(sd_bus_message *message, const char *name, void *userdata);
int client_read_properties(sd_bus_message *message, property_fn each, void *userdata);
/* Reads a string into *ret, which is freed before. Returns 0, -errno. */
int client_read_text(sd_bus_message *message, char **ret);
/* All properties of one object's interface. */
int client_read_object(struct client *client, const char *path, const char *interface, property_fn each, void *userdata,
                       sd_bus_error *error);
/* Calls `each` for every object below the root with this interface; it reads the a{sv} the message stands at. */
typedef int (*object_fn)(sd_bus_message *message, const char *path, void *userdata);
int client_read_objects(struct client *client, const char *interface, object_fn each, void *userdata,
                        sd_bus_error *error);
/* Reads what the manager says of itself and, where it is not NULL, what of it belongs to an inventory. */
int client_read_manager(struct client *client, struct inventory *inventory, sd_bus_error *error);
