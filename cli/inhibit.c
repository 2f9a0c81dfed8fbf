/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "client.h"
#include "exit-status.h"
#include "output.h"
#include "string-list.h"
#include "util.h"
#include "verbs.h"

/* As shells have it. */
#define STATUS_NOT_FOUND      127
#define STATUS_CANNOT_EXECUTE 126

enum {
        COL_WHAT,
        COL_SELECTORS,
        COL_MODE,
        COL_WHO,
        COL_WHY,
        COL_UID,
        COL_PID,
        N_COLUMNS,
};

const struct column inhibitor_columns[N_COLUMNS + 1] = {
        [COL_WHAT] = { "WHAT" }, [COL_SELECTORS] = { "SELECTORS" }, [COL_MODE] = { "MODE" },     [COL_WHO] = { "WHO" },
        [COL_WHY] = { "WHY" },   [COL_UID] = { "UID", true },       [COL_PID] = { "PID", true },
};

/* Reads one inhibitor into a row. Returns 1, 0 at the end, -errno. */
static int read_row(sd_bus_message *message, struct table *table) {
        const char *what, *mode, *who, *why;
        char **selectors = NULL, *joined;
        uint32_t uid, pid;
        int r;

        r = sd_bus_message_enter_container(message, 'r', "sassssuu");
        if (r <= 0)
                return r;
        r = sd_bus_message_read(message, "s", &what);
        if (r >= 0)
                r = sd_bus_message_read_strv(message, &selectors);
        if (r >= 0)
                r = sd_bus_message_read(message, "sssuu", &mode, &who, &why, &uid, &pid);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        joined = strings_join(selectors);
        strings_free(selectors);
        if (r < 0 || !joined) {
                free(joined);
                return r < 0 ? r : -ENOMEM;
        }

        table_add_row(table);
        table_set_text(table, COL_WHAT, what);
        table_set_text(table, COL_SELECTORS, joined);
        table_set_text(table, COL_MODE, mode);
        table_set_text(table, COL_WHO, who);
        table_set_text(table, COL_WHY, why);
        table_set_number(table, COL_UID, uid);
        table_set_number(table, COL_PID, pid);
        free(joined);
        return 1;
}

static int read_rows(struct client *client, struct table *table, size_t *n_rows, sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        size_t n = 0;
        int r;

        r = sd_bus_call_method(client->bus, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER, "ListInhibitors", error,
                               &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sassssuu)");
        while (r >= 0 && (r = read_row(reply, table)) > 0)
                n++;

        sd_bus_message_unref(reply);
        *n_rows = n;
        return r < 0 ? r : 0;
}

static int print_rows(const struct options *options, struct table *table, size_t n_rows) {
        json_object *document;
        int r;

        if (options->format != FORMAT_JSON) {
                if (n_rows == 0 && options->format == FORMAT_TABLE)
                        fputs("memctl: nobody inhibits anything\n", stderr);
                return table_print(table);
        }

        document = document_new("memctl.inhibitors", 1);
        r = document ? document_add_table(document, "inhibitors", table) : -ENOMEM;
        if (r == 0)
                return document_print(document, false);
        json_object_put(document);
        return r;
}

static int list(const struct options *options) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct client *client = NULL;
        struct table *table = NULL;
        size_t n_rows = 0;
        int r, status = STATUS_DONE;

        r = table_new(options, inhibitor_columns, "WHAT,SELECTORS,MODE,WHO,WHY,PID", &table);
        if (r < 0)
                return r == -EINVAL ? STATUS_USAGE : out_of_memory();

        r = client_open(options, &client, &error);
        if (r >= 0)
                r = read_rows(client, table, &n_rows, &error);
        if (r < 0)
                status = client_report(r, &error);
        else if (print_rows(options, table, n_rows) < 0)
                status = out_of_memory();

        sd_bus_error_free(&error);
        client_close(client);
        table_free(table);
        return status;
}

/* Returns what holds it for as long as it is open, or -errno. */
static int take(struct client *client, const struct options *options, char **selectors, const char *command,
                sd_bus_error *error) {
        char everything[] = "all", *all[] = { everything, NULL };
        sd_bus_message *message = NULL, *reply = NULL;
        int r, fd;

        r = sd_bus_message_new_method_call(client->bus, &message, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER,
                                           "Inhibit");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", options->what ? options->what : "offline:remove");
        if (r >= 0)
                r = sd_bus_message_append_strv(message, *selectors ? selectors : all);
        if (r >= 0)
                r = sd_bus_message_append(message, "sss", options->mode ? options->mode : "block",
                                          options->who ? options->who : command,
                                          options->why ? options->why : "no reason was given");
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(message, isatty(STDIN_FILENO));
        /* The reply waits for the administrator's password. */
        if (r >= 0)
                r = sd_bus_call(client->bus, message, UINT64_MAX, error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "h", &fd);
        if (r >= 0) {
                r = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (r < 0)
                        r = -errno;
        }

        sd_bus_message_unref(message);
        sd_bus_message_unref(reply);
        return r;
}

/* The command has its memory for as long as it runs: whoever kills memctl ends it, too. */
static void execute(char **command, pid_t parent, const struct sigaction *interrupt, const struct sigaction *quit) {
        sigaction(SIGINT, interrupt, NULL);
        sigaction(SIGQUIT, quit, NULL);
        signal(SIGPIPE, SIG_DFL);
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                _exit(STATUS_CANNOT_EXECUTE);

        execvp(*command, command);
        fprintf(stderr, "memctl: cannot run %s: %s\n", *command, strerror(errno));
        _exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE);
}

/* Returns the command's exit status, 128 and the signal that ended it. */
static int run_command(char **command) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN };
        struct sigaction interrupt, quit;
        pid_t parent = getpid(), child;
        int status;

        /* The terminal's signals are for the command, as system(3) has it. */
        sigaction(SIGINT, &ignore, &interrupt);
        sigaction(SIGQUIT, &ignore, &quit);

        fflush(stdout);
        child = fork();
        if (child < 0) {
                fprintf(stderr, "memctl: cannot run %s: %s\n", *command, strerror(errno));
                return STATUS_FAILED;
        }
        if (child == 0)
                execute(command, parent, &interrupt, &quit);
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return STATUS_FAILED;

        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int inhibit(const struct options *options, char **selectors, char **command) {
        _cleanup_free_ char *path = strdup(*command);
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct client *client = NULL;
        pid_t agent = 0;
        int r, status;

        if (!path)
                return out_of_memory();

        r = client_open(options, &client, &error);
        if (r >= 0)
                agent = agent_open(options);
        if (r >= 0)
                r = take(client, options, selectors, basename(path), &error);
        agent_close(agent);
        client_close(client);
        status = r < 0 ? client_report(r, &error) : STATUS_DONE;
        sd_bus_error_free(&error);
        if (r < 0)
                return status;

        status = run_command(command);
        close(r);
        return status;
}

int verb_inhibit(const struct options *options, char **words, size_t n_words) {
        size_t n_selectors = n_words - options->n_command_words;
        bool is_table =
                options->columns || options->all_columns || options->no_headings || options->format != FORMAT_TABLE;
        struct strings selectors = { 0 };
        char *none[] = { NULL };
        int status;

        if (options->list_inhibitors && n_words > 0) {
                fprintf(stderr, "memctl: inhibit --list takes no \"%s\"\n", words[0]);
                return STATUS_USAGE;
        }
        if (options->list_inhibitors)
                return list(options);
        if (options->n_command_words == 0 || is_table) {
                fprintf(stderr, "memctl: %s\n",
                        is_table ? "the options of tables go with \"inhibit --list\""
                                 : "inhibit needs a command behind \"--\": memctl inhibit range0 -- COMMAND");
                return STATUS_USAGE;
        }

        for (size_t i = 0; i < n_selectors; i++)
                if (strings_add(&selectors, words[i]) < 0) {
                        strings_free(selectors.items);
                        return out_of_memory();
                }
        status = inhibit(options, selectors.items ? selectors.items : none, words + n_selectors);
        strings_free(selectors.items);
        return status;
}
