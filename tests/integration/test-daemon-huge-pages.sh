#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Offlining dissolves free huge pages; once the job is over the pools have what they had, however it ended.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

# pool NODE: its file
pool() { echo "/sys/devices/system/node/node$1/hugepages/hugepages-2048kB/nr_hugepages"; }
pages() { cat "$(pool "$1")"; }

echo 600 >"$(pool 0)"
echo 500 >"$(pool 1)"

call Plan 'sasa{sv}' offline 1 memory40-47 0
expect_has "the plan says what may go" "$out" 'up to 600 free huge pages of node0 in these blocks are dissolved'

# What the kernel does without memctld.
echo offline >/sys/devices/system/memory/memory40/state
(($(pages 0) < 600)) || fail "nothing is dissolved"
echo online_movable >/sys/devices/system/memory/memory40/state
echo 600 >"$(pool 0)"

change offline memory40-47
expect "after an offline" "$(result) $(pages 0) $(pages 1)" "done 600 500"
expect_has "it is said" "$(cat /run/memctld.log)" "node0: has its 600 huge pages of 2048 kB again"
change online memory40-47
expect "after an online" "$(result) $(pages 0)" "done 600"

control "fail 6 EBUSY"
change offline memory40-47
expect "after a rollback" "$(result) $(pages 0)" "failed 600"

change remove device:PNP0C80:00
expect "after a removal" "$(result) $(pages 0) $(pages 1)" "done 600 500"

# By the next process, if this one is killed.
control "hang 4"
begin offline memory40-47
await_hang 43
(($(pages 0) < 600)) || fail "nothing is dissolved"
kill -KILL "$MEMCTLD_PID"
finish
start_memctld
change --wait-job "$job"
expect "after a kill" "$(result) $(blocks 40 47) $(pages 0)" "failed MMMMMMMM 600"

# Nobody else's wishes are touched: another node's pool, and one that has grown.
control "hang 4"
begin offline memory40-47
await_hang 43
echo 400 >"$(pool 1)"
echo 700 >"$(pool 0)"
release
finish
expect "what somebody else changed" "$(result) $(pages 1)" "done 400"
(($(pages 0) >= 600 && $(pages 0) < 700)) || fail "$(pages 0) pages of 700, of which some were dissolved again"
change online memory40-47

# There may be no room for all of them.
echo 1000000 >"$(pool 0)"
n=$(pages 0)
change offline memory40-47 ignore-headroom=true
expect "the job is done all the same" "$(result)" "done"
expect_has "where there is no room it is said" "$(cat /run/memctld.log)" \
        "node0: there is room for only $(pages 0) of its $n huge pages of 2048 kB"

echo "$n_checks checks passed"
