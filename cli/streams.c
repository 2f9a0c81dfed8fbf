/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "streams.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exit-status.h"
#include "util.h"

int streams_flush(sd_event *event) {
        return fflush(stdout) == 0 ? 0 : sd_event_exit(event, STATUS_DONE);
}

static int on_reader_gone(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        (void)fd;
        (void)events;
        (void)userdata;
        return sd_event_exit(sd_event_source_get_event(source), STATUS_DONE);
}

int streams_watch_reader(sd_event *event) {
        /* Asked for nothing, epoll(7) tells of errors and hang-ups alone. */
        int r = sd_event_add_io(event, NULL, STDOUT_FILENO, 0, on_reader_gone, NULL);

        if (r == -EBADF)
                return sd_event_exit(event, STATUS_DONE);
        /* A file, which has no reader that could go. */
        return r == -EPERM ? 0 : MIN(r, 0);
}

int streams_finish(int status) {
        bool failed = ferror(stdout);

        if (fclose(stdout) == 0 && !failed)
                return status;
        if (errno == EPIPE)
                return status;

        fprintf(stderr, "memctl: cannot write the output: %s\n", strerror(errno));
        return status == STATUS_DONE ? STATUS_FAILED : status;
}
