/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "selector.h"
#include "util.h"

/* Fractions are taken exactly; more digits than this cannot be whole bytes of any suffix. */
#define FRACTION_DIGITS_MAX 18

static const char amount_suffixes[] = "KMGTP";

/* ".5" of a unit in bytes. Returns 0, or -EINVAL if that is no whole number of bytes. */
static int parse_fraction(const char *digits, size_t length, uint64_t unit_bytes, uint64_t *ret) {
        uint64_t numerator, denominator = 1;

        if (length > FRACTION_DIGITS_MAX || parse_u64(digits, length, 10, &numerator) < 0)
                return -EINVAL;
        for (size_t i = 0; i < length; i++)
                denominator *= 10;

        __extension__ unsigned __int128 product = (unsigned __int128)numerator * unit_bytes;
        if (product % denominator != 0)
                return -EINVAL;
        *ret = (uint64_t)(product / denominator);
        return 0;
}

int parse_amount_bytes(const char *text, uint64_t *ret) {
        size_t n_digits = strspn(text, "0123456789");
        size_t n_fraction = 0;
        const char *suffix = text + n_digits;
        if (*suffix == '.') {
                n_fraction = strspn(suffix + 1, "0123456789");
                if (n_fraction == 0)
                        return -EINVAL;
                suffix += 1 + n_fraction;
        }

        const char *known = *suffix != '\0' ? strchr(amount_suffixes, *suffix) : NULL;
        if (n_digits == 0 || !known || (suffix[1] != '\0' && strcmp(suffix + 1, "iB") != 0))
                return -EINVAL;

        uint64_t unit_bytes = UINT64_C(1) << (10 * (known - amount_suffixes + 1));
        uint64_t whole, fraction = 0, bytes;
        int r = parse_u64(text, n_digits, 10, &whole);
        if (r < 0)
                return r;
        if (n_fraction > 0 && parse_fraction(text + n_digits + 1, n_fraction, unit_bytes, &fraction) < 0)
                return -EINVAL;
        if (__builtin_mul_overflow(whole, unit_bytes, &bytes) || __builtin_add_overflow(bytes, fraction, &bytes))
                return -ERANGE;

        *ret = bytes;
        return 0;
}

char *format_blocks(struct span span) {
        if (span.n_blocks == 0)
                return strdup("no blocks");
        if (span.n_blocks == 1)
                return format_string("memory%" PRIu64, span.first_block);
        return format_string("memory%" PRIu64 "-%" PRIu64, span.first_block, span_end(&span) - 1);
}

char *format_span_list(const struct span_list *list) {
        char *text = NULL;
        size_t size;

        if (list->n == 0)
                return strdup("no blocks");

        FILE *stream = open_memstream(&text, &size);
        if (!stream)
                return NULL;
        for (size_t i = 0; i < list->n; i++) {
                const struct span *span = &list->items[i];
                fprintf(stream, "%s%" PRIu64, i == 0 ? "memory" : ",", span->first_block);
                if (span->n_blocks > 1)
                        fprintf(stream, "-%" PRIu64, span_end(span) - 1);
        }

        bool failed = ferror(stream);
        if (fclose(stream) != 0 || failed) {
                free(text);
                return NULL;
        }
        return text;
}

const char *format_bytes(uint64_t bytes, char buffer[static FORMAT_BYTES_MAX]) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        unsigned i = 0;
        while (i + 1 < ARRAY_SIZE(units) && bytes >> (10 * (i + 1)) != 0)
                i++;

        uint64_t unit_bytes = UINT64_C(1) << (10 * i);
        uint64_t whole = bytes / unit_bytes;
        __extension__ unsigned __int128 thousandths = (unsigned __int128)(bytes % unit_bytes) * 1000;

        /* Three decimals say every multiple of 128 MiB exactly; what they cannot say is rounded to two. */
        if (thousandths % unit_bytes == 0) {
                unsigned decimals = (unsigned)(thousandths / unit_bytes);
                int n_digits = 3;
                while (n_digits > 0 && decimals % 10 == 0) {
                        decimals /= 10;
                        n_digits--;
                }
                if (n_digits == 0)
                        snprintf(buffer, FORMAT_BYTES_MAX, "%" PRIu64 " %s", whole, units[i]);
                else
                        snprintf(buffer, FORMAT_BYTES_MAX, "%" PRIu64 ".%0*u %s", whole, n_digits, decimals, units[i]);
        } else {
                unsigned hundredths = (unsigned)((thousandths / 10 + unit_bytes / 2) / unit_bytes);
                snprintf(buffer, FORMAT_BYTES_MAX, "%" PRIu64 ".%02u %s", whole + hundredths / 100, hundredths % 100,
                         units[i]);
        }
        return buffer;
}
