#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel stock --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c --env guard=none
# guest: --arch arm64 --kernel patched --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c --env guard=removal
# guest: --arch arm64 --kernel stock --base v7.1-check --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c --env guard=offline
# suite: drivers
#
# The three kinds of kernel: memctl tells which it is, and does what it can on each.

. "$(dirname "$0")/expect.sh"

expect 0 'a driver adds 2 GiB' driver add 0x140000000 0x80000000
expect 0 'memctld sees them' await memctl show memory40
expect 0 'all of it goes online' memctl online 40-55

output=$(memctl doctor 2>&1)
case $guard in
none) expect_line 'doctor says that nothing stops a driver' '^warning +kernel guard: nothing in this kernel stops' ;;
removal) expect_line 'doctor says that removal is guarded' '^ok +kernel guard: the kernel refuses every removal' ;;
offline) expect_line 'doctor says that offlining is guarded' '^warning +kernel guard: the kernel refuses to offline parts' ;;
esac
expect 0 'so does the bus' busctl get-property org.memctl1 /org/memctl1 org.memctl1.Manager KernelGuard
expect_output 'in one word' "s \"$guard\""

# A part is refused alike on all of them.
expect 3 'a part of a mapping is refused' memctl offline memory44
expect_line 'with the unit and a way out' 'memctl offline memory40-47'
expect_states 'nothing was changed' 40-55 online

if [[ $guard != offline ]]; then
        expect 0 'a whole GiB goes offline' memctl offline 40-47
        expect_states 'it is offline' 40-47 offline
        exit $failed
fi
# This kernel lets the last block of the 2 GiB go offline, and no other.
expect 1 'a whole GiB does not go offline: the kernel vetoes' memctl offline 40-47
expect_line 'memctl says who refuses' 'architecture vetoed'
expect_states 'all is as it was' 40-55 online
expect 1 'not even by hand' bash -c 'echo offline >/sys/devices/system/memory/memory44/state'

exit $failed
