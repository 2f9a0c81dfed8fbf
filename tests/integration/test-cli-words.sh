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
root=$(machine root 0-7 8-15:state=offline --range 0:8-15,granularity=512M)
memctl list -s "$root" -o '?'
for column in $(sed -n 's/^memctl: columns are //p' <<<"$err"); do
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

# Completion in bash: commands, the options of a command, what is there on this machine.
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
# shellcheck source=../../cli/completion/memctl.bash
. "$here/../../cli/completion/memctl.bash"

# completes "words so far" "what is offered"
completes() {
        local -a words
        read -ra words <<<"$1"
        [[ $1 != *' ' ]] || words+=('')
        COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1)) COMPREPLY=()
        _memctl
        command="completion of $1" out="${COMPREPLY[*]}" err='' status=0
        [ "$out" = "$2" ] || fail "$2 was to be offered"
}

completes 'memctl of' offline
completes 'memctl ' "$(tr '\n' ' ' <<<"$commands" | sed 's/ $//')"
completes 'memctl offline --pa' --partial
completes 'memctl online --pa' ''
completes 'memctl online --zo' '--zone='
completes 'memctl online --zone = m' movable
completes 'memctl list --output R' 'RANGE REMOVAL RESOURCE'
completes 'memctl jobs -o S' 'SELECTORS SIZE STATE'
completes 'memctl policy --output MA' MATCH
completes 'memctl list --split N' 'NAME NODE'
completes 'memctl offline ra' range0
completes 'memctl offline memory' 'memory0-7 memory8-15'
completes 'memctl show no' node0
completes 'memctl plan ' 'offline online remove'
completes 'memctl plan offline ra' range0
completes 'memctl doctor ' ''
completes 'memctl policy ' 'check list reload show'
completes 'memctl policy show de' default
completes 'memctl inhibit --wh' '--what= --who= --why='

# Whatever takes selectors is offered them, and nothing else is.
for command_name in $commands; do
        [ "$command_name" != plan ] || continue
        offered=''
        [[ $("$MEMCTL" "$command_name" --help | head -n 1) != *SELECTOR* ]] || offered=range0
        completes "memctl $command_name rang" "$offered"
        if command -v fish >/dev/null; then
                run fish -c "source '$here/../../cli/completion/memctl.fish'; complete -C 'memctl $command_name rang'"
                expect_out "$offered"
        fi
done

# The others, where their shells are.
if command -v zsh >/dev/null; then
        run zsh -n "$here/../../cli/completion/_memctl"
        expect_status 0
fi
if command -v fish >/dev/null; then
        run fish -c "source '$here/../../cli/completion/memctl.fish'; complete -C 'memctl offline --pa'"
        expect_out --partial
        run fish -c "source '$here/../../cli/completion/memctl.fish'; complete -C 'memctl offline ra'"
        expect_out range0
        run fish -c "source '$here/../../cli/completion/memctl.fish'; complete -C 'memctl jobs -o SEL'"
        expect_out SELECTORS
        run fish -c "source '$here/../../cli/completion/memctl.fish'; complete -C 'memctl list --output SOU'"
        expect_out SOURCE
        run fish -c "source '$here/../../cli/completion/memctl.fish'; complete -C 'memctl online --zone mo'"
        expect_out movable
fi
