/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "client.h"
#include "exit-status.h"
#include "job.h"
#include "output.h"
#include "selector.h"
#include "streams.h"
#include "util.h"
#include "verbs.h"

struct monitor {
        const struct options *options;
        struct client *client;
        sd_event *event;
};

/* An extent as ExtentsChanged has it, in memctld's words. */
struct change_line {
        uint64_t start, size_bytes;
        int32_t node;
        const char *zone, *state, *kind, *range;
};

static void print_time(void) {
        char text[16];
        struct tm parts;
        time_t now = time(NULL);

        localtime_r(&now, &parts);
        strftime(text, sizeof text, "%H:%M:%S", &parts);
        printf("%s ", text);
}

/* {"schema": …, "event": NAME, "time_usec": …}; NULL without memory. */
static json_object *event_new(const char *name) {
        json_object *document = document_new("memctl.event", 1);
        struct timespec now;
        int r;

        clock_gettime(CLOCK_REALTIME, &now);
        r = json_add_text(document, "event", name);
        if (r == 0)
                r = json_add_number(document, "time_usec",
                                    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
        if (r == 0)
                return document;

        json_object_put(document);
        return NULL;
}

static int finish_event(struct monitor *monitor, json_object *document, int r) {
        if (r < 0) {
                json_object_put(document);
                document = NULL;
        }
        if (document_print(document, true) < 0)
                return sd_event_exit(monitor->event, out_of_memory());

        return streams_flush(monitor->event);
}

static int read_change(sd_bus_message *message, struct change_line *ret) {
        return sd_bus_message_read(message, "(ttissso)", &ret->start, &ret->size_bytes, &ret->node, &ret->zone,
                                   &ret->state, &ret->kind, &ret->range);
}

static void print_change(const struct monitor *monitor, const struct change_line *change) {
        uint64_t block_size_bytes = monitor->client->block_size_bytes;
        struct span span = { change->start / block_size_bytes, change->size_bytes / block_size_bytes };
        _cleanup_free_ char *blocks = format_blocks(span);
        char size[FORMAT_BYTES_MAX];

        print_time();
        printf("%s (%s) %s%s%s\n", blocks ? blocks : "?", format_bytes(change->size_bytes, size), change->state,
               *change->zone ? ", zone " : "", change->zone);
}

static json_object *change_to_json(const struct monitor *monitor, const struct change_line *change) {
        uint64_t block_size_bytes = monitor->client->block_size_bytes;
        struct span span = { change->start / block_size_bytes, change->size_bytes / block_size_bytes };
        json_object *object = json_object_new_object();
        int r;

        r = json_add_span(object, span, block_size_bytes);
        if (r == 0)
                r = json_add_text(object, "state", change->state);
        if (r == 0)
                r = json_add_text(object, "zone", *change->zone ? change->zone : NULL);
        if (r == 0 && change->node < 0)
                r = json_add_text(object, "node", NULL);
        else if (r == 0)
                r = json_add_signed(object, "node", change->node);
        if (r == 0)
                r = json_add_text(object, "kind", change->kind);
        if (r == 0)
                r = json_add_text(object, "name",
                                  strrchr(change->range, '/')[1] ? strrchr(change->range, '/') + 1 : NULL);
        if (r < 0) {
                json_object_put(object);
                return NULL;
        }

        return object;
}

static int on_extents_changed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct monitor *monitor = userdata;
        bool is_json = monitor->options->format == FORMAT_JSON;
        json_object *document = is_json ? event_new("extents-changed") : NULL;
        json_object *extents = is_json ? json_object_new_array() : NULL;
        struct change_line change;
        uint64_t generation;
        int r, resync = 0, json = 0;

        (void)error;
        r = sd_bus_message_read(message, "t", &generation);
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "(ttissso)");
        while (r >= 0 && (r = read_change(message, &change)) > 0)
                if (is_json)
                        json = json_append(extents, change_to_json(monitor, &change), json);
                else
                        print_change(monitor, &change);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r >= 0)
                r = sd_bus_message_read(message, "b", &resync);
        if (r < 0) {
                json_object_put(document);
                json_object_put(extents);
                return sd_event_exit(monitor->event, client_report(r, NULL));
        }

        if (!is_json) {
                if (resync) {
                        print_time();
                        puts("too much changed to tell it all: memctl list shows what is now");
                }
                return streams_flush(monitor->event);
        }

        if (json == 0)
                json = json_add_number(document, "generation", generation);
        if (json == 0)
                json = json_add_bool(document, "resync", resync);
        if (json == 0) {
                json = json_add(document, "extents", extents);
                extents = NULL;
        }
        json_object_put(extents);
        return finish_event(monitor, document, json);
}

static void print_selectors(const struct job *job) {
        for (char **selector = job->selectors; *selector; selector++)
                printf(" %s", *selector);
}

static json_object *selectors_to_json(const struct job *job) {
        json_object *array = json_object_new_array();

        for (char **selector = job->selectors; array && *selector; selector++)
                if (json_append(array, json_object_new_string(*selector), 0) < 0) {
                        json_object_put(array);
                        return NULL;
                }

        return array;
}

static int tell_job(struct monitor *monitor, const char *event, const struct job *job) {
        json_object *document;
        int r;

        if (monitor->options->format != FORMAT_JSON) {
                print_time();
                printf("job %" PRIu64 " %s: %s", job->id, *job->result ? "ended" : "began", job->verb);
                print_selectors(job);
                printf("%s%s\n", *job->result ? ": " : "", job->result);
                return streams_flush(monitor->event);
        }

        document = event_new(event);
        r = json_add_number(document, "job", job->id);
        if (r == 0)
                r = json_add_text(document, "verb", job->verb);
        if (r == 0)
                r = json_add(document, "selectors", selectors_to_json(job));
        if (r == 0)
                r = json_add_text(document, "result", *job->result ? job->result : NULL);
        if (r == 0)
                r = json_add_number(document, "bytes_total", job->bytes_total);
        if (r == 0)
                r = json_add_number(document, "bytes_done", job->bytes_done);
        return finish_event(monitor, document, r);
}

static int on_job(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct monitor *monitor = userdata;
        sd_bus_error job_error = SD_BUS_ERROR_NULL;
        bool is_new = sd_bus_message_is_signal(message, MEMCTL_MANAGER, "JobNew") > 0;
        const char *path;
        struct job job;
        uint64_t id;
        int r;

        (void)error;
        r = sd_bus_message_read(message, "to", &id, &path);
        if (r >= 0)
                r = job_read(monitor->client, path, &job, &job_error);
        sd_bus_error_free(&job_error);
        /* A job whose object is gone before it was asked for has nothing more to tell. */
        if (r < 0)
                return 0;

        r = tell_job(monitor, is_new ? "job-new" : "job-finished", &job);
        job_clear(&job);
        return r;
}

static int on_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct monitor *monitor = userdata;
        const char *name, *old_owner, *new_owner;

        (void)error;
        if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0) {
                fputs("memctl: the bus is gone\n", stderr);
                return sd_event_exit(monitor->event, STATUS_UNREACHABLE);
        }
        if (sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner) < 0)
                return 0;

        if (monitor->options->format == FORMAT_JSON)
                return finish_event(monitor, event_new(*new_owner ? "memctld-started" : "memctld-stopped"), 0);

        print_time();
        puts(*new_owner ? "memctld is back: memctl list shows what is now" : "memctld stopped");
        return streams_flush(monitor->event);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct monitor *monitor = userdata;

        (void)source;
        (void)info;
        return sd_event_exit(monitor->event, STATUS_DONE);
}

static int add_signals(struct monitor *monitor) {
        sigset_t set;
        int r;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);

        r = sd_event_add_signal(monitor->event, NULL, SIGINT, on_signal, monitor);
        return r < 0 ? r : sd_event_add_signal(monitor->event, NULL, SIGTERM, on_signal, monitor);
}

static int run_monitor(struct monitor *monitor) {
        static const struct {
                const char *member;
                sd_bus_message_handler_t handler;
        } members[] = { { "ExtentsChanged", on_extents_changed }, { "JobNew", on_job }, { "JobFinished", on_job } };
        sd_bus *bus = monitor->client->bus;
        int r;

        r = sd_event_new(&monitor->event);
        if (r >= 0)
                r = add_signals(monitor);
        if (r >= 0)
                r = streams_watch_reader(monitor->event);
        for (size_t i = 0; i < ARRAY_SIZE(members) && r >= 0; i++)
                r = sd_bus_match_signal(bus, NULL, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER, members[i].member,
                                        members[i].handler, monitor);
        if (r >= 0)
                r = client_watch_owner(monitor->client, on_owner_changed, monitor);
        if (r >= 0)
                r = sd_bus_attach_event(bus, monitor->event, SD_EVENT_PRIORITY_NORMAL);
        /* Whoever reads this may act: from here on nothing is missed. */
        if (r >= 0 && monitor->options->format == FORMAT_JSON)
                r = finish_event(monitor, event_new("watching"), 0);
        if (r >= 0)
                r = sd_event_loop(monitor->event);

        return r;
}

int verb_monitor(const struct options *options, char **words, size_t n_words) {
        struct monitor monitor = { .options = options };
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r, status;

        (void)words;
        (void)n_words;
        r = client_open(options, &monitor.client, &error);
        if (r >= 0)
                r = run_monitor(&monitor);
        status = r < 0 ? client_report(r, &error) : r;

        sd_bus_error_free(&error);
        client_close(monitor.client);
        sd_event_unref(monitor.event);
        return status;
}
