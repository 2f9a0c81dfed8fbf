/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every fuzz target has: libFuzzer's entry (https://llvm.org/docs/LibFuzzer.html), and a way to say "wrong". */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stays in builds without assertions. */
#define must(condition)                                                                                                \
        do {                                                                                                           \
                if (!(condition)) {                                                                                    \
                        fprintf(stderr, "%s:%d: must be: %s\n", __FILE__, __LINE__, #condition);                       \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

/* The input as a string of its own, so that a read beyond its end is seen. */
static inline char *fuzz_text(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1);

        must(text);
        memcpy(text, data, size);
        text[size] = '\0';
        return text;
}
