/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

void *array_grow(void *items, size_t *n_allocated, size_t n_needed, size_t item_size) {
        if (n_needed <= *n_allocated && items)
                return items;

        size_t n = MAX(n_needed, *n_allocated < SIZE_MAX / 2 ? *n_allocated * 2 : n_needed);
        n = MAX(n, (size_t)4);
        void *grown = reallocarray(items, n, item_size);
        if (!grown)
                return NULL;

        *n_allocated = n;
        return grown;
}

static int digit_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return 16;
}

int parse_u64(const char *text, size_t length, unsigned base, uint64_t *ret) {
        if (base == 0) {
                base = 10;
                if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
                        base = 16;
                        text += 2;
                        length -= 2;
                }
        }
        if (length == 0)
                return -EINVAL;

        uint64_t value = 0;
        bool overflow = false;
        for (size_t i = 0; i < length; i++) {
                unsigned digit = (unsigned)digit_value(text[i]);
                if (digit >= base)
                        return -EINVAL;
                overflow |= __builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value);
        }
        if (overflow)
                return -ERANGE;

        *ret = value;
        return 0;
}

int parse_prefixed_number(const char *text, const char *prefix, uint64_t *ret) {
        size_t n = strlen(prefix);
        if (strncmp(text, prefix, n) != 0)
                return -EINVAL;

        text += n;
        if (text[0] == '0' && text[1] != '\0')
                return -EINVAL;
        return parse_u64(text, strlen(text), 10, ret);
}

int parse_seconds(const char *text, uint64_t *ret_usec) {
        uint64_t seconds;

        if (parse_u64(text, strlen(text), 10, &seconds) < 0 || seconds == 0 || seconds > UINT64_MAX / 1000000)
                return -EINVAL;

        *ret_usec = seconds * 1000000;
        return 0;
}

char *format_string(const char *format, ...) {
        va_list args;
        char *text = NULL;

        va_start(args, format);
        int n = vasprintf(&text, format, args);
        va_end(args);
        return n < 0 ? NULL : text;
}

const char *word_of(const char *const *words, int n_words, int index) {
        return index >= 0 && index < n_words && words[index] ? words[index] : "invalid";
}

int index_of_word(const char *const *words, int n_words, const char *word) {
        for (int i = 0; i < n_words; i++)
                if (words[i] && strcmp(words[i], word) == 0)
                        return i;
        return -EINVAL;
}
