# SPDX-License-Identifier: LGPL-2.1-or-later
# What can be completed is asked of memctl itself, so that it cannot differ from what memctl takes.

function __memctl_command
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; or begin
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

function __memctl_columns
    set -l command (__memctl_command)
    test -n "$command"; or set command list
    memctl $command --help 2>/dev/null | sed -n '/^Columns:/,${ s/^Columns://; p }' | xargs -n 1
end

complete -c memctl -f
complete -c memctl -s o -l output -x -a '(__memctl_columns)'
complete -c memctl -s S -l split -x -a 'STATE ZONE NODE KIND NAME none'
complete -c memctl -l zone -x -a 'movable kernel default'
complete -c memctl -l mode -x -a 'block delay'
complete -c memctl -l what -x -a 'offline remove online offline:remove'
complete -c memctl -l summary -a 'always never only'
complete -c memctl -s s -l sysroot -r -a '(__fish_complete_directories)'
complete -c memctl -n 'test -z (__memctl_command)' -a '(__memctl_commands)'
complete -c memctl -n 'string match -q -- "-*" (commandline -ct)' -a '(__memctl_options)'
complete -c memctl -n 'contains -- (__memctl_command) list show map online offline remove plan inhibit' -a '(__memctl_selectors)'
complete -c memctl -n 'string match -q plan -- (__memctl_command)' -a 'online offline remove'
complete -c memctl -n 'string match -q policy -- (__memctl_command)' -a 'list show check reload (memctl policy list -nr -o NAME 2>/dev/null)'
complete -c memctl -n 'contains -- (__memctl_command) cancel wait' -a '(memctl jobs -nr -o JOB 2>/dev/null)'
