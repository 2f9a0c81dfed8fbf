#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --arch arm64 --kernel patched --root debian --memory 6G --append "rodata=off mem=2G" --module tests/vm/hotplug-driver.c
# timeout: 600
#
# The main story on the patched kernel: a driver adds 2 GiB that the kernel maps with two 1 GiB leaves, and memctl
# hands it out and takes it back by whole leaves. What memctld may do, and who may have it done.

. "$(dirname "$0")/expect.sh"

refusal='memctl: refused: memory44 (128 MiB) is part of a 1 GiB kernel mapping, memory40-47 of range0
  whole mapping:      memctl offline memory40-47
  this part only:     memctl offline --partial memory44   (stays mapped; can be removed only with memory40-47 all offline)'

expect 0 'systemd is PID 1' grep -x systemd /proc/1/comm
expect 0 'memctld.service is active' systemctl is-active memctld.service
expect 0 'memctld runs as its own user' test "$(stat -c %U "/proc/$(systemctl show -P MainPID memctld)")" = memctl

expect 0 'the driver adds 2 GiB' driver add 0x140000000 0x80000000
expect 0 'memctld sees the range' await busctl get-property org.memctl1 /org/memctl1/range/range0 org.memctl1.Range Start
expect 0 'list --units' memctl list --units
expect_no_line 'it is memctld that answers' 'cannot be reached'
expect_line 'the first unit is memory40-47, 1 GiB' '(^| )40-47 +0x140000000-0x17fffffff +1G '
expect_line 'the second unit is memory48-55, 1 GiB' '(^| )48-55 +0x180000000-0x1bfffffff +1G '
expect 0 'list --units --json' memctl list --units --json
expect_line 'sizes are numbers' '"size": 1073741824'
expect 0 'online range0' memctl online range0
expect_states 'all sixteen blocks are online' 40-55 online
expect 0 'online again: nothing to do' memctl online range0

expect 3 'offline memory44 is refused' memctl offline memory44
expect_output 'the refusal names the unit and both ways out' "$refusal"
expect_states 'the refusal changed nothing' 40-55 online
expect 3 'a dry run says the same' memctl offline --dry-run memory44

expect 0 'the way out that takes a part' memctl offline --partial memory44
expect_states 'memory44 is offline' 44-44 offline
expect 0 'memory44 comes back' memctl online memory44
expect_states 'all sixteen blocks are online again' 40-55 online
expect 0 'the way out that takes the whole mapping' memctl offline memory40-47
expect_states 'the unit is offline' 40-47 offline
expect_states 'its neighbour is not' 48-55 online

expect 1 'the kernel refuses the driver a part of the leaf' driver remove 0x140000000 0x8000000
expect_line 'it is busy' 'Device or resource busy'
expect 0 'the kernel says why' dmesg
expect_line 'it names the part and the leaf' 'mem 0x140000000-0x147ffffff\] shares a 1048576 KiB leaf'
expect 0 'the driver removes the whole leaf' driver remove 0x140000000 0x40000000
expect 0 'the rest is still there to read' driver read 0x180000000 0x40000000
expect 0 'memctld sees that range0 is gone' await bash -c '! busctl tree org.memctl1 | grep -q range0'
expect 0 'memctld sees what is left of it' await busctl get-property org.memctl1 /org/memctl1/range/range1 org.memctl1.Range Start
expect 0 'list --units shows what is left' memctl list --units
expect_no_line 'memory40-47 is gone' '(^| )40-'
expect_line 'memory48-55 is left' '(^| )48-55 '
expect 4 'offline of what is not there' memctl offline memory40-47
expect_line 'it is named' 'memory40'

expect 0 'busctl: the remainder is an object' busctl get-property org.memctl1 /org/memctl1/range/range1 org.memctl1.Range Start
expect_output 'its start' 't 6442450944'
expect 0 'busctl: its units' busctl call org.memctl1 /org/memctl1/range/range1 org.memctl1.Range GetUnits
expect_output 'one unit of 1 GiB' 'a(ttt) 1 6442450944 1073741824 1'
expect 0 'busctl: its granularity' busctl get-property org.memctl1 /org/memctl1/range/range1 org.memctl1.Range RemovalGranularity
expect_output '1 GiB' 't 1073741824'

# Who may do what.
expect 0 'memctld has few privileges' systemd-analyze security --no-pager --threshold=15 memctld.service

# The service's settings, with a shell in its place. Here: what root can do, so that the attempts mean something.
cat >/run/attempts <<'END'
attempt() {
        local name=$1
        shift
        if "$@" >/dev/null 2>&1; then echo "can $name"; else echo "cannot $name"; fi
}
opens() { : >>"$1"; }
attempt 'write the state of a block' opens /sys/devices/system/memory/memory48/state
attempt 'write elsewhere in sysfs' opens /sys/kernel/uevent_seqnum
attempt 'write to sysctl' opens /proc/sys/vm/swappiness
attempt 'write to /etc' touch /etc/attempt
attempt 'read a disk' head -c 1 /dev/vda
attempt 'open a network socket' bash -c 'exec 3<>/dev/udp/127.0.0.1/9'
attempt 'make a namespace' unshare --net true
attempt 'mount' mount -t tmpfs attempt /run/memctl
attempt 'see other processes' test -e /proc/1/comm
attempt 'signal other processes' kill -0 1
END
attempt_as_service() {
        sed -e '/^BusName=\|^Restart=\|^WatchdogSec=\|^Also=\|^Alias=/d' -e 's/^Type=.*/Type=oneshot/' \
                -e 's|^ExecStart=.*|ExecStart=/bin/bash /run/attempts|' -e '/^ExecReload=/d' \
                "$(systemctl show -P FragmentPath memctld.service)" >/run/systemd/system/attempts.service
        systemctl daemon-reload
        systemctl start attempts.service
        journalctl --sync
        journalctl -q -o cat -t bash -u attempts.service
}
chmod u+w /sys/kernel/uevent_seqnum
expect 0 'attempts as root' bash /run/attempts
expect_no_line 'root can do all of it' '^cannot'
umount /run/memctl
expect 0 'attempts as the service' attempt_as_service
expect_output 'the service can write the state of blocks, and nothing else' "$(sed -n "s/^attempt '\([^']*\)'.*/cannot \1/p" /run/attempts |
        sed '1s/^cannot/can/')"

expect 5 'another user may not' as_nobody memctl offline range1
expect_line 'what that takes is said' "this needs an administrator's authorisation \(org.memctl1.offline\)"
expect 0 'but may see what would happen' as_nobody memctl offline --dry-run range1
expect 0 'and what there is' as_nobody memctl list

# On a terminal there is somebody who can be asked for root's password.
# shellcheck disable=SC2016 # for perl
usermod -p "$(perl -e 'print crypt("secret", q($6$salt$))')" root
# What packages do when they are set up, where they were only unpacked.
if [[ ! -e /etc/pam.d/common-auth ]]; then
        for stack in auth account password session; do
                echo "$stack required pam_unix.so" >/etc/pam.d/common-$stack
        done
        cp /etc/pam.d/common-session /etc/pam.d/common-session-noninteractive
        chmod u+s /usr/lib/polkit-1/polkit-agent-helper-1
fi

# ask [COMMAND…]: as that user; $asked is its pid, $keys what is typed, and what the terminal shows in /run/terminal
ask() {
        rm -f /run/keys /run/terminal /run/tty
        mkfifo /run/keys
        exec {keys}<>/run/keys
        script -qefc "tty >/run/tty; exec $* setpriv --reuid=65534 --regid=65534 --clear-groups memctl offline range1" \
                --echo always /run/terminal <&"$keys" >/dev/null &
        asked=$!
        expect 0 'on a terminal that user is asked' await grep -q 'AUTHENTICATING FOR org.memctl1.offline' /run/terminal
        # What is typed before is thrown away.
        expect 0 'for a password' await bash -c 'stty -a -F "$(</run/tty)" | grep -qw -- -echo'
}

busctl monitor --match "member='CancelCheckAuthorization'" --match "interface='org.memctl1.Manager',member='JobNew'" >/run/bus 2>&1 &
monitor=$!
expect 0 'the bus is watched' await grep -q Monitoring /run/bus
# In a session, as a login makes it: an agent of its desktop would come before that of the terminal.
ask systemd-run -q --scope --slice=user-65534.slice --unit=session-7.scope
expect 0 'who does not answer but is killed' pkill -KILL -u 65534 -x memctl
expect 0 'memctld takes the question back' await grep -q CancelCheckAuthorization /run/bus
expect 0 'nobody asks any longer' await bash -c '! pgrep "pkttyagent|polkit-agent"'
expect 1 'nothing was begun' grep JobNew /run/bus
kill $monitor
wait $monitor "$asked"
expect_states 'nor changed' 48-55 online

# In none.
ask
echo secret >&"$keys"
wait "$asked"
expect 0 'who knows it may' test $? = 0
expect_states 'it is offline' 48-55 offline
expect 0 'the agent is gone' await bash -c '! pgrep "pkttyagent|polkit-agent"'
expect 0 'root needs nobody' memctl online range1

cat >/etc/polkit-1/rules.d/10-operators.rules <<'RULE'
polkit.addRule(function (action, subject) {
        if (action.id == "org.memctl1.offline" && action.lookup("verb") == "offline" && subject.user == "nobody")
                return polkit.Result.YES;
});
RULE
expect 0 'whom a rule allows it may' await as_nobody memctl offline range1
expect_states 'it is offline' 48-55 offline
expect 5 'but only what the rule says' as_nobody memctl online range1
expect 0 'the journal has who it was' journalctl -q -o cat MEMCTL_UID=65534
expect_line 'by number' 'asked for by uid 65534'

exit $failed
