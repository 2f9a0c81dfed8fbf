/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * memctld.conf(5): {/etc,/run,/usr/lib}/memctl/memctld.conf, the first there is, and over it memctld.conf.d/ *.conf of
 * all three in name order, where the same name in the earlier folder wins.
 */

#include <stdbool.h>
#include <stdint.h>

struct configuration {
        uint64_t assume_granularity_bytes; /* 0: none */
        bool reads_page_tables;
        uint64_t rollback_timeout_usec;
        uint64_t inhibit_delay_max_usec;
};

extern const struct configuration configuration_default;

/* What is wrong with a file, which is then left out as a whole; line 0: the file itself. */
typedef void (*configuration_problem_fn)(const char *file, unsigned line, const char *message, void *userdata);

/* Applies one file's text. Returns 0; -EINVAL after telling what is wrong, with *config as before. */
int configuration_apply(struct configuration *config, const char *file, const char *text,
                        configuration_problem_fn problem, void *userdata);

/* Reads the files below the root. Whatever is wrong, *ret is good. */
void configuration_load(int root_fd, configuration_problem_fn problem, void *userdata, struct configuration *ret);
