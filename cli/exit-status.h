/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What memctl's exit status means; memctl(1), EXIT STATUS. */
enum exit_status {
        STATUS_DONE = 0,   /* done, or nothing to do */
        STATUS_FAILED = 1, /* failed, and everything is as it was */
        STATUS_USAGE = 2,
        STATUS_SPLITS_MAPPING = 3, /* refused, and only because a kernel mapping would be split */
        STATUS_REFUSED = 4,        /* refused for any other reason */
        STATUS_NOT_AUTHORISED = 5,
        STATUS_UNREACHABLE = 6, /* this verb needs memctld */
        STATUS_ROLLBACK_INCOMPLETE = 7,
        STATUS_PARTIAL = 64,    /* best effort: some went, as chmem */
        STATUS_TIMED_OUT = 124, /* and rolled back */
        STATUS_CANCELLED = 130, /* and rolled back */
};
