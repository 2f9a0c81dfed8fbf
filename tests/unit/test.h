/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What cmocka.h wants to be included before it, and itself. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
