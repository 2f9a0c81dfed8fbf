/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "simulation.h"

#include <err.h>
#include <stdlib.h>

#include "devices.h"

void simulation_clear(struct simulation *simulation) {
        machine_clear(&simulation->machine);
        free(simulation->faults);
        free(simulation->ejects);
        *simulation = (struct simulation){ .n_faults = 0 };
}

void simulation_add_fault(struct simulation *simulation, const struct fault *fault) {
        struct fault *faults = reallocarray(simulation->faults, simulation->n_faults + 1, sizeof(*faults));

        if (!faults)
                err(EXIT_FAILURE, "faults");
        simulation->faults = faults;
        faults[simulation->n_faults++] = *fault;
}

bool simulation_next_fault(struct simulation *simulation, struct fault *ret) {
        bool found = false;

        for (size_t i = simulation->n_faults; i-- > 0;) {
                struct fault *fault = &simulation->faults[i];

                if (fault->writes_before-- > 0)
                        continue;
                *ret = *fault;
                found = true;
                *fault = simulation->faults[--simulation->n_faults];
        }
        return found;
}

void simulation_queue_eject(struct simulation *simulation, uint64_t dimm) {
        uint64_t *ejects = reallocarray(simulation->ejects, simulation->n_ejects + 1, sizeof(*ejects));

        if (!ejects)
                err(EXIT_FAILURE, "eject");
        simulation->ejects = ejects;
        ejects[simulation->n_ejects++] = dimm;
}

void simulation_run_ejects(struct simulation *simulation) {
        if (simulation->ejects_held)
                return;
        for (size_t i = 0; i < simulation->n_ejects; i++)
                dimm_eject(&simulation->machine, &simulation->machine.dimms[simulation->ejects[i]]);
        simulation->n_ejects = 0;
}
