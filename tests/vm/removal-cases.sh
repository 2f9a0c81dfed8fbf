#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest: what a driver may do to the memory it added, one case a boot, as
# some of them kill a kernel that has no guard. A case passes if the kernel lives and
# gives the answer that a kernel with the guard must give. $leaf: the size of the leaves
# that map the memory, 0 if none is larger than a block; $flag: of the adds.
. /hotplug.sh

start=0x140000000
size=$((2 * GiB))
last=$((start + size - block))

# expect_part START NEIGHBOURS SIZE: removes the block at START. If the leaf that maps it
# is larger, that is refused, and all stays; if not, the block goes. The others of its
# GiB, SIZE from NEIGHBOURS, can be read either way.
expect_part() {
	driver offline_and_remove "$1" $block
	removal=$result
	driver read "$2" "$3"
	if [ "$leaf" -gt $block ]; then
		[ "$removal" = -EBUSY ] || fail "the removal of a part of a leaf was not refused"
		expect_state online $start $size
		expect 0 read $start $size
	else
		[ "$removal" = 0 ] || fail "the removal of a block was refused"
		expect_state absent "$1" $block
		expect_state online "$2" "$3"
		expect 0 read "$2" "$3"
	fi
}

case $case in
s1)
	# The first block of a leaf; then its neighbours are read.
	add_online $start $size "$flag"
	expect_part $start $((start + block)) $((GiB - block))
	;;
s2)
	# The last block of a range.
	add_online $start $size "$flag"
	expect_part $last $((start + GiB)) $((GiB - block))
	;;
s3)
	# All blocks offline by hand, then the whole range removed.
	add_online $start $size "$flag"
	set_state offline $start $size
	expect 0 remove $start $size
	expect_state absent $start $size
	;;
s4)
	add_online $start $size "$flag"
	expect 0 offline_and_remove $start $size
	expect_state absent $start $size
	;;
s5)
	# A block in the middle of a leaf may go offline and come back: its mapping stays.
	add_online $start $size "$flag"
	set_state offline $((start + GiB / 2)) $block
	expect 0 read $start $size
	set_state online_movable $((start + GiB / 2)) $block
	expect_state online $start $size
	expect 0 read $start $size
	;;
s6)
	# What was added by the block has no leaf that is larger than a block.
	add_online $start $block "$flag"
	add_online $((start + block)) $block "$flag"
	expect 0 offline_and_remove $start $block
	expect 0 read $((start + block)) $block
	expect 0 offline_and_remove $((start + block)) $block
	expect_state absent $start $((2 * block))
	;;
s7)
	# One whole leaf of two.
	add_online $start $size "$flag"
	expect 0 offline_and_remove $((start + GiB)) $GiB
	expect_state absent $((start + GiB)) $GiB
	expect_state online $start $GiB
	expect 0 read $start $GiB
	expect 0 offline_and_remove $start $GiB
	expect_state absent $start $size
	;;
*)
	fail "no such case: '$case'"
	;;
esac
