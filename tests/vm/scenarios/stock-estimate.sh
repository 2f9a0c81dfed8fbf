#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel stock --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c
#
# A kernel without the series: ranges and granularity are estimated, the answers are the same, before and after a
# restart of memctld.

. "$(dirname "$0")/expect.sh"

# Blocks come one by one, and an estimate made meanwhile is made anew: its number may be any.
range_is_known() {
        memctl list | grep -Eq '^0x140000000-0x1bfffffff .* unknown +est[0-9]+$'
}

story() {
        local when=$1
        expect 0 "$when: online" memctl online memory40-55
        expect_states "$when: all sixteen blocks are online" 40-55 online
        expect 3 "$when: offline memory44 is refused" memctl offline memory44
        expect_line "$when: the refusal names the unit" '^memctl: refused: memory44 \(128 MiB\) is part of a 1 GiB kernel mapping.*memory40-47 of est[0-9]+$'
        expect_line "$when: the whole mapping is a way out" '^  whole mapping:      memctl offline memory40-47$'
        expect_line "$when: the part is a way out" '^  this part only:     memctl offline --partial memory44 '
        expect_states "$when: nothing was changed" 40-55 online
        expect 0 "$when: offline memory40-47" memctl offline memory40-47
        expect_states "$when: the unit is offline" 40-47 offline
        expect_states "$when: its neighbour is not" 48-55 online
        expect 0 "$when: list --units" memctl list --units
        expect_no_line "$when: it is memctld that answers" 'cannot be reached'
        expect_line "$when: the listing says that it is an estimate" 'estimated'
}

expect 0 'memctld.service is active' systemctl is-active memctld.service
expect 1 'this kernel exports no ranges' test -e /sys/bus/memory_range
expect 0 'the driver adds 2 GiB' driver add 0x140000000 0x80000000
expect 0 'memctld sees it' await range_is_known
expect 0 'list' memctl list
expect_line 'the memory of the kernel itself is known to be boot memory' '^0x40000000-0xbfffffff .* boot'
expect_line 'whose the driver'"'"'s is cannot be told' '^0x140000000-0x1bfffffff .* unknown +est[0-9]+$'
story 'before a restart'
expect 0 'restart of memctld' systemctl restart memctld.service
story 'after a restart'

exit $failed
