/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "bus-objects.h"
#include "cleanup.h"
#include "inventory-diff.h"
#include "log.h"

#define EXTENTS_CHANGED_INTERVAL_USEC (100 * USEC_PER_MSEC)
#define PROGRESS_INTERVAL_USEC        (200 * USEC_PER_MSEC)

static uint64_t now_usec(const struct service *service) {
        uint64_t usec = 0;

        (void)sd_event_now(service->event, CLOCK_MONOTONIC, &usec);
        return usec;
}

/* Runs `handler` at once or, if the last time was less than `interval` ago, when that is over. */
static void run_limited(struct service *service, sd_event_source **timer, uint64_t last_usec, uint64_t interval_usec,
                        sd_event_time_handler_t handler) {
        if (*timer)
                return;
        if (now_usec(service) >= last_usec + interval_usec)
                (void)handler(NULL, 0, service);
        else if (sd_event_add_time(service->event, timer, CLOCK_MONOTONIC, last_usec + interval_usec, 0, handler,
                                   service) < 0)
                (void)log_oom();
}

/* Inventory */

/* While the bus is away nobody listens. */
static void log_unsent(const struct service *service, int error, const char *signal) {
        if (is_on_bus(service))
                log_errno(LOG_WARNING, error, "Cannot send %s", signal);
}

static size_t count_extents(const struct inventory *inventory, const struct span_list *within) {
        size_t n = 0;

        for (size_t i = 0; i < within->n; i++)
                for (size_t j = extent_list_lower_bound(&inventory->extents, within->items[i].first_block);
                     j < inventory->extents.n && inventory->extents.items[j].first_block < span_end(&within->items[i]);
                     j++)
                        n++;
        return n;
}

static int append_extents(sd_bus_message *message, const struct inventory *inventory, const struct span_list *within) {
        int r = sd_bus_message_open_container(message, 'a', "(ttissso)");

        for (size_t i = 0; r >= 0 && i < within->n; i++)
                for (size_t j = extent_list_lower_bound(&inventory->extents, within->items[i].first_block);
                     r >= 0 && j < inventory->extents.n &&
                     inventory->extents.items[j].first_block < span_end(&within->items[i]);
                     j++)
                        r = append_extent(message, inventory, &inventory->extents.items[j], within->items[i]);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int send_extents_changed(struct service *service) {
        static const struct span_list nothing = { 0 };
        const struct inventory *inventory = manager_inventory(service->manager);
        _cleanup_bus_message_ sd_bus_message *signal = NULL;
        bool resync = service->gone || count_extents(inventory, &service->changed) > EXTENTS_PER_SIGNAL_MAX;
        int r;

        r = sd_bus_message_new_signal(service->bus, &signal, BUS_PATH, BUS_INTERFACE_MANAGER, "ExtentsChanged");
        if (r < 0)
                return r;
        r = sd_bus_message_append(signal, "t", manager_generation(service->manager));
        if (r < 0)
                return r;
        r = append_extents(signal, inventory, resync ? &nothing : &service->changed);
        if (r < 0)
                return r;
        r = sd_bus_message_append(signal, "b", resync);
        if (r < 0)
                return r;
        return sd_bus_send(service->bus, signal, NULL);
}

static void send_range_bytes(struct service *service) {
        const struct inventory *inventory = manager_inventory(service->manager);

        for (size_t i = 0; i < inventory->n_ranges; i++) {
                _cleanup_free_ char *path = NULL;

                if (!span_list_overlaps(&service->changed, inventory->ranges[i].span))
                        continue;
                path = range_path(&inventory->ranges[i]);
                if (path)
                        (void)sd_bus_emit_properties_changed(service->bus, path, BUS_INTERFACE_RANGE, "OnlineBytes",
                                                             NULL);
        }
}

static int on_changed_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct service *service = userdata;
        int r;

        (void)source;
        (void)usec;
        service->changed_timer = sd_event_source_disable_unref(service->changed_timer);
        service->changed_sent_usec = now_usec(service);
        r = send_extents_changed(service);
        if (r < 0)
                log_unsent(service, r, "ExtentsChanged");
        send_range_bytes(service);
        (void)sd_bus_emit_properties_changed(service->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "OnlineBytes",
                                             "OfflineBytes", "Generation", NULL);
        span_list_clear(&service->changed);
        service->gone = false;
        return 0;
}

static const struct range *same_range_in(const struct inventory *inventory, const struct range *range) {
        char name[RANGE_NAME_MAX];

        return inventory_find_range(inventory, range_name(range, name));
}

static void send_ranges_removed(struct service *service, const struct inventory *previous) {
        const struct inventory *now = manager_inventory(service->manager);

        for (size_t i = 0; i < previous->n_ranges; i++) {
                _cleanup_free_ char *path = NULL;

                if (same_range_in(now, &previous->ranges[i]))
                        continue;
                path = range_path(&previous->ranges[i]);
                /* The object is gone already, so that its interfaces have to be named. */
                if (path)
                        (void)sd_bus_emit_interfaces_removed(service->bus, path, BUS_INTERFACE_RANGE, NULL);
        }
}

static void send_ranges_added_or_changed(struct service *service, const struct inventory *previous) {
        const struct inventory *now = manager_inventory(service->manager);

        for (size_t i = 0; i < now->n_ranges; i++) {
                const struct range *before = same_range_in(previous, &now->ranges[i]);
                _cleanup_free_ char *path = range_path(&now->ranges[i]);

                if (!path)
                        continue;
                if (!before)
                        (void)sd_bus_emit_object_added(service->bus, path);
                else if (!range_equal(before, &now->ranges[i]))
                        (void)sd_bus_emit_properties_changed(service->bus, path, BUS_INTERFACE_RANGE, "Driver",
                                                             "Device", "MappingGranularity", "RemovalGranularity",
                                                             "GranularitySource", NULL);
        }
}

static void send_machine_changed(struct service *service, const struct inventory *previous) {
        const struct inventory *now = manager_inventory(service->manager);

        if (previous->source != now->source || previous->guard != now->guard)
                (void)sd_bus_emit_properties_changed(service->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "GranularitySource",
                                                     "KernelGuard", NULL);
        if (strcmp(previous->auto_online, now->auto_online) != 0)
                (void)sd_bus_emit_properties_changed(service->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "AutoOnline", NULL);
}

void signal_inventory_changed(const struct inventory *previous, const struct span_list *changed, bool gone,
                              void *userdata) {
        struct service *service = userdata;

        send_ranges_removed(service, previous);
        send_ranges_added_or_changed(service, previous);
        send_machine_changed(service, previous);
        for (size_t i = 0; i < changed->n; i++)
                if (span_list_add(&service->changed, changed->items[i]) < 0)
                        service->gone = true;
        service->gone = service->gone || gone;
        run_limited(service, &service->changed_timer, service->changed_sent_usec, EXTENTS_CHANGED_INTERVAL_USEC,
                    on_changed_timer);
}

void signal_policies_changed(struct service *service) {
        const struct inventory *inventory = manager_inventory(service->manager);

        for (size_t i = 0; i < inventory->n_ranges; i++) {
                _cleanup_free_ char *path = range_path(&inventory->ranges[i]);

                if (path)
                        (void)sd_bus_emit_properties_changed(service->bus, path, BUS_INTERFACE_RANGE, "Policy",
                                                             "PolicyFile", "PolicyReason", NULL);
        }
}

/* Jobs */

static void send_job_signal(struct service *service, const struct job *job, const char *member, const char *result) {
        _cleanup_free_ char *path = job_path(job->id);
        int r;

        if (!path)
                return;
        r = result ? sd_bus_emit_signal(service->bus, BUS_PATH, BUS_INTERFACE_MANAGER, member, "tos", job->id, path,
                                        result)
                   : sd_bus_emit_signal(service->bus, BUS_PATH, BUS_INTERFACE_MANAGER, member, "to", job->id, path);
        if (r < 0)
                log_unsent(service, r, member);
}

static void send_job_properties(struct service *service, uint64_t id) {
        _cleanup_free_ char *path = job_path(id);

        if (path)
                (void)sd_bus_emit_properties_changed(service->bus, path, BUS_INTERFACE_JOB, "State", "Result",
                                                     "Progress", "BytesTotal", "BytesDone", NULL);
}

static int on_job_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct service *service = userdata;

        (void)source;
        (void)usec;
        service->job_timer = sd_event_source_disable_unref(service->job_timer);
        service->job_sent_usec = now_usec(service);
        send_job_properties(service, service->job_id);
        return 0;
}

static int send_prepare_for(struct service *service, const struct job *job, bool start) {
        _cleanup_bus_message_ sd_bus_message *signal = NULL;
        int r;

        r = sd_bus_message_new_signal(service->bus, &signal, BUS_PATH, BUS_INTERFACE_MANAGER, "PrepareFor");
        if (r >= 0)
                r = sd_bus_message_append(signal, "t", job->id);
        if (r >= 0)
                r = sd_bus_message_open_container(signal, 'a', "(tt)");
        for (size_t i = 0; r >= 0 && i < job->blocks.n; i++)
                r = sd_bus_message_append(signal, "(tt)",
                                          job->blocks.items[i].first_block * job->settings.block_size_bytes,
                                          job->blocks.items[i].n_blocks * job->settings.block_size_bytes);
        if (r >= 0)
                r = sd_bus_message_close_container(signal);
        if (r >= 0)
                r = sd_bus_message_append(signal, "b", start);
        return r < 0 ? r : sd_bus_send(service->bus, signal, NULL);
}

void signal_prepare_for(const struct job *job, bool start, void *userdata) {
        int r = send_prepare_for(userdata, job, start);

        if (r < 0)
                log_unsent(userdata, r, "PrepareFor");
}

void signal_job_new(struct job *job, void *userdata) {
        struct service *service = userdata;
        _cleanup_free_ char *path = job_path(job->id);

        if (path)
                (void)sd_bus_emit_object_added(service->bus, path);
        send_job_signal(service, job, "JobNew", NULL);
}

void signal_job_changed(struct job *job, void *userdata) {
        struct service *service = userdata;
        bool is_new_state = service->job_id != job->id || service->job_state != job->state;

        service->job_id = job->id;
        service->job_state = job->state;
        /* Progress can wait for its turn, a new state cannot. */
        if (is_new_state)
                (void)on_job_timer(NULL, 0, service);
        else
                run_limited(service, &service->job_timer, service->job_sent_usec, PROGRESS_INTERVAL_USEC, on_job_timer);
}

void signal_job_finished(struct job *job, void *userdata) {
        struct service *service = userdata;

        if (service->job_id == job->id)
                service->job_timer = sd_event_source_disable_unref(service->job_timer);
        forget_followers(service, job->id);
        send_job_properties(service, job->id);
        send_job_signal(service, job, "JobFinished", job_result_to_string(job->result));
}

void signal_job_removed(struct job *job, void *userdata) {
        struct service *service = userdata;
        _cleanup_free_ char *path = job_path(job->id);

        send_job_signal(service, job, "JobRemoved", NULL);
        if (path)
                (void)sd_bus_emit_object_removed(service->bus, path);
}

/* Whoever asked and left */

static struct follower *follower_free(struct follower *follower) {
        sd_bus_track_unref(follower->caller);
        free(follower);
        return NULL;
}

void forget_followers(struct service *service, uint64_t job_id) {
        for (struct follower **link = &service->followers; *link;) {
                struct follower *follower = *link;

                if (follower->job_id == job_id) {
                        *link = follower->next;
                        follower_free(follower);
                } else
                        link = &follower->next;
        }
}

static int on_caller_gone(sd_bus_track *track, void *userdata) {
        struct follower *follower = userdata;
        struct service *service = follower->service;
        struct job *job = manager_find_job(service->manager, follower->job_id);

        (void)track;
        /* A bus that goes away is no client's leave. */
        if (job && is_on_bus(service)) {
                log_notice("Job %llu: who asked for it has left, so it is cancelled", (unsigned long long)job->id);
                job_cancel(job);
        }
        forget_followers(service, follower->job_id);
        return 0;
}

int follow_caller(struct service *service, sd_bus_message *call, const struct job *job) {
        struct follower *follower = calloc(1, sizeof(*follower));
        int r;

        if (!follower)
                return -ENOMEM;
        *follower = (struct follower){ .service = service, .job_id = job->id };
        r = sd_bus_track_new(service->bus, &follower->caller, on_caller_gone, follower);
        if (r >= 0)
                r = sd_bus_track_add_sender(follower->caller, call);
        if (r < 0) {
                follower_free(follower);
                return r;
        }
        follower->next = service->followers;
        service->followers = follower;
        return 0;
}
