#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest with the patched kernel: how ranges come and go, and that nothing waits,
# is lost or is left over while they do. One $case a boot.
. /hotplug.sh

devices=/sys/bus/memory_range/devices
start=0x140000000

# ranges: all of them as "START SIZE NODE NAME", by address
ranges() {
	for range in "$devices"/*; do
		[ -e "$range" ] || continue
		echo "$(cat "$range/start" "$range/size" "$range/node" "$range/name" | xargs)"
	done | sort
}

# expect_ranges LINE...
expect_ranges() {
	printf '%s\n' "$@" >/run/wanted
	[ $# -gt 0 ] || : >/run/wanted
	ranges >/run/found
	cmp -s /run/wanted /run/found || fail "the ranges are not as they should be:
$(cat /run/found)
should be:
$(cat /run/wanted)"
}

# ram START SIZE: such a line
ram() { echo "$(printf 0x%x "$(($1))") $(($2)) 0 System RAM"; }

# remainder_of START: the range that the one at START is what is left of
remainder_of() {
	for range in "$devices"/*; do
		[ $(($(cat "$range/start"))) != $(($1)) ] || sed -n s/^MEMORY_RANGE_REMAINDER_OF=//p "$range/uevent"
	done
}

# failing N COMMAND START SIZE: with the Nth slab allocation of the kernel failing. Sets
# $result, and $failed if there was an Nth.
failing() {
	nth=$1
	shift
	# Opened before, as that allocates too; and read by another descriptor than written.
	failed=$(sh -c 'exec 6</proc/self/fail-nth 7>/proc/self/fail-nth 8>/proc/hotplug-driver
		echo "$1" >&7; shift; echo "$*" >&8
		read -r left <&6; echo 0 >&7; [ "$left" != 0 ] || echo yes' sh "$nth" "$@" 2>/dev/null)
	read -r result </proc/hotplug-driver
}

# read_msec FILE: how long it takes to read it: of five series of twenty the best, as others are at work, too
read_msec() {
	for _ in 1 2 3 4 5; do
		read -r before _ </proc/uptime
		for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			read -r _ <"$1"
		done
		read -r after _ </proc/uptime
		awk "BEGIN { print ($after - $before) * 1000 / 20 }"
	done | sort -n | head -n 1
}

fail_all_slabs() {
	echo N >/sys/kernel/debug/failslab/ignore-gfp-wait || fail "allocations cannot be made to fail"
}

# fail_each_removal START SIZE PART PART_SIZE: of what add_all adds, PART is removed with each allocation failing once
fail_each_removal() {
	fail_all_slabs
	add_all
	before=$(ranges)
	n=1 n_failed=0
	while dmesg -c >/dev/null; failing $n remove $3 $4; [ "$failed" ]; do
		if [ "$result" = 0 ]; then
			expect_state absent $3 $4
			# Only the device of a remainder can be missing then, and the kernel has said so.
			[ "$(ranges)" = "$(remainders "$@")" ] || dmesg | grep -q 'cannot be shown in sysfs' ||
				fail "allocation $n failed, and a remainder is neither shown nor complained of"
			expect 0 remove $1 $(($3 - $1))
			expect 0 remove $(($3 + $4)) $(($1 + $2 - $3 - $4))
			expect_ranges
			add_all
		else
			[ "$result" = -ENOMEM ] || fail "allocation $n failed, and the removal said $result"
			n_failed=$((n_failed + 1))
			[ "$(ranges)" = "$before" ] || fail "allocation $n failed, and the ranges are $(ranges)"
			expect_state offline $1 $2
			expect 0 read $1 $2
		fi
		before=$(ranges)
		n=$((n + 1))
	done
	[ "$(ranges)" = "$(remainders "$@")" ] || fail "the remainders are $(ranges)"
	echo "$((n - 1)) allocations, $n_failed of which fail the removal"
	[ $n_failed -ge 4 ] || fail "four allocations are for two remainders, $n_failed failed it"
}

# remainders START SIZE PART PART_SIZE: what ranges are to be there without PART
remainders() {
	ram $1 $(($3 - $1))
	ram $(($3 + $4)) $(($1 + $2 - $3 - $4))
}

case $case in
partial)
	# What remains of each removal is a new range, with a number that never was.
	expect 0 add $start $((3 * GiB))
	expect_ranges "$(ram $start $((3 * GiB)))"
	[ "$(remainder_of $start)" = "" ] || fail "a new range is no remainder"
	expect 0 remove $((start + GiB)) $GiB
	expect_ranges "$(ram $start $GiB)" "$(ram $((start + 2 * GiB)) $GiB)"
	[ "$(remainder_of $start)" = range0 ] && [ "$(remainder_of $((start + 2 * GiB)))" = range0 ] ||
		fail "the remainders do not say of what"
	[ ! -e $devices/range0 ] || fail "a number is used again"
	expect 0 add $((start + GiB)) $GiB
	# Neighbours in /proc/iomem are merged or not; ranges never are.
	expect_ranges "$(ram $start $GiB)" "$(ram $((start + GiB)) $GiB)" "$(ram $((start + 2 * GiB)) $GiB)"
	;;
several)
	# One removal of the end of a range, a whole one, and the beginning of a third: none is asked of by itself.
	# /proc/iomem shows them as one, else the kernel would not release a resource that is not the only one.
	expect 0 add $start $GiB merge
	expect 0 add $((start + GiB)) $((2 * block)) merge
	expect 0 add $((start + GiB + 2 * block)) $block merge
	expect 0 add $((start + GiB + 3 * block)) $((GiB - 3 * block)) merge
	n_resources=$(grep -ci "^$(printf %x $((start)))-$(printf %x $((start + 2 * GiB - 1))) : System RAM" /proc/iomem)
	[ "$n_resources" = 1 ] || fail "what was added is not merged in /proc/iomem"
	before=$(ranges)
	[ "$(echo "$before" | wc -l)" = 4 ] || fail "these ranges were merged, too: $before"
	expect -EBUSY remove $((start + GiB - block)) $((3 * block))
	[ "$(ranges)" = "$before" ] || fail "a refused removal changed the ranges"
	expect 0 remove $((start + GiB + block)) $((3 * block))
	expect_ranges "$(ram $start $GiB)" "$(ram $((start + GiB)) $block)" "$(ram $((start + GiB + 4 * block)) $((GiB - 4 * block)))"
	[ "$(remainder_of $((start + GiB)))" = range1 ] && [ "$(remainder_of $((start + GiB + 4 * block)))" = range3 ] ||
		fail "the remainders do not say of what"
	expect 0 remove $start $((GiB + block))
	expect 0 remove $((start + GiB + 4 * block)) $((GiB - 4 * block))
	expect_ranges
	;;
fail-add)
	# Whichever allocation fails, memory is there with its range, or neither is. A single
	# block, as the kernel keeps the sections before the one that it has no memory for.
	fail_all_slabs
	n=1 n_failed=0
	while dmesg -c >/dev/null; failing $n add $start $block; [ "$failed" ]; do
		if [ "$result" = 0 ]; then
			# Only the device can be missing then, and the kernel has said so.
			[ "$(ranges)" = "$(ram $start $block)" ] || dmesg | grep -q 'cannot be shown in sysfs' ||
				fail "allocation $n failed, and the range is neither shown nor complained of"
			expect 0 remove $start $block
		else
			# The kernel says -EEXIST of a resource that it has no memory for; 6.1 says -EINVAL of a device that
			# it cannot give a name (device_add() in drivers/base/core.c).
			[ "$result" = -ENOMEM ] || [ "$result" = -EEXIST ] || [ "$result" = -EINVAL ] ||
				fail "allocation $n failed, and the add said $result"
			n_failed=$((n_failed + 1))
		fi
		expect_ranges
		expect_state absent $start $block
		n=$((n + 1))
	done
	expect_ranges "$(ram $start $block)"
	echo "$((n - 1)) allocations, $n_failed of which fail the add"
	[ $n_failed -ge 2 ] || fail "none of them failed the add"
	;;
fail-remove)
	# The middle of a range: two remainders are to be made. Nothing is done by halves.
	add_all() { expect 0 add $start $((3 * GiB)); }
	fail_each_removal $start $((3 * GiB)) $((start + GiB)) $GiB
	;;
fail-remove-several)
	# The same of the end of a range, a whole one, and the beginning of a third.
	add_all() {
		expect 0 add $start $((2 * block)) merge
		expect 0 add $((start + 2 * block)) $block merge
		expect 0 add $((start + 3 * block)) $((5 * block)) merge
	}
	fail_each_removal $start $((8 * block)) $((start + block)) $((3 * block))
	;;
hang)
	# An offline that never ends, since somebody holds a page, has every hot-plug lock.
	add_online $start $((2 * GiB))
	mkdir -p /pinned
	mount -t tmpfs none /pinned
	dd if=/dev/zero of=/pinned/file bs=1M count=16 2>/dev/null
	expect 0 hold $start $((2 * GiB))
	(for folder in $(blocks $start $((2 * GiB))); do echo offline >"$folder/state"; done) 2>/dev/null &
	offliner=$!
	until cat $memory/*/state | grep -q going-offline; do
		kill -0 $offliner 2>/dev/null || fail "no offline hangs"
	done
	for file in start size node name mapping_granularity removal_granularity uevent; do
		read -r _ <$devices/range0/$file || fail "$file cannot be read"
		slowest=$(printf '%s\n%s\n' "${slowest:-0}" "$(read_msec $devices/range0/$file)" | sort -n | tail -n 1)
	done
	cat $memory/*/state | grep -q going-offline || fail "the offline has ended meanwhile"
	echo "$slowest ms a read of the slowest attribute, the mean of twenty in the best of five series"
	awk "BEGIN { exit !($slowest < 10) }" || fail "it takes 10 ms or more"
	expect 0 release $start $((2 * GiB))
	wait $offliner
	expect_state offline $start $((2 * GiB))
	;;
stress)
	# Readers while ranges come and go in whole and in parts. Of the blocks not valid_zones: with or without the
	# series, where one has no node yet the kernel looks for the zones of node -1. A link in a node's folder is no
	# help, as the block behind it may be another by the time that it is followed. Nor "state", which others write:
	# what a writer holds it with and what a removal waits for it with is a circle to lockdep.
	#
	# A block of the zone Movable stays, as the kernel makes its zone lists anew when that zone gets its first block or
	# loses its last, and alloc_pages_bulk(), of sendfile() for one, dereferences NULL if it reads one meanwhile.
	stays=0x200000000
	expect 0 add $stays $block
	set_state online_movable $stays $block
	for _ in 1 2 3; do
		while :; do cat $devices/*/* /sys/devices/system/memory/*/removable; done >/dev/null 2>&1 &
		readers="$readers $!"
	done
	# Beside it a dax device's memory comes and goes, which is no system RAM: memunmap_pages() takes its mapping.
	make_dax_device
	dax=/sys/bus/dax/drivers/device_dax
	while echo dax0.0 >$dax/unbind && echo dax0.0 >$dax/bind; do echo bound; done >/run/dax 2>&1 &
	readers="$readers $!"
	round=0
	while [ $round -lt "$rounds" ]; do
		expect 0 add $start $((2 * GiB))
		set_state online_movable $start $GiB
		expect -EBUSY offline_and_remove $start $block
		expect 0 offline_and_remove $start $GiB
		expect 0 remove $((start + GiB)) $GiB
		for at in 0 1 2 3; do expect 0 add $((start + at * block)) $block; done
		for at in 1 2 0 3; do expect 0 remove $((start + at * block)) $block; done
		round=$((round + 1))
	done
	# shellcheck disable=SC2086  # a list of numbers
	kill $readers
	# shellcheck disable=SC2086
	wait $readers
	expect 0 offline_and_remove $stays $block
	expect_ranges
	! grep -v '^bound$' /run/dax || fail "the dax device was not to be had again"
	[ "$(wc -l </run/dax)" -gt "$rounds" ] || fail "the dax device came back only $(wc -l </run/dax) times"
	echo "$rounds rounds, and a dax device came and went $(wc -l </run/dax) times"
	;;
*)
	fail "no such case: '$case'"
	;;
esac
