/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The few helpers every module of the model needs: cleanup by scope, growing arrays, strict numbers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))

/* Runs a function on a variable's address when it goes out of scope. */
#define _cleanup_(function)   __attribute__((cleanup(function)))
#define _cleanup_free_        _cleanup_(cleanup_free)
#define _printf_(at, args_at) __attribute__((format(printf, at, args_at)))

static inline void cleanup_free(void *pointer) {
        free(*(void **)pointer);
}

/* Hands the value on and leaves NULL behind, so that the scope's cleanup does not free it. */
#define TAKE_PTR(pointer)                                                                                              \
        __extension__({                                                                                                \
                typeof(pointer) _p = (pointer);                                                                        \
                (pointer) = NULL;                                                                                      \
                _p;                                                                                                    \
        })

/*
 * Makes room for n_needed items in an array that grows by doubling. Returns the array, at its old or a new
 * place, or NULL without memory (the array is then as before).
 */
void *array_grow(void *items, size_t *n_allocated, size_t n_needed, size_t item_size);

/*
 * The whole of text[0..length) as a number: base 10, 16 (bare hex), or 0 (decimal, or hex with 0x). Returns 0,
 * -EINVAL if it is no number (signs and spaces are none), -ERANGE over 64 bits.
 */
int parse_u64(const char *text, size_t length, unsigned base, uint64_t *ret);

/* The number behind a prefix: "memory40", "memory" → 40. Leading zeros are no kernel name: -EINVAL. */
int parse_prefixed_number(const char *text, const char *prefix, uint64_t *ret);

/* Whole seconds, at least one. Returns 0, -EINVAL. */
int parse_seconds(const char *text, uint64_t *ret_usec);

/* asprintf that returns the string, or NULL without memory. */
char *format_string(const char *format, ...) _printf_(1, 2);

/* Words of an enum, kept as an array indexed by it: the word, never NULL; the index of a word, or -EINVAL. */
const char *word_of(const char *const *words, int n_words, int index);
int index_of_word(const char *const *words, int n_words, const char *word);

static inline bool is_power_of_two(uint64_t value) {
        return value != 0 && (value & (value - 1)) == 0;
}
