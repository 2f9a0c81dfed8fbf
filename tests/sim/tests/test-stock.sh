#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A kernel without the guard: nothing tells where the leaves are, and a driver's partial removal is what it is.
. "$(dirname "$0")/prelude.sh"
on_machine stock

expect 1 'no memory_range bus' test -e /sys/bus/memory_range
expect 0 'a driver adds 2 GiB' write 'add 0x140000000 2G' "$MEMSIM/proc/hotplug-driver"
listen
expect 0 'and removes a part of a leaf' write 'offline_and_remove 0x140000000 128M' "$MEMSIM/proc/hotplug-driver"
heard
expect_output 'nobody stops it, no event tells of ranges' 'remove /devices/system/memory/memory40'
expect 0 'as long as nobody looks' cat "$MEMSIM/status"
expect_output 'the machine is alive' alive
expect 0 'the other leaf is fine' write 'read 0x180000000 1G' "$MEMSIM/proc/hotplug-driver"
expect 1 'the neighbours are not' write 'read 0x148000000 128M' "$MEMSIM/proc/hotplug-driver"
expect 0 'it is dead' cat "$MEMSIM/status"
expect_output 'dead' died
expect 0 'the log' cat "$MEMSIM/log"
expect_line 'says why' 'Unable to handle kernel paging request: physical address 0x148000000'
expect 1 'a dead machine does not answer' cat $memory/block_size_bytes
expect_line 'at all' 'Input/output error'

exit $failed
