/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the face share with each other and with nobody else. */

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "bus.h"
#include "change.h"
#include "job.h"
#include "manager.h"

#define BUS_NAME              "org.memctl1"
#define BUS_PATH              "/org/memctl1"
#define BUS_PATH_RANGE        BUS_PATH "/range"
#define BUS_PATH_JOB          BUS_PATH "/job"
#define BUS_INTERFACE_MANAGER "org.memctl1.Manager"
#define BUS_INTERFACE_RANGE   "org.memctl1.Range"
#define BUS_INTERFACE_JOB     "org.memctl1.Job"

/* A reply over dbus-daemon's 32 MiB would cost us the connection. */
#define EXTENTS_PER_REPLY_MAX  10000
#define EXTENTS_PER_SIGNAL_MAX 1000

/* A job that is cancelled when the one who asked for it leaves the bus. */
struct follower {
        struct follower *next;
        struct service *service;
        uint64_t job_id;
        sd_bus_track *caller;
};

struct service {
        sd_event *event;
        sd_bus *bus;
        struct manager *manager;
        struct service_callbacks callbacks;
        void *userdata;
        bool is_ready;
        sd_event_source *rejoin_timer; /* NULL: on the bus */

        /* What the next ExtentsChanged says. */
        struct span_list changed;
        bool gone;
        uint64_t changed_sent_usec;
        sd_event_source *changed_timer;

        /* What the next PropertiesChanged of the running job says. */
        uint64_t job_id;
        enum job_state job_state;
        uint64_t job_sent_usec;
        sd_event_source *job_timer;

        struct follower *followers;

        struct pending *pending; /* requests whose blocks are being looked at (bus-change.c) */
        unsigned n_pending;
};

extern const sd_bus_vtable manager_vtable[], range_vtable[], job_vtable[];

/* Object paths of ranges and jobs; the caller frees them, NULL without memory. */
char *range_path(const struct range *range);
char *job_path(uint64_t id);

int range_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *error);
int range_enumerate(sd_bus *bus, const char *path, void *userdata, char ***ret, sd_bus_error *error);
int job_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *error);
int job_enumerate(sd_bus *bus, const char *path, void *userdata, char ***ret, sd_bus_error *error);

/* Appends one (ttissso). `within`: only this part of it. Returns 0 or -errno. */
int append_extent(sd_bus_message *message, const struct inventory *inventory, const struct extent *extent,
                  struct span within);

/* Methods of the Manager that change something, and Plan. */
int method_plan(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_online(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_offline(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_remove(sd_bus_message *message, void *userdata, sd_bus_error *error);

int method_inhibit(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_inhibitors(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_policies(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* Reads an a{sv} of options. Returns 0, or a bus error that names the option. */
int read_change_options(sd_bus_message *message, struct change *change, sd_bus_error *error);

/* Ends every request that has not been answered. */
void forget_pending(struct service *service);

/* What several methods share, in bus-arguments.c. */

/* Reads an "as". *ret is the caller's to free word by word, also where an error is returned. The first takes none, too.
 */
int read_any_selectors(sd_bus_message *message, char ***ret, sd_bus_error *error);
int read_selectors(sd_bus_message *message, char ***ret, sd_bus_error *error);
/* Who sent it; *ret_pid is 0 where that cannot be told. */
int read_sender(sd_bus_message *message, uid_t *ret_uid, pid_t *ret_pid);
/* "memory40 range1"; the caller frees it, NULL without memory. */
char *join_words(char *const *words);
/* Turns a bad answer of the manager into an error. `text` may be NULL. */
int answer_to_error(int answer, const char *text, sd_bus_error *error);

/* False while the bus is being restarted. */
bool is_on_bus(const struct service *service);

/* Signals, in bus-signals.c. */
void signal_inventory_changed(const struct inventory *previous, const struct span_list *changed, bool gone,
                              void *userdata);
void signal_policies_changed(struct service *service);
void signal_prepare_for(const struct job *job, bool start, void *userdata);
void signal_job_new(struct job *job, void *userdata);
void signal_job_changed(struct job *job, void *userdata);
void signal_job_finished(struct job *job, void *userdata);
void signal_job_removed(struct job *job, void *userdata);

/* Cancels the job when the sender of `call` leaves. */
int follow_caller(struct service *service, sd_bus_message *call, const struct job *job);
void forget_followers(struct service *service, uint64_t job_id);
