/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager's files share with each other and nobody else. */

#include "configuration.h"
#include "drain.h"
#include "inhibitors.h"
#include "manager.h"
#include "onliner.h"
#include "queue.h"
#include "tracker.h"
#include "udev.h"

struct manager {
        struct manager_observer observer;
        void *userdata;
        struct sysfs root; /* where policies are */
        struct configuration configuration;
        struct policy_set policies;
        struct policy_problems problems;
        struct udev_watch *udev; /* NULL with a sysroot: udev knows only the running system */
        struct tracker *tracker;
        struct queue *queue;
        struct onliner *onliner;
        struct inhibitors *inhibitors;
        struct drain *drain;
        bool is_serving; /* people see what is done */
        bool stopping;
};

/* Where the onliner gets its answers: manager-onliner.c. */
extern const struct onliner_callbacks manager_onliner_callbacks;

/* Who inhibits, and who wants to be told before: manager-inhibit.c. */
int manager_start_inhibitors(struct manager *manager, sd_event *event, const struct manager_options *options);
bool manager_prepare(struct job *job, void *userdata);
