#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ListExtents: page by page, filtered, and what is no filter.

# shellcheck source=tests/integration/daemon.sh
. "$(dirname "$0")/daemon.sh"

# extents FILTER…: FILTER as busctl has an a{sv}; the last two arguments are where to begin, and how many
extents() {
        call ListExtents 'a{sv}tu' "$@" || true
}

# how_many: extents in the reply, and whether there are more
how_many() {
        local words
        read -ra words <<<"$out"
        echo "${words[2]} ${words[-1]}"
}

extents 0 0 10000
read -r n more < <(how_many)
expect "all at once" "$more" false
expect_has "range0" "$out" '"Movable" "online" "hot-added" "/org/memctl1/range/range0"'

# One at a time they are as many, and each begins behind the one before.
after=0 pages=0
while :; do
        extents 0 "$after" 1
        pages=$((pages + 1))
        read -ra words <<<"$out"
        ((words[3] >= after)) || fail "page $pages begins at ${words[3]}, before $after"
        after=$((words[3] + words[4]))
        [[ ${words[-1]} == true ]] || break
done
expect "page by page" "$pages" "$n"

extents 1 state s offline 0 10000
expect_has "what is offline" "$out" '"offline"'
[[ $out != *'"online"'* ]] || fail "something is online"
extents 1 selectors as 2 range0 memory4288 0 10000
expect "a range and a block" "$(how_many)" "2 false"
expect_has "the block" "$out" " $((4288 << 27)) $((1 << 27)) "
extents 2 selectors as 1 range0 state s offline 0 10000
expect "nothing of range0 is offline" "$(how_many)" "0 false"
extents 1 selectors as 1 memory42-43 0 1
expect_has "a part of an extent" "$out" " $((42 << 27)) $((2 << 27)) "
extents 1 selectors as 0 0 10000
expect "no selector names nothing" "$(how_many)" "0 false"

extents 1 selectors as 1 4G 0 10
expect_has "an amount" "$out" "4G: an amount chooses what to change; it cannot filter a list"
extents 1 selectors as 1 blue 0 10
expect_has "no selector" "$out" "'blue' is no selector"
extents 1 selectors s range0 0 10
expect_has "no list of selectors" "$out" "filter selectors: must be of type as"
extents 1 state s blue 0 10
expect_has "no state" "$out" "filter state: blue is no state; there are online, offline and going-offline"
extents 1 state u 1 0 10
expect_has "a state of another type" "$out" "filter state: must be of type s"
extents 1 colour s blue 0 10
expect_has "no filter" "$out" "unknown filter colour; there are selectors and state"

echo "$n_checks checks passed"
