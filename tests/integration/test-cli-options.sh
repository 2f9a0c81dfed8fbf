#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every option of every command, and every exit status: a row of the table each, run with the true binary on a
# simulated machine. Each prints what it would not without the option. An option of which --help tells and that no row
# has makes the test fail, and so does an exit status of which the manual page tells.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"

# The default machine, but that all of node 1 was hot-added.
if [ -z "${MEMSIM-}" ]; then
        [ "$EUID" -eq 0 ] || {
                echo 'needs root, for a machine of its own' >&2
                exit 77
        }
        sed 's/\("start": "0x8000000000", "size": "24G", "node":\) 1/\1 0/; s/"used": "5G"/"used": "1G"/' \
                "$here/../sim/machines/default.json" >"$scratch/machine.json"
        DBUS_SYSTEM_BUS_ADDRESS='' "$here/../sim/machine" --daemon --description "$scratch/machine.json" -- "$0" "$@"
        exit
fi

# What the rows say besides memctl.
mkdir "$scratch/bin"
cat >"$scratch/words" <<'END'
# More has to stay available than there is, and no more than usual.
tight() {
        mkdir -p /etc/memctl/policy.d
        printf '[Offline]\nKeepAvailable=1T\n' >/etc/memctl/policy.d/50-tight.policy
        memctl policy reload
}
roomy() { rm /etc/memctl/policy.d/50-tight.policy && memctl policy reload; }
control() { printf '%s\n' "$@" >"$MEMSIM/control"; }
job() { sed -n 's/^job //p'; }
# A machine's firmware gives it another DIMM.
dimm() {
        control 'plug PNP0C80:01'
        until memctl list device:PNP0C80:01; do :; done >/dev/null 2>&1
}
# ssh(1), but that the other machine is this one.
END
cat >"$scratch/bin/ssh" <<'END'
#!/bin/sh
until [ "$1" = -- ]; do shift; done
[ "$2" = root@elsewhere ] || exit 255
shift 2
exec "$@"
END
chmod +x "$scratch/bin/ssh"

# exit status ~ command ~ what it prints. In this order, on one machine.
table=$(
        cat <<'END'
0~memctl list --ranges~^range1 .* PNP0C80:00
0~memctl list --units~ 40-47 .* 1G kernel$
0~memctl list --blocks --noheadings --raw --output=BLOCK 40-41~^41$
0~memctl list --all --raw 40-41~ 41 hot-added range0$
0~memctl list -a -n -r -o BLOCK 40-41~^41$
0~memctl list --split=NODE -nr -o BLOCK,STATE 8-55~^8-55 online$
0~memctl list -S none -nr -o BLOCK,STATE 8-55~^8-55 online$
0~memctl list --output=BLOCK,SIZE range0~^BLOCK SIZE$
0~memctl list --output=+DRIVER range0~ DRIVER$
0~memctl list --output-all range0~ START +END$
0~memctl list --noheadings -o BLOCK range0 | head -n 1~^40-55$
0~memctl list --raw -o BLOCK,SIZE range0~^40-55 2G$
0~memctl list --pairs -o BLOCK,SIZE range0~^BLOCK="40-55" SIZE="2G"$
0~memctl list -P -o BLOCK range0~^BLOCK="40-55"$
0~memctl list --summary -nr range0~^Total online memory: +58G$
0~memctl list --summary=only | head -n 1~^Memory block size: +128M$
0~memctl list --summary=never | tail -n 1~ range2$
0~memctl list --bytes range0~ 2147483648 .* range0$
0~memctl list -b range0~ 2147483648 .* range0$
0~memctl list --json range0~"name": "memctl.list"
0~memctl list -J range0~"told_by": "memctld"
0~memctl list --sysroot=/ --json~"told_by": "sysfs"
0~memctl list -s / -J~"told_by": "sysfs"
0~memctl list --host=root@elsewhere -nr -o BLOCK range0~^40-55$
0~memctl list -H root@elsewhere -nr -o BLOCK range0~^40-55$
6~memctl list -H root@nowhere~memctld of root@nowhere cannot be reached
0~memctl list --machine=.host -nr -o BLOCK range0~^40-55$
0~memctl list -M .host -nr -o BLOCK range0~^40-55$
6~memctl list -M nowhere~memctld of nowhere cannot be reached
4~memctl list range9~there is no range9 on this machine

0~memctl show --json 44~"reason": "splits-mapping"
0~memctl show --sysroot=/ --json 44~"told_by": "sysfs"
0~memctl show --host=root@elsewhere 44~Range: +range0
0~memctl show --machine=.host 44~Range: +range0

0~exec 3< <(exec memctl map --watch range2); grep -qm 1 granularity <&3; memctl online 8192-8199; grep -m 1 "┃████████│" <&3; kill $!~range2
1~memctl map --sysroot=/nowhere~cannot open /nowhere
0~memctl map --sysroot=/ range0~┃████████│████████┃
0~memctl map --host=root@elsewhere range0~┃████████│████████┃
0~memctl map --machine=.host range0~┃████████│████████┃
0~memctl offline 8192-8199~offline

0~memctl plan offline --partial 44~memory44 +128 MiB +goes offline
0~memctl plan online --zone=kernel 8192-8199~comes online in a kernel zone
64~memctl plan offline --best-effort 40-47 99999~memory40-47 +1 GiB +goes offline
4~tight; memctl plan offline 40-47~the largest safe amount
0~memctl plan offline --ignore-headroom 40-47~1 GiB would change
4~roomy; memctl plan offline device:PNP0C80:00~is all the memory node1 has left
0~memctl plan offline --empty-node device:PNP0C80:00~side effect: node1 has no memory left
0~memctl inhibit range0 -- memctl plan offline --ignore-inhibitors 40-47~1 GiB would change
3~memctl plan offline --json 44~"reason": "splits-mapping"
1~memctl plan offline --sysroot=/nowhere 44~cannot open /nowhere
3~memctl plan offline --sysroot=/ 44~is part of a 1 GiB kernel mapping
3~memctl plan offline --host=root@elsewhere 44~is part of a 1 GiB kernel mapping
3~memctl plan offline --machine=.host 44~is part of a 1 GiB kernel mapping

0~memctl online --dry-run 8192-8199~Nothing was changed
0~memctl offline 40-47 && memctl online --zone=kernel 40-47 && memctl list -nr -o ZONE 40~^Normal$
0~memctl offline 40-47 && memctl online 40-47 8192-8199~memory8192-8199 .1 GiB.: online
64~memctl online --best-effort 8200-8207 99999~memory8200-8207 .1 GiB.: online
4~memctl inhibit --what=online range2 -- memctl online 8208-8215~inhibits online
0~memctl inhibit --what=online range2 -- memctl online --ignore-inhibitors 8208-8215~memory8208-8215 .1 GiB.: online
0~memctl online --no-wait 8216-8223~^job [0-9]+$
0~memctl wait; memctl list -nr -o STATE 8216~^online$
124~control 'hang 2'; memctl online --timeout=1s 8224-8231; s=$?; control mend; exit $s~online timed out, everything is as it was
0~memctl online --json 8224-8231~"result": "done"
0~memctl online --host=root@elsewhere 8232-8239~memory8232-8239 .1 GiB.: online
0~memctl online --machine=.host range2~nothing to do

0~memctl offline --dry-run 40-47~Nothing was changed
3~memctl offline 44~memctl offline --partial memory44
0~memctl offline --partial 44~^memory44 .128 MiB.: offline$
64~memctl offline --best-effort 40-47 99999~memory40-43 .512 MiB.: offline
4~tight; memctl offline 48-55~the largest safe amount
0~memctl offline --ignore-headroom 48-55~^memory48-55 .1 GiB.: offline$
0~roomy; memctl online range0~online
4~memctl inhibit range0 -- memctl offline 40-47~inhibits offline
0~memctl inhibit range0 -- memctl offline --ignore-inhibitors 40-47~memory40-47 .1 GiB.: offline
124~control 'hang 2'; memctl offline --timeout=1s 48-55; s=$?; control mend; exit $s~offline timed out, everything is as it was
0~memctl offline --no-wait 48-55~^job [0-9]+$
0~memctl wait; memctl list -nr -o STATE 48~^offline$
0~memctl online range0 && memctl offline --json 40-47~"bytes_done": 1073741824
0~memctl offline --host=root@elsewhere 48-55~memory48-55 .1 GiB.: offline
0~memctl offline --machine=.host range0~nothing to do
0~memctl offline range2~offline
4~memctl offline range1~is all the memory node1 has left
0~memctl offline --empty-node range1~memory4288-4319 .4 GiB.: offline
0~memctl online range0 range1~online

0~memctl remove --dry-run --empty-node range1~memory4288-4319 +4 GiB +is removed by its driver
4~memctl remove range1~is all the memory node1 has left
0~dimm; memctl online 4320-4351~memory4320-4351 .4 GiB.: online
4~tight; memctl remove device:PNP0C80:01~the largest safe amount
0~memctl remove --ignore-headroom device:PNP0C80:01~memory4320-4351 .4 GiB.: removed
64~roomy; dimm; memctl remove --best-effort device:PNP0C80:01 range0~memory4320-4351 .4 GiB.: removed
4~dimm; memctl inhibit device:PNP0C80:01 -- memctl remove device:PNP0C80:01~inhibits
0~memctl inhibit device:PNP0C80:01 -- memctl remove --ignore-inhibitors device:PNP0C80:01~removed
7~dimm; control hold-ejects; memctl remove --timeout=1s device:PNP0C80:01~memory4320-4351 .4 GiB.: owed
0~control run-ejects; dimm; memctl remove --no-wait device:PNP0C80:01~^job [0-9]+$
0~memctl wait; dimm; memctl remove --json device:PNP0C80:01~"verb": "remove"
0~dimm; memctl remove --host=root@elsewhere device:PNP0C80:01~removed
0~dimm; memctl remove --machine=.host device:PNP0C80:01~removed
0~memctl remove --empty-node range1~memory4288-4319 .4 GiB.: removed

0~control 'hang 2'; memctl offline --no-wait 40-47~job
0~memctl jobs --output=JOB,VERB~^ *JOB VERB
0~memctl jobs -o +UID~ UID$
0~memctl jobs --output-all~ DONE +UID$
0~memctl jobs --noheadings --raw --output=VERB,SELECTORS | tail -n 1~^offline 40-47$
0~memctl jobs -n -r -o VERB,SELECTORS | tail -n 1~^offline 40-47$
0~memctl jobs --pairs | tail -n 1~ SELECTORS="40-47" 
0~memctl jobs -P | tail -n 1~ VERB="offline" 
0~memctl jobs --bytes | tail -n 1~ 1073741824 +[0-9]+$
0~memctl jobs -b | tail -n 1~ 1073741824 +[0-9]+$
0~memctl jobs --json~"name": "memctl.jobs"
0~memctl jobs -J~"verb": "offline"
0~memctl jobs --host=root@elsewhere~ offline 40-47 
0~memctl jobs --machine=.host~ offline 40-47 
6~DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere memctl jobs~memctld cannot be reached

130~job=$(memctl jobs -nr -o JOB | tail -n 1); memctl cancel $job; memctl wait $job~offline cancelled
0~control mend; memctl offline 40-47~offline
0~control 'hang 2'; job=$(memctl online --no-wait 40-47 | job); memctl cancel --host=root@elsewhere $job; memctl wait; memctl jobs -nr -o RESULT | tail -n 1~^cancelled$
0~control mend; control 'hang 2'; job=$(memctl online --no-wait 40-47 | job); memctl cancel --machine=.host $job; memctl wait; memctl jobs -nr -o RESULT | tail -n 1~^cancelled$
124~control mend; control 'hang 2'; memctl online --no-wait 40-47 >/dev/null; memctl wait --timeout=1s~1 job is not over yet
130~job=$(memctl jobs -nr -o JOB | tail -n 1); memctl cancel $job; memctl wait --json $job~"result": "cancelled"
0~control mend; memctl wait --host=root@elsewhere $(memctl online --no-wait 40-47 | job)~memory40-47 .1 GiB.: online
0~memctl wait --machine=.host $(memctl offline --no-wait 40-47 | job)~memory40-47 .1 GiB.: offline

0~memctl monitor --json | head -n 1~"event":"watching"
0~memctl monitor -J | head -n 1~"event":"watching"
0~memctl monitor --json --host=root@elsewhere | head -n 1~"event":"watching"
0~memctl monitor --json --machine=.host | head -n 1~"event":"watching"

0~memctl policy --output=NAME,FILE~^NAME +FILE$
0~memctl policy -o NAME~^default$
0~memctl policy --output-all~ FILE$
0~memctl policy --noheadings | head -n 1~^default manual
0~memctl policy -n | head -n 1~^default manual
0~memctl policy --raw -o NAME,KEEP~^default 5%$
0~memctl policy -r -o NAME,KEEP~^default 5%$
0~memctl policy --pairs~^NAME="default" MODE="manual"
0~memctl policy -P~^NAME="default" MODE="manual"
0~memctl policy --json~"name": "memctl.policy"
0~memctl policy -J~"told_by": "memctld"
0~memctl policy --sysroot=/ --json~"told_by": "sysfs"
0~memctl policy -s / -J~"told_by": "sysfs"
0~memctl policy --host=root@elsewhere~^default +manual
0~memctl policy --machine=.host~^default +manual

0~memctl inhibit --what=remove:offline --mode=delay --who=backup --why=because range0 -- memctl inhibit --list --raw --output-all~^offline:remove range0 delay backup because 0 [0-9]+$
0~memctl inhibit range0 -- memctl inhibit --list --noheadings -o WHO~^memctl$
0~memctl inhibit range0 -- memctl inhibit --list --output=WHAT,UID~^WHAT +UID$
0~memctl inhibit range0 -- memctl inhibit --list -n -r -o WHAT,SELECTORS~^offline:remove range0$
0~memctl inhibit range0 -- memctl inhibit --list --pairs~^WHAT="offline:remove" SELECTORS="range0" MODE="block"
0~memctl inhibit range0 -- memctl inhibit --list -P~ WHY="no reason was given"
0~memctl inhibit range0 -- memctl inhibit --list --json~"name": "memctl.inhibitors"
0~memctl inhibit range0 -- memctl inhibit --list -J~"selectors": "range0"

0~memctl doctor --json~"name": "memctl.doctor"
0~memctl doctor --sysroot=/ | head -n 1~kernel guard
0~memctl doctor --host=root@elsewhere~memctld: answers
0~memctl doctor --machine=.host~memctld: answers

0~memctl version --json~"memctld": "[0-9]
0~memctl version -J~"name": "memctl.version"
0~memctl version --host=root@elsewhere~^memctld [0-9]
0~memctl version --machine=.host~^memctld [0-9]

1~control 'unmovable 0x190000000 128M'; memctl online range0 >/dev/null; memctl offline 48-55~offline failed, everything is as it was
2~memctl offline blue~is no selector
5~setpriv --reuid=65534 --clear-groups "$(command -v memctl)" offline 40-47~not authorised
END
)

PATH=$scratch/bin:$(dirname "$MEMCTL"):$PATH
unset -f memctl # the program is meant, not the function of the tests

declare -A long_of tried statuses
mapfile -t names < <(memctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')

# help_options COMMAND: "--name letter" for each option that --help has.
help_options() {
        memctl "$1" --help | sed -nE 's/^ +(-([a-zA-Z]), )?(--[a-z-]+).*/\3 \2/p'
}

# note COMMANDLINE: the options that stand behind each memctl in it, up to what ends its words.
note() {
        local word name='' letters
        local -a words
        read -ra words <<<"${1//;/ ; }"
        for word in "${words[@]}"; do
                case $word in
                memctl) name=next ;;
                ';' | '|' | '&&' | '--') name='' ;;
                --*) [ -z "$name" ] || tried[$name ${word%%=*}]=1 ;;
                -*)
                        for ((letters = 1; letters < ${#word}; letters++)); do
                                [ -z "$name" ] || tried[$name ${long_of[${word:letters:1}]-}]=1 tried[-${word:letters:1}]=1
                        done
                        ;;
                *) [ "$name" != next ] || name=${word%)} ;;
                esac
        done
}

# These say the same of every command.
for name in "${names[@]}"; do
        for option in --help -h; do
                run memctl "$name" "$option"
                expect_status 0
                expect_out_has "memctl $name [OPTION"
                note "$command"
        done
        for option in --version -V; do
                run memctl "$name" "$option"
                expect_status 0
                [[ $out =~ ^memctl\ [0-9.]+$ ]] || fail 'a version was expected'
                note "$command"
        done
        while read -r option letter; do
                [ -z "$letter" ] || long_of[$letter]=$option
        done < <(help_options "$name")
done

while IFS='~' read -r wanted_status line wanted; do
        [ -n "$line" ] || continue
        run timeout 120 bash -c ". '$scratch/words'; $line"
        command=$line
        expect_status "$wanted_status"
        grep -qE -- "$wanted" <<<"$out"$'\n'"$err" || fail "it was to print $wanted"
        note "$line"
        statuses[$wanted_status]=1
done <<<"$table"

status=1 out='' err=''
for name in "${names[@]}"; do
        while read -r option letter; do
                command="memctl $name $option"
                [ -n "${tried[$name $option]-}" ] || fail 'no row tries this option'
                command="memctl -$letter"
                [ -z "$letter" ] || [ -n "${tried[-$letter]-}" ] || fail 'no row tries this letter'
        done < <(help_options "$name")
done
for value in $(sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It \([0-9]*\)$/\1/p' "$here/../../docs/memctl.1"); do
        command="exit status $value"
        [ -n "${statuses[$value]-}" ] || fail 'no row ends so'
done
