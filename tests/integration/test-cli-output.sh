#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was printed has arrived, or memctl says that it has not: every command that prints, into a full disk and into a
# closed descriptor. Whoever has read enough is no error, and ends what would print on.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"
on_simulated_machine "$@"

PATH=$(dirname "$MEMCTL"):$PATH
unset -f memctl # the program is meant, not the function of the tests

# In this order, on one machine; changes are made, even if nobody can be told.
# shellcheck disable=SC2016 # for the shell that runs them
lines=(
        'memctl --help'
        'memctl --version'
        'memctl list'
        'memctl list --json --blocks'
        'memctl show range0'
        'memctl show -J range0'
        'memctl map'
        'memctl map --watch'
        'memctl plan offline 40-47'
        'memctl plan --json offline 44'
        'memctl offline 40-47'
        'memctl online 40-47 --json'
        'memctl wait; memctl offline --no-wait 48-55'
        'job=$(memctl online --no-wait 40-47); memctl wait ${job#job }'
        'memctl jobs'
        'memctl monitor --json'
        'memctl policy'
        'memctl policy show'
        'memctl policy check'
        'memctl inhibit range0 -- memctl inhibit --list'
        'memctl doctor'
        'memctl doctor --json'
        'memctl version'
        'memctl remove device:$(memctl list --ranges -nr -o DEVICE | grep -m 1 .)'
)
for line in "${lines[@]}"; do
        for where in '/dev/full' '&-'; do
                run bash -c "exec >$where; $line"
                command="$line >$where"
                # A refusal is told by its exit status all the same.
                [[ $line == *'offline 44' ]] && expect_status 3 || expect_status 1
                case $where in
                /dev/full) expect_err_has 'memctl: cannot write the output: No space left on device' ;;
                *) expect_err_has 'memctl: cannot write the output: Bad file descriptor' ;;
                esac
        done
done
[ ! -e /sys/devices/system/memory/memory4288 ] && [ ! -e /sys/devices/system/memory/memory8192 ] || fail 'what was asked for was to be done'

# No command is left out, but those that print nothing.
for name in $(memctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        [ "$name" = cancel ] || [[ " ${lines[*]} " == *"memctl $name"* ]] || fail "$name prints, and is not tried"
done

# A reader who has had enough; nothing else happens that would have to be printed.
for line in 'list --blocks' 'show all' 'map' 'monitor --json' 'map --watch' 'doctor'; do
        # shellcheck disable=SC2016,SC2086 # words
        run timeout 60 bash -c 'memctl "$@" | head -n 1; exit ${PIPESTATUS[0]}' - $line
        command="$line | head -n 1"
        expect_status 0
        expect_no_err
        [ "$(wc -l <"$scratch/out")" -eq 1 ] || fail 'a line was expected'
done
