#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The README shows what ./try tells, to the letter: all of it behind the line "<!-- what ./try tells -->", and a picture
# made of parts of it.
. "$(dirname "$0")/prelude.sh"
machine_options=--daemon
on_machine

export LC_ALL=C.UTF-8
readme=$sim/../../README.md

# block LINE: the fenced block behind a line
block() {
        awk -v behind="$1" '$0 == behind { found = 1 } found && /^```/ { if (inside) exit; inside = 1; next } inside' "$readme"
}

# Blanks at the ends of lines are none of a reader's business.
trim() {
        sed 's/ *$//'
}

expect 0 'the story is told' "$sim/../story"
told=$(trim <<<"$output")
shown=$(block '<!-- what ./try tells -->' | trim)
expect 0 'the README shows all of it' diff -u <(printf '%s\n' "$shown") <(printf '%s\n' "${told#$'\n'}")

# check_piece: a command of the picture, with what follows it up to the next one, is in the story
check_piece() {
        # Without the empty line in front of the next one.
        piece=${piece%$'\n'}
        [[ -z $piece ]] || expect 0 "the picture is of the story: ${piece%%$'\n'*}" test "${told/"$piece"/}" != "$told"
        piece=
}

piece=
while IFS= read -r line; do
        [[ $line != '$ '* ]] || check_piece
        piece+=${piece:+$'\n'}$line
done < <(block '<!-- a part of what ./try tells -->' | trim)
expect 0 'there is a picture' test -n "$piece"
check_piece

exit $failed
