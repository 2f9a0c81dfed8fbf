/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of the errors of org.memctl1, documented in org.memctl1(5). The message is the text the command line prints. */

#define BUS_ERROR_SPLITS_MAPPING   "org.memctl1.Error.SplitsMapping"
#define BUS_ERROR_REFUSED          "org.memctl1.Error.Refused"
#define BUS_ERROR_LIMITS_EXCEEDED  "org.memctl1.Error.LimitsExceeded"
#define BUS_ERROR_INVALID_SELECTOR "org.memctl1.Error.InvalidSelector"
#define BUS_ERROR_INVALID_OPTION   "org.memctl1.Error.InvalidOption"
