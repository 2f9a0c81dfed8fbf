/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "map.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "exit-status.h"
#include "output.h"
#include "streams.h"
#include "util.h"
#include "verbs.h"

#define DEFAULT_COLUMNS 80
#define DEFAULT_LINES   24

struct mapping {
        const struct options *options;
        char **words;
        size_t n_words;
        struct snapshot *snapshot;
        sd_event *event;
        sd_event_source *redraw; /* comes when nothing else is to be done: many events, one picture */
        bool is_screen;          /* a terminal that is drawn over; else pictures follow each other */
        char *picture;           /* the last one */
};

/* A number of the environment, as terminals without a size of their own have it. */
static unsigned environment_number(const char *name, unsigned fallback) {
        const char *text = getenv(name);
        uint64_t number;

        if (!text || parse_u64(text, strlen(text), 10, &number) < 0 || number == 0 || number > 10000)
                return fallback;

        return (unsigned)number;
}

static struct map_style find_style(bool whole_screen) {
        struct map_style style = {
                .n_columns = environment_number("COLUMNS", DEFAULT_COLUMNS),
                .n_lines = environment_number("LINES", DEFAULT_LINES),
                .color = use_color(stdout),
                .utf8 = use_utf8(),
        };
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
                style.n_columns = size.ws_col;
                style.n_lines = size.ws_row;
        }
        /* The shell's prompt comes below, or what ends the watching. */
        style.n_lines -= style.n_lines > 2 ? 1 + whole_screen : 0;
        return style;
}

/* The picture as text, which the caller frees. Returns STATUS_DONE, or what to exit with after an error was told. */
static int make_picture(const struct mapping *mapping, const struct job_list *jobs, char **ret) {
        struct map_style style = find_style(mapping->is_screen);
        struct selection selection;
        char *text = NULL;
        FILE *stream;
        size_t size;
        int r, status;

        status = snapshot_select(mapping->snapshot, mapping->words, mapping->n_words, &selection);
        if (status != STATUS_DONE)
                return status;

        stream = open_memstream(&text, &size);
        if (!stream) {
                selection_clear(&selection);
                return out_of_memory();
        }
        r = map_draw(stream, mapping->snapshot, &selection, jobs, &style);
        if (fclose(stream) != 0)
                r = -ENOMEM;
        selection_clear(&selection);
        if (r < 0) {
                free(text);
                return out_of_memory();
        }

        *ret = text;
        return STATUS_DONE;
}

static int draw_once(struct mapping *mapping) {
        const struct job_list no_jobs = { 0 };
        _cleanup_free_ char *text = NULL;
        int status;

        status = snapshot_read(mapping->options, INVENTORY_ZONES, &mapping->snapshot);
        if (status == STATUS_DONE)
                status = make_picture(mapping, &no_jobs, &text);
        if (status != STATUS_DONE)
                return status;

        assert(text);
        fputs(text, stdout);
        return STATUS_DONE;
}

/* Over what was there before, line by line, as what is erased first flickers. */
static void draw_over(const char *text) {
        unsigned n_lines = find_style(true).n_lines;

        fputs("\033[H", stdout);
        for (; *text && n_lines > 0; n_lines--) {
                size_t n = strcspn(text, "\n");

                printf("%.*s\033[K\n", (int)n, text);
                text += n + (text[n] == '\n');
        }
        fputs("\033[JCtrl-C ends", stdout);
}

static void begin_screen(const struct mapping *mapping) {
        /* Without line wrap: a job that was asked for with many words must not push the first lines off the screen. */
        if (mapping->is_screen)
                fputs("\033[?1049h\033[?25l\033[?7l", stdout);
}

/* Leaves the last picture behind: where watching ended is often what was waited for. */
static void end_screen(const struct mapping *mapping) {
        if (!mapping->is_screen)
                return;
        fputs("\033[?7h\033[?25h\033[?1049l", stdout);
        fputs(mapping->picture ? mapping->picture : "", stdout);
}

static int draw_now(struct mapping *mapping) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct job_list jobs = { 0 };
        _cleanup_free_ char *text = NULL;
        int r, status;

        r = snapshot_refresh(mapping->snapshot, &error);
        if (r >= 0)
                r = job_list_read(mapping->snapshot->client, &jobs, &error);
        status = r < 0 ? client_report(r, &error) : make_picture(mapping, &jobs, &text);
        sd_bus_error_free(&error);
        job_list_clear(&jobs);
        if (status != STATUS_DONE)
                return sd_event_exit(mapping->event, status);
        assert(text);
        if (mapping->picture && strcmp(mapping->picture, text) == 0 && !mapping->is_screen)
                return 0;

        if (mapping->is_screen)
                draw_over(text);
        else
                printf("%s%s", mapping->picture ? "\n" : "", text);
        free(mapping->picture);
        mapping->picture = TAKE_PTR(text);

        return streams_flush(mapping->event);
}

static int on_redraw(sd_event_source *source, void *userdata) {
        (void)source;
        return draw_now(userdata);
}

static int on_event(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct mapping *mapping = userdata;

        (void)message;
        (void)error;
        return sd_event_source_set_enabled(mapping->redraw, SD_EVENT_ONESHOT);
}

static int on_lost(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct mapping *mapping = userdata;

        (void)message;
        (void)error;
        return sd_event_exit(mapping->event, STATUS_UNREACHABLE);
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct mapping *mapping = userdata;

        (void)source;
        (void)info;
        return sd_event_source_set_enabled(mapping->redraw, SD_EVENT_ONESHOT);
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct mapping *mapping = userdata;

        (void)source;
        (void)info;
        return sd_event_exit(mapping->event, STATUS_DONE);
}

static int add_signals(struct mapping *mapping) {
        static const struct {
                int number;
                sd_event_signal_handler_t handler;
        } signals[] = { { SIGINT, on_end }, { SIGTERM, on_end }, { SIGHUP, on_end }, { SIGWINCH, on_resize } };
        sigset_t set;
        int r = 0;

        sigemptyset(&set);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                sigaddset(&set, signals[i].number);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(signals) && r >= 0; i++)
                r = sd_event_add_signal(mapping->event, NULL, signals[i].number, signals[i].handler, mapping);

        return r;
}

static int add_matches(struct mapping *mapping) {
        static const char *const members[] = { "ExtentsChanged", "JobNew", "JobFinished" };
        sd_bus *bus = mapping->snapshot->client->bus;
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(members) && r >= 0; i++)
                r = sd_bus_match_signal(bus, NULL, MEMCTL_BUS_NAME, MEMCTL_ROOT_PATH, MEMCTL_MANAGER, members[i],
                                        on_event, mapping);
        if (r >= 0)
                r = sd_bus_add_match(bus, NULL,
                                     "type='signal',sender='" MEMCTL_BUS_NAME "',path_namespace='" MEMCTL_ROOT_PATH
                                     "/job',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
                                     on_event, mapping);
        if (r >= 0)
                r = client_watch_loss(mapping->snapshot->client, on_lost, mapping);
        if (r >= 0)
                r = sd_bus_attach_event(bus, mapping->event, SD_EVENT_PRIORITY_NORMAL);

        return r;
}

static int run_watch(struct mapping *mapping) {
        int r;

        r = sd_event_new(&mapping->event);
        if (r >= 0)
                r = add_signals(mapping);
        if (r >= 0)
                r = streams_watch_reader(mapping->event);
        if (r >= 0)
                r = sd_event_add_defer(mapping->event, &mapping->redraw, on_redraw, mapping);
        if (r >= 0)
                r = sd_event_source_set_priority(mapping->redraw, SD_EVENT_PRIORITY_IDLE);
        /* Before the first picture: what happens from here on is in a later one. */
        if (r >= 0)
                r = add_matches(mapping);
        if (r < 0)
                return r;

        begin_screen(mapping);
        r = sd_event_loop(mapping->event);
        end_screen(mapping);
        if (r == STATUS_UNREACHABLE)
                fputs("memctl: memctld went away, this is how it was last\n"
                      "  see why:  journalctl -u memctld\n",
                      stderr);
        return r;
}

static int watch(struct mapping *mapping) {
        int r, status;

        mapping->is_screen = use_terminal(stdout);
        status = snapshot_read_memctld(mapping->options, &mapping->snapshot);
        if (status != STATUS_DONE)
                return status;

        r = run_watch(mapping);
        sd_event_source_unref(mapping->redraw);
        sd_bus_detach_event(mapping->snapshot->client->bus);
        sd_event_unref(mapping->event);
        free(mapping->picture);
        return r < 0 ? client_report(r, NULL) : r;
}

int verb_map(const struct options *options, char **words, size_t n_words) {
        struct mapping mapping = { .options = options, .words = words, .n_words = n_words };
        int status = options->watch ? watch(&mapping) : draw_once(&mapping);

        snapshot_free(mapping.snapshot);
        return status;
}
