#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# memoryN/state, online and valid_zones as drivers/base/memory.c has them.
. "$(dirname "$0")/prelude.sh"
on_machine

expect 0 'block_size_bytes is hex without a prefix' cat $memory/block_size_bytes
expect_output '128 MiB' 8000000
expect 0 'phys_index' cat $memory/memory44/phys_index
expect_output 'eight hex digits' 0000002c
expect 0 'a range at start is as described' cat $memory/memory40/state $memory/memory40/valid_zones
expect_output 'online, in Movable' $'online\nMovable'

expect 0 'offline' write offline $memory/memory41/state
expect_states 'it is offline' 41-41 offline
expect 0 'online reads 0' cat $memory/memory41/online
expect_output '0' 0
expect 0 'zones of an offline block inside a Movable zone' cat $memory/memory41/valid_zones
expect_output 'its default first' 'Movable Normal'
expect 1 'offline again by state' write offline $memory/memory41/state
expect_line 'is invalid' 'Invalid argument'
expect 0 'offline again by online is fine' write 0 $memory/memory41/online
expect 0 'online by online' write 1 $memory/memory41/online
expect 0 'it inherits the zone around it' cat $memory/memory41/valid_zones
expect_output 'Movable' Movable
expect 1 'online again by state' write online_kernel $memory/memory41/state
expect_line 'is invalid' 'Invalid argument'
expect 1 'an unknown word' write blue $memory/memory41/state
expect_line 'is invalid' 'Invalid argument'
expect 1 'going-offline cannot be asked for' write going-offline $memory/memory41/state

expect 0 'a whole range offline' bash -c "for n in {40..55}; do echo offline >$memory/memory\$n/state || exit; done"
expect 0 'zones of an offline block in no zone' cat $memory/memory41/valid_zones
expect_output 'a kernel zone first' 'Normal Movable'
expect 0 'online_kernel' write online_kernel $memory/memory40/state
expect 0 'online_movable' write online_movable $memory/memory50/state
expect 0 'each is where it was put' cat $memory/memory{40,50}/valid_zones
expect_output 'Normal and Movable' $'Normal\nMovable'
expect 0 'between zones the kernel zone is the default' cat $memory/memory45/valid_zones
expect_output 'Normal' 'Normal Movable'

expect 1 'arm64 boot memory' write offline $memory/memory9/state
expect_line 'is vetoed' 'Operation not permitted'
expect 1 'boot memory in a zone of its own' write 0 $memory/memory300/online
expect_line 'is vetoed too' 'Operation not permitted'

expect 0 'a block becomes unmovable' write 'unmovable 0x190000000 128M' "$MEMSIM/control"
expect 1 'its offline' write offline $memory/memory50/state
expect_line 'is busy' 'Device or resource busy'
expect_states 'it stays' 50-50 online
expect 0 'and movable again' write 'movable 0x190000000 128M' "$MEMSIM/control"
expect 0 'then it goes' write offline $memory/memory50/state

expect 1 'a file to read only' write 1 $memory/memory50/removable
expect_line 'not even root writes' 'Permission denied'
expect 1 'a file to write only' cat /sys/bus/acpi/devices/PNP0C80:00/eject
expect_line 'not even root reads' 'Permission denied'
expect 1 'a block that is not there' cat $memory/memory7/state
expect 1 'a number not as the kernel prints it' test -e $memory/memory050
expect 0 'links between block and node' readlink $memory/memory50/node0 /sys/devices/system/node/node0/memory50
expect_output 'both ways' $'../../node/node0\n../../memory/memory50'
expect 0 'firmware_node of a DIMM' readlink $memory/memory4288/firmware_node
expect_output 'the ACPI device' ../../../LNXSYSTM:00/LNXSYBUS:00/PNP0C80:00
expect 1 'no firmware_node elsewhere' test -e $memory/memory50/firmware_node
expect 0 'auto_online_blocks' cat $memory/auto_online_blocks
expect_output 'offline' offline
expect 1 'auto_online_blocks takes only types' write maybe $memory/auto_online_blocks

exit $failed
