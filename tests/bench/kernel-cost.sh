#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest, for tests/bench/kernel: prints "hotplug MILLISECONDS", five times the mean of a
# hundred adds with their removals, and what ranges cost where there are any.
. /hotplug.sh

start=0x140000000

# round: quicker than hotplug.sh's functions, of which only the kernel's part is of interest
round() {
	echo "add $start $GiB" >/proc/hotplug-driver && echo "remove $start $GiB" >/proc/hotplug-driver
}

round || fail "memory cannot be added and removed"
for _ in 1 2 3 4 5; do
	read -r before _ </proc/uptime
	i=0
	while [ $((i += 1)) -le 100 ]; do round; done
	read -r after _ </proc/uptime
	awk "BEGIN { print \"hotplug\", ($after - $before) * 10 }"
done

[ -e /proc/many-ranges ] || exit 0
slab() { awk '/^(Slab|KernelStack|PageTables):/ { sum += $2 } END { print sum }' /proc/meminfo; }
before=$(slab)
echo 10000 >/proc/many-ranges || fail "ranges cannot be registered"
after=$(slab)
[ "$(ls /sys/bus/memory_range/devices | wc -l)" = 10000 ] || fail "there are not 10000 ranges"
echo "bytes $(((after - before) * 1024 / 10000))"
echo 0 >/proc/many-ranges
dmesg | sed -n 's/.*many_ranges: \([0-9]* ranges took [0-9]* us\)/\1/p'
