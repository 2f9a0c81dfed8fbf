/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Standard output as a promise: what was printed has arrived, or memctl says that it has not. Verbs print with stdio;
 * what failed meanwhile is told once, at the end.
 */

#include <systemd/sd-event.h>

/*
 * For verbs that print as things happen: what was printed has to be seen now, and `event` ends with STATUS_DONE if
 * that cannot be (streams_finish() tells why). Returns what sd_event_exit() does, 0 if all is well.
 */
int streams_flush(sd_event *event);
/* Ends `event` with STATUS_DONE once nobody reads standard output, at once if it is closed. Returns 0, -errno. */
int streams_watch_reader(sd_event *event);

/*
 * Closes standard output, the last thing there is to do: returns the exit status, which is STATUS_FAILED instead of
 * STATUS_DONE if the output could not be written. A reader who has had enough (head) is no error.
 */
int streams_finish(int status);
