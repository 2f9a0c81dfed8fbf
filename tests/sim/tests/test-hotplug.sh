#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Adding and removing on a kernel with the guard: what the drivers get back, ranges, nodes and events.
. "$(dirname "$0")/prelude.sh"
on_machine

bus=/sys/bus/memory_range/devices

range() {
        local file
        for file in start size node name mapping_granularity removal_granularity; do
                cat "$bus/$1/$file"
        done
}

control() {
        write "$*" "$MEMSIM/control"
}

expect 0 'the third party'\''s range' range range0
expect_output 'two 1 GiB leaves' $'0x140000000\n2147483648\n0\nSystem RAM\n1073741824\n1073741824'

listen
expect 0 'add half a GiB, not aligned to one' control hot-add 0x1d8000000 512M 3 System RAM '(third)'
expect 0 'its range' range range3
expect_output 'no leaf is as large as a block' $'0x1d8000000\n536870912\n3\nSystem RAM (third)\n33554432\n134217728'
heard
expect_output 'blocks, then the new node, then the range' 'add /devices/system/memory/memory59
add /devices/system/memory/memory60
add /devices/system/memory/memory61
add /devices/system/memory/memory62
add /devices/system/node/node3
add /devices/virtual/memory_range/range3 MEMORY_RANGE_START=0x1d8000000 MEMORY_RANGE_SIZE=536870912 MEMORY_RANGE_NODE=3'
expect 1 'it cannot be added twice' control hot-add 0x1d8000000 128M
expect_line 'it is there' 'File exists'
expect 1 'nor what is no block' control hot-add 0x1f8000001 128M
expect_line 'invalid' 'Invalid argument'
listen
expect 0 'it goes as it came' control remove 0x1d8000000 512M
heard
expect_output 'range, blocks, node' 'remove /devices/virtual/memory_range/range3 MEMORY_RANGE_START=0x1d8000000 MEMORY_RANGE_SIZE=536870912 MEMORY_RANGE_NODE=3
remove /devices/system/memory/memory59
remove /devices/system/memory/memory60
remove /devices/system/memory/memory61
remove /devices/system/memory/memory62
remove /devices/system/node/node3'

expect 1 'remove what is online' control remove 0x140000000 1G
expect_line 'is busy' 'Device or resource busy'
listen
expect 1 'offline and remove a part of a leaf' control offline-and-remove 0x140000000 128M
expect_line 'is busy' 'Device or resource busy'
heard
expect_output 'the guard spoke before anything was touched' ''
expect 0 'the log' cat "$MEMSIM/log"
expect_line 'names what was asked for and the leaf' 'removing memory fails, because \[mem 0x140000000-0x147ffffff\] shares a 1048576 KiB leaf of the linear map with other memory'
expect 1 'the last block of the range' control offline-and-remove 0x1b8000000 128M
expect 1 'a span that ends inside the second leaf' control offline-and-remove 0x140000000 1152M

write offline $memory/memory47/state
listen
expect 0 'a whole leaf' control offline-and-remove 0x140000000 1G
heard
expect_output 'offline what was online, then remove; the rest is a new range' "$(
        for n in {40..46}; do echo "offline /devices/system/memory/memory$n"; done
        echo 'remove /devices/virtual/memory_range/range0 MEMORY_RANGE_START=0x140000000 MEMORY_RANGE_SIZE=2147483648 MEMORY_RANGE_NODE=0'
        for n in {40..47}; do echo "remove /devices/system/memory/memory$n"; done
        echo 'add /devices/virtual/memory_range/range4 MEMORY_RANGE_REMAINDER_OF=range0 MEMORY_RANGE_START=0x180000000 MEMORY_RANGE_SIZE=1073741824 MEMORY_RANGE_NODE=0'
)"
expect 1 'range0 is gone' test -e $bus/range0
expect 0 'what is left can be read' write 'read 0x180000000 1G' "$MEMSIM/proc/hotplug-driver"

expect 0 'a block that cannot go' control unmovable 0x190000000 128M
expect 1 'offline and remove fails' control offline-and-remove 0x180000000 1G
expect_states 'and puts back what it had taken' 48-55 online
expect 0 'in the zone it had' cat $memory/memory48/valid_zones
expect_output 'Movable' Movable

# ACPI
expect 0 'an empty slot' cat /sys/bus/acpi/devices/PNP0C80:01/status
expect_output 'is not there' 0
expect 0 'a DIMM is plugged in' control plug PNP0C80:01
expect 0 'it is there' cat /sys/bus/acpi/devices/PNP0C80:01/status
expect_output 'enabled' 15
expect_states 'its blocks are offline' 4320-4351 offline
write online_movable $memory/memory4320/state
expect 0 'its ejection is queued' control hold-ejects
expect 0 'eject returns at once' write 1 /sys/bus/acpi/devices/PNP0C80:01/eject
expect_states 'before anything happened' 4320-4320 online
listen
control run-ejects
heard
expect_line 'then the kernel takes it offline' '^offline /devices/system/memory/memory4320$'
expect_line 'and away' '^remove /devices/system/memory/memory4351$'
expect 0 'the slot is empty' cat /sys/bus/acpi/devices/PNP0C80:01/status
expect_output 'again' 0
expect 1 'and cannot be ejected' write 1 /sys/bus/acpi/devices/PNP0C80:01/eject
expect_line 'no such device' 'No such device'
control unmovable 0x8600000000 128M
listen
expect 0 'a DIMM that cannot go' write 1 /sys/bus/acpi/devices/PNP0C80:00/eject
heard
expect_line 'the others go' '^offline /devices/system/memory/memory4319$'
expect_line 'and come back' '^online /devices/system/memory/memory4319$'
expect_states 'all of it' 4288-4319 online

# dax
write online_movable $memory/memory8200/state
expect 0 'unbind succeeds with a block online' write dax0.0 /sys/bus/dax/drivers/kmem/unbind
expect 1 'the driver is gone' test -e /sys/bus/dax/devices/dax0.0/driver
expect_states 'the memory is not' 8192-8199 offline
write offline $memory/memory8200/state
expect 1 'nor can it be had again' write dax0.0 /sys/bus/dax/drivers/kmem/bind
expect_line 'it stays reserved' 'Device or resource busy'
expect 0 'iomem' cat /proc/iomem
expect_line 'shows it still' '^    10000000000-1017fffffff : System RAM \(kmem\)$'

# the kernel's own onlining
expect 0 'auto_online_blocks' write online_movable $memory/auto_online_blocks
listen
expect 0 'add a block' control hot-add 0x200000000 128M
heard
expect_output 'its range comes before it is online' 'add /devices/system/memory/memory64
add /devices/virtual/memory_range/range6 MEMORY_RANGE_START=0x200000000 MEMORY_RANGE_SIZE=134217728 MEMORY_RANGE_NODE=0
online /devices/system/memory/memory64'

exit $failed
