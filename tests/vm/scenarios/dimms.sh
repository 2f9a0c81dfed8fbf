#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 2G,slots=4,maxmem=32G --append rodata=off --qemu-arg -bios --qemu-arg /usr/share/qemu-efi-aarch64/QEMU_EFI.fd
# guest: --arch x86_64 --kernel patched --root debian --memory 2G,slots=4,maxmem=32G
# installs: package
# suite: drivers
# hypervisor: plugs DIMMs
#
# Two DIMMs, one with leaves of 1 GiB and one too small for them: online by policy, no part goes, memctl removes the
# whole first, the hypervisor asks for the second back.

. "$(dirname "$0")/expect.sh"

# plug NAME SIZE DEVICE: and await its blocks
plug() {
        order "qmp: object-add {\"qom-type\":\"memory-backend-ram\",\"id\":\"backend-$1\",\"size\":$2}"
        order "qmp: device_add {\"driver\":\"pc-dimm\",\"id\":\"$1\",\"memdev\":\"backend-$1\"}"
        order "await: ACPI_DEVICE_OST"
        await blocks_of "$3"
}
all_online() { [[ $(states "$1" | sort -u) == online ]]; }
gone() { [[ ! -e /sys/devices/system/memory/memory${1%-*} && ! -e /sys/devices/system/memory/memory${1#*-} ]]; }

install_package
mkdir -p /etc/memctl/policy.d
printf '%s\n' '[Match]' 'Driver=acpi' '[Online]' 'Mode=auto' 'Zone=movable' >/etc/memctl/policy.d/50-dimm.policy
systemctl reload memctld.service

plug large $((2 << 30)) PNP0C80:00
large=$(blocks_of PNP0C80:00)
expect 0 'the first DIMM is there' test -n "$large"
expect 0 'policy brings it online' await all_online "$large"
plug small $((256 << 20)) PNP0C80:01
small=$(blocks_of PNP0C80:01)
expect 0 'policy brings the second online' await all_online "$small"
expect 0 'the zone is Movable' grep -x Movable "/sys/devices/system/memory/memory${large%-*}/valid_zones"
expect 0 'list' memctl list "device:PNP0C80:00"
expect_line 'it is one run of hot-added memory' '2G .*online.*Movable.* hot-added'
expect 0 'the first has leaves of 1 GiB' memctl show "memory${large%-*}"
expect_line 'and so are its units' 'removable in units of 1 GiB \(kernel\)'

expect 3 'a part of a leaf is not taken offline' memctl offline "memory$((${large%-*} + 1))"
expect_line 'the refusal names the mapping' 'is part of a 1 GiB kernel mapping'
expect 4 'a part of a DIMM is not removed' memctl remove "memory${large%-*}-$((${large%-*} + 7))"
expect_line 'the way out is the device' 'memctl remove device:PNP0C80:00'
expect_states 'nothing was changed' "$large" online

expect 0 'the whole DIMM is removed' memctl remove device:PNP0C80:00
expect_line 'memctl says so' '2 GiB\): removed'
expect 0 'its blocks are gone' gone "$large"
order "await: DEVICE_DELETED large"
result ok 'the hypervisor has it back'
order "never: MEM_UNPLUG_ERROR"
expect_states 'the other is as it was' "$small" online

order 'qmp: device_del {"id":"small"}'
order "await: DEVICE_DELETED small"
result ok 'the hypervisor gets the other back by itself'
order "never: MEM_UNPLUG_ERROR"
expect 0 'its blocks are gone' await gone "$small"
expect 0 'memctld sees that nothing hot-added is left' await bash -c '! busctl tree org.memctl1 | grep -q range/'
expect 0 'memctld is well' systemctl is-active memctld.service

exit $failed
