#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ReadPageTables=: the kernel's page tables tell the granularity where it exports no ranges, if they may be read.

# shellcheck disable=SC2034 # for daemon.sh: memctld is started here
machine_options=""
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

# A machine of plain files, as the simulated one has no debugfs.
root=/run/root
for ((block = 40; block < 56; block++)); do
        mkdir -p "$root/sys/devices/system/memory/memory$block" "$root/sys/devices/system/node/node0/memory$block"
        echo online >"$root/sys/devices/system/memory/memory$block/state"
        echo Movable >"$root/sys/devices/system/memory/memory$block/valid_zones"
done
mkdir -p "$root/proc/sys/kernel" "$root/sys/kernel/debug" "$root/etc/memctl" /run/memctl
echo 8000000 >"$root/sys/devices/system/memory/block_size_bytes"
echo aarch64 >"$root/proc/sys/kernel/arch"
echo "140000000-1bfffffff : System RAM" >"$root/proc/iomem"

configure() { printf '[Manager]\n%s\n' "$1" >"$root/etc/memctl/memctld.conf"; }
source_of() { get /org/memctl1 Manager GranularitySource; }
# await_source WORD: the machine is read again, soon
await_source() {
        until [[ $(source_of) == "\"$1\"" ]]; do read -rt 0.01 <> <(:) || true; done
}

configure ReadPageTables=yes
exec {memctld}< <(exec "$MEMCTL_BUILD/tests/sim/service" "$MEMCTL_BUILD/daemon/memctld" --sysroot "$root" 2>>/run/memctld.log)
read -r line <&"$memctld" || fail "memctld did not start"
expect "without page tables" "$(source_of)" '"estimated"'
expect_has "it says so" "$(cat /run/memctld.log)" "ReadPageTables=yes: the kernel shows no page tables"
expect "the largest leaf there could be" "$(get /org/memctl1/range/est0 Range RemovalGranularity)" $((1 << 30))

cat >"$root/sys/kernel/debug/kernel_page_tables" <<END
---[ Linear Mapping start ]---
0xffff000000000000-0xffff000040000000           1G PTE       RW NX SHD AF    CON     UXN    MEM/NORMAL
---[ Linear Mapping end ]---
END
configure ReadPageTables=no
call Reload ""
expect "not asked for" "$(source_of)" '"estimated"'
configure ReadPageTables=yes
call Reload ""
await_source page-tables
expect "what they tell" "$(get /org/memctl1/range/est0 Range RemovalGranularity)" $((1 << 27))
configure ReadPageTables=no
call Reload ""
await_source estimated

echo "$n_checks checks passed"
