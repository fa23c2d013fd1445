#!/bin/sh
# Removes what install.sh installed, and the state too if a person says so.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=packaging/common.sh
. "$here/common.sh"

usage() {
    cat <<'END'
Usage: packaging/uninstall.sh [--keep-state | --purge]

  --keep-state  keep settings, logs and records (what happens unless somebody says otherwise)
  --purge       remove them, for every profile

Without an option it asks; where there is no terminal it keeps them.
END
}

state=ask
for option; do
    case $option in
    --keep-state) wanted=keep ;;
    --purge) wanted=purge ;;
    --help)
        usage
        exit 0
        ;;
    *) wrong_usage "unknown option $option; see --help" ;;
    esac
    [ "$state" = ask ] || [ "$state" = "$wanted" ] || wrong_usage "either --keep-state or --purge"
    state=$wanted
done

main() {
    all_ended=yes
    [ -f "$record" ] || say "No record of an installation by install.sh: no program and no service is removed."
    find_ibctl
    # First of all, so that no client that still runs starts it again.
    remove_programs ibd
    stop_daemons
    remove_service
    remove_programs ib-mcp ibctl ib-sim
    forget
    deal_with_state
    [ "$all_ended" = yes ]
}

find_ibctl() {
    ibctl=$(recorded_paths | grep '/ibctl$' | while read -r path; do
        if [ -x "$path" ]; then say "$path"; fi
    done | tail -n 1)
    [ -n "$ibctl" ] || ibctl=$(command -v ibctl || true)
}

# Every profile has a folder of its own among the state.
stop_daemons() {
    for folder in "$state_home"/ibd/*/; do
        [ -e "$folder/ibd.lock" ] || continue
        profile=$(basename "$folder")
        if [ -n "$ibctl" ]; then
            # A managed gateway outlives its daemon on purpose: here it must not.
            if [ -e "$folder/gateway/run.json" ]; then
                said=$("$ibctl" --profile "$profile" gateway stop 2>&1) || true
                say "Profile $profile: $said"
            fi
            said=$("$ibctl" --profile "$profile" stop 2>&1) || true
            say "Profile $profile: $said"
        fi
        # ibctl sees only a socket, and this shell may look for it in another place than the daemon.
        if still_runs; then
            all_ended=no
            warn "Profile $profile: ibd still runs; \`kill $pid\` ends it."
        fi
    done
}

# The lock names the process that held it last.
still_runs() {
    pid=$(tr -cd 0-9 <"$folder/ibd.lock")
    for _ in 1 2 3; do
        kill -0 "${pid:-none}" 2>/dev/null || return 1
        case $(ps -p "$pid" -o comm= 2>/dev/null) in
        ibd | */ibd | '') sleep 1 ;;
        *) return 1 ;;
        esac
    done
}

remove_service() {
    if is_recorded "$unit"; then remove_unit; fi
    if is_recorded "$agent"; then remove_agent; fi
}

remove_unit() {
    has_manager=no
    if has_user_manager && manager_has_our_unit; then
        has_manager=yes
        systemctl --user --quiet disable --now ibd.socket ibd.service || true
    fi
    forget_wish default.target "$unit"
    forget_wish sockets.target "$socket_unit"
    remove_file "$unit"
    if is_recorded "$socket_unit"; then remove_file "$socket_unit"; fi
    if [ "$has_manager" = yes ]; then
        systemctl --user daemon-reload
        systemctl --user reset-failed ibd.socket ibd.service 2>/dev/null || true
    fi
    if [ -d "$unit.d" ]; then say "Left: $unit.d, which is yours."; fi
}

# What was enabled where no manager answers.
forget_wish() { # target, unit
    wanted_by=${unit%/*}/$1.wants/${2##*/}
    if [ -L "$wanted_by" ]; then
        case $(readlink "$wanted_by") in
        "$2" | "../${2##*/}") rm -f "$wanted_by" ;;
        esac
    fi
}

remove_agent() {
    if [ "$system" = Darwin ] && launchd_has_our_agent; then
        launchctl bootout "$agent_target" 2>/dev/null || true
    fi
    remove_file "$agent"
}

# By name, wherever they were installed.
remove_programs() {
    for program; do
        recorded_paths | grep "/$program\$" | while read -r path; do remove_file "$path"; done
    done
}

remove_file() {
    if is_untouched "$1"; then
        rm -f "$1"
        say "Removed: $1"
    elif [ -e "$1" ] || [ -L "$1" ]; then
        say "Left: $1, which is not the file that was installed."
    fi
}

forget() {
    rm -f "$record"
    rmdir "${record%/*}" 2>/dev/null || true
    [ -z "$runtime_home" ] || rmdir "$runtime_home/ibd" 2>/dev/null || true
}

deal_with_state() {
    # One a line: names with spaces are fine.
    folders=$(for folder in "$config_home" "$state_home" "$data_home" "$cache_home" "$runtime_home"; do
        if [ -n "$folder" ] && [ -e "$folder/ibd" ]; then say "$folder/ibd"; fi
    done)
    [ -n "$folders" ] || return 0
    [ "$state" != ask ] || ask
    if [ "$state" = purge ] && [ "$all_ended" = no ]; then
        warn "An ibd may still run, so its state stays. End it, then run this again with --purge."
        state=keep
    fi
    say "$folders" | while read -r folder; do
        if [ "$state" = purge ]; then
            rm -rf "$folder"
            say "Removed: $folder"
        else
            say "Kept: $folder"
        fi
    done
}

ask() {
    state=keep
    [ -t 0 ] || return 0
    printf "\nSettings, logs and the record of what was done:\n"
    say "$folders"
    printf 'Keep them? [Y/n] '
    read -r answer || answer=
    case $answer in
    [nN]*) state=purge ;;
    esac
}

main
