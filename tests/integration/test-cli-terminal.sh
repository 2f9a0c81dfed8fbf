#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# memctl on a terminal: colour, progress, Ctrl-C. On the simulated machine.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"
export TERM=xterm-256color

terminal() {
        run /usr/bin/python3 "$here/in-terminal" "$@"
}

escape=$'\e'

# Colour on a terminal, none in a pipe, none where it is not wanted; and nothing is told by it alone.
terminal -- "$MEMCTL" list -n -o BLOCK,STATE range0
expect_status 0
expect_out_has "${escape}[32m"
expect_out_has online
NO_COLOR=1 terminal -- "$MEMCTL" list -n -o BLOCK,STATE range0
expect_out_has online
[[ $out != *"$escape"* ]] || fail 'NO_COLOR was set'
TERM=dumb terminal -- "$MEMCTL" list -n -o BLOCK,STATE range0
[[ $out != *"$escape"* ]] || fail 'the terminal is dumb'
memctl list -n -o BLOCK,STATE range0
[[ $out != *"$escape"* ]] || fail 'a pipe is no terminal'

# The default listings fit the terminal.
terminal --size 80x24 -- "$MEMCTL" list
expect_status 0
while IFS= read -r line; do
        plain=$(sed "s/${escape}\[[0-9;]*m//g; s/\r//" <<<"$line")
        [ "${#plain}" -le 80 ] || fail "over 80 columns: $plain"
done <<<"$out"

# Progress appears after a second, with what is done and what is left; Ctrl-C cancels and waits for the rollback. It is
# typed when the write hangs: before that the rollback would meet the fault.
fourth=/sys/devices/system/memory/memory43/state
printf 'hang 4\n' >"$MEMSIM/control"
terminal --when '5 blocks left' '' --when-file "$fourth" going-offline '\x03' -- "$MEMCTL" offline 40-47
expect_status 130
expect_out_has '384M/1G'
expect_out_has '5 blocks left'
expect_out_has '█'
expect_out_has 'memctl: cancelling, what was changed goes back'
expect_out_has 'memctl: offline cancelled, everything is as it was'
[ "$(cat /sys/devices/system/memory/memory4[0-7]/state | sort -u)" = online ] || fail 'the rollback was to be waited for'

# Without UTF-8 the bar is ASCII; it grows with the terminal, to forty cells.
printf 'hang 4\n' >"$MEMSIM/control"
LC_ALL=C terminal --size 200x50 --when '5 blocks left' '' --when-file "$fourth" going-offline '\x03' -- "$MEMCTL" offline 40-47
expect_status 130
expect_out_has 'offline ###############......................... 384M/1G'
! grep -aq '[^[:print:][:cntrl:]]' <<<"$out" || fail 'only ASCII was expected'

# Where polkit may want a password, its agent has this terminal for as long as the change takes; root needs none.
mkdir "$scratch/bin"
chmod 755 "$scratch" "$scratch/bin"
mkdir -m 777 "$scratch/agent"
cat >"$scratch/bin/pkttyagent" <<AGENT
#!/bin/bash
trap 'echo ended >>"$scratch/agent/said"; exit' TERM
echo "\$1 \${*:3}" >>"$scratch/agent/said"
eval "exec \$2>&-"
while :; do read -rt 60 <> <(:); done
AGENT
chmod +x "$scratch/bin/pkttyagent"
PATH=$scratch/bin:$PATH terminal -- setpriv --reuid=65534 --clear-groups "$MEMCTL" offline 40-47
expect_status 5
expect_out_has 'memctl: not authorised'
# Nobody has a session on this machine, whose agent would come first.
[ "$(<"$scratch/agent/said")" = $'--notify-fd \nended' ] || fail 'the agent was to be started and ended'
: >"$scratch/agent/said"
PATH=$scratch/bin:$PATH terminal -- "$MEMCTL" offline --dry-run 40-47
PATH=$scratch/bin:$PATH terminal -- "$MEMCTL" offline 40-47
expect_status 0
PATH=$scratch/bin:$PATH run setpriv --reuid=65534 --clear-groups "$MEMCTL" online 40-47
expect_status 5
[ ! -s "$scratch/agent/said" ] || fail 'no agent was wanted'
"$MEMCTL" online 40-47 >/dev/null

# Interrupted while ssh still connects, memctl leaves none behind.
cat >"$scratch/bin/ssh" <<SSH
#!/bin/sh
echo \$\$ >"$scratch/ssh"
echo connecting >/dev/tty
exec sleep infinity
SSH
chmod +x "$scratch/bin/ssh"
# shellcheck disable=SC2016 # for the shell that runs it
PATH=$scratch/bin:$PATH terminal --when connecting '\x03' -- bash -c \
        'trap : INT; "$0" list -H elsewhere; echo "it ended with $?"; tail -f /dev/null --pid "$(<"$1")"' "$MEMCTL" "$scratch/ssh"
expect_status 0
expect_out_has 'it ended with 130'

# A second Ctrl-C does not wait: the rollback, whose own write hangs, goes on in its job.
printf 'hang 4\nhang 5\n' >"$MEMSIM/control"
terminal --when '5 blocks left' '' --when-file "$fourth" going-offline '\x03' --when 'do not wait for it' '\x03' -- \
        "$MEMCTL" offline 40-47
expect_status 130
expect_out_has 'the rollback still runs in job'
expect_out_has 'memctl wait'
# Before it hangs there is nothing to release.
until printf 'release\n' >"$MEMSIM/control"; do read -rt 0.01 <> <(:) || true; done 2>/dev/null
memctl wait
expect_status 0
[ "$(cat /sys/devices/system/memory/memory4[0-7]/state | sort -u)" = online ] || fail 'the rollback was to go on'

# No progress where no terminal is.
printf 'hang 4\n' >"$MEMSIM/control"
memctl offline --timeout=2s 40-47
expect_status 124
[[ $err != *'blocks left'* ]] || fail 'a pipe wants no progress'
