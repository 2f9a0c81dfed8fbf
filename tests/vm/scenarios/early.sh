#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c --initramfs-script tests/vm/scenarios/lend-early --file docs/examples/50-lent-memory.policy:/etc/memctl/policy.d/50-lent-memory.policy
# suite: drivers
#
# Memory that a driver adds in the initramfs, before there is udevd or memctld: policy brings it online, once.

. "$(dirname "$0")/expect.sh"

are_online() { [[ $(states "$1" 2>/dev/null | sort -u) == online ]]; }

expect 0 'policy brings online what was there first' await are_online 40-47
expect 0 'it goes offline when somebody says so' memctl offline memory40-47
expect 0 'memctld starts anew' systemctl restart memctld.service
expect 0 'the driver lends another GiB' driver add 0x180000000 0x40000000
expect 0 'which goes online' await are_online 48-55
expect_states 'the first stays as it was left' 40-47 offline

exit $failed
