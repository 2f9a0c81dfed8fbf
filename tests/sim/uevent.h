/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Kernel events of the simulated machine. In a network namespace of its own, root may send a message into
 * NETLINK_KOBJECT_UEVENT; the kernel appends SEQNUM and delivers it to that namespace as its own
 * (uevent_net_rcv() in lib/kobject_uevent.c). Listeners cannot tell the difference.
 */

#include <stdint.h>

struct uevents;

/*
 * Returns 0 and an object to be freed, or -errno. It opens a second, empty network namespace for the events that are
 * to be lost: those use up a SEQNUM, as a lost event does, and nobody hears them.
 */
int uevents_open(struct uevents **ret);
/* Takes NULL, returns NULL. */
struct uevents *uevents_free(struct uevents *uevents);

/* The nth event from now (1: the next) will be lost. */
void uevents_lose(struct uevents *uevents, uint64_t nth);
/* None will, whatever was asked for. */
void uevents_lose_none(struct uevents *uevents);

/*
 * Sends one event. `device` is the path below /sys, "/devices/…"; `properties` are further "KEY=value" lines, each
 * ended by a newline, or NULL. Nothing happens if `uevents` is NULL.
 */
void uevents_send(struct uevents *uevents, const char *action, const char *device, const char *subsystem,
                  const char *properties);
