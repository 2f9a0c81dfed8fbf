#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c
# guest: --arch x86_64 --kernel patched --root debian --memory 6G --append mem=2G --module tests/vm/hotplug-driver.c
# installs: package
# suite: drivers
#
# A driver lends memory that was kept from the kernel at boot, and takes it back by whole GiB: policy brings it online,
# memctl takes it offline, and the kernel refuses the driver what would split a mapping.

. "$(dirname "$0")/expect.sh"

are_online() { [[ $(states "$1" 2>/dev/null | sort -u) == online ]]; }

install_package
use_policy 50-lent-memory
expect 0 'the driver lends 2 GiB' driver add 0x140000000 0x80000000
expect 0 'policy brings it online' await are_online 40-55
expect 4 'memctl cannot remove it' memctl remove range0
expect_line 'and says why' "only the driver that added 'System RAM' can do that"
expect 3 'this policy lets no part go offline' memctl offline memory40
expect_no_line 'so no part is suggested' '--partial'
expect 1 'the kernel refuses the driver 128 MiB that are in use' driver offline_and_remove 0x140000000 0x8000000
expect 0 'a whole GiB goes offline' memctl offline memory40-47
expect 1 'and the kernel refuses 128 MiB of it' driver remove 0x140000000 0x8000000
expect 0 'the driver takes the GiB back' driver remove 0x140000000 0x40000000
expect_states 'the other is in use' 48-55 online
expect 0 'and can be read' driver read 0x180000000 0x40000000
expect 0 'memctld sees what is left' await busctl get-property org.memctl1 /org/memctl1/range/range1 org.memctl1.Range Start
expect 0 'it goes offline, too' memctl offline range1
expect 0 'and back to the driver' driver remove 0x180000000 0x40000000
expect 0 'lent again' driver add 0x140000000 0x80000000
expect 0 'it is online by policy again' await are_online 40-55

exit $failed
