/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends events as fast as it can, each about a block or range of its own, and asks memctld something meanwhile:
 *
 *   uevent-burst N_EVENTS N_QUESTIONS
 *
 * prints "N events, N answers" when so many events are sent and so many questions answered, all of them during the
 * burst: it goes on until the last answer is there.
 */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "../sim/uevent.h"

#define N_SENDERS 2
/* memctld takes a moment between two turns; an answer that is not there by then is none. */
#define ANSWER_TIMEOUT_USEC (60 * UINT64_C(1000000))

static _Atomic uint64_t *n_sent; /* by all senders */

static void check(int r, const char *what) {
        if (r < 0) {
                errno = -r;
                err(EXIT_FAILURE, "%s", what);
        }
}

static void send_for_ever(void) __attribute__((noreturn));
static void send_for_ever(void) {
        struct uevents *uevents;

        check(uevents_open(&uevents), "uevents");
        for (;;) {
                uint64_t n = atomic_fetch_add(n_sent, 1);
                char device[96];

                /* No two are neighbours, so that nothing merges. */
                if (n % 1024 == 0) {
                        (void)snprintf(device, sizeof(device), "/devices/virtual/memory_range/range%" PRIu64, n);
                        uevents_send(uevents, "change", device, "memory_range", NULL);
                } else {
                        (void)snprintf(device, sizeof(device), "/devices/system/memory/memory%" PRIu64, 2 * n);
                        uevents_send(uevents, "change", device, "memory", NULL);
                }
        }
}

static void start_senders(pid_t senders[static N_SENDERS]) {
        pid_t parent = getpid();

        for (int i = 0; i < N_SENDERS; i++) {
                senders[i] = fork();
                if (senders[i] < 0)
                        err(EXIT_FAILURE, "fork");
                if (senders[i] > 0)
                        continue;
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(EXIT_FAILURE);
                send_for_ever();
        }
}

static void ask(sd_bus *bus) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        uint64_t generation;

        if (sd_bus_get_property_trivial(bus, "org.memctl1", "/org/memctl1", "org.memctl1.Manager", "Generation", &error,
                                        't', &generation) < 0)
                errx(EXIT_FAILURE, "no answer after %" PRIu64 " events: %s", atomic_load(n_sent), error.message);
}

int main(int argc, char *argv[]) {
        uint64_t n_events, n_questions, n_answers = 0;
        pid_t senders[N_SENDERS];
        sd_bus *bus;

        if (argc != 3)
                errx(2, "usage: uevent-burst N_EVENTS N_QUESTIONS");
        n_events = strtoull(argv[1], NULL, 10);
        n_questions = strtoull(argv[2], NULL, 10);
        check(sd_bus_open_system(&bus), "bus");
        check(sd_bus_set_method_call_timeout(bus, ANSWER_TIMEOUT_USEC), "bus");
        n_sent = mmap(NULL, sizeof(*n_sent), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (n_sent == MAP_FAILED)
                err(EXIT_FAILURE, "mmap");
        start_senders(senders);
        while (n_answers < n_questions || atomic_load(n_sent) < n_events) {
                ask(bus);
                n_answers++;
        }
        for (int i = 0; i < N_SENDERS; i++) {
                (void)kill(senders[i], SIGKILL);
                (void)waitpid(senders[i], NULL, 0);
        }
        (void)printf("%" PRIu64 " events, %" PRIu64 " answers\n", atomic_load(n_sent), n_answers);
        sd_bus_flush_close_unref(bus);
        return EXIT_SUCCESS;
}
