/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drain.h"

#include <errno.h>
#include <inttypes.h>

#include "cleanup.h"
#include "log.h"

struct drain {
        sd_event *event;
        const struct inhibitors *inhibitors;
        uint64_t delay_max_usec;
        struct drain_callbacks callbacks;
        void *userdata;
        const struct job *told; /* that it begins */
        struct job *waiting;    /* NULL: nobody delays */
        sd_event_source *timer;
};

int drain_new(sd_event *event, const struct inhibitors *inhibitors, uint64_t delay_max_usec,
              const struct drain_callbacks *callbacks, void *userdata, struct drain **ret) {
        struct drain *drain = calloc(1, sizeof(*drain));

        if (!drain)
                return -ENOMEM;
        *drain = (struct drain){
                .event = sd_event_ref(event),
                .inhibitors = inhibitors,
                .delay_max_usec = delay_max_usec,
                .callbacks = *callbacks,
                .userdata = userdata,
        };
        *ret = drain;
        return 0;
}

struct drain *drain_free(struct drain *drain) {
        if (!drain)
                return NULL;
        sd_event_source_disable_unref(drain->timer);
        sd_event_unref(drain->event);
        free(drain);
        return NULL;
}

void drain_set_delay_max(struct drain *drain, uint64_t usec) {
        drain->delay_max_usec = usec;
}

static const struct inhibitor *first_delaying(const struct drain *drain, const struct job *job) {
        const struct inhibitor *inhibitor;

        for (size_t i = 0; (inhibitor = inhibitors_get(drain->inhibitors, i)); i++)
                if (inhibitor_applies(inhibitor, INHIBIT_DELAY, job->change.verb, &job->blocks,
                                      drain->callbacks.inventory(drain->userdata)))
                        return inhibitor;
        return NULL;
}

static void stop_waiting(struct drain *drain) {
        drain->timer = sd_event_source_disable_unref(drain->timer);
        drain->waiting = NULL;
}

static void go_on(struct drain *drain) {
        struct job *job = drain->waiting;

        stop_waiting(drain);
        drain->callbacks.done(job, drain->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct drain *drain = userdata;
        const struct inhibitor *slow = first_delaying(drain, drain->waiting);

        (void)source, (void)usec;
        if (slow)
                log_notice("Job %" PRIu64 " waits no longer for %s (uid %u, pid %d)", drain->waiting->id, slow->who,
                           slow->uid, slow->pid);
        go_on(drain);
        return 0;
}

bool drain_begin(struct drain *drain, struct job *job) {
        drain->told = job;
        drain->callbacks.tell(job, true, drain->userdata);
        if (job->change.ignore_inhibitors || !first_delaying(drain, job))
                return false;
        if (sd_event_add_time_relative(drain->event, &drain->timer, CLOCK_MONOTONIC, drain->delay_max_usec, 1, on_timer,
                                       drain) < 0) {
                (void)log_oom();
                return false;
        }
        drain->waiting = job;
        return true;
}

void drain_end(struct drain *drain, const struct job *job) {
        if (drain->waiting == job)
                stop_waiting(drain);
        if (drain->told != job)
                return;
        drain->told = NULL;
        drain->callbacks.tell(job, false, drain->userdata);
}

void drain_look(struct drain *drain) {
        if (drain->waiting && !first_delaying(drain, drain->waiting))
                go_on(drain);
}
