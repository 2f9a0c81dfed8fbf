// SPDX-License-Identifier: GPL-2.0
/*
 * Has a function of the kernel return an error once: write "FUNCTION ERRNO NTH" to
 * /proc/fail-return, for its NTH call from then on. The function runs nevertheless, so
 * choose one that does nothing but look.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static char symbol[64];
static int error;
static atomic_t n_left;

static int on_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (atomic_dec_if_positive(&n_left) == 0)
		regs_set_return_value(regs, -error);
	return 0;
}

NOKPROBE_SYMBOL(on_return);

static struct kretprobe probe = { .handler = on_return };

static void disarm(void)
{
	if (probe.kp.symbol_name)
		unregister_kretprobe(&probe);
	memset(&probe.kp, 0, sizeof(probe.kp));
}

static int arm(const char *line)
{
	int nth, rc;

	disarm();
	if (sscanf(line, "%63s %d %d", symbol, &error, &nth) != 3 || error <= 0 || nth <= 0)
		return -EINVAL;
	probe.kp.symbol_name = symbol;
	rc = register_kretprobe(&probe);
	if (rc)
		memset(&probe.kp, 0, sizeof(probe.kp));
	else
		atomic_set(&n_left, nth);
	return rc;
}

static ssize_t command_write(struct file *file, const char __user *buffer,
			     size_t length, loff_t *offset)
{
	char *line = memdup_user_nul(buffer, length);
	int rc;

	if (IS_ERR(line))
		return PTR_ERR(line);
	rc = arm(line);
	kfree(line);
	return rc ? rc : length;
}

static const struct proc_ops command_ops = {
	.proc_write = command_write,
};

static int __init fail_return_init(void)
{
	return proc_create("fail-return", 0200, NULL, &command_ops) ? 0 : -ENOMEM;
}
module_init(fail_return_init);

static void __exit fail_return_exit(void)
{
	remove_proc_entry("fail-return", NULL);
	disarm();
}
module_exit(fail_return_exit);

MODULE_DESCRIPTION("Has a function return an error, for tests");
MODULE_LICENSE("GPL");
