/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine and a request made of the bytes, answered by the planner and by the oracle of the property test. */

#include "fuzz.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct choices choices = { .bytes = data, .n_bytes = size };
        struct random_machine machine;
        struct random_request request;
        bool accepted;

        random_machine_make(&machine, &choices);
        random_request_make(&request, &machine, &choices);
        const char *wrong = oracle_check(&machine, &request, &accepted);
        if (wrong) {
                random_machine_print(&machine);
                random_request_print(&request);
                puts(wrong);
                fflush(stdout);
        }
        must(!wrong);
        random_machine_clear(&machine);
        return 0;
}
