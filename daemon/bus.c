/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "bus-objects.h"
#include "cleanup.h"
#include "log.h"
#include "polkit.h"

/* How often a bus that went away is looked for. */
#define REJOIN_INTERVAL_USEC (1 * USEC_PER_SEC)

static int join_bus(struct service *service);

bool is_on_bus(const struct service *service) {
        return service->bus && sd_bus_is_open(service->bus) > 0;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct service *service = userdata;
        const sd_bus_error *failure = sd_bus_message_get_error(reply);
        uint32_t answer;

        (void)error;
        /* It went away again: it will be joined again. */
        if (!is_on_bus(service))
                return 0;
        if (failure) {
                log_error("Cannot own %s on the bus: %s", BUS_NAME, failure->message);
                service->callbacks.failed(-EPERM, service->userdata);
                return 0;
        }
        /* 1 is DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER of the D-Bus specification. */
        if (sd_bus_message_read(reply, "u", &answer) < 0 || answer != 1) {
                log_error("Cannot own %s on the bus: another memctld runs already", BUS_NAME);
                service->callbacks.failed(-EEXIST, service->userdata);
                return 0;
        }
        if (service->is_ready) {
                log_notice("On the bus again");
                return 0;
        }
        service->is_ready = true;
        service->callbacks.ready(service->userdata);
        manager_recover(service->manager);
        return 0;
}

static int add_objects(struct service *service) {
        sd_bus *bus = service->bus;
        int r;

        r = sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_INTERFACE_MANAGER, manager_vtable, service);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH_RANGE, BUS_INTERFACE_RANGE, range_vtable, range_find,
                                               service);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(bus, NULL, BUS_PATH_RANGE, range_enumerate, service);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH_JOB, BUS_INTERFACE_JOB, job_vtable, job_find,
                                               service);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(bus, NULL, BUS_PATH_JOB, job_enumerate, service);
        if (r >= 0)
                r = sd_bus_add_object_manager(bus, NULL, BUS_PATH);
        return r;
}

static int serve(struct service *service) {
        int r = add_objects(service);

        return r < 0 ? r : sd_bus_request_name_async(service->bus, NULL, BUS_NAME, 0, on_name, service);
}

/* Whoever asked is cut off, but did not leave: jobs go on, inhibitors stay. */
static void leave_bus(struct service *service) {
        polkit_forget_all();
        forget_pending(service);
        while (service->followers)
                forget_followers(service, service->followers->job_id);
        service->bus = sd_bus_close_unref(service->bus);
}

static int on_rejoin_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct service *service = userdata;
        int r;

        (void)source;
        (void)usec;
        service->rejoin_timer = sd_event_source_disable_unref(service->rejoin_timer);
        leave_bus(service);
        r = join_bus(service);
        if (r >= 0 && manager_inventory(service->manager))
                r = serve(service);
        if (r < 0)
                (void)sd_event_add_time_relative(service->event, &service->rejoin_timer, CLOCK_MONOTONIC,
                                                 REJOIN_INTERVAL_USEC, 0, on_rejoin_timer, service);
        return 0;
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct service *service = userdata;

        (void)message, (void)error;
        log_warning("The bus is gone; what runs goes on, and the bus is joined again when it is back");
        /* From the loop: this connection is in use. */
        if (!service->rejoin_timer &&
            sd_event_add_time_relative(service->event, &service->rejoin_timer, CLOCK_MONOTONIC,
                                       REJOIN_INTERVAL_USEC / 10, 0, on_rejoin_timer, service) < 0)
                (void)log_oom();
        return 0;
}

static int join_bus(struct service *service) {
        int r = sd_bus_open_system_with_description(&service->bus, "memctld");

        if (r >= 0)
                r = sd_bus_attach_event(service->bus, service->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_match_signal(service->bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                        "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, service);
        return r;
}

/* Objects come only now: every handler may count on an inventory. */
static void on_ready(void *userdata) {
        struct service *service = userdata;
        int r = serve(service);

        if (r < 0) {
                log_errno(LOG_ERR, r, "Cannot serve %s", BUS_NAME);
                service->callbacks.failed(r, service->userdata);
        }
}

static void on_failed(int error, void *userdata) {
        struct service *service = userdata;

        if (error == -ENOENT)
                log_error("This kernel has no memory blocks in sysfs (CONFIG_MEMORY_HOTPLUG): nothing to manage");
        else
                log_errno(LOG_ERR, error, "Cannot read the machine's memory blocks");
        service->callbacks.failed(error, service->userdata);
}

static void on_idle(void *userdata) {
        struct service *service = userdata;

        if (is_on_bus(service))
                (void)sd_bus_flush(service->bus);
        service->callbacks.idle(service->userdata);
}

static const struct manager_observer observer = {
        .ready = on_ready,
        .failed = on_failed,
        .inventory_changed = signal_inventory_changed,
        .prepare_for = signal_prepare_for,
        .job_new = signal_job_new,
        .job_changed = signal_job_changed,
        .job_finished = signal_job_finished,
        .job_removed = signal_job_removed,
        .idle = on_idle,
};

static int start(struct service *service, const struct manager_options *options) {
        struct manager_options manager = *options;
        int r;

        r = join_bus(service);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot connect to the system bus");
        manager.observer = &observer;
        manager.userdata = service;
        return manager_new(service->event, &manager, &service->manager);
}

int service_new(sd_event *event, const struct manager_options *manager, const struct service_callbacks *callbacks,
                void *userdata, struct service **ret) {
        struct service *service = calloc(1, sizeof(*service));
        int r;

        if (!service)
                return log_oom();
        service->event = sd_event_ref(event);
        service->callbacks = *callbacks;
        service->userdata = userdata;
        r = start(service, manager);
        if (r < 0) {
                service_free(service);
                return r;
        }
        *ret = service;
        return 0;
}

struct service *service_free(struct service *service) {
        if (!service)
                return NULL;
        polkit_forget_all();
        forget_pending(service);
        while (service->followers)
                forget_followers(service, service->followers->job_id);
        sd_event_source_disable_unref(service->rejoin_timer);
        sd_event_source_disable_unref(service->changed_timer);
        sd_event_source_disable_unref(service->job_timer);
        manager_free(service->manager);
        sd_bus_flush_close_unref(service->bus);
        sd_event_unref(service->event);
        span_list_clear(&service->changed);
        free(service);
        return NULL;
}

void service_reload(struct service *service) {
        int r = manager_reload(service->manager);

        if (r < 0)
                log_errno(LOG_ERR, r, "Cannot read the policies again; the old ones stay in force");
        else if (service->is_ready)
                signal_policies_changed(service);
}

void service_stop(struct service *service) {
        manager_stop(service->manager);
}

/* Introspection */

static const struct introspected {
        const char *prefix;
        bool below; /* any name below the prefix, not the prefix itself */
        const char *interface;
        const sd_bus_vtable *vtable;
} introspected[] = {
        { BUS_PATH, false, BUS_INTERFACE_MANAGER, manager_vtable },
        { BUS_PATH_RANGE "/", true, BUS_INTERFACE_RANGE, range_vtable },
        { BUS_PATH_JOB "/", true, BUS_INTERFACE_JOB, job_vtable },
};

static const struct introspected *find_introspected(const char *path) {
        for (size_t i = 0; i < ARRAY_SIZE(introspected); i++) {
                const struct introspected *entry = &introspected[i];

                if (entry->below ? strncmp(path, entry->prefix, strlen(entry->prefix)) == 0 &&
                                           path[strlen(entry->prefix)] != '\0'
                                 : strcmp(path, entry->prefix) == 0)
                        return entry;
        }
        return NULL;
}

static int open_end(int fd, bool is_server, sd_bus **ret) {
        sd_id128_t id = SD_ID128_NULL;
        sd_bus *bus;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0) {
                close(fd);
                return r;
        }
        r = sd_bus_set_fd(bus, fd, fd);
        if (r >= 0 && is_server)
                r = sd_bus_set_server(bus, true, id);
        if (r >= 0)
                r = sd_bus_set_anonymous(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_close_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

static int on_introspection(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const char *xml;
        int r = sd_bus_message_is_method_error(reply, NULL) ? -EIO : sd_bus_message_read(reply, "s", &xml);

        (void)error;
        if (r >= 0 && fputs(xml, *(FILE **)userdata) == EOF)
                r = -EIO;
        *(FILE **)userdata = NULL;
        return r < 0 ? r : 0;
}

/* sd-bus writes introspection only for a bus, so there is one: two ends of a socket in this process. */
int service_introspect(const char *path, FILE *stream) {
        const struct introspected *entry = find_introspected(path);
        sd_bus *server = NULL, *client = NULL;
        int pair[2], r;

        if (!entry)
                return -ENOENT;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -errno;
        r = open_end(pair[0], true, &server);
        if (r < 0) {
                close(pair[1]);
                return r;
        }
        r = open_end(pair[1], false, &client);
        if (r >= 0)
                r = sd_bus_add_object_vtable(server, NULL, path, entry->interface, entry->vtable, NULL);
        if (r >= 0)
                r = sd_bus_call_method_async(client, NULL, NULL, path, "org.freedesktop.DBus.Introspectable",
                                             "Introspect", on_introspection, &stream, "");
        while (r >= 0 && stream) {
                r = sd_bus_process(server, NULL);
                if (r >= 0)
                        r = sd_bus_process(client, NULL);
        }
        sd_bus_close_unref(client);
        sd_bus_close_unref(server);
        return r < 0 ? r : 0;
}
