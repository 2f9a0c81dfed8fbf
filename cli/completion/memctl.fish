# SPDX-License-Identifier: LGPL-2.1-or-later
# What can be completed is asked of memctl itself, so that it cannot differ from what memctl takes.

# The command among the words so far: an option's argument may stand before it.
function __memctl_command
    set -l is_argument no
    for word in (commandline -opc)[2..]
        if test $is_argument = yes
            set is_argument no
        else if string match -qr '^(-[oSsHM]|--(output|split|sysroot|host|machine|zone|timeout|what|mode|who|why))$' -- $word
            set is_argument yes
        else if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
end

function __memctl_commands
    memctl --help 2>/dev/null | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { name = $1; $1 = ""; print name "\t" substr($0, 2) }'
end

function __memctl_options
    memctl (__memctl_command) --help 2>/dev/null | grep -oE '(^|[ ,])--[a-z-]+' | tr -d ' ,'
end

function __memctl_selectors
    echo all
    memctl list --ranges -nr -o NAME 2>/dev/null
    memctl list --ranges -nr -o DEVICE 2>/dev/null | sed -n 's/^..*/device:&/p'
    memctl list -nr -o BLOCK 2>/dev/null | sed 's/^/memory/'
    memctl list -nr -o NODE 2>/dev/null | sort -u | sed -n 's/^[0-9]/node&/p'
end

# What was typed of a list before its last column.
function __memctl_list_so_far
    commandline -ct | string replace -r '^(--[a-z]+=|-[oS])' '' | string match -r '.*[,+]'
end

function __memctl_columns
    set -l command (__memctl_command)
    test -n "$command"; or set command list
    set -l so_far (__memctl_list_so_far)
    memctl $command --help 2>/dev/null | sed -n '/^Columns:/,${ s/^Columns://; p }' | xargs -n 1 | sed "s/^/$so_far/"
end

function __memctl_splits
    set -l so_far (__memctl_list_so_far)
    printf '%s\n' STATE ZONE NODE KIND NAME none | sed "s/^/$so_far/"
end

function __memctl_takes
    contains -- --$argv[1] (__memctl_options)
end

complete -c memctl -f
complete -c memctl -n '__memctl_takes output' -s o -l output -x -a '(__memctl_columns)'
complete -c memctl -n '__memctl_takes split' -s S -l split -x -a '(__memctl_splits)'
complete -c memctl -n '__memctl_takes zone' -l zone -x -a 'movable kernel default'
complete -c memctl -n '__memctl_takes mode' -l mode -x -a 'block delay'
complete -c memctl -n '__memctl_takes what' -l what -x -a 'offline remove online offline:remove'
complete -c memctl -n '__memctl_takes summary' -l summary -a 'always never only'
complete -c memctl -n '__memctl_takes sysroot' -s s -l sysroot -r -a '(__fish_complete_directories)'
complete -c memctl -s H -l host -x
complete -c memctl -s M -l machine -x
complete -c memctl -n '__memctl_takes timeout' -l timeout -x
complete -c memctl -n '__memctl_takes who' -l who -x
complete -c memctl -n '__memctl_takes why' -l why -x
complete -c memctl -n 'test -z (__memctl_command)' -a '(__memctl_commands)'
complete -c memctl -n 'string match -q -- "-*" (commandline -ct)' -a '(__memctl_options)'
complete -c memctl -n 'contains -- (__memctl_command) list show map online offline remove plan inhibit' -a '(__memctl_selectors)'
complete -c memctl -n 'string match -q plan -- (__memctl_command)' -a 'online offline remove'
complete -c memctl -n 'string match -q policy -- (__memctl_command)' -a 'list show check reload (memctl policy list -nr -o NAME 2>/dev/null)'
complete -c memctl -n 'contains -- (__memctl_command) cancel wait' -a '(memctl jobs -nr -o JOB 2>/dev/null)'
