/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nearest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

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

/* The only one that begins with `word`, NULL where none does or several do. */
static const char *begun(const char *word, word_fn words, size_t n, const void *userdata) {
        const char *found = NULL;

        for (size_t i = 0; i < n; i++) {
                if (strncasecmp(words(i, userdata), word, strlen(word)) != 0)
                        continue;
                if (found)
                        return NULL;
                found = words(i, userdata);
        }

        return found;
}

/* A third of the letters may be wrong, more of a short word: beyond that it is another word. */
static size_t most_wrong(const char *word) {
        size_t n = strlen(word);

        return n < 4 ? 1 : n < 6 ? 2 : n / 3;
}

const char *nearest_word(const char *word, word_fn words, size_t n, const void *userdata) {
        const char *nearest = strlen(word) < 2 ? NULL : begun(word, words, n, userdata);
        size_t best = SIZE_MAX;

        if (nearest)
                return nearest;

        for (size_t i = 0; i < n; i++) {
                size_t distance = edit_distance(word, words(i, userdata));

                /* Of two equally near, the one that begins alike: "ofline" is offline rather than online. */
                if (distance < best || (distance == best && distance != SIZE_MAX &&
                                        common_prefix(word, words(i, userdata)) > common_prefix(word, nearest))) {
                        best = distance;
                        nearest = words(i, userdata);
                }
        }

        return nearest && best <= most_wrong(word) ? nearest : NULL;
}
