#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest with the patched kernel of arm64, whose linear map has leaves no larger
# than a block: memory whose struct pages share a leaf of the vmemmap with those of other
# memory is not removed, and sysfs says so.
. /hotplug.sh

devices=/sys/bus/memory_range/devices
start=0x140000000 size=$((2 * GiB))

# expect_unit VALUE
expect_unit() {
	read -r unit <$devices/range0/removal_granularity
	[ "$unit" = "$1" ] || fail "removal_granularity is $unit and should be $1"
}

expect 0 add $start $size
expect_unit $block
echo "mark $start $size" >/proc/leaf-joiner || fail "the page tables cannot be changed"
expect_unit unknown
dmesg -c >/dev/null
for at in $((start)) $((start + block)) $((start + size - block)); do
	expect -EBUSY remove $at $block
	dmesg -c | grep -q "removing memory fails, because .*leaf of the vmemmap" || fail "the kernel did not say why"
done
[ "$(ls $devices)" = range0 ] || fail "a refused removal changed the ranges: $(ls $devices)"
expect_state offline $start $size

echo "clear $start $size" >/proc/leaf-joiner || fail "the page tables cannot be changed back"
expect_unit $block
expect 0 remove $start $block
expect 0 remove $((start + block)) $((size - block))
expect_state absent $start $size
