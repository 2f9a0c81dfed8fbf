#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl list on saved machines.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"

patched=$(machine patched 0-23 32-39 40-43:zone=Movable 44-47:state=offline 48-55:state=offline,node=1 \
        --range 0:40-47,granularity=1G,mapping=1G --range 1:48-55,granularity=512M,node=1,name="System RAM (kmem)")
stock=$(machine stock 0-15 40-47:zone=Movable 48-55:state=offline \
        --iomem '0-15,System RAM' --iomem '40-55,System RAM')

# Extents, with lsmem's spelling of sizes, addresses and blocks.
memctl list --sysroot "$patched"
expect_status 0
expect_no_err
expect_out 'RANGE                   SIZE   STATE ZONE    NODE BLOCK KIND      NAME
0x0-0xbfffffff            3G  online Normal     0  0-23 boot
0x100000000-0x13fffffff   1G  online Normal     0 32-39 boot
0x140000000-0x15fffffff 512M  online Movable    0 40-43 hot-added range0
0x160000000-0x17fffffff 512M offline            0 44-47 hot-added range0
0x180000000-0x1bfffffff   1G offline            1 48-55 hot-added range1

Memory block size:      128M
Total online memory:    4.5G
Total offline memory:   1.5G
Removal granularity:    differs by range (kernel)'

# Without a command memctl lists.
extents=$out
memctl --sysroot "$patched"
expect_status 0
expect_out "$extents"

memctl list --units --sysroot "$patched"
expect_status 0
expect_out 'BLOCK RANGE                   SIZE   STATE NAME   REMOVAL SOURCE
40-47 0x140000000-0x17fffffff   1G  partly range0      1G kernel
48-51 0x180000000-0x19fffffff 512M offline range1    512M kernel
52-55 0x1a0000000-0x1bfffffff 512M offline range1    512M kernel

Memory block size:      128M
Total online memory:    4.5G
Total offline memory:   1.5G
Removal granularity:    differs by range (kernel)'

memctl list --ranges --sysroot "$patched" --summary=never
expect_status 0
expect_out 'NAME   RANGE                   SIZE ONLINE NODE DEVICE REMOVAL SOURCE
range0 0x140000000-0x17fffffff   1G   512M    0             1G kernel
range1 0x180000000-0x1bfffffff   1G     0B    1           512M kernel'

memctl list --blocks --sysroot "$patched" 43-44 -n
expect_status 0
expect_out '0x158000000-0x15fffffff 128M  online Movable    0    43 hot-added range0
0x160000000-0x167ffffff 128M offline            0    44 hot-added range0'

# A kernel that does not tell: the listing says that it is estimated.
memctl list --sysroot "$stock"
expect_status 0
expect_out_has 'Removal granularity:    1 GiB (estimated: this kernel does not tell it)'
memctl list --units --sysroot "$stock" -nr -o BLOCK,SIZE,STATE,NAME,REMOVAL,SOURCE 40-55
expect_out '40-47 1G online est1 1G estimated
48-55 1G offline est1 1G estimated'

# A machine without a range.
none=$(machine none 0-23 --bus)
memctl list --units --sysroot "$none"
expect_status 0
expect_out_has 'Removal granularity:    none, there is no hot-added memory (kernel)'
expect_err 'memctl: there are no removal units, which only hot-added memory has'
memctl list --ranges --sysroot "$patched" 0-23 --summary=never
expect_status 0
expect_out ''
expect_err 'memctl: there are no ranges, which only hot-added memory has'
memctl list --ranges --sysroot "$patched" 0-23 -nr
expect_no_err

# Selectors choose.
memctl list --sysroot "$patched" -nro BLOCK,STATE range0
expect_out '40-43 online
44-47 offline'
memctl list --sysroot "$patched" -nro BLOCK node1 0-3
expect_out '0-3
48-55'
memctl list --sysroot "$patched" -nro BLOCK 0x140000000+256M
expect_out '40-41'
memctl list --sysroot "$patched" 4G
expect_status 2
expect_err_has 'the amount 4G names no memory'
memctl list --sysroot "$patched" memroy40
expect_status 2
expect_err "memctl: 'memroy40' is no selector, did you mean memory40?"
memctl list --sysroot "$patched" 40-47,99
expect_status 4
expect_err 'memctl: refused: there is no 99 on this machine
  what is there:      memctl list'
memctl list --sysroot "$patched" range7
expect_status 4
expect_err 'memctl: refused: there is no range7 on this machine
  what is there:      memctl list --ranges'

# Columns as lsmem's -o, and what programs read.
memctl list --sysroot "$patched" -r -o SIZE,BLOCK,zone range0
expect_out 'SIZE BLOCK ZONE
512M 40-43 Movable
512M 44-47'
memctl list --sysroot "$patched" -P -o BLOCK,STATE -b range0
expect_out 'BLOCK="40-43" STATE="online"
BLOCK="44-47" STATE="offline"'
memctl list --sysroot "$patched" -nbr -o SIZE range0
expect_out '536870912
536870912'
memctl list --sysroot "$patched" -n -o +RESOURCE,POLICY --ranges range1
expect_out_has ' kernel '
expect_out_has 'System RAM (kmem) default'
memctl list --sysroot "$patched" --output-all --ranges
for column in NAME RANGE SIZE STATE ONLINE ZONE NODE BLOCK KIND DRIVER DEVICE RESOURCE MAPPING REMOVAL SOURCE POLICY \
        START END; do
        expect_out_has "$column"
done
memctl list --sysroot "$patched" -o BLOCK,statee
expect_status 2
expect_err_has 'there is no column "statee" here, did you mean STATE?'

# --split merges rows whose other attributes differ, and says so.
memctl list --sysroot "$patched" -nr --split STATE -o BLOCK,STATE,ZONE,KIND,NAME
expect_out '0-23 online Normal boot
32-43 online mixed mixed
44-55 offline  hot-added'
# A block is what it is, whatever its neighbours are.
memctl list --sysroot "$patched" --blocks -nr -o BLOCK,STATE,ONLINE,ZONE,KIND 38-44
expect_status 0
blocks=$out
memctl list --sysroot "$patched" --blocks --split none -nr -o BLOCK,STATE,ONLINE,ZONE,KIND 38-44
expect_out "$blocks"
memctl list --sysroot "$patched" -S COLOUR
expect_status 2
expect_err_has 'not by "COLOUR"'

memctl list --sysroot "$patched" --summary=only
expect_out 'Memory block size:      128M
Total online memory:    4.5G
Total offline memory:   1.5G
Removal granularity:    differs by range (kernel)'

# JSON: sizes are numbers of bytes, addresses strings, and the schema has a version.
memctl list --sysroot "$patched" -J
expect_status 0
expect_json 'd["schema"]' "{'name': 'memctl.list', 'version': 1}"
expect_json 'd["told_by"], d["block_size"], d["online"], d["offline"]' \
        "('sysfs', 134217728, 4831838208, 1610612736)"
expect_json 'd["granularity_source"], d["kernel_guard"], d["auto_online"]' "('kernel', 'removal', 'offline')"
expect_json '[(e["start"], e["size"], e["state"], e["zone"], e["node"], e["name"]) for e in d["extents"]][2:]' \
        "[('0x140000000', 536870912, 'online', 'Movable', 0, 'range0'), ('0x160000000', 536870912, 'offline', None, 0, 'range0'), ('0x180000000', 1073741824, 'offline', None, 1, 'range1')]"
memctl list --sysroot "$patched" --json --units
expect_json '[(u["block"], u["state"], u["online"], u["removal"], u["source"]) for u in d["units"]]' \
        "[('40-47', 'partly', 536870912, 1073741824, 'kernel'), ('48-51', 'offline', 0, 536870912, 'kernel'), ('52-55', 'offline', 0, 536870912, 'kernel')]"
memctl list --sysroot "$patched" --json --ranges -o NAME,MAPPING
expect_json 'd["ranges"]' "[{'name': 'range0', 'mapping': 1073741824}, {'name': 'range1', 'mapping': 536870912}]"

# Block by block the same as lsmem, where lsmem tells.
if command -v lsmem >/dev/null; then
        for root in "$patched" "$stock"; do
                lsmem --sysroot "$root" -a -n -r -o BLOCK,STATE,NODE >"$scratch/lsmem"
                memctl list --sysroot "$root" --blocks -n -r -o BLOCK,STATE,NODE
                diff -u "$scratch/lsmem" - <<<"$out" || fail 'lsmem tells something else'
        done
fi

# Large units and a granularity nobody knows.
odd=$(machine odd 0-7 9-30:state=offline --range 3:9-30,granularity=unknown)
memctl list --sysroot "$odd" --units -nr -o BLOCK,SIZE,REMOVAL
expect_out '9-30 2.75G unknown'
memctl list --sysroot "$odd" --ranges -J -o REMOVAL
expect_json 'd["ranges"]' "[{'removal': None}]"

# Zones are read where they are shown or part rows, not otherwise: this one is never told to whoever asks.
silent=$(machine silent 32-39 40-47:zone=Movable --range 0:40-47,granularity=1G)
rm "$silent/sys/devices/system/memory/memory40/valid_zones"
mkfifo "$silent/sys/devices/system/memory/memory40/valid_zones"
for listing in --ranges --units '--blocks -o BLOCK,STATE' '--split=STATE -o BLOCK,STATE' --summary=only; do
        # shellcheck disable=SC2086 # words
        run timeout 60 "$MEMCTL" list --sysroot "$silent" $listing
        expect_status 0
done
run timeout 1 "$MEMCTL" list --sysroot "$silent"
expect_status 124

# What is not there.
memctl list --sysroot "$scratch/nowhere"
expect_status 1
expect_err_has "cannot open $scratch/nowhere"
mkdir "$scratch/empty"
memctl list --sysroot "$scratch/empty"
expect_status 1
expect_err_has 'this kernel has no memory hot-plug'


# What is there and makes no sense.
for size in 0 7ffffff many; do
        echo "$size" >"$odd/sys/devices/system/memory/block_size_bytes"
        memctl list --sysroot "$odd"
        expect_status 1
        expect_err_has "$odd/sys/devices/system/memory makes no sense: look at block_size_bytes"
done

# Output that nobody reads to its end, and output that cannot be written.
"$MEMCTL" list --sysroot "$patched" --blocks | head -n 1 >"$scratch/first" || fail 'a closed pipe is no error'
run bash -c "'$MEMCTL' list --sysroot '$patched' >/dev/full"
expect_status 1
expect_err_has 'cannot write the output: No space left on device'
