// SPDX-License-Identifier: GPL-2.0
/*
 * Makes hot-added memory share a page-table leaf with what is beside it, which no
 * driver can: only so a removal of a whole device can be made to be refused.
 *
 * "join ADDRESS" to /proc/leaf-joiner puts one leaf of PUD_SIZE in the place of the
 * table of smaller ones that maps the physical ADDRESS in the linear map; "part" puts
 * the table back. Nobody may use the memory's neighbours meanwhile.
 *
 * "mark START SIZE" marks what maps the struct pages of that memory as parts of
 * contiguous sets, which arm64 has; "clear START SIZE" takes the marks away. The memory
 * has to be offline all the while, as sets that are none are not to be used.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/tlbflush.h>

static pud_t *joined;
static pud_t parted;

/*
 * init_mm is not for modules; the register that names its tables is. Where arm64 could
 * have more bits of addresses than it does, that points into the page of the uppermost.
 */
static pgd_t *kernel_tables(void)
{
#ifdef CONFIG_ARM64
	return __va(read_sysreg(ttbr1_el1) & GENMASK(47, PAGE_SHIFT));
#else
	return __va(read_cr3_pa());
#endif
}

static pud_t *pud_of(unsigned long addr)
{
	pgd_t *pgdp = pgd_offset_pgd(kernel_tables(), addr);

	return pud_offset(p4d_offset(pgdp, addr), addr);
}

/*
 * Break before make, as arm64 wants it; nobody looks at the memory in between. On x86
 * the old and the new entries, which map the same, may both be cached.
 */
static void set_entry(pud_t *pudp, pud_t pud)
{
#ifdef CONFIG_ARM64
	WRITE_ONCE(*pudp, __pud(0));
	flush_tlb_all();
#endif
	WRITE_ONCE(*pudp, pud);
	mb(); /* the hardware walks it next */
#ifdef CONFIG_ARM64
	isb();
#endif
}

#ifdef CONFIG_ARM64
/* Returns the size of the leaf, or 0. */
static unsigned long set_mark(unsigned long addr, u64 mark)
{
	pud_t *pudp = pud_of(addr);
	pmd_t *pmdp;
	pte_t *ptep;

	if (pud_none(*pudp) || pud_leaf(*pudp))
		return 0;
	pmdp = pmd_offset(pudp, addr);
	if (pmd_leaf(*pmdp)) {
		WRITE_ONCE(*pmdp, __pmd((pmd_val(*pmdp) & ~PTE_CONT) | mark));
		return PMD_SIZE;
	}
	if (!pmd_present(*pmdp))
		return 0;
	ptep = pte_offset_kernel(pmdp, addr);
	WRITE_ONCE(*ptep, __pte((pte_val(*ptep) & ~PTE_CONT) | mark));
	return PAGE_SIZE;
}

static int set_marks(u64 start, u64 size, u64 mark)
{
	unsigned long addr = (unsigned long)pfn_to_page(PHYS_PFN(start)), leaf;
	unsigned long end = addr + PHYS_PFN(size) * sizeof(struct page);

	for (; addr < end; addr += leaf) {
		leaf = set_mark(addr, mark);
		if (!leaf)
			return -ENOENT;
	}
	flush_tlb_all();
	return 0;
}
#else
#define PTE_CONT 0
static int set_marks(u64 start, u64 size, u64 mark)
{
	return -EOPNOTSUPP;
}
#endif

static int run_command(const char *line)
{
	u64 address, size;
	pud_t *pudp;

	if (sscanf(line, "mark %lli %lli", &address, &size) == 2)
		return set_marks(address, size, PTE_CONT);
	if (sscanf(line, "clear %lli %lli", &address, &size) == 2)
		return set_marks(address, size, 0);

	if (!strcmp(line, "part")) {
		if (!joined)
			return -ENOENT;
		set_entry(joined, parted);
		joined = NULL;
		return 0;
	}

	if (joined || sscanf(line, "join %lli", &address) != 1)
		return -EINVAL;
	pudp = pud_of((unsigned long)__va(address));
	if (pud_none(*pudp) || pud_leaf(*pudp))
		return -ENOENT;
	joined = pudp;
	parted = *pudp;
#ifdef CONFIG_ARM64
	set_entry(pudp, pfn_pud(PHYS_PFN(address & PUD_MASK), mk_pud_sect_prot(PAGE_KERNEL)));
#else
	set_entry(pudp, __pud((address & PUD_MASK) | pgprot_val(PAGE_KERNEL_LARGE)));
#endif
	return 0;
}

static ssize_t command_write(struct file *file, const char __user *buffer,
			     size_t length, loff_t *offset)
{
	char *line = memdup_user_nul(buffer, length);
	int error;

	if (IS_ERR(line))
		return PTR_ERR(line);
	error = run_command(strim(line));
	kfree(line);
	return error ? error : length;
}

static const struct proc_ops command_ops = {
	.proc_write = command_write,
};

static int __init leaf_joiner_init(void)
{
	return proc_create("leaf-joiner", 0200, NULL, &command_ops) ? 0 : -ENOMEM;
}
module_init(leaf_joiner_init);

static void __exit leaf_joiner_exit(void)
{
	remove_proc_entry("leaf-joiner", NULL);
	if (joined)
		set_entry(joined, parted);
}
module_exit(leaf_joiner_exit);

MODULE_DESCRIPTION("Makes memory share a page-table leaf with its neighbours, for tests");
MODULE_LICENSE("GPL");
