// SPDX-License-Identifier: GPL-2.0
/*
 * Plays the third-party driver that adds and removes memory as it likes.
 *
 * One command a write to /proc/hotplug-driver; the write returns its errno,
 * and reading the file gives the last command's result by name:
 *
 *	add START SIZE [memmap_on_memory|merge]
 *	remove START SIZE		the blocks must be offline already
 *	offline_and_remove START SIZE
 *	read START SIZE			one word of every page, by the linear map
 *	hold START SIZE			keep a movable page of it from being moved, so
 *					that it cannot be taken offline
 *	release START SIZE		the same page
 *	take START SIZE			a page of it is the kernel's; its zone must
 *					not be Movable
 *	put START SIZE			the same page
 *
 * "merge" has /proc/iomem show what lies side by side, and was added so, as one.
 * Nothing is checked here that the kernel's own functions do not check.
 */
#include <linux/init.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static int last_result;

/* Oopses if the linear map has lost a page of the range. */
static int read_pages(u64 start, u64 size)
{
	u64 address;

	if (!PAGE_ALIGNED(start) || !PAGE_ALIGNED(size))
		return -EINVAL;
	for (address = start; address < start + size; address += PAGE_SIZE) {
		READ_ONCE(*(unsigned long *)__va(address));
		cond_resched();
	}
	return 0;
}

static struct page *held;

/* Of a file or a process: such a page has the offline try again for ever. */
static int hold_page(u64 start, u64 size)
{
	unsigned long pfn;
	struct page *page;

	for (pfn = PHYS_PFN(start); !held && pfn < PHYS_PFN(start + size); pfn++) {
		page = pfn_to_online_page(pfn);
		if (!page || !get_page_unless_zero(page))
			continue;
		if (PageLRU(page))
			held = page;
		else
			put_page(page);
	}
	return held ? 0 : -ENOENT;
}

static int release_page(void)
{
	if (!held)
		return -ENOENT;
	put_page(held);
	held = NULL;
	return 0;
}

static struct page *taken;

/* As with any allocation of the kernel's: nobody can move such a page. */
static int take_page(u64 start, u64 size)
{
	unsigned long pfn;
	int result = -ENOENT;

	for (pfn = PHYS_PFN(start); !taken && pfn < PHYS_PFN(start + size);
	     pfn += pageblock_nr_pages) {
		/* 0: for unmovable pages; newer kernels: no flags. */
		result = alloc_contig_range(pfn, pfn + 1, 0, GFP_KERNEL);
		if (!result)
			taken = pfn_to_page(pfn);
	}
	return taken ? 0 : result;
}

static int put_taken_page(void)
{
	if (!taken)
		return -ENOENT;
	__free_page(taken);
	taken = NULL;
	return 0;
}

static int run_command(char *line)
{
	char verb[24], flag[24] = "";
	mhp_t flags = MHP_NONE;
	u64 start, size;
	int nid, n;

	n = sscanf(line, "%23s %lli %lli %23s", verb, &start, &size, flag);
	if (n < 3)
		return -EINVAL;
	if (!strcmp(flag, "memmap_on_memory"))
		flags = MHP_MEMMAP_ON_MEMORY;
	else if (!strcmp(flag, "merge"))
		flags = MHP_MERGE_RESOURCE;
	else if (n == 4)
		return -EINVAL;
	if (n == 4 && strcmp(verb, "add"))
		return -EINVAL;

	if (!strcmp(verb, "add")) {
		nid = memory_add_physaddr_to_nid(start);
		return add_memory(nid, start, size, flags);
	}
	if (!strcmp(verb, "remove"))
		return remove_memory(start, size);
	if (!strcmp(verb, "offline_and_remove"))
		return offline_and_remove_memory(start, size);
	if (!strcmp(verb, "read"))
		return read_pages(start, size);
	if (!strcmp(verb, "hold"))
		return hold_page(start, size);
	if (!strcmp(verb, "release"))
		return release_page();
	if (!strcmp(verb, "take"))
		return take_page(start, size);
	if (!strcmp(verb, "put"))
		return put_taken_page();
	return -EINVAL;
}

static ssize_t command_write(struct file *file, const char __user *buffer,
			     size_t length, loff_t *offset)
{
	char *line;

	line = memdup_user_nul(buffer, length);
	if (IS_ERR(line)) {
		last_result = PTR_ERR(line);
		return last_result;
	}
	last_result = run_command(strim(line));
	kfree(line);
	return last_result ? last_result : length;
}

static int result_show(struct seq_file *seq, void *unused)
{
	if (last_result)
		seq_printf(seq, "%pe\n", ERR_PTR(last_result));
	else
		seq_puts(seq, "0\n");
	return 0;
}

static int command_open(struct inode *inode, struct file *file)
{
	return single_open(file, result_show, NULL);
}

static const struct proc_ops command_ops = {
	.proc_open = command_open,
	.proc_read = seq_read,
	.proc_write = command_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int __init hotplug_driver_init(void)
{
	return proc_create("hotplug-driver", 0600, NULL, &command_ops) ?
	       0 : -ENOMEM;
}
module_init(hotplug_driver_init);

static void __exit hotplug_driver_exit(void)
{
	remove_proc_entry("hotplug-driver", NULL);
}
module_exit(hotplug_driver_exit);

MODULE_DESCRIPTION("Adds and removes memory on command, for tests");
MODULE_LICENSE("GPL");
