/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The face: the manager on the system bus as org.memctl1. Vtables and marshalling only; org.memctl1(5) documents
 * every member.
 */

#include <stdio.h>
#include <systemd/sd-event.h>

#include "manager.h"

struct service;

struct service_callbacks {
        void (*ready)(void *userdata);             /* the name is owned and the inventory is there */
        void (*failed)(int error, void *userdata); /* it cannot start; said in the log */
        void (*idle)(void *userdata);              /* after service_stop() */
};

/* Makes the manager (its observer and userdata are set here) and the connection. Returns 0 or -errno. */
int service_new(sd_event *event, const struct manager_options *manager, const struct service_callbacks *callbacks,
                void *userdata, struct service **ret);
/* Takes NULL, returns NULL. */
struct service *service_free(struct service *service);

/* Reads the policies again. */
void service_reload(struct service *service);
/* Cancels and rolls back what runs; `idle` follows. */
void service_stop(struct service *service);

/*
 * Prints the introspection XML of an object: /org/memctl1, or any name below /org/memctl1/range or /org/memctl1/job.
 * Returns 0, -ENOENT for another path, -errno.
 */
int service_introspect(const char *path, FILE *stream);
