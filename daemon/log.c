/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "cleanup.h"

#define LOG_FIELDS_MAX ((size_t)16)

/* JOURNAL_STREAM is inherited by everything a service starts: it holds only if it names our own stderr. */
static bool stderr_is_journal(void) {
        static int cached = -1;
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        if (cached < 0)
                cached = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
                         fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
        return cached;
}

static bool debug_enabled(void) {
        static int cached = -1;

        if (cached < 0)
                cached = getenv("MEMCTL_DEBUG") != NULL;
        return cached;
}

static void emit(int priority, const char *message, char *const *fields, size_t n_fields) {
        struct iovec vectors[LOG_FIELDS_MAX + 2];
        char priority_field[] = "PRIORITY=0";
        _cleanup_free_ char *message_field = NULL;
        size_t n = 0;

        if (priority == LOG_DEBUG && !debug_enabled())
                return;
        if (!stderr_is_journal()) {
                fprintf(stderr, "memctld: %s\n", message);
                return;
        }
        message_field = format_string("MESSAGE=%s", message);
        if (!message_field)
                return;
        priority_field[sizeof("PRIORITY=") - 1] = (char)('0' + priority);
        vectors[n++] = (struct iovec){ message_field, strlen(message_field) };
        vectors[n++] = (struct iovec){ priority_field, strlen(priority_field) };
        for (size_t i = 0; i < n_fields; i++)
                vectors[n++] = (struct iovec){ fields[i], strlen(fields[i]) };
        (void)sd_journal_sendv(vectors, (int)n);
}

void log_fields(int priority, const char *message, char *const *fields, size_t n_fields) {
        emit(priority, message, fields, MIN(n_fields, LOG_FIELDS_MAX));
}

static __attribute__((format(printf, 1, 0))) char *format_arguments(const char *format, va_list arguments) {
        char *text;

        return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

void log_about(int priority, const char *message_id, uint64_t job_id, const char *range, const char *reason,
               const char *format, ...) {
        _cleanup_free_ char *message = NULL, *job_field = NULL, *range_field = NULL, *reason_field = NULL;
        char *fields[4];
        size_t n = 0;
        va_list arguments;

        va_start(arguments, format);
        message = format_arguments(format, arguments);
        va_end(arguments);
        job_field = job_id ? format_string("MEMCTL_JOB=%" PRIu64, job_id) : NULL;
        range_field = range ? format_string("MEMCTL_RANGE=%s", range) : NULL;
        reason_field = reason ? format_string("MEMCTL_REASON=%s", reason) : NULL;
        fields[n++] = (char *)message_id;
        if (job_field)
                fields[n++] = job_field;
        if (range_field)
                fields[n++] = range_field;
        if (reason_field)
                fields[n++] = reason_field;
        emit(priority, message ? message : format, fields, n);
}

void log_message(int priority, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        message = format_arguments(format, arguments);
        va_end(arguments);
        emit(priority, message ? message : format, NULL, 0);
}

int log_errno(int priority, int error, const char *format, ...) {
        _cleanup_free_ char *what = NULL, *message = NULL;
        char errno_field[32];
        char *fields[] = { errno_field };
        va_list arguments;

        va_start(arguments, format);
        what = format_arguments(format, arguments);
        va_end(arguments);
        message = format_string("%s: %s", what ? what : format, strerror(-error));
        snprintf(errno_field, sizeof(errno_field), "ERRNO=%d", -error);
        emit(priority, message ? message : format, fields, ARRAY_SIZE(fields));
        return error;
}

int log_oom(void) {
        return log_errno(LOG_ERR, -ENOMEM, "Cannot go on with this request");
}
