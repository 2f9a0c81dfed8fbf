#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a guest: what a driver may do to the memory it added, one case a boot, as
# some of them kill a kernel that has no guard. A case passes if the kernel lives and
# gives the answer that a kernel with the guard must give.
. /hotplug.sh

start=0x140000000
size=$((2 * GiB))
last=$((start + size - block))

case $case in
s1)
	# The first block of a 1 GiB leaf; then its neighbours are read.
	add_online $start $size
	driver offline_and_remove $start $block
	removal=$result
	driver read $((start + block)) $((GiB - block))
	[ "$removal" = -EBUSY ] || fail "the removal of a part of a leaf was not refused"
	expect_state online $start $size
	expect 0 read $start $size
	;;
s2)
	# The last block of a range.
	add_online $start $size
	driver offline_and_remove $last $block
	removal=$result
	driver read $((start + GiB)) $((GiB - block))
	[ "$removal" = -EBUSY ] || fail "the removal of a part of a leaf was not refused"
	expect_state online $start $size
	expect 0 read $start $size
	;;
s3)
	# All blocks offline by hand, then the whole range removed.
	add_online $start $size
	set_state offline $start $size
	expect 0 remove $start $size
	expect_state absent $start $size
	;;
s4)
	add_online $start $size
	expect 0 offline_and_remove $start $size
	expect_state absent $start $size
	;;
s5)
	# A block in the middle of a leaf may go offline and come back: its mapping stays.
	add_online $start $size
	set_state offline $((start + 4 * block)) $block
	expect 0 read $start $size
	set_state online_movable $((start + 4 * block)) $block
	expect_state online $start $size
	expect 0 read $start $size
	;;
s6)
	# What was added by the block has no leaf that is larger than a block.
	add_online $start $block
	add_online $((start + block)) $block
	expect 0 offline_and_remove $start $block
	expect 0 read $((start + block)) $block
	expect 0 offline_and_remove $((start + block)) $block
	expect_state absent $start $((2 * block))
	;;
s7)
	# One whole leaf of two.
	add_online $start $size
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
