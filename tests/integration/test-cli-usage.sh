#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line itself: help, versions, what is refused before anything is asked, and the want of a daemon.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"

root=$(machine root 0-7 8-15:state=offline --range 0:8-15,granularity=512M)

# usage_error MESSAGE WORDS…: bad usage says so on standard error, in what each locale can show, and exits 2.
usage_error() {
        memctl "${@:2}"
        expect_status 2
        expect_out ''
        expect_err_has "$1"
        ! grep -q '[^ -~]' <<<"$err" || fail 'only ASCII was expected'
}

# Help fits every terminal.
expect_plain_80() {
        [ "$(wc -L <<<"$out")" -le 80 ] || fail 'help is to fit 80 columns'
        ! grep -q '[^ -~]' <<<"$out" || fail 'only ASCII was expected'
}

memctl --version
expect_status 0
[[ $out =~ ^memctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail 'a version was expected'

memctl --help
expect_status 0
expect_plain_80
expect_out_has --host
mapfile -t commands < <(sed -n '/^Commands:/,/^$/{/^  /p}' <<<"$out" | awk '{ print $1 }')
[ "${#commands[@]}" -ge 11 ] || fail 'the help was to list the commands'
for command_name in "${commands[@]}"; do
        memctl "$command_name" --help
        expect_status 0
        expect_out_has "memctl $command_name [OPTION"
        expect_plain_80
        # Whoever may choose columns is told which there are, and who takes an amount that it does.
        [[ $out != *--output=* ]] || expect_out_has '
Columns: '
        case $command_name in
        online | offline | plan) expect_out_has 'or an amount such as 4G' ;;
        *) [[ $out != *amount* ]] || fail 'it takes no amount' ;;
        esac
done

usage_error 'there is no command "ofline", did you mean "offline"?' ofline memory40
usage_error 'there is no command "off", did you mean "offline"?' off memory40
usage_error 'there is no command "frobnicate"' frobnicate
usage_error 'there is no option --partail, did you mean --partial?' offline --partail memory40
usage_error 'there is no option --foo
memctl: try "memctl inhibit --help"' inhibit --list --foo
usage_error 'there is no option -z' list -z
usage_error 'there is no option -z' list --raw -nz
usage_error '--json takes nothing behind it: --json=yes' list --json=yes
usage_error '--partial takes nothing behind it: --partial=8' offline --partial=8
usage_error '--output needs COL,... behind it
memctl: try "memctl list --help"' list -o
usage_error '--partial does not go with online' online --partial memory40
usage_error 'offline needs SELECTOR' offline
usage_error 'jobs takes no "3"' jobs 3
usage_error 'cancel needs JOB' cancel
usage_error '--units and --blocks exclude each other' list --blocks --units
usage_error '--json and --raw exclude each other' list -J -r
usage_error '--sysroot and --host exclude each other' list -s "$root" -H elsewhere
usage_error '--dry-run and --no-wait exclude each other' offline --dry-run --no-wait 8-11
usage_error '--zone cannot be "normal": write movable, kernel or default' online --zone normal 8
usage_error '--host cannot be "-v": write [USER@]HOST' list -H -v
usage_error '--host cannot be ""' list --host=
usage_error '--machine cannot be ""' list -M ''
usage_error '--sysroot cannot be ""' list -s ''
usage_error '--summary cannot be "maybe"' list --summary=maybe
usage_error 'there is no column "stat" here, did you mean STATE?' list -o stat
for time in 0 -1 5x 1.5 99999999999999999999 ''; do
        usage_error "--timeout cannot be \"$time\"" offline --timeout="$time" 8
done
usage_error 'what is to be planned, online, offline or remove? "frobnicate" is none of them' plan frobnicate 8 -s "$root"
usage_error '"offlin" is none of them, did you mean offline?' plan offlin 8 -s "$root"

# What changes memory needs memctld, and says how to get it.
for verb in online offline remove; do
        memctl "$verb" 8-11
        expect_status 6
        expect_err_has 'memctl: memctld cannot be reached'
        expect_err_has 'systemctl start memctld'
done
# What nobody could do is bad usage all the same.
usage_error "'foo' is no selector" offline foo
usage_error 'is no selector, did you mean device:PNP0C80:00?' online PNP0C80:00
usage_error "'1g' is no selector, did you mean 1G?" offline 1g
usage_error "'1.5gb' is no selector, did you mean 1.5G?" offline 1.5gb
usage_error "'1.5' is no selector: write " offline 1.5
usage_error "'0x140000000' is a single address: write where it ends" offline 0x140000000
usage_error "'=1gib' is no amount: write one with a suffix" offline =1gib
usage_error 'remove takes no amount' remove 1G
usage_error '--partial does not go with an amount' offline --partial 1G
for verb in jobs wait monitor; do
        memctl "$verb"
        expect_status 6
        expect_err_has 'memctld cannot be reached'
done

# Another machine's files cannot be read from here: there is nothing to fall back on.
printf '#!/bin/sh\nexit 255\n' >"$scratch/ssh"
chmod +x "$scratch/ssh"
PATH=$scratch:$PATH memctl list --host nowhere
expect_status 6
expect_err_has 'memctl: memctld of nowhere cannot be reached: '
expect_err_has '  look there:  systemctl -H nowhere status memctld'
memctl jobs -M nowhere
expect_status 6
expect_err_has '  look there:  systemctl -M nowhere status memctld'

# Reading goes on without it, and says so in one line.
memctl list
[ "$(wc -l <<<"$err")" -eq 1 ] || fail 'one line was expected'
expect_err_has 'memctl: memctld cannot be reached ('
expect_err_has 'this is read from sysfs'
