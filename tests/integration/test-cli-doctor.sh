#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl doctor on saved machines: each finding, and none where there is nothing to find.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"

sound=$(machine sound 0-23 40-47:zone=Movable --range 0:40-47,granularity=1G)
memctl doctor -s "$sound"
expect_status 0
expect_no_err
! grep -qv '^ok ' <<<"$out" || fail 'nothing is wrong here'
memctl doctor -s "$sound" -J
expect_schema doctor
expect_json 'd["verdict"]' ok

ailing=$(machine ailing 0-23 40-47:zone=Normal --auto-online online)
mkdir -p "$ailing/etc/udev/rules.d" "$ailing/usr/lib/udev/rules.d" "$ailing/etc/memctl/policy.d"
cat >"$ailing/etc/udev/rules.d/40-memory.rules" <<'RULES'
# SUBSYSTEM=="memory", ATTR{state}="online"
SUBSYSTEM=="memory", ATTR{state}=="offline", TAG+="seen"
SUBSYSTEM=="memory", ACTION=="add", ATTR{state}="online"
RULES
printf '[Online]\nMode=sometimes\n' >"$ailing/etc/memctl/policy.d/50-broken.policy"
ln -s nowhere "$ailing/etc/memctl/policy.d/60-lost.policy"

memctl doctor -s "$ailing"
expect_status 1
expect_out_has 'warning  kernel guard: nothing in this kernel stops a driver'
expect_out_has 'warning  removal granularity: 1 GiB (estimated: this kernel does not tell it)'
expect_out_has 'warning  auto-online: the kernel onlines hot-added memory by itself (auto_online_blocks is online)'
expect_out_has 'warning  udev rules: /etc/udev/rules.d/40-memory.rules:3 changes memory blocks by itself'
[ "$(grep -c 'udev rules' <<<"$out")" -eq 1 ] || fail 'comments and matches change nothing'
expect_out_has 'problem  policy:'
expect_out_has '50-broken.policy:2'
expect_out_has '60-lost.policy: No such file or directory'
expect_err_has '60-lost.policy: No such file or directory'
memctl doctor -s "$ailing" -J
expect_status 1
expect_schema doctor
expect_json 'd["verdict"]' problem

# Hot-added memory in a kernel zone may never come off again.
kernel_zone=$(machine kernel-zone 0-23 40-47:zone=Normal --range 0:40-47,granularity=1G)
memctl doctor -s "$kernel_zone"
expect_status 0
expect_out_has 'warning  zone: memory40-47 of range0 is in zone Normal'

# Where nothing but ASCII can be shown, nothing else is.
LC_ALL=C memctl doctor -s "$ailing"
! grep -q '[^ -~]' <<<"$out" || fail 'only ASCII was expected'

# What runs: with memctld, and on a machine without a bus to reach it by.
[ "$EUID" -eq 0 ] || {
        echo 'the rest needs root, for a machine of its own'
        exit 77
}
DBUS_SYSTEM_BUS_ADDRESS='' run "$here/../sim/machine" --daemon -- "$MEMCTL" doctor
expect_status 0
expect_out_has 'ok       D-Bus: the system bus runs
ok       memctld: answers, version '
DBUS_SYSTEM_BUS_ADDRESS='' run "$here/../sim/machine" --sysfs-only -- "$MEMCTL" doctor
expect_status 1
expect_out_has 'problem  D-Bus: there is no system bus, over which memctld is asked
         → systemctl start dbus.socket; if there is none: install dbus or dbus-broker
problem  memctld: cannot be reached'
expect_out_has 'warning  udev: does not run'
