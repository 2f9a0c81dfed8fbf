#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Help, manual page and completion say the same.
# shellcheck source-path=SCRIPTDIR source=cli.sh
. "$(dirname "$0")/cli.sh"

manual=$here/../../docs/memctl.1
# mdoc's "Fl -name" and "Cm name", as bare words
options_in_manual=$(sed -n 's/\\-/-/g; /^\.It/p' "$manual" | grep -oE 'Fl -[a-z-]+' | sed 's/Fl -/--/' | sort -u)
letters_in_manual=$(sed -n '/^\.It/p' "$manual" | grep -oE 'Fl [a-zA-Z]( |$)' | awk '{ print "-" $2 }' | sort -u)
commands_in_manual=$(sed -n '/^\.It Cm/p' "$manual" | awk '{ print $3 }' | sort -u)

same() {
        diff -u <(printf '%s\n' "$2") <(printf '%s\n' "$3") >&2 || fail "help and manual page differ in $1"
}

memctl --help
commands=$(sed -n '/^Commands:/,/^$/{/^  /p}' <<<"$out" | awk '{ print $1 }' | sort -u)
all_help=$out
for command_name in $commands; do
        memctl "$command_name" --help
        all_help+=$'\n'$out
done
same commands "$commands" "$commands_in_manual"
same options "$(grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' <<<"$all_help" | grep -oE -- '--[a-z-]+' | sort -u)" \
        "$options_in_manual"
same letters "$(grep -oE '^ +-[a-zA-Z],' <<<"$all_help" | tr -d ' ,' | sort -u)" "$letters_in_manual"

# Every command line that documents tell of is one that there is: the command, its options and what policy does.
root_of_source=$here/../..
documented() {
        sed 's/\\-/-/g' "$root_of_source"/docs/*.[1-8] | grep -oE '(\\fB|\.B "?|Li "|\.Dl \$ |^\$ )memctl [a-z][^\")|]*'
        # shellcheck disable=SC2016 # Markdown's
        grep -hoE '(`|^\$ )memctl [a-z][^`|]*' "$root_of_source"/README.md "$root_of_source"/docs/*.md
        grep -oE '"memctl [a-z][^"]*' "$root_of_source/units/memctl.catalog"
}
documented | sed 's/^.*memctl/memctl/' | sort -u >"$scratch/documented"
[ "$(wc -l <"$scratch/documented")" -ge 30 ] || fail 'more command lines were expected in the documents'
while read -ra words; do
        memctl "${words[1]}" --help
        command=${words[*]}
        expect_status 0
        for word in "${words[@]:2}"; do
                [ "$word" != -- ] || break
                [[ $word != --* ]] || grep -qwF -- "${word%%=*}" <<<"$out" || fail "it takes no $word"
        done
        [[ ${words[1]} != policy || " list show check reload " == *" ${words[2]-list} "* ]] || fail 'policy does no such thing'
done <"$scratch/documented"

# Every exit status of the code is explained.
same 'exit statuses' \
        "$(grep -oE 'STATUS_[A-Z_]+ = [0-9]+' "$here/../../cli/exit-status.h" | awk '{ print $3 }' | sort -n)" \
        "$(sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It \([0-9]*\)$/\1/p' "$manual" | sort -n)"

# Every column is named.
for column in $(sed -n '/^Columns:/,/^$/{s/^Columns://; p}' <<<"$all_help"); do
        grep -qw -- "$column" "$manual" || fail "the manual page does not explain the column $column"
done

# The manual pages are sound, and fit a terminal of 80 columns.
if command -v groff >/dev/null; then
        for page in "$here"/../../docs/*.[1-8]; do
                run groff -ww -z -mandoc -Tutf8 -rLL=78n "$page"
                expect_status 0
                expect_no_err
        done
fi

# Completion: commands, the options of a command, what is there on this machine. Tab is pressed in the shells themselves.
root=$(machine complete 0-7 8-15:state=offline,firmware=PNP0C80:00 --range 0:8-15,granularity=512M)
mkdir "$scratch/bin"
cat >"$scratch/bin/memctl" <<WRAPPER
#!/bin/sh
# The saved machine stands for the real one; help and columns take no sysroot.
case "\$*" in
*--help* | *--sysroot* | jobs*) exec "$MEMCTL" "\$@" ;;
*) exec "$MEMCTL" "\$@" --sysroot "$root" ;;
esac
WRAPPER
chmod +x "$scratch/bin/memctl"
unset -f memctl # the program is meant, not the function of the tests
PATH=$scratch/bin:$PATH
completion=$here/../../cli/completion

# What is typed | what the line is when Tab was pressed, a blank behind what is complete.
typed=(
        'of|offline '
        'offline --pa|offline --partial '
        'online --pa|online --pa'
        'online --zo|online --zone='
        'online --zone=m|online --zone=movable '
        'online --zone m|online --zone movable '
        '-H elsewhere of|-H elsewhere offline '
        '--host elsewhere offline --pa|--host elsewhere offline --partial '
        'list --output SOU|list --output SOURCE'
        'list --output=BLOCK,SOU|list --output=BLOCK,SOURCE'
        'list -o +DRI|list -o +DRIVER'
        'list -o BLOCK -o NAME,STAT|list -o BLOCK -o NAME,STATE'
        'list --split STATE,KI|list --split STATE,KIND'
        'jobs -o SEL|jobs -o SELECTORS'
        'policy --output MA|policy --output MATCH'
        'offline ra|offline range0 '
        'offline memory8|offline memory8-15 '
        'offline device:PN|offline device:PNP0C80:00 '
        'offline range0 device:PNP0C80:|offline range0 device:PNP0C80:00 '
        'show no|show node0 '
        'plan on|plan online '
        'plan offline ra|plan offline range0 '
        'policy sh|policy show '
        'policy show de|policy show default '
        'inhibit --mode d|inhibit --mode delay '
        'inhibit range0 -- whoam|inhibit range0 -- whoami '
        'doctor ra|doctor ra'
)

# presses_tab SHELL…: started so, the shell says "ready%" when it waits, and its line is held against each above.
presses_tab() {
        local pair wanted keys=()
        for pair in "${typed[@]}"; do
                keys+=(--when 'ready%' "memctl ${pair%|*}\\t\\x01echo \"<\\x05>\"\\r")
        done
        # A shell with job control sends SIGCONT to what it runs, and takes with it the SIGSTOP that LeakSanitizer waits for.
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
                TERM=dumb run /usr/bin/python3 "$here/in-terminal" --size 200x50 "${keys[@]}" --when 'ready%' 'exit\r' -- "$@"
        expect_status 0
        tr -d '\r' <"$scratch/out" >"$scratch/lines"
        for pair in "${typed[@]}"; do
                wanted=${pair#*|}
                # zsh takes its blank back where the cursor goes elsewhere.
                [[ $1 != zsh ]] || wanted=${wanted% }
                grep -qxF "<memctl $wanted>" "$scratch/lines" || fail "memctl ${pair%|*} was to become <memctl $wanted>"
        done
}
cat >"$scratch/bashrc" <<END
PS1='ready%'
unset HISTFILE
. '$completion/memctl.bash'
END
presses_tab bash --noprofile --rcfile "$scratch/bashrc" -i
if command -v zsh >/dev/null; then
        cat >"$scratch/.zshrc" <<END
PS1='ready%%'
fpath=('$completion' \$fpath)
autoload -Uz compinit
compinit -u -D
bindkey -e
END
        ZDOTDIR=$scratch presses_tab zsh -d -i
fi

# Several that fit are offered.
# shellcheck source=../../cli/completion/memctl.bash
. "$completion/memctl.bash"
offers() {
        COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
        _memctl memctl "${1##* }" ''
        command="completion of $1" out="${COMPREPLY[*]}" err='' status=0
        [ "$out" = "$2" ] || fail "$2 was to be offered"
}
offers 'memctl ' "$(tr '\n' ' ' <<<"$commands" | sed 's/ $//')"
offers 'memctl list --output R' 'RANGE REMOVAL RESOURCE'
offers 'memctl offline memory' 'memory0-7 memory8-15'
offers 'memctl plan ' 'offline online remove'
offers 'memctl policy ' 'check list reload show'
offers 'memctl inhibit --wh' '--what= --who= --why='
offers 'memctl doctor ' ''

# Whatever takes selectors is offered them, and nothing else is; an option's argument is not taken for the command.
for command_name in $commands; do
        [ "$command_name" != plan ] || continue
        offered=''
        [[ $("$MEMCTL" "$command_name" --help | head -n 1) != *SELECTOR* ]] || offered=range0
        offers "memctl $command_name rang" "$offered"
done
for option in $(grep -oE -- '^ +(-[a-zA-Z], )?--[a-z]+=' <<<"$all_help" | grep -oE -- '-[a-zA-Z]\b|--[a-z]+' | sort -u); do
        offers "memctl $option offline wai" wait
done

if command -v fish >/dev/null; then
        fish_offers() {
                run fish --no-config -c "source '$completion/memctl.fish'; complete -C '$1' | string replace -r '\t.*' ''"
                expect_out "$2"
        }
        fish_offers 'memctl of' offline
        fish_offers 'memctl -H elsewhere of' offline
        fish_offers 'memctl offline --pa' --partial
        fish_offers 'memctl offline --zo' ''
        fish_offers 'memctl offline ra' range0
        fish_offers 'memctl offline device:' device:PNP0C80:00
        fish_offers 'memctl doctor ra' ''
        fish_offers 'memctl jobs -o SEL' SELECTORS
        fish_offers 'memctl list --output SOU' SOURCE
        fish_offers 'memctl list -o BLOCK,SOU' BLOCK,SOURCE
        fish_offers 'memctl online --zone mo' movable
        fish_offers 'memctl inhibit ra' range0
fi
