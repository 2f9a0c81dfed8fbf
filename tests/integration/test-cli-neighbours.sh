#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl beside lsmem and chmem: they agree on what is there, and leave the same behind where both succeed.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"

# states: what the kernel says of each block that was hot-added.
states() {
        local block
        for block in {40..55} {4288..4319} {8192..8239}; do
                echo "$(<"/sys/devices/system/memory/memory$block/state") $(<"/sys/devices/system/memory/memory$block/valid_zones")"
        done
}

# What both can say: chmem's words | memctl's. With "zone", zones are compared, too: chmem of util-linux 2.38 ignores
# --zone where the first block is not memory0.
pairs=(
        '-d -b 40-47|offline 40-47|zone'
        '-d 0x140000000-0x17fffffff|offline 0x140000000-0x17fffffff|zone'
        '-d 4g|offline 4G|zone'
        '-d 2g|offline 2G|zone'
        '-e -b 8192-8199|online --zone=default 8192-8199|zone'
        '-e -z Movable -b 8192-8199|online --zone=movable 8192-8199|'
        '-e 2g|online 2G|'
        '-e 6g|online device:dax0.0|'
)

if [ "${2-}" = --on-machine ]; then
        shift 2
        "$@" >/dev/null
        states
        exit 0
fi

# On machines made up from a seed: block by block state, zone and node.
n_zones=0
for seed in {1..20}; do
        made=$("$here/random-sysroot" "$scratch/$seed" "$seed")
        run "$here/compare-lsmem" "$MEMCTL" "$scratch/$seed"
        [ "$status" -eq 0 ] || fail "seed $seed: $made"
        [ "$out" != 'state, zone and node' ] || n_zones=$((n_zones + 1))
done
[ "$n_zones" -ge 10 ] || fail "lsmem was to tell zones on more than $n_zones machines"

[ "$EUID" -eq 0 ] || {
        echo 'the rest needs root, for a machine of its own'
        exit 77
}
export DBUS_SYSTEM_BUS_ADDRESS=''

# On simulated machines, through memctld: with ranges and without, of four architectures and as many block sizes.
for name in default stock node-without-memory pages-64k x86-2g-blocks s390 pseries; do
        run "$here/../sim/machine" --daemon --description "$here/../sim/machines/$name.json" -- "$here/compare-lsmem" "$MEMCTL"
        expect_status 0
done

on_machine() {
        run "$here/../sim/machine" --daemon -- "$0" "$MEMCTL" --on-machine "$@"
        expect_status 0
        result=$out
}
for pair in "${pairs[@]}"; do
        IFS='|' read -r chmem_words memctl_words zones <<<"$pair"
        # shellcheck disable=SC2086 # words
        on_machine chmem $chmem_words
        theirs=$result
        # shellcheck disable=SC2086
        on_machine "$MEMCTL" $memctl_words
        [ -n "$zones" ] || {
                theirs=$(awk '{ print $1 }' <<<"$theirs")
                result=$(awk '{ print $1 }' <<<"$result")
        }
        diff -u <(echo "$theirs") <(echo "$result") >&2 || fail "chmem $chmem_words leaves something else"
done
