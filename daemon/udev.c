/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "udev.h"

#include <errno.h>
#include <inttypes.h>
#include <libudev.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "udev-rules.h"

#define RANGE_SUBSYSTEM "memory_range"

struct seen_range {
        uint64_t number;
        char *policy; /* NULL: no rule chose one */
};

struct udev_watch {
        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *source;
        struct seen_range *ranges; /* that udevd has processed */
        size_t n_ranges, n_allocated;
        struct udev_rules rules;
        uint64_t asked_usec; /* the turn of the loop in which may_speak was found: a thousand ranges ask at a time */
        bool may_speak;
        udev_range_fn on_range;
        void *userdata;
};

static struct seen_range *find(const struct udev_watch *watch, uint64_t number) {
        for (size_t i = 0; i < watch->n_ranges; i++)
                if (watch->ranges[i].number == number)
                        return &watch->ranges[i];
        return NULL;
}

const char *udev_watch_policy(const struct udev_watch *watch, uint64_t range_number) {
        const struct seen_range *range = watch ? find(watch, range_number) : NULL;

        return range ? range->policy : NULL;
}

static void forget(struct udev_watch *watch, uint64_t number) {
        struct seen_range *range = find(watch, number);

        if (!range)
                return;
        free(range->policy);
        *range = watch->ranges[--watch->n_ranges];
}

static int remember(struct udev_watch *watch, uint64_t number, const char *policy) {
        struct seen_range *grown;
        char *copy = NULL;

        forget(watch, number);
        grown = array_grow(watch->ranges, &watch->n_allocated, watch->n_ranges + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        watch->ranges = grown;
        if (policy && policy[0] != '\0') {
                copy = strdup(policy);
                if (!copy)
                        return -ENOMEM;
        }
        grown[watch->n_ranges++] = (struct seen_range){ number, copy };
        return 0;
}

bool udev_watch_may_speak(struct udev_watch *watch) {
        uint64_t usec = 0;

        if (!watch)
                return false;
        (void)sd_event_now(sd_event_source_get_event(watch->source), CLOCK_MONOTONIC, &usec);
        if (usec != watch->asked_usec)
                watch->may_speak = access("/run/udev/control", F_OK) == 0 && udev_rules_choose(&watch->rules);
        watch->asked_usec = usec;
        return watch->may_speak;
}

static struct udev_device *device_of(const struct udev_watch *watch, uint64_t range_number) {
        _cleanup_free_ char *name = format_string("range%" PRIu64, range_number);

        return name ? udev_device_new_from_subsystem_sysname(watch->udev, RANGE_SUBSYSTEM, name) : NULL;
}

/* The socket holds only so many events: of one that was lost udevd's database still tells. */
static void look_up(struct udev_watch *watch, uint64_t number) {
        struct udev_device *device = device_of(watch, number);

        if (!device)
                return;
        if (udev_device_get_is_initialized(device) > 0 &&
            remember(watch, number, udev_device_get_property_value(device, UDEV_POLICY_PROPERTY)) < 0)
                (void)log_oom();
        udev_device_unref(device);
}

bool udev_watch_has_seen(struct udev_watch *watch, uint64_t range_number) {
        if (!watch)
                return false;
        if (!find(watch, range_number))
                look_up(watch, range_number);
        return find(watch, range_number);
}

static int take_device(struct udev_watch *watch, struct udev_device *device, const char *action) {
        uint64_t number;
        int r;

        if (parse_prefixed_number(udev_device_get_sysname(device), "range", &number) < 0)
                return 0;
        if (strcmp(action, "remove") == 0) {
                forget(watch, number);
                r = 0;
        } else
                r = remember(watch, number, udev_device_get_property_value(device, UDEV_POLICY_PROPERTY));
        if (watch->on_range)
                watch->on_range(action, number, watch->userdata);
        return r;
}

static int on_monitor(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct udev_watch *watch = userdata;
        struct udev_device *device = udev_monitor_receive_device(watch->monitor);
        const char *action;

        (void)source;
        (void)fd;
        (void)revents;
        if (!device)
                return 0;
        action = udev_device_get_action(device);
        if (take_device(watch, device, action ? action : "add") < 0)
                (void)log_oom();
        udev_device_unref(device);
        return 0;
}

/* Ranges that were there before us. */
static int enumerate(struct udev_watch *watch) {
        struct udev_enumerate *enumerate = udev_enumerate_new(watch->udev);
        struct udev_list_entry *entry;
        int r = 0;

        if (!enumerate)
                return -ENOMEM;
        if (udev_enumerate_add_match_subsystem(enumerate, RANGE_SUBSYSTEM) >= 0)
                (void)udev_enumerate_scan_devices(enumerate);
        udev_list_entry_foreach (entry, udev_enumerate_get_list_entry(enumerate)) {
                struct udev_device *device = udev_device_new_from_syspath(watch->udev, udev_list_entry_get_name(entry));

                if (!device)
                        continue;
                /* Without this a device udevd has not finished with would count as one without properties. */
                if (r == 0 && udev_device_get_is_initialized(device) > 0)
                        r = take_device(watch, device, "add");
                udev_device_unref(device);
        }
        udev_enumerate_unref(enumerate);
        return r;
}

static int start(struct udev_watch *watch, sd_event *event) {
        int r;

        watch->udev = udev_new();
        if (!watch->udev)
                return -ENOMEM;
        watch->monitor = udev_monitor_new_from_netlink(watch->udev, "udev");
        if (!watch->monitor)
                return errno > 0 ? -errno : -ENOMEM;
        r = udev_monitor_filter_add_match_subsystem_devtype(watch->monitor, RANGE_SUBSYSTEM, NULL);
        if (r < 0)
                return r;
        r = udev_monitor_enable_receiving(watch->monitor);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &watch->source, udev_monitor_get_fd(watch->monitor), EPOLLIN, on_monitor, watch);
        if (r < 0)
                return r;
        /* Not only when the first range comes. */
        (void)udev_rules_choose(&watch->rules);
        return enumerate(watch);
}

int udev_watch_new(sd_event *event, udev_range_fn on_range, void *userdata, struct udev_watch **ret) {
        struct udev_watch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        watch->on_range = on_range;
        watch->userdata = userdata;
        r = start(watch, event);
        if (r < 0) {
                udev_watch_free(watch);
                return r;
        }
        *ret = watch;
        return 0;
}

struct udev_watch *udev_watch_free(struct udev_watch *watch) {
        if (!watch)
                return NULL;
        sd_event_source_disable_unref(watch->source);
        if (watch->monitor)
                udev_monitor_unref(watch->monitor);
        if (watch->udev)
                udev_unref(watch->udev);
        for (size_t i = 0; i < watch->n_ranges; i++)
                free(watch->ranges[i].policy);
        free(watch->ranges);
        free(watch);
        return NULL;
}
