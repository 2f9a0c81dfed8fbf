// SPDX-License-Identifier: GPL-2.0
/*
 * Registers memory ranges without memory behind them, to see what they cost: write their
 * number to /proc/many-ranges; 0 takes them away. What took how long is in the log.
 *
 * Nobody may read their granularities.
 */
#include <linux/bits.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sizes.h>

/* Behind all memory there can be, and below what 48 bits can say. */
#define FIRST	BIT_ULL(47)

struct memory_range;

/* The functions of mm/ that add_memory() and remove_memory() call. */
static struct memory_range *(*range_alloc)(u64 start, u64 last, int nid, const char *name,
					   const struct memory_range *whole);
static void (*range_add)(struct memory_range *range, bool present);
static int (*range_remove)(u64 start, u64 last, struct memory_range *rest[2]);
static void (*hotplug_begin)(void);
static void (*hotplug_done)(void);

static void *address_of(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static int add_ranges(unsigned int n)
{
	struct memory_range *range;
	u64 start;

	for (start = FIRST; n; n--, start += SZ_128M) {
		range = range_alloc(start, start + SZ_128M - 1, 0, "System RAM (none)", NULL);
		if (!range)
			return -ENOMEM;
		range_add(range, true);
	}
	return 0;
}

static ssize_t number_write(struct file *file, const char __user *buffer,
			    size_t length, loff_t *offset)
{
	struct memory_range *rest[2];
	unsigned int n;
	ktime_t begin;
	int error;

	error = kstrtouint_from_user(buffer, length, 0, &n);
	if (error)
		return error;

	begin = ktime_get();
	hotplug_begin();
	error = n ? add_ranges(n) : range_remove(FIRST, U64_MAX, rest);
	hotplug_done();
	pr_info("%u ranges took %lld us\n", n, ktime_us_delta(ktime_get(), begin));
	return error ? error : length;
}

static const struct proc_ops number_ops = {
	.proc_write = number_write,
};

static int __init many_ranges_init(void)
{
	range_alloc = address_of("memory_range_alloc");
	range_add = address_of("memory_range_add");
	range_remove = address_of("memory_range_remove");
	hotplug_begin = address_of("mem_hotplug_begin");
	hotplug_done = address_of("mem_hotplug_done");
	if (!range_alloc || !range_add || !range_remove || !hotplug_begin || !hotplug_done)
		return -ENOENT;
	return proc_create("many-ranges", 0200, NULL, &number_ops) ? 0 : -ENOMEM;
}
module_init(many_ranges_init);

static void __exit many_ranges_exit(void)
{
	remove_proc_entry("many-ranges", NULL);
}
module_exit(many_ranges_exit);

MODULE_DESCRIPTION("Registers memory ranges without memory, for tests");
MODULE_LICENSE("GPL");
