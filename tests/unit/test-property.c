/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Random machines and requests, each answered by the planner and by the oracle: test-property [REQUESTS [SEED]].
 * A difference is printed with the seed that makes it again.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"

#define REQUESTS_PER_MACHINE 16

static bool check_machine(uint64_t seed, uint64_t n_accepted[static _VERB_MAX]) {
        struct choices choices = { .seed = seed * UINT64_C(0x9E3779B97F4A7C15) };
        struct random_machine machine;
        const char *wrong = NULL;

        random_machine_make(&machine, &choices);
        for (int i = 0; i < REQUESTS_PER_MACHINE && !wrong; i++) {
                struct random_request request;
                bool accepted;

                random_request_make(&request, &machine, &choices);
                wrong = oracle_check(&machine, &request, &accepted);
                n_accepted[request.request.verb] += accepted;
                if (wrong) {
                        random_machine_print(&machine);
                        random_request_print(&request);
                        printf("%s: test-property %d %" PRIu64 "\n", wrong, REQUESTS_PER_MACHINE, seed);
                }
        }
        random_machine_clear(&machine);
        return !wrong;
}

int main(int argc, char **argv) {
        uint64_t n_requests = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
        uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
        uint64_t n_accepted[_VERB_MAX] = { 0 }, n_done = 0;
        bool enough = true;

        for (; n_done < n_requests; n_done += REQUESTS_PER_MACHINE, seed++)
                if (!check_machine(seed, n_accepted))
                        return EXIT_FAILURE;

        /* A run in which next to nothing could be done would prove next to nothing. Few random machines are such that
         * something can be removed. */
        printf("%" PRIu64 " requests, no difference; of them with something to do:", n_done);
        for (enum verb verb = 0; verb < _VERB_MAX; verb++) {
                printf(" %s %" PRIu64, verb_to_string(verb), n_accepted[verb]);
                enough &= n_accepted[verb] > n_done / (verb == VERB_REMOVE ? 200 : 40);
        }
        printf("\n");
        return enough ? EXIT_SUCCESS : EXIT_FAILURE;
}
