/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the rows of the command table run; each stands in the file of its name, the changes in change.c. */

#include "options.h"
#include "output.h"
#include "plan.h"

int verb_list(const struct options *options, char **words, size_t n_words);
int verb_show(const struct options *options, char **words, size_t n_words);
int verb_map(const struct options *options, char **words, size_t n_words);
int verb_plan(const struct options *options, char **words, size_t n_words);
int verb_online(const struct options *options, char **words, size_t n_words);
int verb_offline(const struct options *options, char **words, size_t n_words);
int verb_remove(const struct options *options, char **words, size_t n_words);
int verb_jobs(const struct options *options, char **words, size_t n_words);
int verb_cancel(const struct options *options, char **words, size_t n_words);
int verb_wait(const struct options *options, char **words, size_t n_words);
int verb_monitor(const struct options *options, char **words, size_t n_words);
int verb_inhibit(const struct options *options, char **words, size_t n_words);
int verb_policy(const struct options *options, char **words, size_t n_words);
int verb_version(const struct options *options, char **words, size_t n_words);
int verb_doctor(const struct options *options, char **words, size_t n_words);

/* The columns of the tables that they print, ended by one without a name. */
extern const struct column list_columns[], job_columns[], policy_columns[], inhibitor_columns[];

/* Says what a change would do: "plan", and a change with --dry-run. */
int dry_run(const struct options *options, enum verb verb, char **words, size_t n_words);
