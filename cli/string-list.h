/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Arrays of strings, NULL-terminated, as sd-bus reads them; NULL is the empty one. */

#include <stddef.h>

struct strings {
        char **items;
        size_t n;
        size_t n_allocated;
};

/* Appends a copy. Returns 0, -ENOMEM. */
int strings_add(struct strings *strings, const char *text);
void strings_free(char **strings);
/* With a space between; the caller frees it. NULL without memory. */
char *strings_join(char **strings);
