/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * The nearest of `n` words, which `word` may begin, or NULL if none is near: for "did you mean". `words` is called with
 * 0 … n-1.
 */
typedef const char *(*word_fn)(size_t i, const void *userdata);
const char *nearest_word(const char *word, word_fn words, size_t n, const void *userdata);
