/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "agent.h"
#include "client.h"
#include "exit-status.h"
#include "job.h"
#include "output.h"
#include "plan-report.h"
#include "progress.h"
#include "selector.h"
#include "sysfs.h"
#include "util.h"
#include "verbs.h"

/* A change from the call to its end. The loop ends with the exit status. */
struct change {
        const struct options *options;
        enum verb verb;
        char **words;
        size_t n_words;
        struct client *client;
        sd_event *event;
        sd_bus_slot *call;
        uint64_t job_id;
        char *job_path; /* NULL until memctld has accepted */
        bool is_cancelling;
        struct progress progress;
};

static const char *const methods[] = {
        [VERB_ONLINE] = "Online",
        [VERB_OFFLINE] = "Offline",
        [VERB_REMOVE] = "Remove",
};

static int finish(struct change *change, int status) {
        progress_wipe(&change->progress);
        return sd_event_exit(change->event, status);
}

static bool is_by_amount(const struct change *change) {
        struct selector_list selectors;
        char *message = NULL;
        bool by_amount;

        if (selector_list_parse(change->words, change->n_words, change->client->block_size_bytes, &selectors,
                                &message) < 0) {
                free(message);
                return false;
        }

        by_amount = selector_list_amount(&selectors);
        selector_list_clear(&selectors);
        return by_amount;
}

static int report_end(struct change *change) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct job job;
        int r, status;

        r = job_read(change->client, change->job_path, &job, &error);
        if (r < 0)
                status = client_report(r, &error);
        else {
                status = job_report(change->options, &job, change->client->block_size_bytes, is_by_amount(change));
                job_clear(&job);
        }

        sd_bus_error_free(&error);
        return status;
}

static int on_finished(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct change *change = userdata;
        uint64_t id;

        (void)error;
        if (sd_bus_message_read(message, "t", &id) < 0 || !change->job_path || id != change->job_id)
                return 0;

        progress_wipe(&change->progress);
        return finish(change, report_end(change));
}

/* The kernel may never answer: to wait for that is for whoever knows what is wrong with this machine. */
static int give_up(struct change *change) {
        progress_wipe(&change->progress);
        fprintf(stderr,
                "memctl: job %" PRIu64
                " is stuck: a write of its does not end, not even by SIGKILL\n"
                "  What has changed is taken back as soon as the kernel lets go of it; until then nothing can be "
                "plugged or "
                "unplugged on this machine.\n"
                "  wait for it:  memctl wait %" PRIu64
                "\n"
                "  see why:      journalctl -k, and where the worker of memctld waits: cat /proc/PID/stack\n",
                change->job_id, change->job_id);
        return finish(change, STATUS_ROLLBACK_INCOMPLETE);
}

static int on_progress(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct change *change = userdata;
        struct progress *progress = &change->progress;
        _cleanup_free_ char *state = NULL;
        sd_bus *bus = change->client->bus;

        (void)error;
        if (!change->job_path || strcmp(sd_bus_message_get_path(message), change->job_path) != 0)
                return 0;

        /* Small questions, at most five times a second. */
        if (sd_bus_get_property_string(bus, MEMCTL_BUS_NAME, change->job_path, MEMCTL_JOB, "State", NULL, &state) < 0)
                return 0;
        if (strcmp(state, "stuck") == 0)
                return give_up(change);
        if (!progress->is_terminal ||
            sd_bus_get_property_trivial(bus, MEMCTL_BUS_NAME, change->job_path, MEMCTL_JOB, "BytesTotal", NULL, 't',
                                        &progress->total_bytes) < 0 ||
            sd_bus_get_property_trivial(bus, MEMCTL_BUS_NAME, change->job_path, MEMCTL_JOB, "BytesDone", NULL, 't',
                                        &progress->done_bytes) < 0)
                return 0;

        progress->is_rollback = strcmp(state, "rolling-back") == 0;
        progress_draw(progress);
        return 0;
}

static int on_delay(sd_event_source *source, uint64_t usec, void *userdata) {
        struct change *change = userdata;

        (void)source;
        (void)usec;
        progress_draw(&change->progress);
        return 0;
}

/* Another machine's bus sees its side of the connection end; this one's has ended itself, and jobs outlive it. */
static void tell_lost_connection(const struct change *change) {
        fprintf(stderr, "memctl: the connection to memctld is lost");
        if (change->job_path)
                fprintf(stderr, " while job %" PRIu64 " ran: %s\n", change->job_id,
                        change->options->host ? "memctld takes back what it has changed" : "how it ends is not known");
        else
                fprintf(stderr, " before it answered\n");
        fputs("  what is now:  memctl list\n", stderr);
}

static void tell_lost_daemon(const struct change *change) {
        fprintf(stderr, "memctl: memctld went away");
        if (change->job_path)
                fprintf(stderr, " while job %" PRIu64 " ran: how it ended is not known\n", change->job_id);
        else
                fprintf(stderr, " before it answered\n");
        fputs("  what is now:  memctl list\n"
              "  see why:      journalctl -u memctld\n",
              stderr);
}

static int on_lost(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct change *change = userdata;

        (void)error;
        progress_wipe(&change->progress);
        if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0)
                tell_lost_connection(change);
        else
                tell_lost_daemon(change);
        return finish(change, STATUS_UNREACHABLE);
}

/* With --json a refusal is data too: the plan tells it in parts. */
static void report_refusal_json(struct change *change, int status, const sd_bus_error *error) {
        json_object *document = document_new("memctl.result", 1);
        uint64_t block_size_bytes = change->client->block_size_bytes;
        struct plan *plan = NULL;
        json_object *refusals;
        int r;

        r = client_plan(change->client, change->options, change->verb, change->words, &plan, NULL);
        refusals = r < 0 ? json_object_new_array() : plan_refusals_to_json(plan, block_size_bytes);

        r = json_add_text(document, "verb", verb_to_string(change->verb));
        if (r == 0)
                r = json_add_text(document, "job", NULL);
        if (r == 0)
                r = json_add_text(document, "result", "refused");
        if (r == 0)
                r = json_add_number(document, "exit_status", (uint64_t)status);
        if (r == 0)
                r = json_add_number(document, "bytes_total", 0);
        if (r == 0)
                r = json_add_number(document, "bytes_done", 0);
        if (r == 0)
                r = json_add(document, "results", json_object_new_array());
        if (r == 0) {
                r = json_add(document, "refusals", refusals);
                refusals = NULL;
        }
        if (r == 0)
                r = json_add_text(document, "text", error->message);
        if (r == 0)
                document_print(document, false);
        else {
                json_object_put(document);
                json_object_put(refusals);
                out_of_memory();
        }
        plan_free(plan);
}

static int on_cancelled(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        struct change *change = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        (void)ret_error;
        /* It may have ended meanwhile: then JobFinished tells. */
        if (error && !sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT)) {
                progress_wipe(&change->progress);
                fprintf(stderr, "memctl: job %" PRIu64 " cannot be cancelled: %s\n", change->job_id, error->message);
        }
        return 0;
}

static int cancel_job(struct change *change) {
        fputs("memctl: cancelling, what was changed goes back (once more: do not wait for it)\n", stderr);
        return sd_bus_call_method_async(change->client->bus, NULL, MEMCTL_BUS_NAME, change->job_path, MEMCTL_JOB,
                                        "Cancel", on_cancelled, change, NULL);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        struct change *change = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *path;
        int r, status;

        (void)ret_error;
        if (error) {
                status = client_report(-sd_bus_error_get_errno(error), error);
                if (change->is_cancelling && status != STATUS_UNREACHABLE) {
                        fputs("memctl: cancelled before it began, nothing was changed\n", stderr);
                        return finish(change, STATUS_CANCELLED);
                }
                if (change->options->format == FORMAT_JSON &&
                    (status == STATUS_SPLITS_MAPPING || status == STATUS_REFUSED))
                        report_refusal_json(change, status, error);
                return finish(change, status);
        }

        r = sd_bus_message_read(reply, "to", &change->job_id, &path);
        if (r < 0)
                return finish(change, client_report(r, NULL));

        if (change->options->no_wait && !change->is_cancelling) {
                job_report_begun(change->options, change->verb, change->job_id);
                return finish(change, STATUS_DONE);
        }

        change->job_path = strdup(path);
        if (!change->job_path)
                return finish(change, out_of_memory());
        return change->is_cancelling ? cancel_job(change) : 0;
}

/* Of who does not wait for the cancellation. */
static void tell_left(const struct change *change) {
        if (change->job_path)
                fprintf(stderr,
                        "memctl: cancelled, the rollback still runs in job %" PRIu64
                        "\n"
                        "  wait for it:  memctl wait %" PRIu64 "\n",
                        change->job_id, change->job_id);
        else
                fputs("memctl: left before memctld answered: whether it began is not known\n"
                      "  what is now:  memctl list\n",
                      stderr);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct change *change = userdata;

        (void)source;
        (void)info;
        progress_wipe(&change->progress);

        if (change->is_cancelling) {
                tell_left(change);
                return finish(change, STATUS_CANCELLED);
        }

        change->is_cancelling = true;
        if (change->job_path)
                return cancel_job(change);
        /* It may have begun: only the answer tells. */
        fputs("memctl: cancelling as soon as memctld answers (once more: do not wait for it)\n", stderr);
        return 0;
}

static int add_signals(struct change *change) {
        static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(numbers) && r >= 0; i++) {
                struct sigaction action;
                sigset_t set;

                /* Whoever started it in the background or with nohup does not want it to end then. */
                if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN)
                        continue;

                sigemptyset(&set);
                sigaddset(&set, numbers[i]);
                sigprocmask(SIG_BLOCK, &set, NULL);
                r = sd_event_add_signal(change->event, NULL, numbers[i], on_signal, change);
        }

        return r;
}

static int add_matches(struct change *change) {
        sd_bus *bus = change->client->bus;
        int r;

        r = sd_bus_match_signal(bus, NULL, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER, "JobFinished",
                                on_finished, change);
        if (r >= 0)
                r = sd_bus_add_match(bus, NULL,
                                     "type='signal',sender='" MEMCTL_BUS_NAME "',path_namespace='" MEMCTL_ROOT_PATH
                                     "/job',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
                                     on_progress, change);
        if (r >= 0)
                r = client_watch_loss(change->client, on_lost, change);
        return r;
}

static int call(struct change *change) {
        sd_bus *bus = change->client->bus;
        sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &message, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER,
                                           methods[change->verb]);
        if (r >= 0)
                r = client_append_request(message, change->options, change->verb, change->words, false);
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(message, isatty(STDIN_FILENO));
        /* The reply waits for the administrator's password: no time is too long. */
        if (r >= 0)
                r = sd_bus_call_async(bus, &change->call, message, on_reply, change, UINT64_MAX);

        sd_bus_message_unref(message);
        return r;
}

static int run_loop(struct change *change) {
        int r;

        r = sd_event_new(&change->event);
        if (r >= 0)
                r = add_signals(change);
        if (r >= 0)
                r = add_matches(change);
        if (r >= 0)
                r = sd_event_add_time_relative(change->event, NULL, CLOCK_MONOTONIC, PROGRESS_DELAY_USEC, 0, on_delay,
                                               change);
        if (r >= 0)
                r = sd_bus_attach_event(change->client->bus, change->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = call(change);
        if (r >= 0)
                r = sd_event_loop(change->event);

        return r;
}

/*
 * What nobody could do is bad usage, also where memctld cannot be asked. Only this machine's own blocks have a size
 * that is known then; that of another's is taken for the smallest there can be.
 */
static int check_words(const struct options *options, enum verb verb, char **words, size_t n_words) {
        struct selector_list selectors;
        uint64_t block_size_bytes = 4096;
        char *message = NULL;
        struct sysfs sysfs;
        bool by_amount;
        int r;

        if (!options->host && !options->machine && sysfs_open(NULL, NULL, &sysfs) == 0) {
                (void)sysfs_read_u64_at(&sysfs, sysfs.root_fd, SYSFS_MEMORY "/block_size_bytes", 16, &block_size_bytes);
                sysfs_close(&sysfs);
        }

        r = selector_list_parse(words, n_words, block_size_bytes, &selectors, &message);
        if (r < 0) {
                if (r == -EINVAL)
                        fprintf(stderr, "memctl: %s\n", message);
                free(message);
                return r == -EINVAL ? STATUS_USAGE : out_of_memory();
        }

        by_amount = selector_list_amount(&selectors);
        selector_list_clear(&selectors);
        if (by_amount && (options->partial || verb == VERB_REMOVE)) {
                fprintf(stderr, "memctl: %s\n",
                        verb == VERB_REMOVE ? "remove takes no amount: name a device, a range or blocks"
                                            : "--partial does not go with an amount: name the blocks");
                return STATUS_USAGE;
        }

        return STATUS_DONE;
}

static int run_change(const struct options *options, enum verb verb, char **words, size_t n_words) {
        struct change change = { .options = options, .verb = verb, .words = words, .n_words = n_words };
        sd_bus_error error = SD_BUS_ERROR_NULL;
        pid_t agent = 0;
        int r, status;

        if (options->dry_run)
                return dry_run(options, verb, words, n_words);

        r = client_open(options, &change.client, &error);
        if (r >= 0) {
                agent = agent_open(options);
                progress_start(&change.progress, verb_to_string(verb), change.client->block_size_bytes);
                r = run_loop(&change);
        }
        status = STATUS_DONE;
        if (r < 0 && client_is_unreachable(r, &error))
                status = check_words(options, verb, words, n_words);
        if (status == STATUS_DONE)
                status = r < 0 ? client_report(r, &error) : r;

        agent_close(agent);
        sd_bus_error_free(&error);
        sd_bus_slot_unref(change.call);
        free(change.job_path);
        client_close(change.client);
        sd_event_unref(change.event);
        return status;
}

int verb_online(const struct options *options, char **words, size_t n_words) {
        return run_change(options, VERB_ONLINE, words, n_words);
}

int verb_offline(const struct options *options, char **words, size_t n_words) {
        return run_change(options, VERB_OFFLINE, words, n_words);
}

int verb_remove(const struct options *options, char **words, size_t n_words) {
        return run_change(options, VERB_REMOVE, words, n_words);
}
