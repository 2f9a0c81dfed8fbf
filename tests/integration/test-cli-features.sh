#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What lsmem, chmem, daxctl, drmgr, the QEMU guest agent and the kernel's own onlining have or lack, feature by feature:
# the command of memctl that shows it.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

# feature | exit status | a command | what it prints. In this order, on one machine.
table=$(
        cat <<'END'
list blocks, node, zone, state|0|memctl list --blocks -nr -o BLOCK,NODE,ZONE,STATE 40|^40 0 Movable online$
list extents|0|memctl list -nr -o BLOCK 40-55|^40-55$
list units|0|memctl list --units -nr -o BLOCK,REMOVAL,SOURCE 40|^40-47 1G kernel$
list ranges, device|0|memctl list --ranges -nr -o NAME,DEVICE range1|^range1 PNP0C80:00$
why a block cannot go|0|memctl show 44|no, splits-mapping
columns|0|memctl list -o BLOCK,SIZE range0|^BLOCK SIZE$
columns in addition|0|memctl list -o +DRIVER range0|DRIVER$
raw|0|memctl list -r -o BLOCK,SIZE range0|^40-55 2G$
pairs|0|memctl list -P -o BLOCK range0|^BLOCK="40-55"$
JSON with a schema's version, sizes as numbers|0|memctl list -J range0|"size": 2147483648,
result of a change as data|0|memctl offline -J 40-47|"result": "done"
already done is success|0|memctl offline 40-47|nothing to do
by address|0|memctl online 0x140000000+1G|memory40-47 .1 GiB.: online
by address, last byte included|0|memctl plan offline 0x140000000-0x17fffffff|memory40-47
by block|0|memctl plan offline memory40-47,48-55|2 GiB would change
by range|0|memctl plan offline range0|2 GiB would change
by node|0|memctl plan online node1|6 GiB would change
by device|0|memctl plan online device:dax0.0|6 GiB would change
by amount|0|memctl plan offline 1G node1|memory4312-4319
by amount, as a target|0|memctl plan offline =6G node1|nothing to do
in lists|0|memctl plan offline range0 device:PNP0C80:00|6 GiB would change
refuses to split a kernel mapping, with the way out|3|memctl offline memory44|whole mapping: +memctl offline memory40-47
and touches nothing|0|memctl list -nr -o STATE 40-47|^online$
dry run, predicted outcome|0|memctl offline --dry-run range0|Nothing was changed
all or nothing: it fails|1|echo 'unmovable 0x170000000 128M' >$MEMSIM/control; memctl offline range0|everything is as it was
all or nothing: state and zone are as before|0|memctl list -nr -o BLOCK,STATE,ZONE 40-55|^40-55 online Movable$
best effort, if wanted|64|memctl offline --best-effort range0|memory48-55 .1 GiB.: offline
put back|0|echo 'movable 0x170000000 128M' >$MEMSIM/control; memctl online range0|online
timeout|124|echo 'hang 2' >$MEMSIM/control; memctl offline --timeout=1s 40-47; s=$?; echo mend >$MEMSIM/control; exit $s|timed out
cancel|130|echo 'hang 2' >$MEMSIM/control; job=$(memctl offline --no-wait 40-47); until [ $(cat /sys/devices/system/memory/memory41/state) = going-offline ]; do :; done; memctl cancel ${job#job }; memctl wait ${job#job }|cancelled
progress over D-Bus|0|busctl --system introspect org.memctl1 /org/memctl1/job/1|Progress
policy files|0|memctl policy show default|^Mode=manual$
a daemon|0|memctl version|^memctld [0-9]
D-Bus|0|busctl --system call org.memctl1 /org/memctl1 org.memctl1.Manager Plan 'sasa{sv}' offline 1 40-47 0|"offline"
polkit|5|setpriv --reuid=65534 --clear-groups "$(command -v memctl)" offline 40-47|not authorised
inhibitors|4|memctl inhibit range0 -- memctl offline 40-47|inhibits offline
watch|0|exec 3< <(exec memctl monitor --json); read -r line <&3; kill $!; echo "$line"|"event":"watching"
sysroot|0|memctl list --sysroot / -nr -o BLOCK range0|^40-55$
END
)

PATH=$(dirname "$MEMCTL"):$PATH
unset -f memctl # the program is meant, not the function of the tests
n=0
while IFS='|' read -r feature wanted_status line wanted; do
        run bash -c "$line"
        command="$line ($feature)"
        expect_status "$wanted_status"
        grep -qE -- "$wanted" <<<"$out"$'\n'"$err" || fail "it was to print $wanted"
        n=$((n + 1))
done <<<"$table"
[ "$n" -ge 38 ] || fail "only $n features were tried"
