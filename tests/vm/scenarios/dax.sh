#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 2G,slots=4,maxmem=32G --append rodata=off --qemu-arg -bios --qemu-arg /usr/share/qemu-efi-aarch64/QEMU_EFI.fd --qemu-arg -machine --qemu-arg nvdimm=on --qemu-arg -object --qemu-arg memory-backend-ram,id=nvdimm-backend,size=2G --qemu-arg -device --qemu-arg nvdimm,id=nvdimm,memdev=nvdimm-backend
# guest: --arch x86_64 --kernel patched --root debian --memory 2G,slots=4,maxmem=32G --qemu-arg -machine --qemu-arg nvdimm=on --qemu-arg -object --qemu-arg memory-backend-ram,id=nvdimm-backend,size=2G --qemu-arg -device --qemu-arg nvdimm,id=nvdimm,memdev=nvdimm-backend
# installs: package
# suite: drivers
#
# A dax device on an NVDIMM: daxctl makes it system RAM, policy brings it online, memctl removes it, and daxctl has a
# devdax again.

. "$(dirname "$0")/expect.sh"

nd=/sys/bus/nd/devices

# What ndctl would do, which this guest has not.
make_dax() {
        local dax
        dax=$(<$nd/region0/dax_seed)
        echo namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind 2>/dev/null
        echo $((2 << 20)) >"$nd/$dax/align" || return
        echo pmem >"$nd/$dax/mode" 2>/dev/null
        cat /proc/sys/kernel/random/uuid >"$nd/$dax/uuid" || return
        echo namespace0.0 >"$nd/$dax/namespace" || return
        echo "$dax" >/sys/bus/nd/drivers/dax_pmem/bind
}
# libkmod believes that a driver is built in only if it is listed.
list_built_in() {
        local modules
        modules=/lib/modules/$(uname -r)
        mkdir -p "$modules"
        printf 'kernel/drivers/dax/%s.ko\n' kmem device_dax dax_pmem >"$modules/modules.builtin"
        touch "$modules/modules.order"
        depmod
}
mode() { daxctl list | sed -n 's/.*"mode":"\(.*\)".*/\1/p'; }
has_mode() { [[ $(mode) == "$1" ]]; }
is_online() { [[ $(memctl list -n -o STATE device:dax0.0 2>/dev/null | sort -u) == online ]]; }

install_package
use_policy 50-cxl
list_built_in
expect 0 'there is a dax device' make_dax
expect 0 'daxctl has it as devdax' await has_mode devdax
for round in first second; do
        expect 0 "$round: daxctl makes it system RAM" daxctl reconfigure-device --mode=system-ram --no-online dax0.0
        expect 0 "$round: policy brings it online" await is_online
        expect 0 "$round: list" memctl list device:dax0.0
        expect_line "$round: in zone Movable" 'online.*Movable'
        expect 4 "$round: no part of it is removed" memctl remove "$(memctl list --units -n -o BLOCK device:dax0.0 | head -n 1 | xargs)"
        expect_line "$round: the way out is the device" 'memctl remove device:dax0.0'
        expect 0 "$round: memctl removes it" memctl remove device:dax0.0
        expect_line "$round: and says so" 'removed$'
        expect 0 "$round: the range is gone" bash -c '! ls /sys/bus/memory_range/devices | grep .'
        expect 0 "$round: daxctl makes it devdax again" daxctl reconfigure-device --mode=devdax dax0.0
        expect 0 "$round: and has it so" await has_mode devdax
done

exit $failed
