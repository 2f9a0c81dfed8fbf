/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine of plain files for each test, the inventory that is read of it, and that in words. Any failure ends the
 * test. */

#include "inventory.h"
#include "sysroot.h"

#define GIB (UINT64_C(1) << 30)

extern struct sysroot sysroot;
extern struct sysfs sysfs;   /* opened on it */
extern struct sysfs_ops ops; /* its calls: the real ones, until a test puts others in their place */

int setup(void **state);
int teardown(void **state);
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

struct inventory *read_with(const struct inventory_options *options);
/* With zones and the nodes' memory. */
struct inventory *read_all(void);

/* "0-15 node0 online Normal boot -; 40-55 node0 offline - hot-added range0": what lists show; the caller frees it. */
char *describe(const struct inventory *inventory);
void assert_described(const struct inventory *inventory, const char *expected);
/* "range0 40-55 node0 acpi PNP0C80:00 1073741824 kernel hot-added" */
void assert_range(const struct inventory *inventory, size_t i, const char *expected);

/* The firmware's node of n blocks; a dax device, and the target of its link `driver`. */
void add_acpi_device(const char *name, uint64_t first, uint64_t n);
void add_dax_device(const char *name, const char *driver, uint64_t start, uint64_t n_bytes);
