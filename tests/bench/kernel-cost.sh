#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest, for tests/bench/kernel: prints "hotplug GIB KILOINSTRUCTIONS" for ranges of
# some sizes, means of twenty adds with their removals, and what ranges cost where there are any.
. /hotplug.sh

start=0x140000000

# now: the guest's clock, which QEMU has go on by a nanosecond an instruction
now() { sed -n 's/^now at \([0-9]*\) nsecs$/\1/p' /proc/timer_list; }

# round GIB: quicker than hotplug.sh's functions, of which only the kernel's part is of interest
round() {
	echo "add $start $(($1 * GiB))" >/proc/hotplug-driver && echo "remove $start $(($1 * GiB))" >/proc/hotplug-driver
}

for size in 1 2 4 8; do
	round $size || fail "$size GiB cannot be added and removed"
	for _ in 1 2 3 4 5; do
		before=$(now)
		i=0
		while [ $((i += 1)) -le 20 ]; do round $size; done
		after=$(now)
		[ "$after" -gt "$before" ] || fail "there is no clock"
		echo "hotplug $size $(((after - before) / 20 / 1000))"
	done
done

[ -e /proc/many-ranges ] || exit 0
slab() { awk '/^(Slab|KernelStack|PageTables):/ { sum += $2 } END { print sum }' /proc/meminfo; }
before=$(slab)
echo 10000 >/proc/many-ranges || fail "ranges cannot be registered"
after=$(slab)
[ "$(ls /sys/bus/memory_range/devices | wc -l)" = 10000 ] || fail "there are not 10000 ranges"
echo "bytes $(((after - before) * 1024 / 10000))"
echo 0 >/proc/many-ranges
dmesg | sed -n 's/.* \([0-9]* ranges took [0-9]* us\)$/\1/p'
