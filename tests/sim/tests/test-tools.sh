#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The tools that people have run on the simulated machine and behave.
. "$(dirname "$0")/prelude.sh"
on_machine

expect 0 'lsmem' lsmem --output RANGE,SIZE,STATE,BLOCK,NODE --split STATE,NODE
expect_output 'the machine as described' 'RANGE                                 SIZE   STATE     BLOCK NODE
0x0000000040000000-0x00000001bfffffff   6G  online      8-55    0
0x0000000800000000-0x0000000dffffffff  24G  online   256-447    0
0x0000008000000000-0x00000086ffffffff  28G  online 4096-4319    1
0x0000010000000000-0x000001017fffffff   6G offline 8192-8239    1

Memory block size:       128M
Total online memory:      58G
Total offline memory:      6G'
expect 0 'lsmem --sysroot' lsmem --sysroot "$MEMSIM" --summary=only
expect_line 'sees the same' 'Total online memory: *58G'

expect 0 'chmem takes a block' chmem --disable -b 44
expect_states 'it is gone' 44-44 offline
expect 1 'chmem and boot memory' chmem --disable -b 9
expect_line 'chmem says so' 'disable failed'
expect 64 'chmem takes what it can' chmem --disable -b 8-47
expect_states 'that is seven blocks' 40-47 offline
expect 0 'chmem brings them back' chmem --enable --zone Movable -b 40-47
expect_states 'all eight' 40-47 online

expect 0 'daxctl list' daxctl list
expect_line 'the CXL device is system-ram' '"mode":"system-ram"'
expect 0 'daxctl online-memory' daxctl online-memory dax0.0
expect_states 'all of it' 8192-8239 online
expect 0 'daxctl offline-memory' daxctl offline-memory dax0.0
expect 0 'daxctl reconfigure to devdax' daxctl reconfigure-device --mode=devdax dax0.0
expect 1 'its blocks are gone' test -e $memory/memory8192
expect 0 'daxctl reconfigure to system-ram' daxctl reconfigure-device --mode=system-ram dax0.0
expect_states 'daxctl onlines what it adds' 8192-8239 online

exit $failed
