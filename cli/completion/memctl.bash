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
        memctl "${1:-list}" --help 2>/dev/null | sed -n '/^Columns:/,${ s/^Columns://; p }'
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

_memctl() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word
        local -a words=()

        COMPREPLY=()
        # bash parts words at = and :
        [[ $current == = ]] && current=
        [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}

        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                [[ $word == -* ]] || {
                        command=$word
                        break
                }
        done

        case $previous in
        -o | --output) mapfile -t words < <(__memctl_columns "$command" | xargs -n 1) ;;
        -S | --split) words=(STATE ZONE NODE KIND NAME none) ;;
        --what) words=(offline remove online offline:remove) ;;
        --mode) words=(block delay) ;;
        --zone) words=(movable kernel default) ;;
        --summary) words=(always never only) ;;
        -s | --sysroot)
                mapfile -t COMPREPLY < <(compgen -d -- "$current")
                return
                ;;
        -H | --host | -M | --machine | --timeout) return ;;
        *)
                if [[ $current == -* ]]; then
                        mapfile -t words < <(__memctl_options "$command")
                elif [[ -z $command ]]; then
                        mapfile -t words < <(__memctl_commands)
                else
                        case $command in
                        cancel | wait) mapfile -t words < <(__memctl_jobs) ;;
                        jobs | monitor | doctor | version) ;;
                        policy)
                                case $previous in
                                policy) words=(list show check reload) ;;
                                show) mapfile -t words < <(memctl policy list -nr -o NAME 2>/dev/null) ;;
                                check) mapfile -t words < <(compgen -f -- "$current") ;;
                                esac
                                ;;
                        plan)
                                [[ $previous == plan ]] && words=(online offline remove) ||
                                        mapfile -t words < <(__memctl_selectors)
                                ;;
                        *) mapfile -t words < <(__memctl_selectors) ;;
                        esac
                fi
                ;;
        esac

        mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$current" | sort -u)
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null || true
        if [[ $current == *:* ]] && declare -F __ltrim_colon_completions >/dev/null; then
                __ltrim_colon_completions "$current"
        fi
}

complete -F _memctl memctl
