/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the onliner asks, and how it brings a range online: by a job like any other. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "manager-parts.h"
#include "messages.h"

static const struct policy *policy_of(const struct range *range, void *userdata) {
        enum policy_choice choice;

        return manager_policy(userdata, range, &choice);
}

static bool drivers_matter(void *userdata) {
        const struct manager *manager = userdata;

        for (size_t i = 0; i < manager->policies.n; i++)
                if (manager->policies.items[i].match_driver == DRIVER_ACPI ||
                    manager->policies.items[i].match_driver == DRIVER_OTHER)
                        return true;
        return false;
}

static bool udev_has_seen(uint64_t range_number, void *userdata) {
        const struct manager *manager = userdata;

        return udev_watch_has_seen(manager->udev, range_number);
}

static bool udev_may_speak(void *userdata) {
        const struct manager *manager = userdata;

        return udev_watch_may_speak(manager->udev);
}

/* The device's own uevent file says so for ever, with and without udevd. */
static bool is_remainder(uint64_t range_number, void *userdata) {
        const struct manager *manager = userdata;
        _cleanup_free_ char *path = format_string(SYSFS_MEMORY_RANGE "/range%" PRIu64 "/uevent", range_number);
        _cleanup_free_ char *text = NULL;

        return path && sysfs_read_all(&manager->root, path, &text) >= 0 && strstr(text, "MEMORY_RANGE_REMAINDER_OF=");
}

static void log_refused(const char *range, const struct plan *plan) {
        _cleanup_free_ char *text = plan_refusal_text(plan);

        log_about(LOG_WARNING, MESSAGE_POLICY_REFUSED, 0, range, refusal_reason_to_string(plan->refusals[0].reason),
                  "%s cannot be brought online by policy: %s", range, text ? text : "refused");
}

static int submit_online(struct manager *manager, const char *range, struct change *change) {
        _cleanup_free_ char *message = NULL;
        struct plan *plan = NULL;
        struct job *job;
        int r;

        r = manager_submit(manager, change, &job, &plan, &message);
        if (r == CHANGE_REFUSED)
                log_refused(range, plan);
        else if (r != CHANGE_PLANNED)
                log_warning("%s cannot be brought online by policy: %s", range,
                            message ? message : strerror(r < 0 ? -r : EINVAL));
        plan_free(plan);
        return r < 0 ? r : 0;
}

static int bring_online(const char *range, void *userdata) {
        struct change change = {
                .verb = VERB_ONLINE, .best_effort = true, .timeout_usec = USEC_INFINITY, .by_policy = true
        };
        int r;

        change.selectors = calloc(2, sizeof(char *));
        if (change.selectors)
                change.selectors[0] = strdup(range);
        r = change.selectors && change.selectors[0] ? submit_online(userdata, range, &change) : log_oom();
        change_clear(&change);
        return r;
}

static void on_resynced(int error, void *userdata) {
        struct manager *manager = userdata;

        (void)error;
        onliner_look(manager->onliner, manager_inventory(manager));
}

static void resync(void *userdata) {
        static const struct span_list nothing = { 0 };
        struct manager *manager = userdata;

        tracker_resync(manager->tracker);
        if (tracker_sync(manager->tracker, &nothing, on_resynced, manager) < 0)
                (void)log_oom();
}

const struct onliner_callbacks manager_onliner_callbacks = {
        .policy_of = policy_of,
        .drivers_matter = drivers_matter,
        .udev_has_seen = udev_has_seen,
        .udev_may_speak = udev_may_speak,
        .is_remainder = is_remainder,
        .bring_online = bring_online,
        .resync = resync,
};
