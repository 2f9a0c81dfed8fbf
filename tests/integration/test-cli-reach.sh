#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl -H over ssh and -M: the memctld of another machine, played by the simulated one on its own loopback.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
command -v dropbear >/dev/null || {
        echo 'no dropbear here, an ssh server'
        exit 77
}
on_simulated_machine "$@"

control() {
        printf '%s\n' "$1" >"$MEMSIM/control"
}

all_online() {
        [ "$(cat /sys/devices/system/memory/memory4[0-7]/state | sort -u)" = online ] || fail 'all was to be online'
}

# An ssh server that only this namespace can reach, and a home of its own: the programs may lie in the true one.
ip link set lo up
home=$scratch/home
mkdir -m 700 "$home" "$home/.ssh"
sed "s,^\(root:.*\):[^:]*:\([^:]*\)$,\1:$home:\2," /etc/passwd >"$scratch/passwd"
chmod 644 "$scratch/passwd"
mount --bind "$scratch/passwd" /etc/passwd
dropbearkey -t ed25519 -f "$home/hostkey" >"$scratch/hostkey" 2>&1
ssh-keygen -q -t ed25519 -N '' -f "$home/.ssh/id_ed25519"
cp "$home/.ssh/id_ed25519.pub" "$home/.ssh/authorized_keys"
printf '[127.0.0.1]:2222 %s\n' "$(grep '^ssh-ed25519' "$scratch/hostkey")" >"$home/.ssh/known_hosts"
dropbear -F -E -s -p 127.0.0.1:2222 -r "$home/hostkey" -P "$home/dropbear.pid" 2>"$scratch/dropbear" &
await "$scratch/dropbear" 'Not backgrounding'
host=root@127.0.0.1:2222

# Reading and changing.
"$MEMCTL" list -J >"$scratch/here"
for reach in "-H $host" '-M .host'; do
        # shellcheck disable=SC2086 # an option and its argument
        memctl list -J $reach
        expect_status 0
        expect_no_err
        expect_out "$(<"$scratch/here")"
        # shellcheck disable=SC2086
        memctl offline $reach 40-47
        expect_status 0
        expect_out 'memory40-47 (1 GiB): offline'
        [ "$(cat /sys/devices/system/memory/memory4[0-7]/state | sort -u)" = offline ] || fail 'it was to be offline'
        # shellcheck disable=SC2086
        memctl offline $reach 44
        expect_status 0
        # shellcheck disable=SC2086
        memctl online $reach --json 40-47
        expect_status 0
        expect_schema result
        # shellcheck disable=SC2086
        memctl offline $reach 44
        expect_status 3
        # shellcheck disable=SC2086
        memctl map $reach range0
        expect_out_has '┃████████│████████┃'
done
memctl version -H "$host"
expect_out_has memctld

# Ctrl-C goes to all programs of the terminal; ssh has to live until the change is cancelled and taken back.
for reach in "-H $host" '-M .host'; do
        control 'hang 4'
        # shellcheck disable=SC2086
        TERM=xterm run /usr/bin/python3 "$here/in-terminal" \
                --when-file /sys/devices/system/memory/memory43/state going-offline '\x03' -- "$MEMCTL" offline $reach 40-47
        expect_status 130
        expect_out_has 'memctl: cancelling, what was changed goes back'
        expect_out_has 'memctl: offline cancelled, everything is as it was'
        all_online
done

# A connection that breaks: memctl says so, memctld takes the change back.
"$MEMCTL" monitor --json >"$scratch/events" &
await "$scratch/events" '"watching"'
control 'hang 4'
"$MEMCTL" offline -H "$host" 40-47 >"$scratch/out" 2>"$scratch/err" &
change=$!
until [ "$(</sys/devices/system/memory/memory43/state)" = going-offline ]; do read -rt 0.01 <> <(:) || true; done
# The server's child for this connection; the server itself stays.
kill -KILL "$(sed -n 's/^\[\([0-9]*\)\].*Child connection.*/\1/p' "$scratch/dropbear" | tail -n 1)"
status=0
wait "$change" || status=$?
out=$(<"$scratch/out") err=$(<"$scratch/err") command='offline over a connection that breaks'
expect_status 6
expect_err_has 'memctl: the connection to memctld is lost while job'
expect_err_has 'memctld takes back what it has changed'
await "$scratch/events" '"job-finished".*"result":"cancelled"'
all_online

# The same where it is memctl itself that goes, with no time to say anything.
for reach in "-H $host" '-M .host'; do
        "$MEMCTL" monitor --json >"$scratch/later" &
        later=$!
        await "$scratch/later" '"watching"'
        control 'hang 4'
        # shellcheck disable=SC2086
        "$MEMCTL" offline $reach 40-47 >/dev/null 2>&1 &
        change=$!
        until [ "$(</sys/devices/system/memory/memory43/state)" = going-offline ]; do read -rt 0.01 <> <(:) || true; done
        kill -KILL "$change"
        await "$scratch/later" '"job-finished".*"result":"cancelled"'
        all_online
        kill -TERM "$later"
done

# Nobody there.
memctl list -H root@127.0.0.1:2223
expect_status 6
expect_err_has 'memctld of root@127.0.0.1:2223 cannot be reached'
memctl list -M nowhere
expect_status 6
