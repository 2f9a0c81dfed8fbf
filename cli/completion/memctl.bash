# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What can be completed is asked of memctl itself, so that it cannot differ from what memctl takes.

__memctl_commands() {
        memctl --help 2>/dev/null | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'
}

__memctl_options() {
        memctl ${1:+"$1"} --help 2>/dev/null | grep -oE '(^|[ ,])--?[a-zA-Z-]+=?' | tr -d ' ,'
}

__memctl_columns() {
        memctl "${1:-list}" --help 2>/dev/null | sed -n '/^Columns:/,${ s/^Columns://; p }' | xargs -n 1
}

__memctl_selectors() {
        echo all
        memctl list --ranges -nr -o NAME,BLOCK 2>/dev/null | awk '{ print $1; print "memory" $2 }'
        memctl list --ranges -nr -o DEVICE 2>/dev/null | sed -n 's/^..*/device:&/p'
        memctl list -nr -o BLOCK 2>/dev/null | sed 's/^/memory/'
        memctl list -nr -o NODE 2>/dev/null | sort -u | sed -n 's/^[0-9]/node&/p'
}

__memctl_jobs() {
        memctl jobs -nr -o JOB 2>/dev/null
}

# __memctl_command WORD…: the command among them. An option's argument may stand before it.
__memctl_command() {
        local word is_argument=''

        for word; do
                if [[ -n $is_argument ]]; then
                        is_argument=''
                elif [[ $word =~ ^(-[oSsHM]|--(output|split|sysroot|host|machine|zone|timeout|what|mode|who|why))$ ]]; then
                        is_argument=yes
                elif [[ $word != -* ]]; then
                        echo "$word"
                        return
                fi
        done
}

# __memctl_arguments COMMAND PREVIOUS: what may stand behind the previous word.
__memctl_arguments() {
        case $1 in
        '') __memctl_commands ;;
        cancel | wait) __memctl_jobs ;;
        jobs | monitor | doctor | version) ;;
        policy)
                case $2 in
                policy) printf '%s\n' list show check reload ;;
                show) memctl policy list -nr -o NAME 2>/dev/null ;;
                check) compgen -f ;;
                esac
                ;;
        plan)
                if [[ $2 == plan ]]; then
                        printf '%s\n' online offline remove
                else
                        __memctl_selectors
                fi
                ;;
        *) __memctl_selectors ;;
        esac
}

_memctl() {
        local line=${COMP_LINE:0:COMP_POINT} whole='' current previous command head=''
        local -a before=() words=()

        COMPREPLY=()
        # As they were typed: bash itself parts words at = and :, too.
        read -ra before <<<"$line"
        [[ $line == *[[:space:]] ]] || {
                whole=${before[-1]}
                unset 'before[-1]'
        }
        current=$whole previous=${before[-1]}
        command=$(__memctl_command "${before[@]:1}")

        if [[ " ${before[*]} " == *' -- '* ]]; then
                [[ $previous == -- ]] && words=(-c) || words=(-f)
                mapfile -t COMPREPLY < <(compgen "${words[@]}" -- "$2")
                return
        fi
        if [[ $whole == --*=* ]]; then
                previous=${whole%%=*} current=${whole#*=} head=${whole%%=*}=
        fi

        case $previous in
        -o | --output | -S | --split)
                # A list: its last column is completed.
                head+=${current%"${current##*[,+]}"}
                current=${current##*[,+]}
                case $previous in
                -o | --output) mapfile -t words < <(__memctl_columns "$command") ;;
                *) words=(STATE ZONE NODE KIND NAME none) ;;
                esac
                compopt -o nospace 2>/dev/null || true
                ;;
        --what) words=(offline remove online offline:remove) ;;
        --mode) words=(block delay) ;;
        --zone) words=(movable kernel default) ;;
        --summary) words=(always never only) ;;
        -s | --sysroot) mapfile -t words < <(compgen -d -- "$current") ;;
        -H | --host | -M | --machine | --timeout | --who | --why) return ;;
        *)
                if [[ $current == -* ]]; then
                        mapfile -t words < <(__memctl_options "$command")
                else
                        mapfile -t words < <(__memctl_arguments "$command" "$previous")
                fi
                ;;
        esac

        mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$current" | sort -u)
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null || true
        # Of the word as it was typed bash replaces only what follows the last place at which it parts words.
        COMPREPLY=("${COMPREPLY[@]/#/$head}")
        COMPREPLY=("${COMPREPLY[@]#"${whole%"$2"}"}")
}

complete -F _memctl memctl
