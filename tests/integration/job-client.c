/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Asks memctld for a change and tells what became of it, as a program on the bus sees it:
 *
 *   job-client VERB SELECTOR… [KEY=VALUE…]
 *
 * prints "error NAME" and the message, or "job ID", "state STATE" for each state it comes to, "result RESULT" and a
 * line "START SIZE OUTCOME ERRNO" for each run of blocks. Ends with "lost" if memctld leaves the bus.
 *
 *   job-client --wait-job ID
 *
 * waits for the end of a job that is there or will be, and prints the same.
 *
 *   job-client --inhibit [N×] WHAT MODE SELECTOR…
 *
 * asks for it once, or N times, prints "error NAME" and the message, or "inhibits", and does so until it is ended.
 *
 *   job-client --watch
 *
 * prints "watching", and then for each PrepareFor "begins" or "ended", the job's id, and start and size of each run.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME    "org.memctl1"
#define PATH    "/org/memctl1"
#define MANAGER "org.memctl1.Manager"
#define JOB     "org.memctl1.Job"

static sd_bus *bus;
static uint64_t job_id;
static char state[32];

static void check(int r, const char *what) {
        if (r < 0) {
                errno = -r;
                err(EXIT_FAILURE, "%s", what);
        }
}

static void print_results(const char *path) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply;
        uint64_t start, size;
        const char *outcome, *meaning;
        int number;

        check(sd_bus_call_method(bus, NAME, path, JOB, "GetResults", &error, &reply, ""), "GetResults");
        check(sd_bus_message_enter_container(reply, 'a', "(ttsis)"), "GetResults");
        while (sd_bus_message_read(reply, "(ttsis)", &start, &size, &outcome, &number, &meaning) > 0)
                printf("0x%" PRIx64 " %" PRIu64 " %s %d\n", start, size, outcome, number);
        sd_bus_message_unref(reply);
}

static void finish(const char *result) {
        char path[64];

        printf("result %s\n", result);
        snprintf(path, sizeof(path), PATH "/job/%" PRIu64, job_id);
        print_results(path);
        fflush(stdout);
        exit(EXIT_SUCCESS);
}

static int on_finished(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *path, *result;
        uint64_t id;

        (void)userdata, (void)error;
        check(sd_bus_message_read(message, "tos", &id, &path, &result), "JobFinished");
        if (id == job_id)
                finish(result);
        return 0;
}

static void print_state(void) {
        char path[64], *now = NULL;

        snprintf(path, sizeof(path), PATH "/job/%" PRIu64, job_id);
        if (sd_bus_get_property_string(bus, NAME, path, JOB, "State", NULL, &now) >= 0 && strcmp(now, state) != 0) {
                snprintf(state, sizeof(state), "%s", now);
                printf("state %s\n", now);
                fflush(stdout);
        }
        free(now);
}

static int on_properties(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        (void)message, (void)userdata, (void)error;
        if (job_id != 0)
                print_state();
        return 0;
}

static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name, *old, *new;

        (void)userdata, (void)error;
        check(sd_bus_message_read(message, "sss", &name, &old, &new), "NameOwnerChanged");
        if (new[0] == '\0') {
                puts("lost");
                exit(EXIT_SUCCESS);
        }
        return 0;
}

static void append_option(sd_bus_message *call, char *word) {
        char *value = strchr(word, '=');

        *value++ = '\0';
        if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
                check(sd_bus_message_append(call, "{sv}", word, "b", value[0] == 't'), word);
        else if (value[strspn(value, "0123456789")] == '\0')
                check(sd_bus_message_append(call, "{sv}", word, "t", strtoull(value, NULL, 10)), word);
        else
                check(sd_bus_message_append(call, "{sv}", word, "s", value), word);
}

static sd_bus_message *make_call(const char *verb, char **words) {
        const char *member = strcmp(verb, "online") == 0    ? "Online"
                             : strcmp(verb, "offline") == 0 ? "Offline"
                                                            : "Remove";
        sd_bus_message *call;

        check(sd_bus_message_new_method_call(bus, &call, NAME, PATH, MANAGER, member), member);
        check(sd_bus_message_open_container(call, 'a', "s"), "selectors");
        for (char **word = words; *word; word++)
                if (!strchr(*word, '='))
                        check(sd_bus_message_append(call, "s", *word), "selectors");
        check(sd_bus_message_close_container(call), "selectors");
        check(sd_bus_message_open_container(call, 'a', "{sv}"), "options");
        for (char **word = words; *word; word++)
                if (strchr(*word, '='))
                        append_option(call, *word);
        check(sd_bus_message_close_container(call), "options");
        return call;
}

static void ask(const char *verb, char **words) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = make_call(verb, words), *reply;
        const char *path;

        if (sd_bus_call(bus, call, 0, &error, &reply) < 0) {
                printf("error %s\n%s\n", error.name, error.message);
                exit(EXIT_SUCCESS);
        }
        check(sd_bus_message_read(reply, "to", &job_id, &path), verb);
        printf("job %" PRIu64 "\n", job_id);
        fflush(stdout);
}

static int on_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        uint64_t id, start, size;
        char runs[1024] = "";
        int begins;

        (void)userdata, (void)error;
        check(sd_bus_message_read(message, "t", &id), "PrepareFor");
        check(sd_bus_message_enter_container(message, 'a', "(tt)"), "PrepareFor");
        while (sd_bus_message_read(message, "(tt)", &start, &size) > 0) {
                size_t length = strlen(runs);

                snprintf(runs + length, sizeof(runs) - length, " 0x%" PRIx64 " %" PRIu64, start, size);
        }
        check(sd_bus_message_exit_container(message), "PrepareFor");
        check(sd_bus_message_read(message, "b", &begins), "PrepareFor");
        printf("%s %" PRIu64 "%s\n", begins ? "begins" : "ended", id, runs);
        fflush(stdout);
        return 0;
}

static void loop(void) __attribute__((noreturn));
static void loop(void) {
        for (;;) {
                int r = sd_bus_process(bus, NULL);

                check(r, "bus");
                if (r == 0)
                        check(sd_bus_wait(bus, UINT64_MAX), "bus");
        }
}

static void watch(void) {
        check(sd_bus_match_signal(bus, NULL, NAME, PATH, MANAGER, "PrepareFor", on_prepare, NULL), "match");
        puts("watching");
        fflush(stdout);
        loop();
}

static void ask_inhibitor(const char *what, const char *mode, char **selectors) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call, *reply;
        int fd;

        check(sd_bus_message_new_method_call(bus, &call, NAME, PATH, MANAGER, "Inhibit"), "Inhibit");
        check(sd_bus_message_append(call, "s", what), "what");
        check(sd_bus_message_append_strv(call, selectors), "selectors");
        check(sd_bus_message_append(call, "sss", mode, "test", "a reason"), "mode");
        if (sd_bus_call(bus, call, 0, &error, &reply) < 0) {
                printf("error %s\n%s\n", error.name, error.message);
                exit(EXIT_SUCCESS);
        }
        check(sd_bus_message_read(reply, "h", &fd), "fd");
        /* It holds without the bus, too. */
        sd_bus_message_unref(call);
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        check(fd < 0 ? -errno : 0, "fd");
        sd_bus_message_unref(reply);
}

static void inhibit(char **words) {
        unsigned long n = 1;
        char *end;

        n = strtoul(words[0], &end, 10);
        if (strcmp(end, "×") == 0)
                words++;
        else
                n = 1;
        while (n-- > 0)
                ask_inhibitor(words[0], words[1], words + 2);
        sd_bus_flush_close_unref(bus);
        puts("inhibits");
        fflush(stdout);
        for (;;)
                pause();
}

/* It may have ended before anybody listened. */
static void look(void) {
        char path[64], *result = NULL;

        snprintf(path, sizeof(path), PATH "/job/%" PRIu64, job_id);
        print_state();
        if (strcmp(state, "finished") == 0 &&
            sd_bus_get_property_string(bus, NAME, path, JOB, "Result", NULL, &result) >= 0)
                finish(result);
}

int main(int argc, char *argv[]) {
        if (argc < 2 || (argc < 3 && strcmp(argv[1], "--watch") != 0))
                errx(2,
                     "usage: job-client VERB SELECTOR… [KEY=VALUE…] | --wait-job ID | --inhibit WHAT MODE SELECTOR… | "
                     "--watch");
        check(sd_bus_open_system(&bus), "bus");
        if (strcmp(argv[1], "--watch") == 0)
                watch();
        if (strcmp(argv[1], "--inhibit") == 0 && argc > 4) {
                inhibit(argv + 2);
                return 0;
        }
        check(sd_bus_match_signal(bus, NULL, NAME, PATH, MANAGER, "JobFinished", on_finished, NULL), "match");
        check(sd_bus_match_signal(bus, NULL, NAME, NULL, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                  on_properties, NULL),
              "match");
        check(sd_bus_add_match(bus, NULL,
                               "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" NAME "'",
                               on_owner, NULL),
              "match");
        if (strcmp(argv[1], "--wait-job") == 0)
                job_id = strtoull(argv[2], NULL, 10);
        else
                ask(argv[1], argv + 2);
        look();
        loop();
}
