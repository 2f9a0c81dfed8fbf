#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Machines unlike each other are simulated as described: what lsmem, which knows nothing of us, makes of each is beside
# its description, and what memctl makes of it. And a description that is wrong is refused by name.
. "$(dirname "$0")/prelude.sh"

if [[ $EUID -ne 0 ]]; then
        echo "skip: needs root"
        exit 77
fi

for expected in "$sim"/machines/*.expected; do
        description=${expected%.expected}.json
        name=${description##*/}
        expect 0 "$name" "$sim/machine" --sysfs-only --description "$description" -- \
                sh -c 'lsmem --split STATE,NODE,ZONES --output RANGE,SIZE,STATE,BLOCK,NODE,ZONES
                       memctl list --sysroot / --raw --output RANGE,SIZE,STATE,ZONE,NODE,BLOCK,NAME,KIND,DRIVER,DEVICE,RESOURCE
                       memctl list --sysroot / --units --raw --noheadings --output NAME,SIZE,STATE,MAPPING,REMOVAL,SOURCE | uniq -c
                       cat /proc/iomem; grep -H . /sys/devices/system/node/has_* /sys/bus/memory_range/devices/*/*granularity || true'
        expect_output "$name is what it says" "$(sed 1d "$expected")"
done

wrong=$(mktemp --suffix=.json)
trap 'rm -f "$wrong"' EXIT

# refused NAME REGEX < description
refused() {
        cat >"$wrong"
        expect 125 "$1" "$sim/machine" --sysfs-only --description "$wrong" -- true
        expect_line "$1: it is named" "$2"
}

head='"architecture": "aarch64", "page_size": "4K", "block_size": "128M"'
refused 'no JSON' 'memsim: .*' <<<'{'
refused 'no boot memory' '"boot" is missing' <<<"{ $head }"
refused 'an unknown key' 'top level: unknown key "blocks"' <<<"{ $head, \"blocks\": 3, \"boot\": [] }"
refused 'a block size that is none' 'powers of two' <<<'{ "architecture": "x86_64", "page_size": "4K", "block_size": "100M", "boot": [] }'
refused 'no quantity' '"size": "lots" is not what belongs here' <<<"{ $head, \"boot\": [ { \"start\": \"0\", \"size\": \"lots\" } ] }"
refused 'memory over memory' 'hot_added\[0\]: cannot be added: File exists' \
        <<<"{ $head, \"boot\": [ { \"start\": \"0\", \"size\": \"1G\" } ], \"hot_added\": [ { \"start\": \"0\", \"size\": \"1G\" } ] }"
refused 'memory that is not aligned' 'hot_added\[0\]: cannot be added: Invalid argument' \
        <<<"{ $head, \"boot\": [], \"hot_added\": [ { \"start\": \"1M\", \"size\": \"1G\" } ] }"
refused 'a zone nobody knows' '"zone": "Blue"' <<<"{ $head, \"boot\": [ { \"start\": \"0\", \"size\": \"1G\", \"zone\": \"Blue\" } ] }"
refused 'a device without a driver' 'belongs to the drivers acpi and kmem' \
        <<<"{ $head, \"boot\": [], \"hot_added\": [ { \"device\": \"dax0.0\", \"start\": \"0\", \"size\": \"1G\" } ] }"

exit $failed
