/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nearest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static size_t edit_distance(const char *a, const char *b) {
        size_t row[64], n = strlen(b);

        if (n >= sizeof row / sizeof *row)
                return SIZE_MAX;

        for (size_t j = 0; j <= n; j++)
                row[j] = j;

        for (size_t i = 0; a[i]; i++) {
                size_t diagonal = row[0];

                row[0] = i + 1;
                for (size_t j = 0; j < n; j++) {
                        size_t replace = diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j])),
                               best = replace;

                        diagonal = row[j + 1];
                        if (row[j] + 1 < best)
                                best = row[j] + 1;
                        if (diagonal + 1 < best)
                                best = diagonal + 1;
                        row[j + 1] = best;
                }
        }

        return row[n];
}

static size_t common_prefix(const char *a, const char *b) {
        size_t n = 0;

        while (a[n] && a[n] == b[n])
                n++;

        return n;
}

const char *nearest_word(const char *word, word_fn words, size_t n, const void *userdata) {
        const char *nearest = NULL;
        size_t best = SIZE_MAX;

        for (size_t i = 0; i < n; i++) {
                size_t distance = edit_distance(word, words(i, userdata));

                /* Of two equally near, the one that begins alike: "ofline" is offline rather than online. */
                if (distance < best || (distance == best && distance != SIZE_MAX &&
                                        common_prefix(word, words(i, userdata)) > common_prefix(word, nearest))) {
                        best = distance;
                        nearest = words(i, userdata);
                }
        }

        /* A third of the letters may be wrong, two at least: more is another word. */
        return nearest && best <= (strlen(word) < 6 ? 2 : strlen(word) / 3) ? nearest : NULL;
}
