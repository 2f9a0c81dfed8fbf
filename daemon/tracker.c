/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tracker.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "inventory-diff.h"
#include "inventory-wire.h"
#include "log.h"
#include "messages.h"
#include "worker.h"

/* An event is followed at once; the next ones of a burst are merged, so that following them takes a small part of a
 * processor, however slow it is. A range does not wait for those of blocks: somebody may wait to use it. But there may
 * also be a thousand: it waits, if the last reading was of ranges, for as long as that took. */
#define REFRESH_INTERVAL_USEC     (100 * USEC_PER_MSEC)
#define REFRESH_INTERVAL_MAX_USEC (1 * USEC_PER_SEC)
#define REFRESH_SHARE             10
/* New blocks wait for their range: where the kernel exports it, its event is the next one. */
#define RANGE_WAIT_USEC (50 * USEC_PER_MSEC)
/* Left to itself, sd-event puts a timer off by up to 250 ms. */
#define REFRESH_ACCURACY_USEC (1 * USEC_PER_MSEC)
/* Other network namespaces make gaps that mean nothing: they must not keep a large machine reading. A change that waits
 * for the truth does not wait for this. */
#define READ_INTERVAL_USEC (1 * USEC_PER_SEC)
/* A reader that hangs, not one on a machine that has much to do. */
#define SYNC_TIMEOUT_USEC (20 * USEC_PER_SEC)

struct waiter {
        struct waiter *next;
        struct tracker *tracker;
        uint64_t round; /* served by the reading with this number or a later one */
        tracker_sync_fn done;
        void *userdata;
        sd_event_source *timer;
};

struct tracker {
        sd_event *event;
        struct tracker_options options;
        struct uevent_stream *uevents;
        struct worker *reader;
        struct inventory *inventory;
        uint64_t generation, events_lost;

        /* What the next reading has to look at. */
        struct span_list blocks;
        uint64_t ranges[WORKER_RANGES_MAX];
        size_t n_ranges;
        bool everything;
        bool after_gap;
        uint64_t new_blocks_usec; /* when the first came, if there is nothing else to look at */

        bool reading_after_gap; /* of the reading under way */
        bool refreshing;        /* it is no reading of everything */
        uint64_t rounds_started;
        uint64_t last_refresh_usec, last_read_usec;
        uint64_t refresh_took_usec; /* the last one */
        bool refresh_had_ranges;
        uint64_t retry_usec;    /* not before, since a reading failed */
        sd_event_source *timer; /* the next reading is due */
        struct waiter *waiters;
};

static void read_if_due(struct tracker *tracker);

const struct inventory *tracker_inventory(const struct tracker *tracker) {
        return tracker->inventory;
}

uint64_t tracker_generation(const struct tracker *tracker) {
        return tracker->generation;
}

uint64_t tracker_events_lost(const struct tracker *tracker) {
        return tracker->events_lost;
}

static uint64_t now_usec(const struct tracker *tracker) {
        uint64_t usec = 0;

        (void)sd_event_now(tracker->event, CLOCK_MONOTONIC, &usec);
        return usec;
}

static void forget_pending(struct tracker *tracker) {
        span_list_clear(&tracker->blocks);
        tracker->n_ranges = 0;
        tracker->new_blocks_usec = 0;
}

void tracker_resync(struct tracker *tracker) {
        tracker->everything = true;
        forget_pending(tracker);
        read_if_due(tracker);
}

void tracker_set_granularity(struct tracker *tracker, uint64_t assume_bytes, bool reads_page_tables) {
        tracker->options.assume_granularity_bytes = assume_bytes;
        tracker->options.reads_page_tables = reads_page_tables;
        tracker_resync(tracker);
}

static void add_block(struct tracker *tracker, struct span span) {
        if (tracker->everything)
                return;
        /* A list that grows with every event would grow without bound; reading everything is cheaper by then. */
        if (span_list_add(&tracker->blocks, span) < 0 || tracker->blocks.n > WORKER_SPANS_MAX) {
                tracker->everything = true;
                forget_pending(tracker);
        }
}

static void add_range(struct tracker *tracker, uint64_t number) {
        if (tracker->everything)
                return;
        for (size_t i = 0; i < tracker->n_ranges; i++)
                if (tracker->ranges[i] == number)
                        return;
        if (tracker->n_ranges == WORKER_RANGES_MAX) {
                tracker->everything = true;
                forget_pending(tracker);
                return;
        }
        tracker->ranges[tracker->n_ranges++] = number;
}

static int number_of(const struct uevent *event, const char *key, uint64_t *ret) {
        const char *text = uevent_property(event, key);

        return text ? parse_u64(text, strlen(text), 0, ret) : -ENODATA;
}

/*
 * The kernel tells of a block before it links it to its node, which no event tells of, and of the range when all is
 * done: a block that was looked at in between is looked at again.
 */
static void add_range_blocks(struct tracker *tracker, const struct uevent *event) {
        uint64_t start, size_bytes, block_size_bytes = tracker->inventory ? tracker->inventory->block_size_bytes : 0;

        if (block_size_bytes == 0 || number_of(event, "MEMORY_RANGE_START", &start) < 0 ||
            number_of(event, "MEMORY_RANGE_SIZE", &size_bytes) < 0 || size_bytes < block_size_bytes)
                return;
        add_block(tracker, (struct span){ start / block_size_bytes, size_bytes / block_size_bytes });
}

static void note_block(struct tracker *tracker, uint64_t number, const char *action) {
        bool exports_ranges = tracker->inventory && tracker->inventory->guard == GUARD_REMOVAL;

        if (strcmp(action, "add") != 0 || !exports_ranges)
                tracker->new_blocks_usec = 0;
        else if (tracker->blocks.n == 0)
                tracker->new_blocks_usec = now_usec(tracker);
        add_block(tracker, (struct span){ number, 1 });
}

static void on_uevent(const struct uevent *event, void *userdata) {
        struct tracker *tracker = userdata;
        uint64_t number;

        if (strcmp(event->subsystem, "memory") == 0 && block_number_from_name(event->name, &number) == 0)
                note_block(tracker, number, event->action);
        else if (strcmp(event->subsystem, "memory_range") == 0 &&
                 parse_prefixed_number(event->name, "range", &number) == 0) {
                add_range(tracker, number);
                if (strcmp(event->action, "add") == 0)
                        add_range_blocks(tracker, event);
        } else
                return;
        read_if_due(tracker);
}

static void on_uevent_loss(enum uevent_loss loss, void *userdata) {
        struct tracker *tracker = userdata;

        if (loss == UEVENT_LOSS_OVERRUN) {
                tracker->events_lost++;
                log_about(LOG_NOTICE, MESSAGE_EVENTS_LOST, 0, NULL, NULL,
                          "The kernel's events came faster than they could be taken; reading the machine again");
        } else
                tracker->after_gap = true;
        tracker_resync(tracker);
}

static struct waiter *waiter_free(struct waiter *waiter) {
        sd_event_source_disable_unref(waiter->timer);
        free(waiter);
        return NULL;
}

/* A callback may add and cancel waiters: after each the walk starts anew. */
static void serve_waiters(struct tracker *tracker, uint64_t round) {
        for (struct waiter **link = &tracker->waiters; *link;) {
                struct waiter *waiter = *link;
                tracker_sync_fn done = waiter->done;
                void *userdata = waiter->userdata;

                if (waiter->round > round) {
                        link = &waiter->next;
                        continue;
                }
                *link = waiter->next;
                waiter_free(waiter);
                done(0, userdata);
                link = &tracker->waiters;
        }
}

static int decode_payload(int payload_fd, struct inventory **ret) {
        struct stat st;
        void *bytes;
        int r;

        if (fstat(payload_fd, &st) < 0)
                return -errno;
        if (st.st_size == 0)
                return -EBADMSG;
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, payload_fd, 0);
        if (bytes == MAP_FAILED)
                return -errno;
        r = inventory_decode(bytes, (size_t)st.st_size, ret);
        munmap(bytes, (size_t)st.st_size);
        return r;
}

static void adopt(struct tracker *tracker, struct inventory *inventory) {
        struct inventory *previous = tracker->inventory;
        struct span_list changed = { 0 };
        bool gone = false, differs;

        differs = !previous || inventory_diff(previous, inventory, &changed, &gone) != 0;
        tracker->inventory = inventory;
        if (differs) {
                tracker->generation++;
                if (tracker->reading_after_gap && previous)
                        tracker->events_lost++;
                tracker->options.callbacks.updated(previous, &changed, gone, tracker->options.userdata);
        }
        span_list_clear(&changed);
        inventory_free(previous);
        if (inventory->estimates_stale)
                tracker_resync(tracker);
}

static void wake_at(struct tracker *tracker, uint64_t usec) {
        (void)sd_event_source_set_time(tracker->timer, usec);
        (void)sd_event_source_set_enabled(tracker->timer, SD_EVENT_ONESHOT);
}

static void on_reading(const struct worker_reply *reply, int payload_fd, void *userdata) {
        struct tracker *tracker = userdata;
        uint64_t round = tracker->rounds_started;
        struct inventory *inventory = NULL;
        int r = reply->error < 0 ? reply->error : decode_payload(payload_fd, &inventory);

        if (r < 0 || !inventory) {
                if (!tracker->inventory) {
                        tracker->options.callbacks.failed(r, tracker->options.userdata);
                        return;
                }
                log_errno(LOG_WARNING, r, "Cannot read the machine's memory blocks; trying again");
                tracker->everything = true;
                forget_pending(tracker);
                /* Not at once, whoever waits for it or comes meanwhile: what failed may well go on failing. */
                tracker->retry_usec = now_usec(tracker) + READ_INTERVAL_USEC;
                wake_at(tracker, tracker->retry_usec);
                return;
        }
        tracker->retry_usec = 0;
        if (tracker->refreshing)
                tracker->refresh_took_usec = now_usec(tracker) - tracker->last_refresh_usec;
        adopt(tracker, inventory);
        serve_waiters(tracker, round);
        read_if_due(tracker);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        read_if_due(userdata);
        return 0;
}

static void send_request(struct tracker *tracker, struct worker_request *request) {
        tracker->rounds_started++;
        if (worker_send(tracker->reader, request, on_reading, tracker) < 0)
                (void)log_oom();
}

static void send_read(struct tracker *tracker) {
        struct worker_request request = {
                .command = WORKER_READ,
                .assume_granularity_bytes = tracker->options.assume_granularity_bytes,
                .reads_page_tables = tracker->options.reads_page_tables,
        };

        tracker->reading_after_gap = tracker->after_gap;
        tracker->refreshing = false;
        tracker->after_gap = false;
        tracker->everything = false;
        tracker->last_read_usec = now_usec(tracker);
        send_request(tracker, &request);
}

static void send_refresh(struct tracker *tracker) {
        struct worker_request request = {
                .command = WORKER_REFRESH,
                .assume_granularity_bytes = tracker->options.assume_granularity_bytes,
                .reads_page_tables = tracker->options.reads_page_tables,
                .n_spans = tracker->blocks.n,
                .n_ranges = tracker->n_ranges,
        };

        if (tracker->blocks.n > 0)
                memcpy(request.spans, tracker->blocks.items, tracker->blocks.n * sizeof(*request.spans));
        memcpy(request.ranges, tracker->ranges, tracker->n_ranges * sizeof(*request.ranges));
        tracker->reading_after_gap = false;
        tracker->refreshing = true;
        tracker->refresh_had_ranges = tracker->n_ranges > 0;
        tracker->last_refresh_usec = now_usec(tracker);
        forget_pending(tracker);
        send_request(tracker, &request);
}

bool tracker_is_current(struct tracker *tracker) {
        uevent_stream_take_all(tracker->uevents);
        return tracker->inventory && !tracker->inventory->estimates_stale && !tracker->everything &&
               tracker->blocks.n == 0 && tracker->n_ranges == 0 && !worker_is_busy(tracker->reader);
}

static uint64_t refresh_due(const struct tracker *tracker) {
        uint64_t interval =
                MIN(MAX(tracker->refresh_took_usec * REFRESH_SHARE, REFRESH_INTERVAL_USEC), REFRESH_INTERVAL_MAX_USEC);

        if (tracker->waiters)
                return 0;
        if (tracker->n_ranges > 0)
                interval = tracker->refresh_had_ranges ? MIN(2 * tracker->refresh_took_usec, interval) : 0;
        if (tracker->n_ranges == 0 && tracker->new_blocks_usec > 0)
                return MAX(tracker->last_refresh_usec + interval, tracker->new_blocks_usec + RANGE_WAIT_USEC);
        return tracker->last_refresh_usec + interval;
}

static void read_if_due(struct tracker *tracker) {
        uint64_t now = now_usec(tracker);
        uint64_t due;

        if (worker_is_busy(tracker->reader))
                return;
        if (now < tracker->retry_usec)
                wake_at(tracker, tracker->retry_usec);
        else if (tracker->everything) {
                due = tracker->last_read_usec == 0 || tracker->waiters ? 0
                                                                       : tracker->last_read_usec + READ_INTERVAL_USEC;
                if (now >= due)
                        send_read(tracker);
                else
                        wake_at(tracker, due);
        } else if (tracker->blocks.n > 0 || tracker->n_ranges > 0 || tracker->waiters) {
                due = refresh_due(tracker);
                if (now >= due)
                        send_refresh(tracker);
                else
                        wake_at(tracker, due);
        }
}

static int on_waiter_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct waiter *waiter = userdata, **link;
        tracker_sync_fn done = waiter->done;
        void *waiter_userdata = waiter->userdata;

        (void)source;
        (void)usec;
        for (link = &waiter->tracker->waiters; *link != waiter;)
                link = &(*link)->next;
        *link = waiter->next;
        waiter_free(waiter);
        done(-ETIMEDOUT, waiter_userdata);
        return 0;
}

int tracker_sync(struct tracker *tracker, const struct span_list *blocks, tracker_sync_fn done, void *userdata) {
        struct waiter *waiter = calloc(1, sizeof(*waiter));
        int r;

        if (!waiter)
                return -ENOMEM;
        /* What was plugged in before it was asked for is to be found, whose event came after the request or not. */
        uevent_stream_take_all(tracker->uevents);
        *waiter = (struct waiter){
                .next = tracker->waiters,
                .tracker = tracker,
                .round = tracker->rounds_started + 1,
                .done = done,
                .userdata = userdata,
        };
        r = sd_event_add_time_relative(tracker->event, &waiter->timer, CLOCK_MONOTONIC, SYNC_TIMEOUT_USEC, 0,
                                       on_waiter_timer, waiter);
        if (r < 0) {
                waiter_free(waiter);
                return r;
        }
        tracker->waiters = waiter;
        for (size_t i = 0; i < blocks->n; i++)
                add_block(tracker, blocks->items[i]);
        read_if_due(tracker);
        return 0;
}

void tracker_sync_cancel(struct tracker *tracker, const void *userdata) {
        for (struct waiter **link = &tracker->waiters; *link;) {
                struct waiter *waiter = *link;

                if (waiter->userdata == userdata) {
                        *link = waiter->next;
                        waiter_free(waiter);
                } else
                        link = &waiter->next;
        }
}

static int start(struct tracker *tracker) {
        struct worker_options reader = {
                .executable = tracker->options.executable,
                .sysroot = tracker->options.sysroot,
                .description = "reader",
                .term_timeout_usec = 2 * USEC_PER_SEC,
                .kill_timeout_usec = 5 * USEC_PER_SEC,
        };
        int r;

        /* First the events, then the reading: what happens in between is read twice, not missed. */
        r = uevent_stream_new(tracker->event, tracker->options.uevent_fd, on_uevent, on_uevent_loss, tracker,
                              &tracker->uevents);
        if (r < 0)
                return log_errno(LOG_ERR, r, "Cannot listen to the kernel's events");
        r = worker_new(tracker->event, &reader, &tracker->reader);
        if (r < 0)
                return r;
        r = sd_event_add_time(tracker->event, &tracker->timer, CLOCK_MONOTONIC, 0, REFRESH_ACCURACY_USEC, on_timer,
                              tracker);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(tracker->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        tracker_resync(tracker);
        return 0;
}

int tracker_new(sd_event *event, const struct tracker_options *options, struct tracker **ret) {
        struct tracker *tracker = calloc(1, sizeof(*tracker));
        int r;

        if (!tracker)
                return -ENOMEM;
        tracker->event = sd_event_ref(event);
        tracker->options = *options;
        r = start(tracker);
        if (r < 0) {
                tracker_free(tracker);
                return r;
        }
        *ret = tracker;
        return 0;
}

struct tracker *tracker_free(struct tracker *tracker) {
        if (!tracker)
                return NULL;
        while (tracker->waiters) {
                struct waiter *waiter = tracker->waiters;

                tracker->waiters = waiter->next;
                waiter_free(waiter);
        }
        uevent_stream_free(tracker->uevents);
        worker_free(tracker->reader);
        sd_event_source_disable_unref(tracker->timer);
        sd_event_unref(tracker->event);
        span_list_clear(&tracker->blocks);
        inventory_free(tracker->inventory);
        free(tracker);
        return NULL;
}
