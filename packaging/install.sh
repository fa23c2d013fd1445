#!/bin/sh
# Installs ibd for the current user, without root: the programs and the service.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=packaging/common.sh
. "$here/common.sh"

usage() {
    cat <<'END'
Usage: install.sh [--from DIR] [--bin-dir DIR] [--no-service]

  --from DIR      folder with the built programs [bin beside this script, else target/release]
  --bin-dir DIR   where the programs go [$PREFIX/bin, and PREFIX is ~/.local]
  --no-service    programs only; a client starts ibd when it needs it
END
}

# In an unpacked archive the programs lie beside this script.
if [ -d "$here/bin" ]; then from=$here/bin; else from=${CARGO_TARGET_DIR:-$here/../target}/release; fi
bin=${PREFIX:-$HOME/.local}/bin
with_service=yes
while [ $# -gt 0 ]; do
    case $1 in
    --from=* | --bin-dir=*)
        flag=${1%%=*} value=${1#*=}
        shift
        set -- "$flag" "$value" "$@"
        continue
        ;;
    --from | --bin-dir)
        [ -n "${2:-}" ] || wrong_usage "$1 needs a folder"
        if [ "$1" = --from ]; then from=$2; else bin=$2; fi
        shift 2
        ;;
    --no-service)
        with_service=no
        shift
        ;;
    --help)
        usage
        exit 0
        ;;
    *) wrong_usage "unknown option $1; see --help" ;;
    esac
done

main() {
    look_first
    put_programs
    service_note="No service: the first client that needs ibd starts it."
    service_failed=no has_started=no
    if [ "$with_service" = yes ]; then
        case $system in
        Linux) install_unit ;;
        Darwin) install_agent ;;
        esac
    fi
    report
    [ "$service_failed" = no ]
}

# Everything that can be refused is refused here, before any file is written.
look_first() {
    if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER:-}" ]; then
        fail "this installs for one user: run it without sudo"
    fi
    from=$(cd "$from" 2>/dev/null && pwd) ||
        fail "there is no folder $from; build first: cargo build --release --workspace --bins"
    for program in $PROGRAMS; do
        [ -f "$from/$program" ] ||
            fail "$from/$program is missing; build first: cargo build --release --workspace --bins"
        "$from/$program" --version >/dev/null 2>&1 || fail "$from/$program does not run here"
    done
    mkdir -p "$bin"
    bin=$(cd "$bin" && pwd)
    case $bin$HOME$config_home in
    *"$newline"*) fail "a folder's name holds a line break; service files cannot name it" ;;
    esac
    [ "$from" != "$bin" ] || fail "--from and the folder for the programs are the same"
    (umask 077 && mkdir -p "${record%/*}")
    for program in $PROGRAMS; do refuse_foreign "$bin/$program"; done
    if [ "$with_service" = yes ]; then
        case $system in
        Linux)
            refuse_foreign "$unit"
            refuse_foreign "$socket_unit"
            case $bin in
            *[\\\"\']*) fail "systemd starts no program in $bin: its name holds a quote or a backslash" ;;
            esac
            ;;
        Darwin) refuse_foreign "$agent" ;;
        esac
    fi
}

refuse_foreign() {
    if { [ -e "$1" ] || [ -L "$1" ]; } && ! is_recorded "$1"; then
        fail "$1 is there already and was not put there by this script; move it away first"
    fi
}

# By a temporary name and a rename: a program that runs keeps its own file.
put() { # source, destination, mode
    if [ -f "$2" ] && cmp -s "$1" "$2"; then
        chmod "$3" "$2"
    else
        temporary=$2.new.$$
        cp "$1" "$temporary"
        chmod "$3" "$temporary"
        mv -f "$temporary" "$2"
        temporary=
        has_changed=yes
    fi
    remember "$2"
}

put_programs() {
    for program in $PROGRAMS; do put "$from/$program" "$bin/$program" 755; done
    say "Programs: $bin"
}

# A service file; what a person changed in the last one is kept beside it.
put_service_file() { # template, destination, how to write the program, how to write the variables
    if [ -f "$2" ] && ! is_untouched "$2"; then
        cp "$2" "$2.old"
        say "$2 had been changed; the changed file is now ${2##*/}.old."
    fi
    (umask 022 && mkdir -p "${2%/*}")
    filled=$record.filled
    while IFS= read -r line; do
        case $line in
        *@IBD@*) say "${line%%@IBD@*}$($3 "$bin/ibd")${line#*@IBD@}" ;;
        @ENVIRONMENT@) custom_folders "$4" ;;
        *) say "$line" ;;
        esac
    done <"$1" >"$filled"
    put "$filled" "$2" 644
    rm -f "$filled"
}

# A service does not see this shell's variables, and its folders must be those of the clients.
custom_folders() { # how to write one
    [ "$config_home" = "$HOME/.config" ] || $1 XDG_CONFIG_HOME "$config_home"
    [ "$state_home" = "$HOME/.local/state" ] || $1 XDG_STATE_HOME "$state_home"
    [ "$data_home" = "$HOME/.local/share" ] || $1 XDG_DATA_HOME "$data_home"
    [ "$cache_home" = "$HOME/.cache" ] || $1 XDG_CACHE_HOME "$cache_home"
    if [ "$system" = Darwin ] && [ -n "$runtime_home" ]; then $1 XDG_RUNTIME_DIR "$runtime_home"; fi
}

for_systemd() { printf '"%s"' "$(printf '%s' "$1" | sed -e 's/[\\"]/\\&/g' -e 's/%/%%/g')"; }
systemd_variable() { say "Environment=$(for_systemd "$1=$2")"; }
for_xml() { printf '%s' "$1" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g'; }
xml_variable() { printf '\t\t<key>%s</key>\n\t\t<string>%s</string>\n' "$1" "$(for_xml "$2")"; }
for_json() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }
for_shell() {
    case $1 in
    *[!A-Za-z0-9_./-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf '%s' "$1" ;;
    esac
}

install_unit() {
    put_service_file "$here/systemd/ibd.service" "$unit" for_systemd systemd_variable
    put_service_file "$here/systemd/ibd.socket" "$socket_unit" for_systemd systemd_variable
    say "Service:  $unit, and ${socket_unit##*/} beside it"
    service_note="The service was installed but not started: no user manager of systemd answers here.
A client starts ibd by itself when it needs it. In a login session this starts the service:
  systemctl --user daemon-reload && systemctl --user enable --now ibd.socket ibd.service"
    has_user_manager || return 0
    systemctl --user daemon-reload
    if ! manager_has_our_unit; then
        service_note="The service was installed but not started: the user manager does not look in
${unit%/*}. A client starts ibd by itself when it needs it."
        return 0
    fi
    systemctl --user --quiet enable ibd.socket ibd.service
    if systemctl --user --quiet is-active ibd.service && [ "$has_changed" = no ]; then
        has_started=yes
        service_note="The service runs already; nothing has changed."
        return 0
    fi
    make_room || return 0
    # systemd listens for no service that is still ending.
    systemctl --user stop ibd.service 2>/dev/null || true
    systemctl --user reset-failed ibd.socket ibd.service 2>/dev/null || true
    # Without it ibd makes a socket of its own.
    systemctl --user start ibd.socket 2>/dev/null || true
    if systemctl --user start ibd.service; then
        has_started=yes
        service_note="The service runs, and starts with each login or when a client connects. To keep it when you log out:
  loginctl enable-linger"
    else
        service_failed=yes
        service_note="The service was installed but does not start. Why:
  journalctl --user -u ibd.service -n 20"
    fi
}

install_agent() {
    put_service_file "$here/launchd/ibd.plist" "$agent" for_xml xml_variable
    say "Service:  $agent"
    service_note="The service was installed but not started: there is no graphical session here.
A client starts ibd by itself when it needs it; launchd starts it with the next login."
    launchctl print "${agent_target%/*}" >/dev/null 2>&1 || return 0
    if launchctl print "$agent_target" >/dev/null 2>&1; then
        if ! launchd_has_our_agent; then
            service_note="The service was installed but not started: launchd runs another one called ibd."
            return 0
        fi
        if [ "$has_changed" = no ]; then
            has_started=yes
            service_note="The service is loaded already; nothing has changed."
            return 0
        fi
    fi
    make_room || return 0
    launchctl bootout "$agent_target" 2>/dev/null || true
    launchctl enable "$agent_target" || true
    # launchd may need a moment to forget the old one.
    for _ in 1 2 3 4 5; do
        if launchctl bootstrap "${agent_target%/*}" "$agent" 2>/dev/null; then
            has_started=yes
            service_note="The service runs, and starts with each login."
            return 0
        fi
        sleep 1
    done
    service_failed=yes
    service_note="The service was installed but launchd does not take it. Why:
  launchctl bootstrap ${agent_target%/*} $(for_shell "$agent")"
}

# An ibd that runs finishes its calls and goes; clients connect to the new one by themselves.
make_room() {
    if "$bin/ibctl" --profile default stop >/dev/null; then return 0; fi
    service_failed=yes
    service_note="The service was installed but not started: the ibd that runs does not end."
    return 1
}

is_running() {
    "$bin/ibctl" --profile default status >/dev/null 2>&1 || [ $? -ne 3 ]
}

report() {
    printf '\n%s\n' "$service_note"
    if [ "$has_started$has_changed" = noyes ] && is_running; then
        say "The ibd of before still runs. A newer version takes its place by itself within seconds, once its calls are"
        say "finished; \`$(for_shell "$bin/ibctl") restart\` changes to the new one at once, whichever it is."
    fi
    case :$PATH: in
    *":$bin:"*) ;;
    *) say "$bin is not on your PATH: add it there, or call ibctl by its full path." ;;
    esac
    clients
}

clients() {
    mcp=$bin/ib-mcp
    json=$(for_json "$mcp")
    cat <<END

Now tell your clients about it. This shows what it would change, asks, and can be undone:
  $(for_shell "$bin/ibctl") setup

Or by hand. Restart the client afterwards.

Claude Desktop: in claude_desktop_config.json (Settings, Developer, Edit Config)
  {"mcpServers":{"ib":{"command":$json,"args":[]}}}

Claude Code:
  claude mcp add -s user ib -- $(for_shell "$mcp")

Cursor: in ~/.cursor/mcp.json
  {"mcpServers":{"ib":{"command":$json,"args":[]}}}

VS Code:
  code --add-mcp $(for_shell "{\"name\":\"ib\",\"command\":$json}")

Which gateway it talks to, and other clients: docs/install.md
END
}

has_changed=no
temporary=
trap 'rm -f ${temporary:+"$temporary"} "$record.new" "$record.filled"' EXIT
main
