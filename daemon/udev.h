/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What udev rules say of memory ranges: ENV{MEMCTL_POLICY}="NAME" chooses a range's policy. udevd's own events tell it
 * (libudev, "udev" monitor); where no udevd runs no rule can speak.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define UDEV_POLICY_PROPERTY "MEMCTL_POLICY"

struct udev_watch;

/* udevd is done with a range: its properties are what the rules made of it. */
typedef void (*udev_range_fn)(const char *action, uint64_t range_number, void *userdata);

/* Returns 0 or -errno. `on_range` NULL: nobody wants to know when. */
int udev_watch_new(sd_event *event, udev_range_fn on_range, void *userdata, struct udev_watch **ret);
/* Takes NULL, returns NULL. */
struct udev_watch *udev_watch_free(struct udev_watch *watch);

/* MEMCTL_POLICY of rangeN, or NULL. Valid until the loop runs again. */
const char *udev_watch_policy(const struct udev_watch *watch, uint64_t range_number);
/* Whether udevd has processed rangeN. */
bool udev_watch_has_seen(struct udev_watch *watch, uint64_t range_number);
/*
 * Whether there is a udevd to wait for (/run/udev/control, as systemd's own code asks), and a rule of it that may
 * choose a policy.
 */
bool udev_watch_may_speak(struct udev_watch *watch);
