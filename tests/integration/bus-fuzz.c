/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Calls memctld in ways nobody would, from several connections at once:
 *
 *   bus-fuzz calls SECONDS [SEED]     random calls, right and wrong, in any order, by clients that come and go
 *   bus-fuzz clients N                N clients at once, each with a call that must be answered well
 *   bus-fuzz selectors N              one request with N selectors; prints the error it is refused with
 *   bus-fuzz bad-utf8                 a string that is none; prints what became of the connection
 *
 * Every call is answered, by a reply or by an error with a name and a text; anything else ends this with status 1.
 */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define NAME      "org.memctl1"
#define PATH      "/org/memctl1"
#define MANAGER   "org.memctl1.Manager"
#define N_CLIENTS 8
#define SIZE(a)   (sizeof(a) / sizeof((a)[0]))
/* A job may hang for as long as a write does, but no answer does. */
#define ANSWER_TIMEOUT_USEC (30 * UINT64_C(1000000))

static uint64_t random_state, n_calls, n_replies, n_errors, n_pending;

static void check(int r, const char *what) {
        if (r < 0) {
                errno = -r;
                err(EXIT_FAILURE, "%s", what);
        }
}

/* xorshift64*, so that a seed tells it all */
static uint64_t draw(uint64_t below) {
        random_state ^= random_state >> 12;
        random_state ^= random_state << 25;
        random_state ^= random_state >> 27;
        return (random_state * UINT64_C(2685821657736338717) >> 11) % below;
}

static const char *draw_word(void) {
        static const char *const words[] = {
                "memory40",
                "40-47",
                "48-55",
                "range0",
                "range1",
                "est0",
                "node0",
                "node1",
                "all",
                "4G",
                "=1G",
                "1G",
                "device:dax0.0",
                "device:PNP0C80:00",
                "0x140000000+1G",
                "0x140000000-0x17fffffff",
                "0x140000001+1G",
                "99999999999999999999",
                "18446744073709551615",
                "-1",
                "",
                " ",
                "memory",
                "memory-1",
                "40-",
                "47-40",
                "all,4G,=4G",
                "\xf0\x9f\x98\x80",
                "%n%s%n",
                "../../etc/passwd",
                "online",
                "offline",
                "remove",
                "block",
                "delay",
                "offline:online",
                "offline:offline:",
                "movable",
                "kernel",
                "default",
                "state",
                "selectors",
                "partial",
                "best-effort",
                "zone",
                "timeout-usec",
                "request-id",
                "expect-generation",
                "cancel-on-disconnect",
                "ignore-headroom",
                "empty-node",
                "ignore-inhibitors",
                "org.memctl1.Manager",
                "org.memctl1.Range",
                "org.memctl1.Job",
                "OnlineBytes",
                "State",
                "Generation",
                "memory40\nmemory41",
        };
        static char longest[70000];

        if (draw(50) == 0) {
                size_t length = (size_t)draw(sizeof(longest));

                memset(longest, 'x', length);
                longest[length] = '\0';
                return longest;
        }
        return words[draw(SIZE(words))];
}

static uint64_t draw_number(void) {
        static const uint64_t numbers[] = {
                0,
                1,
                2,
                63,
                64,
                10000,
                10001,
                UINT32_MAX,
                UINT64_C(1) << 32,
                UINT64_C(1) << 63,
                INT64_MAX,
                UINT64_MAX,
                UINT64_MAX - 1,
                0x140000000,
                1 << 27,
                1000,
                200000,
        };

        return draw(4) == 0 ? draw(UINT64_MAX) : numbers[draw(SIZE(numbers))];
}

static void append_value(sd_bus_message *message, const char *signature);

/* One complete type; returns what is behind it. */
static const char *skip_type(const char *signature) {
        unsigned depth = 0;

        for (;; signature++) {
                if (*signature == '(' || *signature == '{')
                        depth++;
                else if (*signature == ')' || *signature == '}')
                        depth--;
                if (depth == 0 && *signature != 'a')
                        return signature + 1;
        }
}

static void append_one(sd_bus_message *message, const char *signature) {
        static const char *const variants[] = { "b", "t", "s", "u", "as", "a{sv}", "(tt)", "v", "d", "o" };
        static unsigned depth;
        char inner[128];
        size_t length = (size_t)(skip_type(signature) - signature);
        uint64_t number = draw_number();
        const char *word;
        double real;

        (void)snprintf(inner, sizeof(inner), "%.*s", (int)length, signature);
        switch (inner[0]) {
        case 's':
                check(sd_bus_message_append_basic(message, 's', draw_word()), "s");
                break;
        case 'o':
                check(sd_bus_message_append_basic(message, 'o', draw(2) ? PATH : PATH "/job/1"), "o");
                break;
        case 'g':
                check(sd_bus_message_append_basic(message, 'g', "a(ttis)"), "g");
                break;
        case 'b':
                check(sd_bus_message_append_basic(message, 'b', &(int){ (int)draw(2) }), "b");
                break;
        case 'h':
                check(sd_bus_message_append_basic(message, 'h', &(int){ STDERR_FILENO }), "h");
                break;
        case 'd':
                real = (double)number;
                check(sd_bus_message_append_basic(message, 'd', &real), "d");
                break;
        case 'a':
                check(sd_bus_message_open_container(message, 'a', inner + 1), "a");
                for (uint64_t n = draw(5); n > 0; n--)
                        append_one(message, inner + 1);
                check(sd_bus_message_close_container(message), "a");
                break;
        case '(':
        case '{':
                inner[length - 1] = '\0';
                check(sd_bus_message_open_container(message, inner[0] == '(' ? 'r' : 'e', inner + 1), "struct");
                append_value(message, inner + 1);
                check(sd_bus_message_close_container(message), "struct");
                break;
        case 'v':
                word = variants[draw(depth > 3 ? 4 : SIZE(variants))];
                depth++;
                check(sd_bus_message_open_container(message, 'v', word), "v");
                append_one(message, word);
                check(sd_bus_message_close_container(message), "v");
                depth--;
                break;
        default:
                check(sd_bus_message_append_basic(message, inner[0], &number), "number");
        }
}

static void append_value(sd_bus_message *message, const char *signature) {
        while (*signature) {
                append_one(message, signature);
                signature = skip_type(signature);
        }
}

static const struct method {
        const char *path, *interface, *member, *signature;
} methods[] = {
        { PATH, MANAGER, "ListExtents", "a{sv}tu" },
        { PATH, MANAGER, "Plan", "sasa{sv}" },
        { PATH, MANAGER, "Plan", "sasa{sv}" },
        { PATH, MANAGER, "Online", "asa{sv}" },
        { PATH, MANAGER, "Offline", "asa{sv}" },
        { PATH, MANAGER, "Remove", "asa{sv}" },
        { PATH, MANAGER, "Inhibit", "sassss" },
        { PATH, MANAGER, "ListInhibitors", "" },
        { PATH, MANAGER, "ListPolicies", "" },
        { PATH, MANAGER, "ListJobs", "" },
        { PATH, MANAGER, "Reload", "" },
        { PATH, MANAGER, "Explode", "s" },
        { PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "" },
        { PATH, "org.freedesktop.DBus.Properties", "GetAll", "s" },
        { PATH, "org.freedesktop.DBus.Properties", "Set", "ssv" },
        { PATH, "org.freedesktop.DBus.Introspectable", "Introspect", "" },
        { PATH "/range/range0", "org.memctl1.Range", "GetUnits", "" },
        { PATH "/range/range0", "org.freedesktop.DBus.Properties", "Get", "ss" },
        { PATH "/range/range999", "org.memctl1.Range", "GetUnits", "" },
        { PATH "/range", "org.freedesktop.DBus.Introspectable", "Introspect", "" },
        { PATH "/job/%", "org.memctl1.Job", "GetResults", "" },
        { PATH "/job/%", "org.memctl1.Job", "Cancel", "" },
        { PATH "/job/%", "org.freedesktop.DBus.Properties", "GetAll", "s" },
        { PATH "/job/x", "org.memctl1.Job", "Cancel", "" },
};

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(answer);

        (void)userdata, (void)ret_error;
        n_pending--;
        if (!error)
                n_replies++;
        else if (!error->message || error->message[0] == '\0')
                errx(EXIT_FAILURE, "an error without a text: %s", error->name);
        else if (strcmp(error->name, SD_BUS_ERROR_NO_REPLY) == 0 || strcmp(error->name, SD_BUS_ERROR_TIMEOUT) == 0 ||
                 strcmp(error->name, SD_BUS_ERROR_DISCONNECTED) == 0 ||
                 strcmp(error->name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0)
                errx(EXIT_FAILURE, "no answer: %s: %s", error->name, error->message);
        else
                n_errors++;
        return 0;
}

static void send_random_call(sd_bus *bus) {
        static const char *const wrong[] = {
                "", "s", "as", "asa{sv}s", "a{sv}", "sasa{sv}", "ttt", "v", "a(tts)", "h"
        };
        const struct method *method = &methods[draw(SIZE(methods))];
        const char *signature = draw(4) == 0 ? wrong[draw(SIZE(wrong))] : method->signature;
        sd_bus_message *message;
        char path[64];

        (void)snprintf(path, sizeof(path), "%s", method->path);
        if (path[strlen(path) - 1] == '%')
                (void)snprintf(path, sizeof(path), PATH "/job/%" PRIu64, draw(n_replies + 3));
        check(sd_bus_message_new_method_call(bus, &message, NAME, path, method->interface, method->member), "call");
        append_value(message, signature);
        check(sd_bus_call_async(bus, NULL, message, on_answer, NULL, ANSWER_TIMEOUT_USEC), "send");
        sd_bus_message_unref(message);
        n_calls++;
        n_pending++;
}

static uint64_t now_usec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void process(sd_bus *bus) {
        int r;

        do {
                r = sd_bus_process(bus, NULL);
                check(r, "process");
        } while (r > 0);
}

/* Waits until one of them has something to read, for a millisecond at most: there is more to send. */
static void process_all(sd_bus **clients, size_t n) {
        for (size_t i = 0; i < n; i++)
                process(clients[i]);
        if (n > 0)
                (void)poll(&(struct pollfd){ .fd = sd_bus_get_fd(clients[draw(n)]), .events = POLLIN }, 1, 1);
}

static void await_all(sd_bus **clients, size_t n) {
        while (n_pending > 0)
                process_all(clients, n);
}

static int fuzz_calls(unsigned seconds, uint64_t seed) {
        sd_bus *clients[N_CLIENTS] = { NULL }, *stranger = NULL;
        uint64_t end = now_usec() + seconds * UINT64_C(1000000);

        random_state = seed | 1;
        for (size_t i = 0; i < N_CLIENTS; i++)
                check(sd_bus_open_system(&clients[i]), "bus");
        check(sd_bus_open_system(&stranger), "bus");
        while (now_usec() < end) {
                for (uint64_t n = draw(20); n > 0 && n_pending < 100; n--)
                        send_random_call(clients[draw(N_CLIENTS)]);
                if (draw(50) == 0) {
                        uint64_t pending = n_pending;

                        /* It leaves with its calls under way: nobody waits for those. */
                        for (uint64_t n = draw(10); n > 0; n--)
                                send_random_call(stranger);
                        check(sd_bus_flush(stranger), "flush");
                        sd_bus_close_unref(stranger);
                        check(sd_bus_open_system(&stranger), "bus");
                        n_pending = pending;
                }
                process_all(clients, N_CLIENTS);
        }
        await_all(clients, N_CLIENTS);
        for (size_t i = 0; i < N_CLIENTS; i++)
                sd_bus_close_unref(clients[i]);
        sd_bus_close_unref(stranger);
        printf("seed %" PRIu64 ": %" PRIu64 " calls, %" PRIu64 " replies, %" PRIu64 " errors\n", seed, n_calls,
               n_replies, n_errors);
        return n_replies == 0 || n_errors == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int many_clients(size_t n) {
        sd_bus **clients = calloc(n, sizeof(sd_bus *));
        uint64_t begin;

        if (!clients)
                err(EXIT_FAILURE, "clients");
        for (size_t i = 0; i < n; i++)
                check(sd_bus_open_system(&clients[i]), "bus");
        begin = now_usec();
        for (size_t i = 0; i < n; i++) {
                n_pending += 2;
                check(sd_bus_call_method_async(clients[i], NULL, NAME, PATH, MANAGER, "Plan", on_answer, NULL,
                                               "sasa{sv}", "offline", 1, "memory40-47", 0),
                      "Plan");
                check(sd_bus_call_method_async(clients[i], NULL, NAME, PATH, MANAGER, "ListExtents", on_answer, NULL,
                                               "a{sv}tu", 0, UINT64_C(0), 0),
                      "ListExtents");
        }
        while (n_pending > 0)
                for (size_t i = 0; i < n; i++)
                        process(clients[i]);
        printf("%zu clients, %" PRIu64 " replies, %" PRIu64 " errors in %" PRIu64 " ms\n", n, n_replies, n_errors,
               (now_usec() - begin) / 1000);
        for (size_t i = 0; i < n; i++)
                sd_bus_close_unref(clients[i]);
        free(clients);
        return n_errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int many_selectors(unsigned n) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *message;
        sd_bus *bus;

        check(sd_bus_open_system(&bus), "bus");
        check(sd_bus_message_new_method_call(bus, &message, NAME, PATH, MANAGER, "Plan"), "call");
        check(sd_bus_message_append(message, "s", "offline"), "verb");
        check(sd_bus_message_open_container(message, 'a', "s"), "selectors");
        for (unsigned i = 0; i < n; i++)
                check(sd_bus_message_append(message, "s", "memory40"), "selectors");
        check(sd_bus_message_close_container(message), "selectors");
        check(sd_bus_message_append(message, "a{sv}", 0), "options");
        (void)sd_bus_call(bus, message, 0, &error, NULL);
        printf("%s: %s\n", error.name ? error.name : "accepted", error.message ? error.message : "");
        sd_bus_error_free(&error);
        sd_bus_message_unref(message);
        sd_bus_close_unref(bus);
        return EXIT_SUCCESS;
}

/* The bus itself ends whoever sends such a string; libsystemd does not look. */
static int bad_utf8(void) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus *bus;
        int r;

        check(sd_bus_open_system(&bus), "bus");
        r = sd_bus_call_method(bus, NAME, PATH, MANAGER, "Plan", &error, NULL, "sasa{sv}", "off\xff\xfeline", 1,
                               "memory\xc0\x80", 0);
        printf("%s\n", error.name ? error.name : r < 0 ? strerror(-r) : "accepted");
        sd_bus_error_free(&error);
        sd_bus_close_unref(bus);
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        if (argc >= 3 && strcmp(argv[1], "calls") == 0)
                return fuzz_calls((unsigned)strtoul(argv[2], NULL, 10),
                                  argc > 3 ? strtoull(argv[3], NULL, 10) : now_usec());
        if (argc == 3 && strcmp(argv[1], "clients") == 0)
                return many_clients((size_t)strtoul(argv[2], NULL, 10));
        if (argc == 3 && strcmp(argv[1], "selectors") == 0)
                return many_selectors((unsigned)strtoul(argv[2], NULL, 10));
        if (argc == 2 && strcmp(argv[1], "bad-utf8") == 0)
                return bad_utf8();
        errx(2, "usage: bus-fuzz calls SECONDS [SEED] | clients N | selectors N | bad-utf8");
}
