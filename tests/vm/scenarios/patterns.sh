#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 2G,slots=4,maxmem=32G --append rodata=off --env rounds=50 --qemu-arg -bios --qemu-arg /usr/share/qemu-efi-aarch64/QEMU_EFI.fd
# guest: --arch x86_64 --kernel patched --root debian --memory 2G,slots=4,maxmem=32G --env rounds=50
# installs: package
# program: tests/vm/scenarios/pattern-keeper.c
# suite: drivers
# hypervisor: plugs a DIMM
# timeout: 3600
#
# While a program checks patterns in three quarters of the memory that stays, other memory goes offline and online
# again, and is removed and added again, many times: no byte is lost and no job is left.

. "$(dirname "$0")/expect.sh"

# device: the one that is plugged; it may have another name each time
device() { readlink /sys/devices/system/memory/memory*/firmware_node | sed -n 's,.*/\(PNP0C80:.*\),\1,p' | sort -u | grep .; }
is_online() {
        local blocks
        blocks=$(blocks_of "$(device)") && [[ $(states "$blocks" | sort -u) == online ]]
}
is_gone() { ! device; }
# The hypervisor reads the scenario's own output, wherever that of a function goes.
exec 8>&1
plug() {
        order "qmp: object-add {\"qom-type\":\"memory-backend-ram\",\"id\":\"backend\",\"size\":$((256 << 20))}" >&8
        order "qmp: device_add {\"driver\":\"pc-dimm\",\"id\":\"dimm\",\"memdev\":\"backend\"}" >&8
        await is_online
}
unplug() {
        memctl remove "device:$(device)" || return
        order "await: DEVICE_DELETED dimm" >&8
        order 'qmp: object-del {"id":"backend"}' >&8
        is_gone
}

# In an emulator, beside others, a pass takes minutes.
await_seconds=900
# passes: whole ones; two more, and one has begun and ended since
passes() { cat /run/passes 2>/dev/null || echo 0; }
has_passed() { (($(passes) >= $1)); }
all_is_checked() { kill -0 "$keeper" && await has_passed $(($(passes) + 2)); }
# n_used: pages of the zone Movable that are not free
n_used() {
        awk '$1 == "Node" { movable = $4 == "Movable" }
             movable && $1 == "pages" && $2 == "free" { free = $3 }
             movable && $1 == "present" { present = $2 }
             END { print present - free }' /proc/zoneinfo
}

# use: the program has so many pages in the memory that comes and goes that they are not only the allocator's
has_pages_there() { (($(n_used) > 4096)); }
use() { kill -0 "$keeper" && await has_pages_there; }

offline_and_online() {
        local round
        for ((round = 1; round <= rounds; round++)); do
                most_used=$(($(n_used) > most_used ? $(n_used) : most_used))
                memctl offline "device:$(device)" && memctl online "device:$(device)" && use || {
                        echo "in round $round"
                        return 1
                }
        done
}
remove_and_add() {
        local round
        for ((round = 1; round <= rounds; round++)); do
                unplug && plug && use || {
                        echo "in round $round"
                        return 1
                }
        done
}

install_package
mkdir -p /etc/memctl/policy.d
# In an emulator all the pages of a block may take a minute to leave it.
printf '%s\n' '[Match]' 'Driver=acpi' '[Online]' 'Mode=auto' 'Zone=movable' '[Offline]' 'TimeoutSec=300' >/etc/memctl/policy.d/50-dimm.policy
systemctl reload memctld.service

mib=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) * 3 / 4 / 1024))
/payload/pattern-keeper "$mib" /run/passes &
keeper=$!
most_used=0
plug
expect 0 'a DIMM is online by policy' is_online
expect 0 "a program checks patterns in $mib MiB" all_is_checked

# in_this_shell NAME COMMAND: as expect, which would keep what is counted and ordered to itself
in_this_shell() {
        local status=ok
        "$2" >/tmp/output 2>&1 || status='not ok'
        output=$(tail -n 20 /tmp/output)
        result "$status" "$1"
}
in_this_shell "$rounds rounds of offline and online" offline_and_online
expect 0 'all of it was checked since' all_is_checked
output="at most $most_used pages"
expect 0 "the program had pages there" test "$most_used" -gt 4096
in_this_shell "$rounds rounds of remove and add" remove_and_add
expect 0 'all of it was checked since' all_is_checked
kill "$keeper"
keeper_ends_well() { wait "$keeper"; }
in_this_shell "no byte was lost in $(passes) passes" keeper_ends_well
expect 0 'jobs' memctl jobs
expect_no_line 'none is left' 'running|queued|stuck|rollback'
expect 0 'memctld is well' systemctl is-active memctld.service

exit $failed
