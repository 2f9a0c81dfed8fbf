#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 2G,slots=1,maxmem=16G --append rodata=off --qemu-arg -object --qemu-arg memory-backend-ram,id=vmem-backend,size=4G --qemu-arg -device --qemu-arg virtio-mem-pci,id=vmem,memdev=vmem-backend,requested-size=0
# guest: --arch x86_64 --kernel patched --root debian --memory 2G,slots=1,maxmem=16G --qemu-arg -object --qemu-arg memory-backend-ram,id=vmem-backend,size=4G --qemu-arg -device --qemu-arg virtio-mem-pci,id=vmem,memdev=vmem-backend,requested-size=0
# installs: package
# suite: drivers
# hypervisor: grows and shrinks virtio-mem
#
# The hypervisor lends 4 GiB in steps, which policy brings online, and takes them back in steps: nothing of memctld is
# in its way, and memctl leaves the removal to it.

. "$(dirname "$0")/expect.sh"

# request GiB: and await that the guest has given or taken it
request() {
        order "qmp: qom-set {\"path\":\"/machine/peripheral/vmem\",\"property\":\"requested-size\",\"value\":$(($1 << 30))}"
        order "await: MEMORY_DEVICE_SIZE_CHANGE \"size\":$(($1 << 30)),"
}
n_online() {
        local range n=0 start size block
        for range in /sys/bus/memory_range/devices/range*; do
                start=$(<"$range/start") size=$(<"$range/size")
                for ((block = start >> 27; block < (start + size) >> 27; block++)); do
                        [[ $(<"/sys/devices/system/memory/memory$block/state") != online ]] || n=$((n + 1))
                done
        done 2>/dev/null
        echo $n
}
are_online() { [[ $(n_online) == "$1" ]]; }

install_package
use_policy 50-virtio-mem
for gib in 1 2 4; do
        request $gib
        expect 0 "grown to $gib GiB, all online by policy" await are_online $((gib * 8))
done
expect 0 'list' memctl list --ranges -nr -o DRIVER
expect_line 'it is known as virtio-mem' '^virtio-mem$'
expect_no_line 'all of it' '^(other|acpi|dax)$'
range=$(basename "$(echo /sys/bus/memory_range/devices/range* | cut -d ' ' -f 1)")
expect 4 'memctl does not remove it' memctl remove "$range"
expect_line 'it says whose it is' 'is virtio-mem, which only the hypervisor removes: lower its requested-size there'
expect 0 'but takes it offline, which helps' memctl offline "$range"
for gib in 3 1 0; do
        request $gib
        expect 0 "shrunk to $gib GiB" await are_online $((gib * 8))
done
expect 0 'no range is left' await bash -c '! ls /sys/bus/memory_range/devices | grep .'
expect 0 'what memctld logged' journalctl -q -o cat -u memctld.service
expect_line 'is there' 'brings it online'
expect_no_line 'no refusal' '[Rr]efuse'
expect 0 'what the kernel logged' dmesg
expect_no_line 'nor did it refuse anything' 'removing memory fails'
expect 0 'memctld is well' systemctl is-active memctld.service

exit $failed
