#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel stock --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c
#
# A kernel without the series: ranges and granularity are estimated, the answers are the same, before and after a
# restart of memctld. And what lsmem and chmem have to say to that.

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

# "block:40,state:online,node:0" for each block, from the JSON of lsmem or memctl.
rows() { (tr -d ' \t\n"' && echo) | tr '{' '\n' | sed -n 's/^\(block:[^}]*\)}.*/\1/p'; }
rows_of_lsmem() { lsmem -J -a -o BLOCK,STATE,NODE | rows; }
rows_of_memctl() { memctl list -J --blocks -o "$1" | rows; }
# lsmem tells no zones where the first block is not memory0: the kernel itself is asked. Only what is online is in one.
rows_of_sysfs() {
        local block state node zone
        cd /sys/devices/system/memory || return
        for block in $(printf '%s\n' memory[0-9]* | sed 's/memory//' | sort -n); do
                state=$(<"memory$block/state")
                node=$(printf '%s\n' "memory$block"/node* | sed 's/.*node//')
                zone=$(<"memory$block/valid_zones")
                [[ $state == online ]] || zone=null
                echo "block:$block,state:$state,node:$node,zone:$zone"
        done
}
say_the_same() {
        [[ -n $(rows_of_lsmem) ]] && diff <(rows_of_lsmem) <(rows_of_memctl BLOCK,STATE,NODE) &&
                diff <(rows_of_sysfs) <(rows_of_memctl BLOCK,STATE,NODE,ZONE)
}

# same_change MEMCTL-WORDS UNDO CHMEM-WORDS: both leave the driver's memory in the same states. chmem comes last, as
# what it onlines goes to a kernel zone and may stay there.
same_change() {
        local ours
        # shellcheck disable=SC2086 # words
        expect 0 "memctl $1" memctl $1
        ours=$(states 40-55)
        expect 0 'it is undone' memctl "$2" 40-55
        # shellcheck disable=SC2086
        expect 0 "chmem $3" chmem $3
        expect 0 "chmem $3 leaves the states that memctl $1 does" diff <(echo "$ours") <(states 40-55)
}

neighbours() {
        expect 0 'lsmem, sysfs and memctl list agree on each block' say_the_same
        expect 0 'all is online' memctl online 40-55
        same_change 'offline 40-47' online '-d -b 40-47'
        expect 0 'all is online again' memctl online 40-55
        same_change 'offline 1G' online '-d 1g'
        expect 0 'lsmem, sysfs and memctl list agree after that' say_the_same
        expect 0 'all is offline' memctl offline 40-55
        same_change 'online 48-55' offline '-e -b 48-55'
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
neighbours

exit $failed
