#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest with the patched kernel: adds a range and compares what the kernel
# says of it with what it does. $start, $size, $flag: what is added. $granularity and
# $unit: mapping_granularity and removal_granularity as they must be, in bytes. $levels:
# sizes of the leaves of each level in KiB: PUD, contiguous PMDs, PMD, contiguous PTEs, PTE.
. /hotplug.sh

devices=/sys/bus/memory_range/devices
tables=/sys/kernel/debug/kernel_page_tables
[ -e $tables ] || tables=/sys/kernel/debug/page_tables/kernel

# linear_map: the lines of the page tables' dump that belong to the linear map
linear_map() {
	awk '/^---\[/ { inside = /Linear Mapping start|Low Kernel Mapping/; next } inside' $tables
}

# largest_leaf FILE: bytes. The dump joins neighbours, so the length of a line says
# nothing; the level does, and on arm64 the mark of a contiguous set.
largest_leaf() {
	awk -v levels="$levels" '
	BEGIN { split(levels, KiB, ",") }
	# A hole is a line without attributes: arm64 has them after the level, x86 before it.
	{ leaf = 0 }
	# Of three levels the uppermost is PGD to kernels before 6.12; it has no other leaves.
	/ P[UG]D .| (RW|ro) .*pud *$/ { leaf = KiB[1] }
	/ PMD .| (RW|ro) .*pmd *$/ { leaf = / CON / ? KiB[2] : KiB[3] }
	/ PTE .| (RW|ro) .*pte *$/ { leaf = / CON / ? KiB[4] : KiB[5] }
	leaf > largest { largest = leaf }
	END { printf "%.0f", largest * 1024 }' "$1"
}

# attribute RANGE NAME
attribute() {
	read -r value <"$devices/$1/$2"
	echo "$value"
}

# expect_attribute RANGE NAME VALUE
expect_attribute() {
	value=$(attribute "$1" "$2")
	[ "$value" = "$3" ] || fail "$1/$2 is $value and should be $3"
}

# covered: the sum of all ranges' sizes
covered() {
	sum=0
	for range in "$devices"/*; do
		[ -e "$range" ] || continue
		read -r value <"$range/size"
		sum=$((sum + value))
	done
	echo $sum
}

# remove_unit START SIZE: neither half of it goes by itself, then it goes as a whole
remove_unit() {
	if [ "$2" -gt "$block" ]; then
		before=$(ls $devices)
		expect -EBUSY offline_and_remove "$1" $(($2 / 2))
		expect -EBUSY offline_and_remove $(($1 + $2 / 2)) $(($2 / 2))
		expect_state online "$1" "$2"
		expect 0 read "$1" "$2"
		[ "$(ls $devices)" = "$before" ] || fail "a refused removal changed the ranges"
	fi
	expect 0 offline_and_remove "$1" "$2"
	expect_state absent "$1" "$2"
	left=$((left - $2))
	[ "$(covered)" = $left ] || fail "the ranges cover $(covered) bytes and should cover $left"
}

start=$((start)) size=$((size)) end=$((start + size)) left=$size
[ "$(covered)" = 0 ] || fail "there are ranges before anything was added: $(ls $devices)"
linear_map >/run/before
# shellcheck disable=SC2086  # no flag is no word
add_online $start $size $flag
linear_map | grep -vxF -f /run/before >/run/added
sed 's/^/page tables: /' /run/added

[ "$(ls $devices)" = range0 ] || fail "one add made these ranges: $(ls $devices)"
expect_attribute range0 start "$(printf 0x%x $start)"
expect_attribute range0 size $size
expect_attribute range0 node 0
expect_attribute range0 name "System RAM"
expect_attribute range0 mapping_granularity "$granularity"
expect_attribute range0 removal_granularity "$unit"
[ "$(largest_leaf /run/added)" = "$granularity" ] ||
	fail "the page tables say $(largest_leaf /run/added) bytes, mapping_granularity says $granularity"

# Chunks of $unit that lie wholly inside, and by the block what lies before and after.
chunks=$(((start + unit - 1) / unit * unit)) chunks_end=$((end / unit * unit))
at=$start
while [ $at -lt $end ]; do
	if [ $at -ge $chunks ] && [ $at -lt $chunks_end ]; then
		remove_unit $at "$unit"
		at=$((at + unit))
	else
		remove_unit $at "$block"
		at=$((at + block))
	fi
done
[ "$(covered)" = 0 ] || fail "ranges are left: $(ls $devices)"
