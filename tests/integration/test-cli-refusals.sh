#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every refusal says why and what is refused, and every way out it names is a command that succeeds: each is run, on a
# machine of its own.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"

machines=$here/../sim/machines

# reason | machine | what was done before | the request
cases=(
        'splits-mapping|default||offline memory44'
        'splits-mapping|default||offline 41-45 50'
        'splits-mapping|stock|lend|offline 44'
        'boot-memory|default||offline node0'
        'boot-memory|default||offline all'
        'boot-memory|x86-2g-blocks||offline node1'
        'boot-memory|default||remove memory8'
        'no-such-block|default||offline memory99999 40-47'
        'no-such-block|default||online device:PNP0C80:01'
        'no-such-block|default||remove range9'
        'hole|default||offline 40-60'
        'not-enough|default||offline 1300M'
        'not-enough|default||online =100G'
        'no-headroom|busy||offline range0 range1'
        'no-headroom|busy||offline 6G'
        'no-headroom|node-without-memory||offline range0,range1,range2,range3'
        'zone|default|offline_a_part|online 40 --zone=kernel'
        'policy|default|refuse_parts|offline --partial memory44'
        'policy|default|refuse_removal|remove range1'
        'not-removable|default||remove range0'
        'whole-device|default||remove 4288-4295'
        'whole-device|default|device_online|remove 8192'
        'inhibited|default|hold|offline 40-47'
        'hypervisor-owned|node-without-memory||remove range0'
        'in-progress|default|begin_a_job|offline 40-55'
        'in-progress|default|begin_a_job|online 44'
)

policy() {
        mkdir -p /etc/memctl/policy.d
        printf '%s\n' "$@" >/etc/memctl/policy.d/50-test.policy
        "$MEMCTL" policy reload
}
refuse_parts() { policy '[Offline]' Partial=refuse; }
refuse_removal() { policy '[Remove]' Allow=no; }
offline_a_part() { "$MEMCTL" offline --partial 40 >/dev/null; }
device_online() { "$MEMCTL" online device:dax0.0 >/dev/null; }
lend() {
        echo 'add 0x140000000 0x80000000' >"$MEMSIM/proc/hotplug-driver"
        "$MEMCTL" wait && "$MEMCTL" online 40-55 >/dev/null
}
hold() {
        : >"$scratch/held"
        "$MEMCTL" inhibit range0 -- bash -c 'echo running; exec sleep infinity' >"$scratch/held" &
        await "$scratch/held" running
}
# One that waits until it is released, which the way out is tried with.
begin_a_job() {
        echo 'hang 3' >"$MEMSIM/control"
        "$MEMCTL" offline --no-wait 40-47 >/dev/null
        until [ "$(</sys/devices/system/memory/memory42/state)" = going-offline ]; do read -rt 0.01 <> <(:) || true; done
}

# On the machine: the refusal, and the ways out it names, a line each.
judge() {
        local reason=$1 before=$2 request=$3 way other ways

        # shellcheck disable=SC2086 # words
        memctl $request --json
        [ "$reason" = splits-mapping ] && expect_status 3 || expect_status 4
        expect_schema result
        expect_json "'$reason' in [r['reason'] for r in d['refusals']]" True
        mapfile -t ways < <(json '"\n".join(s for r in d["refusals"] for s in r["suggestions"])' | sed '/^$/d')

        # What is printed names them all, and a plan would have said the same.
        # shellcheck disable=SC2086
        memctl $request
        expect_out ''
        expect_err_has 'memctl: refused: '
        for way in "${ways[@]}"; do
                expect_err_has " $way"
                printf '%s\n' "$way" >&3
        done
        if [ "$before" = begin_a_job ]; then
                expect_err_has 'memctl cancel'
        else
                # shellcheck disable=SC2086
                { "$MEMCTL" plan $request 2>&1 || true; } | diff -u - "$scratch/err" || fail 'plan says something else'
        fi

        # What it shows besides can be run as it stands: what to look at, how to end what is in the way.
        sed -nE 's/^  [^:]*: +(memctl [^(]*[^( ])( +\(.*)?$/\1/p' "$scratch/err" >"$scratch/shown"
        while read -r way; do
                for other in "${ways[@]}"; do [[ $way != "$other" ]] || continue 2; done
                # shellcheck disable=SC2086
                memctl ${way#memctl }
                expect_status 0
                printf '%s\n' "$way" >&4
        done <"$scratch/shown"
}

# try_way BEFORE COMMAND
try_way() {
        [ "$1" != begin_a_job ] || echo release >"$MEMSIM/control"
        # shellcheck disable=SC2086
        memctl ${2#memctl }
        expect_status 0
        [[ $out != *'nothing to do'* ]] || fail 'a way out does something'
}

# The first way is tried where the refusal was, each other one on a machine of its own.
if [ "${2-}" = --on-machine ]; then
        ${4:+"$4"}
        if (($6 == 0)); then
                exec 3>"$7/ways" 4>>"$7/shown-besides"
                judge "$3" "$4" "$5"
        fi
        mapfile -t ways <"$7/ways"
        (($6 >= ${#ways[@]})) || try_way "$4" "${ways[$6]}"
        exit 0
fi

[ "$EUID" -eq 0 ] || {
        echo 'needs root, for a machine of its own'
        exit 77
}
# Nearly all that the machine has is in use.
sed 's/"used": "9G"/"used": "27G"/; s/"used": "5G"/"used": "23G"/' "$machines/default.json" >"$scratch/busy.json"

for ((i = ${CASE:-0}; i < ${#cases[@]}; i++)); do
        IFS='|' read -r reason name before request <<<"${cases[i]}"
        description=$machines/$name.json
        [ -e "$description" ] || description=$scratch/$name.json
        for ((n = 0, n_ways = 1; n == 0 || n < n_ways; n++)); do
                DBUS_SYSTEM_BUS_ADDRESS='' "$here/../sim/machine" --daemon --description "$description" -- \
                        "$0" "$MEMCTL" --on-machine "$reason" "$before" "$request" "$n" "$scratch" || {
                        echo "FAILED: case $i: $reason: $request, way out $n" >&2
                        exit 1
                }
                n_ways=$(grep -c . "$scratch/ways" || true)
        done
        cat "$scratch/ways" >>"$scratch/all-ways"
done

[ -n "${CASE-}" ] || grep -q '^memctl cancel ' "$scratch/shown-besides" || {
        echo 'FAILED: a job in the way was to be cancelled' >&2
        exit 1
}

# No reason is left out but "stale", which only programs meet: memctl expects no generation.
for reason in $(sed -n '/"reason": {/,/]/s/^ *"\([a-z-]*\)",*$/\1/p' "$here/../../docs/plan.schema.json"); do
        [ "$reason" = stale ] || [[ " ${cases[*]%%|*} " == *" $reason "* ]] || {
                echo "FAILED: no case is refused $reason" >&2
                exit 1
        }
done

# What was shown to succeed is not only lists.
[ -n "${CASE-}" ] || [ "$(grep -c -- ' offline ' "$scratch/all-ways")" -ge 15 ] || {
        cat "$scratch/all-ways"
        echo 'FAILED: more ways out were expected' >&2
        exit 1
}
