/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Stands where polkit stands, and answers what it is told to: org.freedesktop.PolicyKit1 on the system bus. Prints
 * "ready"; "asks ACTION VERB BLOCKS" for each question, which it answers with the next line of standard input, "yes",
 * "no" or "challenge" (an administrator's password is wanted); and "cancelled" when the question is withdrawn. With
 * --silent it never answers.
 */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

static sd_bus_message *question; /* the one that waits for its answer */
static bool is_silent;

static void check(int r, const char *what) {
        if (r < 0) {
                errno = -r;
                err(EXIT_FAILURE, "%s", what);
        }
}

static int check_authorization(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *action, *key, *value, *verb = "", *blocks = "";

        (void)userdata, (void)error;
        check(sd_bus_message_skip(message, "(sa{sv})"), "subject");
        check(sd_bus_message_read(message, "s", &action), "action");
        check(sd_bus_message_enter_container(message, 'a', "{ss}"), "details");
        while (sd_bus_message_read(message, "{ss}", &key, &value) > 0) {
                if (strcmp(key, "verb") == 0)
                        verb = value;
                else if (strcmp(key, "blocks") == 0)
                        blocks = value;
        }
        check(sd_bus_message_exit_container(message), "details");
        if (question)
                errx(EXIT_FAILURE, "two questions at once");
        if (!is_silent)
                question = sd_bus_message_ref(message);
        printf("asks %s %s %s\n", action, verb, blocks);
        return 1;
}

static int cancel_check_authorization(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        (void)userdata, (void)error;
        question = sd_bus_message_unref(question);
        puts("cancelled");
        return sd_bus_reply_method_return(message, "");
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        char line[32];

        (void)fd, (void)revents, (void)userdata;
        if (!fgets(line, sizeof(line), stdin))
                return sd_event_exit(sd_event_source_get_event(source), 0);
        line[strcspn(line, "\n")] = '\0';
        if (!question)
                errx(EXIT_FAILURE, "%s: nothing was asked", line);
        check(sd_bus_reply_method_return(question, "(bba{ss})", strcmp(line, "yes") == 0,
                                         strcmp(line, "challenge") == 0, 0),
              line);
        question = sd_bus_message_unref(question);
        return 0;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", check_authorization,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelCheckAuthorization", "s", "", cancel_check_authorization, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int main(int argc, char *argv[]) {
        sd_event *event;
        sd_bus *bus;

        is_silent = argc > 1 && strcmp(argv[1], "--silent") == 0;
        setlinebuf(stdout);
        setbuf(stdin, NULL);
        check(sd_event_default(&event), "event");
        check(sd_bus_open_system(&bus), "bus");
        check(sd_bus_attach_event(bus, event, 0), "bus");
        check(sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
                                       "org.freedesktop.PolicyKit1.Authority", vtable, NULL),
              "vtable");
        check(sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0), "name");
        check(sd_event_add_io(event, NULL, STDIN_FILENO, EPOLLIN, on_input, NULL), "stdin");
        puts("ready");
        return sd_event_loop(event) < 0;
}
