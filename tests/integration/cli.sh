# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of memctl's command line share; sourced. MEMCTL is the binary, the first argument of each test.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MEMCTL=$1

# on_simulated_machine "$@": begins the test again inside one, with memctld.
on_simulated_machine() {
        [ -n "${MEMSIM-}" ] && return
        [ "$EUID" -eq 0 ] || {
                echo 'needs root, for a machine of its own' >&2
                exit 77
        }
        rm -rf "$scratch"
        exec "$here/../sim/machine" --daemon -- "$0" "$@"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Nothing of the caller's surroundings may change what is printed.
export LC_ALL=C.UTF-8 TERM=dumb
unset NO_COLOR COLUMNS
# No test reaches the bus of the machine it runs on: none, or that of the simulated machine.
[ -n "${MEMSIM-}" ] || export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$scratch/no-bus

out="" err="" status=""

# run COMMAND…: keeps its output in $out and $err and its exit status in $status.
run() {
        command="$*"
        set +e
        "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
        status=$?
        set -e
        out=$(<"$scratch/out") err=$(<"$scratch/err")
}

memctl() {
        run "$MEMCTL" "$@"
}

fail() {
        printf 'FAILED: %s\n' "$*" >&2
        printf '  command: %s\n  status: %s\n--- stdout\n%s\n--- stderr\n%s\n' "$command" "$status" "$out" "$err" >&2
        exit 1
}

expect_status() {
        [ "$status" -eq "$1" ] || fail "exit status $1 was expected"
}

# expect_out TEXT: all of standard output, but for blanks at the ends of lines.
expect_out() {
        diff -u <(printf '%s\n' "$1" | sed 's/ *$//') <(printf '%s\n' "$out" | sed 's/ *$//') >&2 ||
                fail 'another output was expected'
}

expect_err() {
        diff -u <(printf '%s\n' "$1") <(printf '%s\n' "$err") >&2 || fail 'another message was expected'
}

expect_out_has() {
        [[ $out == *"$1"* ]] || fail "the output was to have: $1"
}

expect_err_has() {
        [[ $err == *"$1"* ]] || fail "the message was to have: $1"
}

expect_no_err() {
        [ -z "$err" ] || fail 'no message was expected'
}

# json FILTER: of what was printed.
json() {
        python3 -c 'import json, sys; d = json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$out" "$1" ||
                fail "no JSON for $1"
}

expect_json() {
        local value
        value=$(json "$1")
        [ "$value" = "$2" ] || fail "JSON $1 was to be $2, it is $value"
}

# expect_schema NAME: what was printed is as docs/NAME.schema.json says.
expect_schema() {
        local message
        message=$(/usr/bin/python3 "$here/validate-json" "$here/../../docs/$1.schema.json" "$scratch/out" 2>&1) ||
                fail "not as $1.schema.json has it: $message"
}

# await FILE TEXT: waits until a line of the growing file has the text; what writes it must be running still.
await() {
        # What was started in the background may not have made it yet.
        : >>"$1"
        timeout 60 grep -qm 1 -- "$2" < <(tail -n +1 -f --pid=$$ "$1") || {
                command="await $2" status=1 out=$(<"$1") err=
                fail "$2 was expected in $1"
        }
}

# Prints a fresh directory with a machine in it: machine NAME SPEC… as make-sysroot takes them.
machine() {
        "$here/make-sysroot" "$scratch/$1" "${@:2}"
        printf '%s\n' "$scratch/$1"
}
