#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What lsmem, chmem, daxctl, drmgr, the QEMU guest agent and the kernel's own onlining have or lack, feature by feature,
# and the commands of memctl that show how it stands to that.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

# A line with "=": what a neighbour has, lacks or is known for; under it, what shows how memctl stands to it:
# feature | exit status | a command | what it prints. In this order, on one machine.
table=$(
        cat <<'END'
= lsmem lists blocks with node, zone and state, drmgr LMBs; daxctl counts
blocks, node, zone, state|0|memctl list --blocks -nr -o BLOCK,NODE,ZONE,STATE 40|^40 0 Movable online$
extents|0|memctl list -nr -o BLOCK 40-55|^40-55$
units|0|memctl list --units -nr -o BLOCK,REMOVAL,SOURCE 40|^40-47 1G kernel$
ranges, device|0|memctl list --ranges -nr -o NAME,DEVICE range1|^range1 PNP0C80:00$
why a block cannot go|0|memctl show 44|no, splits-mapping
= lsmem has columns, raw, pairs, JSON without a version and with sizes as strings; daxctl JSON, drmgr a field separator
columns|0|memctl list -o BLOCK,SIZE range0|^BLOCK SIZE$
columns in addition|0|memctl list -o +DRIVER range0|DRIVER$
raw|0|memctl list -r -o BLOCK,SIZE range0|^40-55 2G$
pairs|0|memctl list -P -o BLOCK range0|^BLOCK="40-55"$
JSON with a schema's version, sizes as numbers|0|memctl list -J range0|"size": 2147483648,
= the QEMU guest agent has the result of a change as data
result of a change as data|0|memctl offline -J 40-47|"result": "done"
= chmem succeeds with what is so already by range, not by size; daxctl exits with 1
already so is success|0|memctl offline 40-47|nothing to do
already so is success, by size|0|memctl offline =7G|nothing to do
= chmem takes an amount, addresses, blocks; daxctl a device; drmgr counts and indexes
by address|0|memctl online 0x140000000+1G|memory40-47 .1 GiB.: online
by address, last byte included|0|memctl plan offline 0x140000000-0x17fffffff|memory40-47
by block|0|memctl plan offline memory40-47,48-55|2 GiB would change
by range|0|memctl plan offline range0|2 GiB would change
by node|0|memctl plan online node1|6 GiB would change
by device|0|memctl plan online device:dax0.0|6 GiB would change
by amount|0|memctl plan offline 1G node1|memory4312-4319
by amount, as a target|0|memctl plan offline =6G node1|nothing to do
in lists|0|memctl plan offline range0 device:PNP0C80:00|6 GiB would change
= nobody refuses to split a kernel mapping; arm64 does since 7.1, also where nothing is removed
refused, with the way out|3|memctl offline memory44|whole mapping: +memctl offline memory40-47
and nothing is touched|0|memctl list -nr -o STATE 40-47|^online$
and where nothing is removed, it may|0|memctl plan offline --partial memory44|stays mapped
= nobody has a dry run
dry run, predicted outcome|0|memctl offline --dry-run range0|Nothing was changed
= daxctl stops half-way, drmgr keeps a part, chmem keeps what went
all or nothing: it fails|1|echo 'unmovable 0x170000000 128M' >$MEMSIM/control; memctl offline range0|everything is as it was
all or nothing: state and zone are as before|0|memctl list -nr -o BLOCK,STATE,ZONE 40-55|^40-55 online Movable$
best effort, if wanted|64|memctl offline --best-effort range0|memory48-55 .1 GiB.: offline
put back|0|memctl online range0|memory48-55 .1 GiB.: online
= drmgr shuffles its candidates, so that a retry does not meet the same busy block again
another unit is tried at once|0|memctl offline 1G range0; memctl list -nr -o BLOCK,STATE range0|^48-55 offline$
put back|0|echo 'movable 0x170000000 128M' >$MEMSIM/control; memctl online range0|online
= drmgr has a timeout for its lock alone, the kernel a signal
timeout|124|echo 'hang 2' >$MEMSIM/control; memctl offline --timeout=1s 40-47; s=$?; echo mend >$MEMSIM/control; exit $s|timed out
cancel|130|echo 'hang 2' >$MEMSIM/control; job=$(memctl offline --no-wait 40-47); until [ $(cat /sys/devices/system/memory/memory41/state) = going-offline ]; do :; done; memctl cancel ${job#job }; memctl wait ${job#job }|cancelled
= nobody shows progress, but for drmgr's debug output
progress over D-Bus|0|job=$(memctl offline --no-wait 40-47); memctl wait; busctl --system get-property org.memctl1 /org/memctl1/job/${job#job } org.memctl1.Job Progress; memctl online 40-47|^d 1$
= daxctl has a policy for each device, the kernel boot options; udev rules as RHEL has them were called wrong by their authors
the built-in policy|0|memctl policy show default|^Mode=manual$
policy files|0|mkdir -p /etc/memctl/policy.d/50-dimms.policy.d; printf '[Match]\nDriver=acpi\n' >/etc/memctl/policy.d/50-dimms.policy; memctl policy reload; memctl policy list -nr -o NAME,TIMEOUT,RANGES|^50-dimms 60 range1$
drop-ins|0|printf '[Offline]\nTimeoutSec=5\n' >/etc/memctl/policy.d/50-dimms.policy.d/quick.conf; memctl policy reload; memctl policy list -nr -o NAME,TIMEOUT,RANGES|^50-dimms 5 range1$
= daxctl has a udev unit, drmgr hooks, the QEMU guest agent a port; nobody a daemon that arbitrates
a daemon|0|memctl version|^memctld [0-9]
D-Bus|0|busctl --system call org.memctl1 /org/memctl1 org.memctl1.Manager Plan 'sasa{sv}' offline 1 40-47 0|"offline"
polkit|5|setpriv --reuid=65534 --clear-groups "$(command -v memctl)" offline 40-47|not authorised
= drmgr's hooks may veto a phase
inhibitors|4|memctl inhibit range0 -- memctl offline 40-47|inhibits offline
= cxl has a monitor, the kernel uevents
watch|0|exec 3< <(exec memctl monitor --json); read -r line <&3; kill $!; echo "$line"|"event":"watching"
= lsmem reads a sysroot, chmem since 2.43
sysroot|0|memctl list --sysroot / -nr -o BLOCK range0|^40-55$
= chmem exits with 64 or 1 and says nothing where there is a hole or no block
a hole is named|4|memctl offline 40-60|memory56-60 .* is a hole
so is a block that is not there|4|memctl offline memory99999|memory99999 .* is not there
= chmem -d 999G takes offline what it can and keeps it so
an amount there is not|4|memctl offline 999G|the most that can be offline
and nothing is touched|0|memctl list -nr -o STATE 40-55|^online$
= people do not care which block an amount skipped, but they do when they named it
by amount|0|memctl offline 1G range0|^offline: 1 GiB$
by name|0|memctl online 48-55|^memory48-55 .1 GiB.: online$
= chmem of arm64 with 16K pages broke because the first block is not memory0
the first block|0|memctl list -nr -o BLOCK | head -n 1|^8-39$
= lsmem merges what differs and prints "removable", which means nothing
zones are kept apart|0|memctl list -nr -o BLOCK,ZONE node0|^40-55 Movable$
what can be removed|0|memctl show range2|^ +Remove: +can be done$
= daxctl refuses while the kernel onlines by itself
auto-onlining is told|0|memctl doctor|auto-online: the kernel leaves onlining to memctld
= daxctl exits with an errno cut to 8 bits
an exit status that has a meaning|2|memctl offline range0,|an empty selector
= kata and others write a plain "online", and the memory cannot be taken back
movable unless it is said otherwise|0|memctl online 8192-8199; memctl list -nr -o ZONE 8192-8199|^Movable$
= orchestrators ask for certainty before memory is given away
the job|0|memctl offline --no-wait 8192-8199 && memctl wait|^job [0-9]+$
requested and actual size|0|memctl online -J device:dax0.0|"bytes_done": 6442450944
reasons are words|3|memctl plan offline -J 44|"reason": "splits-mapping"
gone for certain|2|memctl remove device:dax0.0 && ls -d /sys/devices/system/memory/memory8192 2>&1|No such file
END
)

PATH=$(dirname "$MEMCTL"):$PATH
unset -f memctl # the program is meant, not the function of the tests
n=0 neighbour=none
while IFS='|' read -r feature wanted_status line wanted; do
        if [[ $feature == '= '* ]]; then
                neighbour=$feature
                continue
        fi
        run timeout 120 bash -c "$line"
        command="$line ($feature; $neighbour)"
        expect_status "$wanted_status"
        grep -qE -- "$wanted" <<<"$out"$'\n'"$err" || fail "it was to print $wanted"
        n=$((n + 1))
done <<<"$table"
[ "$n" -ge 60 ] || fail "only $n features were tried"
