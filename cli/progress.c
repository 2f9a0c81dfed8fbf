/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "output.h"
#include "selector.h"

#define MAX_BAR_CELLS 40

static uint64_t now_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void progress_start(struct progress *progress, const char *what, uint64_t block_size_bytes) {
        *progress = (struct progress){
                .what = what,
                .block_size_bytes = block_size_bytes,
                .started_usec = now_usec(),
                .is_terminal = isatty(STDERR_FILENO),
        };
}

static unsigned terminal_columns(void) {
        struct winsize size;

        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return 80;

        return size.ws_col;
}

void progress_bar(FILE *stream, bool utf8, unsigned n_cells, uint64_t done_bytes, uint64_t total_bytes) {
        const char *full = utf8 ? "█" : "#", *empty = utf8 ? "░" : ".";
        unsigned n_full = total_bytes ? (unsigned)((double)n_cells * (double)done_bytes / (double)total_bytes) : 0;

        for (unsigned i = 0; i < n_cells; i++)
                fputs(i < n_full ? full : empty, stream);
}

void progress_draw(struct progress *progress) {
        uint64_t elapsed_usec = now_usec() - progress->started_usec;
        char text[128], done[SHORT_BYTES_MAX], total[SHORT_BYTES_MAX], rate[SHORT_BYTES_MAX];
        unsigned n_columns = terminal_columns(), n_used;

        if (!progress->is_terminal || elapsed_usec < PROGRESS_DELAY_USEC || progress->total_bytes == 0)
                return;

        snprintf(text, sizeof text, " %s/%s  %s/s  %" PRIu64 " blocks left",
                 format_short_bytes(progress->done_bytes, done), format_short_bytes(progress->total_bytes, total),
                 /* Whole MiB: two decimals of a rate are noise. */
                 format_short_bytes((uint64_t)((double)progress->done_bytes * 1e6 / (double)elapsed_usec) >> 20 << 20,
                                    rate),
                 (progress->total_bytes - progress->done_bytes) / progress->block_size_bytes);

        fprintf(stderr, "\r\033[K%s ", progress->is_rollback ? "rollback" : progress->what);
        n_used = (unsigned)(strlen(text) + strlen(progress->is_rollback ? "rollback" : progress->what) + 2);
        if (n_used + 4 < n_columns)
                progress_bar(stderr, use_utf8(),
                             n_columns - n_used < MAX_BAR_CELLS ? n_columns - n_used : MAX_BAR_CELLS,
                             progress->done_bytes, progress->total_bytes);
        if (n_used < n_columns)
                fputs(text, stderr);
        fflush(stderr);
        progress->is_shown = true;
}

void progress_wipe(struct progress *progress) {
        if (progress->is_shown)
                fputs("\r\033[K", stderr);
        progress->is_shown = false;
}
