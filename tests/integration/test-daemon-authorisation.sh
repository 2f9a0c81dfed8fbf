#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Between question and answer nothing is done, and what was planned may have become wrong: it is planned again.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

coproc authority { exec "$MEMCTL_BUILD/tests/integration/authority" 2>>/run/memctld.log; }
read -r line <&"${authority[0]}"
expect "the authority" "$line" ready

# ask VERB SELECTOR… [KEY=VALUE…]: by a user who needs to be authorised; $question is what the authority was asked.
ask() {
        exec {asked}< <(exec setpriv --reuid 65534 --clear-groups "$client" "$@" 2>&1)
        # shellcheck disable=SC2034 # for the tests
        asker=$!
        read -r question <&"${authority[0]}"
}
# answer WORD: and $question is the next one, if there is one
answer() { echo "$1" >&"${authority[1]}"; }
answer_and_next() {
        answer "$1"
        read -r question <&"${authority[0]}"
}
# What became of it, in $out.
hear() {
        out=$(cat <&"$asked")
        exec {asked}<&-
}
jobs() { busctl --system call org.memctl1 /org/memctl1 org.memctl1.Manager ListJobs; }

# --- asked and answered ------------------------------------------------------------------------------------------

ask offline memory40-47
expect "what is asked" "$question" "asks org.memctl1.offline offline memory40-47"
expect "nothing is done before" "$(jobs) $(blocks 40 47)" "a(to) 0 MMMMMMMM"
answer yes
hear
expect "allowed" "$(result) $(blocks 40 47)" "done --------"
change online memory40-47

ask offline memory40-47
answer no
hear
expect "not allowed" "$(head -n 1 <<<"$out")" "error org.freedesktop.DBus.Error.AccessDenied"
ask offline memory40-47
answer challenge
hear
expect "a password is wanted" "$(head -n 1 <<<"$out")" "error org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"

# Leaving a unit in part is another question, and inhibitors yet another.
ask offline memory44 partial=true
expect "first" "$question" "asks org.memctl1.offline offline memory44"
answer_and_next yes
expect "then" "$question" "asks org.memctl1.offline-partial offline memory44"
answer no
hear
expect "a part is not allowed" "$(head -n 1 <<<"$out")" "error org.freedesktop.DBus.Error.AccessDenied"
ask offline memory48-55 ignore-inhibitors=true
answer_and_next yes
expect "inhibitors" "$question" "asks org.memctl1.override-inhibit offline memory48-55"
answer no
hear
expect "nor that" "$(head -n 1 <<<"$out")" "error org.freedesktop.DBus.Error.AccessDenied"
expect "nothing was changed" "$(blocks 40 55)" MMMMMMMMMMMMMMMM

# What would be refused anyway asks nobody.
change offline memory44
expect "a refusal" "$(head -n 1 <<<"$out")" "error org.memctl1.Error.SplitsMapping"

# --- the machine changed meanwhile ---------------------------------------------------------------------------------

# What completed a unit would now leave it in part, which nobody allowed.
change offline memory40-43 partial=true
ask offline memory44-47 partial=true
expect "no part is left" "$question" "asks org.memctl1.offline offline memory44-47"
change online memory40
answer yes
hear
expect "now one would be" "$out" "error org.memctl1.Error.Refused
the machine changed since this was authorised: now a removal unit would be left in part
  ask again"
expect "so nothing is done" "$(blocks 40 47)" M---MMMM
change online memory40-47

# A generation was expected, and has passed.
ask offline memory40-47 "expect-generation=$(get /org/memctl1 Manager Generation)"
change offline memory4288-4295
answer yes
hear
expect_has "the generation has passed" "$out" "the machine changed: generation"
change online memory4288-4295

# A job got there first.
ask offline memory40-47
control "hang 1"
begin offline memory40-55
await_hang 40
answer yes
hear
expect_has "a job is there" "$out" "job $job (offline) already works on memory40-55"
release
finish
expect "that job" "$(result)" "done"
change online memory40-55

# It is gone.
ask offline device:PNP0C80:00
change remove device:PNP0C80:00
expect "removed" "$(result)" "done"
answer yes
hear
expect_has "what is gone" "$out" "error org.memctl1.Error.Refused"
expect_has "it is named" "$out" "PNP0C80:00"

# --- the client leaves ---------------------------------------------------------------------------------------------

ask offline memory40-47
before=$(jobs)
kill "$asker"
read -r line <&"${authority[0]}"
expect "the question is withdrawn" "$line" cancelled
hear
expect "it leaves nothing" "$(jobs) $(blocks 40 47)" "$before MMMMMMMM"

# --- nobody answers ------------------------------------------------------------------------------------------------

# shellcheck disable=SC2154 # of the coprocess, and gone with it
authority_pid=$authority_PID
kill "$authority_pid"
await_exit "$authority_pid"
exec {silent}< <(exec "$MEMCTL_BUILD/tests/integration/authority" --silent 2>>/run/memctld.log <> <(:))
read -r line <&"$silent"
# wait_for_answer UID: in $waiting
wait_for_answer() {
        setpriv --reuid "$1" --clear-groups "$client" offline memory40-47 >/dev/null 2>&1 &
        waiting+=($!)
        read -r line <&"$silent"
}
waiting=()
for _ in {1..16}; do wait_for_answer 65534; done
out=$(setpriv --reuid 65534 --clear-groups "$client" offline memory40-47 2>&1) || true
expect "one user asks so much" "$out" "error org.memctl1.Error.LimitsExceeded
16 requests already wait for authorisation, 16 of them of uid 65534; try again later"
wait_for_answer 1
expect "another one may ask" "$line" "asks org.memctl1.offline offline memory40-47"
kill "${waiting[@]}"

echo "$n_checks checks passed"
