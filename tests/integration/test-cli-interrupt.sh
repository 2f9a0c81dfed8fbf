#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ctrl-C before memctld has answered: whether anything began is known only from its answer.

# shellcheck source=tests/integration/cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

coproc authority { exec "$(dirname "$MEMCTL")/../tests/integration/authority"; }
read -r line <&"${authority[0]}"
[ "$line" = ready ] || fail 'there is no authority'

# begin: an offline that somebody else has to allow
begin() {
        setpriv --reuid=65534 --clear-groups "$MEMCTL" offline 40-47 >"$scratch/out" 2>"$scratch/err" </dev/null &
        change=$!
        command='offline, interrupted before the answer'
        read -r line <&"${authority[0]}"
        [[ $line == asks* ]] || fail "the authority was not asked but told: $line"
}
# interrupt TEXT: until memctl says it
interrupt() {
        # The shell has what it starts in the background ignore SIGINT.
        kill -TERM $change
        until grep -qF -- "$1" "$scratch/err"; do read -rt 0.01 <> <(:) || true; done
}
finish() {
        status=0
        wait $change || status=$?
        out=$(<"$scratch/out") err=$(<"$scratch/err")
}
states() { cat /sys/devices/system/memory/memory{40..47}/state | sort -u; }

# It is allowed, and begins: then it goes back.
echo 'hang 4' >"$MEMSIM/control"
begin
interrupt 'memctl: cancelling as soon as memctld answers'
echo yes >&"${authority[1]}"
finish
expect_status 130
expect_err_has 'memctl: cancelling, what was changed goes back'
expect_err_has 'memctl: offline cancelled, everything is as it was'
[ "$(states)" = online ] || fail 'it is not as it was'
echo mend >"$MEMSIM/control"

# It is not allowed: then nothing was begun.
begin
interrupt 'memctl: cancelling as soon as memctld answers'
echo no >&"${authority[1]}"
finish
expect_status 130
expect_err_has 'memctl: cancelled before it began, nothing was changed'

# Who does not want to wait is told what is not known.
begin
interrupt 'memctl: cancelling as soon as memctld answers'
interrupt 'whether it began is not known'
finish
expect_status 130
expect_err_has 'what is now:  memctl list'
