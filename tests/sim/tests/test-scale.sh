#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Half a million blocks cost no memory and are named quickly.
. "$(dirname "$0")/prelude.sh"
machine_options=--sysfs-only
on_machine 64t

# In /proc there is one process of that name: the namespace is ours.
memsim_memory_kib() {
        sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$(pgrep -x memsim)/status"
}

# Names only: find would look at each entry.
# shellcheck disable=SC2010  # they are half a million memoryN
count() {
        ls -f "$1" | grep -c '^memory[0-9]'
}

expect 0 'every block is in the directory' count $memory/
expect_output 'once' 524288
expect 0 'and in its node' count /sys/devices/system/node/node0/
expect_output 'once' 524288
expect 0 'the last one has a state' cat $memory/memory524295/state
expect_output 'online' online
expect 0 'a TiB is added' write 'hot-add 0x800000000000 1T 1' "$MEMSIM/control"
expect 0 'all of it' count /sys/devices/system/node/node1/
expect_output '8192 blocks' 8192
expect 0 'every eighth block of it goes online' bash -c "for n in {1048576..1056767..8}; do echo online >$memory/memory\$n/state || exit; done"
# A sanitizer's own memory says nothing about memsim's.
grep -q libasan "/proc/$(pgrep -x memsim)/maps" || expect 0 'memsim needs less than 8 MiB' test "$(memsim_memory_kib)" -lt 8192

exit $failed
