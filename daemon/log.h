/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One way to log: structured records to the journal where stderr is connected to it (JOURNAL_STREAM,
 * systemd.exec(5)), plain lines to stderr elsewhere.
 */

#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

/* A finished message and the fields beside it, "MEMCTL_JOB=7". */
void log_fields(int priority, const char *message, char *const *fields, size_t n_fields);

/*
 * A message that people may look for: its id (messages.h) and, where there is one, the job (0: none), the range or the
 * blocks and the reason as fields.
 */
void log_about(int priority, const char *message_id, uint64_t job_id, const char *range, const char *reason,
               const char *format, ...) __attribute__((format(printf, 6, 7)));

void log_message(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...)   log_message(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)    log_message(LOG_INFO, __VA_ARGS__)
#define log_notice(...)  log_message(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_error(...)   log_message(LOG_ERR, __VA_ARGS__)

/* Logs "what: the errno's text" and returns the (negative) errno. */
int log_errno(int priority, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Logs that memory ran out; returns -ENOMEM. */
int log_oom(void);
