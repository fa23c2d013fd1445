# shellcheck shell=sh
# shellcheck disable=SC2034
# Read by install.sh and uninstall.sh: where things are, and what was installed.

PROGRAMS="ibd ib-mcp ibctl ib-sim"
newline='
'

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
fail() {
    warn "${0##*/}: $*"
    exit 1
}
wrong_usage() {
    warn "${0##*/}: $*"
    exit 2
}

# The first if it is an absolute path, else the second: the rule that the programs follow.
absolute_or() {
    case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s' "$2" ;;
    esac
}

case ${HOME:-} in
/*) ;;
*) fail "the home folder is not known: set HOME" ;;
esac
config_home=$(absolute_or "${XDG_CONFIG_HOME:-}" "$HOME/.config")
state_home=$(absolute_or "${XDG_STATE_HOME:-}" "$HOME/.local/state")
data_home=$(absolute_or "${XDG_DATA_HOME:-}" "$HOME/.local/share")
cache_home=$(absolute_or "${XDG_CACHE_HOME:-}" "$HOME/.cache")
runtime_home=$(absolute_or "${XDG_RUNTIME_DIR:-}" "")

# Without checksums nothing could be told from what belongs to others.
[ -n "$(cksum </dev/null 2>/dev/null)" ] || fail "the program cksum is missing"

system=$(uname -s)
unit=$config_home/systemd/user/ibd.service
socket_unit=$config_home/systemd/user/ibd.socket
agent=$HOME/Library/LaunchAgents/ibd.plist
agent_target=gui/$(id -u)/ibd

# One line a file: checksum, length, path. Only what stands here is ever replaced or removed.
record=$data_home/ibd/installed

fingerprint() {
    # shellcheck disable=SC2046
    set -- $(cksum <"$1")
    say "$1 $2"
}

recorded_paths() {
    [ ! -f "$record" ] || cut -d ' ' -f 3- "$record"
}

is_recorded() { recorded_paths | grep -Fqx -- "$1"; }

# Whether it is still what was installed, byte for byte.
is_untouched() {
    [ -f "$1" ] && [ ! -L "$1" ] && grep -Fqx -- "$(fingerprint "$1") $1" "$record"
}

remember() {
    {
        [ ! -f "$record" ] || while read -r sum length path; do
            [ "$path" = "$1" ] || say "$sum $length $path"
        done <"$record"
        say "$(fingerprint "$1") $1"
    } >"$record.new"
    mv -f "$record.new" "$record"
}

# A user manager answers.
has_user_manager() {
    [ "$system" = Linux ] && systemctl --user show --property=Version >/dev/null 2>&1
}

# The user manager's ibd.service is the one that lies in this user's folder, and no other.
manager_has_our_unit() {
    [ "$(systemctl --user show --property=FragmentPath --value ibd.service 2>/dev/null)" = "$unit" ]
}

# launchd runs the agent that lies in this user's folder, and no other.
launchd_has_our_agent() {
    launchctl print "$agent_target" 2>/dev/null | grep -Fq -- "path = $agent"
}
