#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A real udevd beside memctld: its rules choose a range's policy, so policy waits for it, and not for ever.

# shellcheck disable=SC2034 # for daemon.sh: no memctld yet
machine_options=""
# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

udevd=/usr/lib/systemd/systemd-udevd
[[ -x $udevd ]] || udevd=/lib/systemd/systemd-udevd
[[ -x $udevd ]] || {
        echo "there is no systemd-udevd: apt-get install udev"
        exit 77
}

start_udevd() {
        rm -f /run/udev/control
        "$udevd" 2>>/run/udevd.log &
        udevd_pid=$!
        until [[ -S /run/udev/control ]]; do
                kill -0 "$udevd_pid" || fail "udevd: $(cat /run/udevd.log)"
                read -rt 0.01 <> <(:) || true
        done
}

# await_log TEXT: until memctld says it.
await_log() {
        until grep -qF -- "$1" /run/memctld.log; do read -rt 0.01 <> <(:) || true; done
}

# What udevd has sent has been taken: what lay in memctld's sockets before the first call is done with at the second.
settle() {
        udevadm settle
        get /org/memctl1 Manager Version >/dev/null
        get /org/memctl1 Manager Version >/dev/null
}

n_onlined() { grep -c 'brings it online' /run/memctld.log || true; }
range_is_there() { [[ $(get "/org/memctl1/range/$1" Range Size 2>/dev/null) == [1-9]* ]]; }

# The host's rules are for the host's devices; memctl's own are what leaves a mark on every range.
for folder in /etc/udev /usr/lib/udev; do
        [[ ! -d $folder ]] || mount -t tmpfs tmpfs "$folder"
done
mkdir -p /run/udev/rules.d /run/memctl /etc/memctl/policy.d
cp "$here/../../units/60-memctl.rules" /run/udev/rules.d
cat >/run/udev/rules.d/10-test.rules <<END
SUBSYSTEM!="memory_range", GOTO="end"
KERNEL=="range4", PROGRAM="/run/slow", ENV{MEMCTL_POLICY}="by-rule"
KERNEL=="range5", ENV{MEMCTL_POLICY}="keep-offline"
KERNEL=="range6", ENV{MEMCTL_POLICY}="there-is-none"
KERNEL=="range8", ENV{MEMCTL_POLICY}="keep-offline"
LABEL="end"
END
mkfifo /run/reached /run/go
cat >/run/slow <<END
#!/bin/bash
echo reached >/run/reached
read -r go </run/go
END
chmod +x /run/slow

printf '[Match]\n[Online]\nMode=auto\nZone=movable\n' >/etc/memctl/policy.d/50-all.policy
printf '[Match]\nName=nothing\n[Online]\nMode=auto\nZone=kernel\n' >/etc/memctl/policy.d/by-rule.policy
cp "$here/../../docs/examples/keep-offline.policy" /etc/memctl/policy.d/

# --- dead, and its socket is left --------------------------------------------------------------------------------

start_udevd
kill -KILL "$udevd_pid"
wait "$udevd_pid" 2>/dev/null || true
[[ -S /run/udev/control ]] || fail "udevd takes its socket with it"
start_memctld
control "hot-add 0x200000000 2G 0"
await_log "udevd did not process range3 within 10 s, so no policy is applied and it stays as it is"
expect "a range that udevd has not seen" "$(blocks 64 79)" ----------------
expect "one that was there" "$(blocks 8192 8195)" ----
expect "nothing is onlined" "$(n_onlined)" 0

# --- alive -------------------------------------------------------------------------------------------------------

start_udevd

# Its rules take their time: nothing happens before they are through, and then what they chose.
control "hot-add 0x300000000 1G 0"
read -r _ </run/reached
until range_is_there range4; do read -rt 0.01 <> <(:) || true; done
expect "the policy so far" "$(get /org/memctl1/range/range4 Range Policy)" '"50-all"'
expect "it waits for udevd" "$(n_onlined) $(blocks 96 103)" "0 --------"
echo go >/run/go
await_blocks 96 103 NNNNNNNN
expect "the policy a rule chose" "$(get /org/memctl1/range/range4 Range Policy)" '"by-rule"'
expect "why" "$(get /org/memctl1/range/range4 Range PolicyReason)" '"a udev rule set MEMCTL_POLICY"'

# A rule keeps offline what a file would online, and a name that no policy has counts for nothing.
control "hot-add 0x340000000 1G 0"
await_log 'range5: policy "keep-offline" leaves it to the administrator'
expect "a rule keeps it offline" "$(blocks 104 111)" --------
control "hot-add 0x380000000 1G 0"
await_blocks 112 119 MMMMMMMM
expect "a rule names no policy" "$(get /org/memctl1/range/range6 Range Policy)" '"50-all"'

# The example that pins a policy to a device: of the three that were there at boot, its rule means the DIMM's range.
cp "$here/../../docs/examples/70-pin-policy.rules" /run/udev/rules.d/
udevadm control --reload
udevadm trigger --subsystem-match=memory_range --action=add --sysname-match='range[0-2]'
settle
expect "the example pins a policy" "$(get /org/memctl1/range/range1 Range Policy)" '"keep-offline"'
expect "to no other range" "$(get /org/memctl1/range/range0 Range Policy) $(get /org/memctl1/range/range2 Range Policy)" '"50-all" "50-all"'
rm /run/udev/rules.d/70-pin-policy.rules
udevadm control --reload

# Once in a range's life: not again with udevadm trigger.
change offline range4
expect "the result" "$(result)" "done"
n=$(n_onlined)
udevadm trigger --subsystem-match=memory_range --sysname-match=range4 --action=add
read -r _ </run/reached
echo go >/run/go
settle
expect "after a trigger" "$(n_onlined) $(blocks 96 103)" "$n --------"

# --- what udevd has seen before memctld --------------------------------------------------------------------------

kill -TERM "$MEMCTLD_PID"
await_exit "$MEMCTLD_PID"
control "hot-add 0x400000000 1G 0" "hot-add 0x440000000 1G 0"
udevadm settle
start_memctld
await_blocks 128 135 MMMMMMMM
await_log 'range8: policy "keep-offline" leaves it to the administrator'
expect "a rule keeps it offline" "$(blocks 136 143)" --------
expect "what an administrator took offline" "$(blocks 96 103)" --------

# --- seen, but its event was lost ----------------------------------------------------------------------------------

kill -KILL "$udevd_pid"
wait "$udevd_pid" 2>/dev/null || true
echo I:1 >/run/udev/data/+memory_range:range9
control "hot-add 0x480000000 1G 0"
await_log 'range9: policy "50-all" brings it online'
await_blocks 144 151 MMMMMMMM

# --- dead again, but no rule has anything to say -------------------------------------------------------------------

# Other rules may be there; nobody waits ten seconds for them, nor for a change of the rules to be noticed.
sed -i '/MEMCTL_POLICY/d' /run/udev/rules.d/10-test.rules
n=$(grep -c 'did not process' /run/memctld.log)
control "hot-add 0x4c0000000 1G 0"
await_blocks 152 159 MMMMMMMM
expect "nobody was waited for" "$(grep -c 'did not process' /run/memctld.log)" "$n"
echo '# KERNEL=="range99", ENV{MEMCTL_POLICY}="keep-offline"' >/run/udev/rules.d/99-later.rules
control "hot-add 0x500000000 1G 0"
await_log "udevd did not process range11 within 10 s"
expect "with such a rule udevd is waited for again" "$(blocks 160 167)" --------

echo "$n_checks checks passed"
