/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who may do what: polkit is asked over D-Bus, asynchronously, before any side effect. Root, and whoever has
 * CAP_SYS_ADMIN, may do everything without polkit. Where no polkit runs nobody else may do anything.
 */

#include <systemd/sd-bus.h>

struct polkit_question {
        const char *const *actions; /* NULL-terminated; all must be allowed, asked in order */
        const char *verb;           /* details for the dialog and for rules */
        const char *blocks;
};

/* Allowed. Whatever happens, exactly one of `allowed` or an error reply to `call` follows, unless the caller left. */
typedef void (*polkit_allowed_fn)(sd_bus_message *call, void *userdata);
typedef void (*polkit_free_fn)(void *userdata);

/*
 * Asks for the sender of `call`. `allowed` is called at once for the privileged, else from the loop; a refusal is
 * answered here (AccessDenied, InteractiveAuthorizationRequired, LimitsExceeded). Takes over userdata, which
 * `free_userdata` gets in the end, always. Returns as a method handler does.
 */
int polkit_ask(sd_bus_message *call, const struct polkit_question *question, polkit_allowed_fn allowed, void *userdata,
               polkit_free_fn free_userdata, sd_bus_error *ret_error);

/* Ends every question without an answer: the bus goes. */
void polkit_forget_all(void);
