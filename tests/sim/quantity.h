/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Addresses and sizes as people write them: decimal or 0x hex, with an optional suffix K, M, G, T or P. */

/* 0, -EINVAL for what is no quantity, -ERANGE beyond 64 bits. */
int quantity_parse(const char *text, uint64_t *ret);
/* "START+SIZE": 0 or as above; an empty span is -EINVAL, one that ends beyond 64 bits -ERANGE. */
int quantity_parse_span(const char *text, uint64_t *start, uint64_t *size);
