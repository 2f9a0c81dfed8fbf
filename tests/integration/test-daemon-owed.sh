#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a job owes that could not go back: until it is paid, or somebody decides otherwise.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

result_of() { get "/org/memctl1/job/$1" Job Result; }
# When memctld is not just at it once more.
settled_result_of() {
        until [[ $(result_of "$1") != '""' ]]; do read -rt 0.01 <> <(:) || true; done
        result_of "$1"
}
# settle VERB SELECTOR…: blocks that memctld is at once more are refused meanwhile.
settle() {
        until change "$@" && [[ $(result) == "done" ]]; do read -rt 0.01 <> <(:) || true; done
}

# --- two that owe ------------------------------------------------------------------------------------------------

# Of each unit the fourth block that is written cannot go online, and the second not back (the third of the unit, whose
# second comes last). Of the seven writes for the first unit three
# take it back.
change offline memory40-55
control "unmovable $((42 << 27)) 128M" "unmovable $((50 << 27)) 128M" "hang 1" "fail 4 EBUSY" "fail 11 EBUSY"
begin online memory40-47
first=$job first_pending=$pending
begin online memory48-55
second=$job
release
finish
expect "the second" "$(result)" rollback-incomplete
pending=$first_pending
finish
expect "the first" "$(result) $(blocks 40 55)" "rollback-incomplete --M-------M-----"

# That the first cannot pay yet does not keep the second from it.
control "movable $((50 << 27)) 128M"
settle offline memory4288-4295
until [[ $(result_of "$second") == '"failed"' ]]; do read -rt 0.01 <> <(:) || true; done
expect "the second has paid" "$(blocks 40 55)" --M-------------

# --- somebody else decides -----------------------------------------------------------------------------------------

settle online memory40-41,43-55
settle offline 1G range0
expect "an amount was taken elsewhere" "$(blocks 40 55)" MMMMMMMM--------
expect "which settles nothing here" "$(settled_result_of "$first")" '"rollback-incomplete"'
settle online memory42
expect "who asks for it as it is settles it" "$(settled_result_of "$first")" '"failed"'
control "movable $((42 << 27)) 128M"
settle online memory48-55
expect "so it is left alone" "$(blocks 40 55)" MMMMMMMMMMMMMMMM

echo "$n_checks checks passed"
