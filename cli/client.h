/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Client: memctl's end of org.memctl1(5). It turns replies into the model's own structs, so that what is printed
 * does not depend on who answered, memctld or sysfs.
 *
 * Functions return 0 or -errno; where the bus answered with an error it is in `error` too (sd-bus(3)).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "inventory.h"
#include "options.h"
#include "plan.h"
#include "policy.h"

#define MEMCTL_BUS_NAME      "org.memctl1"
#define MEMCTL_ROOT_PATH     "/org/memctl1"
#define MEMCTL_MANAGER       "org.memctl1.Manager"
#define MEMCTL_RANGE         "org.memctl1.Range"
#define MEMCTL_JOB           "org.memctl1.Job"
#define MEMCTL_RANGE_PATH    MEMCTL_ROOT_PATH "/range/"
#define MEMCTL_ERROR(suffix) "org.memctl1.Error." suffix

struct client {
        sd_bus *bus;
        pid_t ssh; /* what the bus is reached by; 0 nothing */
        /* What the manager says of itself when it is first asked. */
        uint64_t block_size_bytes;
        uint64_t generation;
        char *version;
};

/* The policy in force for a range, and why that one; empty strings where nobody said. */
struct range_policy {
        char *name;
        char *file;
        char *reason;
};

/* Connects as the options say (system bus, --host, --machine) and asks for the manager, which starts memctld. */
int client_open(const struct options *options, struct client **ret, sd_bus_error *error);
/* Takes NULL, returns NULL. */
struct client *client_close(struct client *client);

/*
 * The daemon's inventory, and the policy of each of its ranges (an array of inventory->n_ranges). The caller frees
 * both. Nodes' free memory is not part of it.
 */
int client_read_inventory(struct client *client, struct inventory **ret, struct range_policy **ret_policies,
                          sd_bus_error *error);
struct range_policy *range_policies_free(struct range_policy *policies, size_t n);

/* Appends the words and the options of a change, the arguments Plan and the changes share. */
int client_append_request(sd_bus_message *message, const struct options *options, enum verb verb, char **words,
                          bool is_plan);
/*
 * Asks memctld to have followed every event of the kernel that has come by now: `answered` is called when it has.
 * Returns 0, -errno.
 */
int client_settle(struct client *client, sd_bus_message_handler_t answered, void *userdata);

/* Asks for a plan. The caller frees it with plan_free(). */
int client_plan(struct client *client, const struct options *options, enum verb verb, char **words, struct plan **ret,
                sd_bus_error *error);

/* A policy as memctld has it; `settings` are pairs of key and value, a file's section in front: "Online.Mode", "auto".
 */
struct policy_view {
        char *name; /* "" the built-in default */
        char *file;
        char **settings; /* key, value, key, value, NULL */
        char **ranges;   /* names of those it is in force for, NULL-terminated */
};

struct policy_view_list {
        struct policy_view *items; /* in the order they are tried */
        size_t n;
        size_t n_allocated;
};

/* The policies in force, and what is wrong with the files that are not. The caller clears both. */
int client_list_policies(struct client *client, struct policy_view_list *ret, struct policy_problems *ret_problems,
                         sd_bus_error *error);
void policy_view_list_clear(struct policy_view_list *list);
int client_reload(struct client *client, sd_bus_error *error);

/* Calls `changed` when memctld leaves the bus or comes back, and when the bus is gone. Returns 0, -errno. */
int client_watch_owner(struct client *client, sd_bus_message_handler_t changed, void *userdata);
/* Calls `lost` once memctld leaves the bus, or the bus is gone. Returns 0, -errno. */
int client_watch_loss(struct client *client, sd_bus_message_handler_t lost, void *userdata);

/* True if there is no memctld to talk to, as opposed to one that answers with an error. */
bool client_is_unreachable(int r, const sd_bus_error *error);
/* Tells the user what went wrong and what to do, and returns the exit status it means. */
int client_report(int r, const sd_bus_error *error);
/* The same with its exit status alone. */
int client_exit_status(int r, const sd_bus_error *error);
