#!/bin/sh
# Installs and uninstalls in a scratch home and looks at what is there afterwards.
# Usage: tests/packaging/check.sh [FOLDER WITH BUILT PROGRAMS]   (target/debug)
#
# Needs no root and nothing beside a plain Unix. What only another tool can see is said to be
# "not checked here". Real service managers are never reached: systemctl and launchctl are stand-ins
# that note how they were called.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
from=${1:-${CARGO_TARGET_DIR:-$root/target}/debug}
from=$(cd "$from" 2>/dev/null && pwd) || { echo "there is no folder ${1:-target/debug}" >&2; exit 2; }
real_system=$(uname -s)
scratch=$(mktemp -d /tmp/ibd-check.XXXXXX) || exit 2
daemon=
trap '[ -z "$daemon" ] || kill -9 $daemon 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
passed=0 failed=0

# The rest of the line is a command that must succeed.
check() {
    sentence=$1
    shift
    if "$@" >"$scratch/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $sentence"
    else
        failed=$((failed + 1))
        echo "FAILED  $sentence"
        sed 's/^/        /' "$scratch/said" "$scratch/output" 2>/dev/null
    fi
}
not_checked() { echo "not checked here: $*"; }
has() { command -v "$1" >/dev/null 2>&1; }
not() { ! "$@"; }

# A home with a space in its name, and programs that need no build.
fresh() {
    rm -rf "$scratch/my home" "$scratch/run" "$scratch/calls"
    mkdir -p "$scratch/my home" "$scratch/run"
    chmod 700 "$scratch/run"
    : >"$scratch/calls"
    home="$scratch/my home"
    bin="$home/.local/bin"
    unit="$home/.config/systemd/user/ibd.service"
    socket_unit="$home/.config/systemd/user/ibd.socket"
    agent="$home/Library/LaunchAgents/ibd.plist"
    manager=none system=Linux
}
mkdir "$scratch/stand-ins" "$scratch/fake"
for program in ibd ib-mcp ibctl ib-sim; do
    # shellcheck disable=SC2016
    printf '#!/bin/sh\necho "%s $*" >>"$CALLS"\n[ "$3" != status ] || exit 3\n' $program >"$scratch/fake/$program"
    chmod 755 "$scratch/fake/$program"
done
cat >"$scratch/stand-ins/systemctl" <<'END'
#!/bin/sh
echo "systemctl $*" >>"$CALLS"
[ "$MANAGER" != none ] || exit 1
case "$*" in
*FragmentPath*) if [ "$MANAGER" = other ]; then echo /elsewhere/ibd.service; else echo "$HOME/.config/systemd/user/ibd.service"; fi ;;
*is-active*) exit 3 ;;
esac
END
cat >"$scratch/stand-ins/launchctl" <<'END'
#!/bin/sh
echo "launchctl $*" >>"$CALLS"
[ "$MANAGER" != none ] || exit 1
case "$*" in
"print gui/"*/ibd) grep -q bootstrap "$CALLS" && echo "	path = $HOME/Library/LaunchAgents/ibd.plist" ;;
esac
END
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$SYSTEM"\n' >"$scratch/stand-ins/uname"
chmod 755 "$scratch/stand-ins"/*

# Nothing of this shell's settings reaches what is tested.
within() {
    env -i PATH="$scratch/stand-ins:$PATH" HOME="$home" XDG_RUNTIME_DIR="$scratch/run" \
        CALLS="$scratch/calls" MANAGER="$manager" SYSTEM="$system" "$@"
}
install() { within "$root/packaging/install.sh" "$@" >"$scratch/output" 2>&1 </dev/null; }
uninstall() { within "$root/packaging/uninstall.sh" "$@" >"$scratch/output" 2>&1 </dev/null; }
fails_with() { # exit code, command
    wanted=$1
    shift
    "$@"
    [ $? -eq "$wanted" ]
}
says() { grep -Fq -- "$1" "$scratch/output"; }
called() { grep -Fq -- "$1" "$scratch/calls"; }
same_as_built() {
    for program in ibd ib-mcp ibctl ib-sim; do
        cmp "$from/$program" "$bin/$program" && [ -x "$bin/$program" ] || return 1
    done
}
# With inodes: a file that was replaced is another file.
files() { ls -li "$bin" "$unit" "$socket_unit"; }
nothing_left() { [ -z "$(find "$home" "$scratch/run" ! -type d)" ] && [ -z "$(find "$home" "$scratch/run" -name 'ibd*')" ]; }
in_order() { # words, each in a line of the calls after the line of the word before
    awk -v words="$*" 'BEGIN { n = split(words, w, " "); i = 1 } i <= n && index($0, w[i]) { i++ } END { exit i <= n }' "$scratch/calls"
}
python() { python3 -c "$@"; }
wait_for() { # seconds, command
    tenths=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        tenths=$((tenths - 1))
        [ $tenths -gt 0 ] || return 1
        sleep 0.1
    done
}

echo "# the real programs, without a service manager"
fresh
check "install succeeds" install --from "$from"
check "the four programs are there, byte for byte, and can be run" same_as_built
check "it says that the service was not started and who starts ibd" says "A client starts ibd by itself"
check "it says that the folder is not on PATH" says "is not on your PATH"
check "setup is named by its absolute path, quoted" says "'$bin/ibctl' setup"
check "Claude Desktop and Cursor get the absolute path" says "{\"mcpServers\":{\"ib\":{\"command\":\"$bin/ib-mcp\",\"args\":[]}}}"
check "Claude Code gets the absolute path, quoted" says "claude mcp add -s user ib -- '$bin/ib-mcp'"
check "VS Code gets the absolute path" says "code --add-mcp '{\"name\":\"ib\",\"command\":\"$bin/ib-mcp\"}'"
check "the unit starts the installed program" grep -Fqx "ExecStart=\"$bin/ibd\"" "$unit"
check "every line of the units is a comment, a section or a setting" \
    not grep -Evq '^(#.*|\[[A-Z][a-z]+\]|[A-Za-z]+=.+|)$' "$unit" "$socket_unit"
check "nothing is left to fill in" not grep -q '@' "$unit" "$socket_unit"
if has systemd-analyze && [ "$real_system" = Linux ]; then
    verify() {
        env -i PATH="$PATH" HOME="$home" XDG_RUNTIME_DIR="$scratch/run" \
            systemd-analyze --user verify "$unit" "$socket_unit" >"$scratch/output" 2>&1 && not says ibd
    }
    check "systemd-analyze has nothing to say about the units" verify
else
    not_checked "whether systemd knows every setting of the unit (no systemd-analyze); its shape was"
fi
before=$(files)
check "a second install succeeds" install --from "$from"
check "a second install changes nothing" test "$before" = "$(files)"

# ExecStart as the service manager would run it. Its quoting is the shell's too.
start_daemon() {
    command=$(sed -n 's/^ExecStart=//p' "$unit")
    notify=
    if has python3 && [ "$real_system" = Linux ]; then
        notify=$scratch/notify
        rm -f "$notify" "$scratch/got"
        python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
print(s.recv(4096).decode())' "$notify" >"$scratch/got" 2>&1 &
        wait_for 10 test -S "$notify" || return 1
    fi
    within ${notify:+NOTIFY_SOCKET="$notify"} sh -c "exec $command" >"$scratch/daemon" 2>&1 &
    waited=$!
    wait_for 30 grep -q '^READY ' "$scratch/daemon" || { cat "$scratch/daemon"; return 1; }
    daemon=$(sed -n 's/^READY [0-9]* //p' "$scratch/daemon")
}
daemon_ends_well() {
    wait_for 30 not kill -0 "$daemon" || return 1
    daemon=
    wait "$waited"
}
answers() { within "$bin/ibctl" status --json | grep -q '"running":true'; }
check "ExecStart runs and says READY" start_daemon
if [ -n "$notify" ]; then
    check "the service manager hears READY=1" wait_for 10 grep -qx READY=1 "$scratch/got"
else
    not_checked "READY=1 to the service manager (needs Linux and python3)"
fi
check "ibctl finds it" answers
mkdir "$scratch/newer"
cp "$from/ibd" "$from/ib-mcp" "$from/ibctl" "$from/ib-sim" "$scratch/newer"
for program in ibd ib-mcp ibctl ib-sim; do echo newer >>"$scratch/newer/$program"; done
if [ "$real_system" = Linux ]; then
    check "newer programs can be installed while it runs" install --from "$scratch/newer"
    check "the running one lives on" answers
    check "and it is said how to change to the new one" says "restart\` changes to the new one"
else
    not_checked "an install over running programs (a changed program is not run here unsigned)"
fi
rm -rf "$scratch/newer"
# Without an ibctl nobody can ask the daemon to end.
rm "$bin/ibctl"
check "a purge that cannot reach it fails" fails_with 1 uninstall --purge
check "its state stays while it runs" test -f "$home/.local/state/ibd/default/ibd.lock"
check "it is said how to end it" says "\`kill $daemon\` ends it"
install --from "$from"
# What a daemon writes into its state tells where it listens, whatever this shell thinks.
elsewhere() {
    mkdir -p "$scratch/run2" && chmod 700 "$scratch/run2"
    within XDG_RUNTIME_DIR="$scratch/run2" "$root/packaging/uninstall.sh" --purge >"$scratch/output" 2>&1 </dev/null
}
check "uninstall --purge succeeds while it runs, from a shell with another runtime folder" elsewhere
check "it ended, and well" daemon_ends_well
check "of the other runtime folder an empty one is left" rmdir "$scratch/run/ibd"
check "and else nothing" nothing_left
check "a second uninstall succeeds" uninstall
check "a second uninstall says that nothing was installed" says "No record of an installation"

fresh
install --from "$from"
mkdir -p "$home/.config/ibd"
echo 'gateway = "simulator"' >"$home/.config/ibd/config.toml"
check "ExecStart runs with a configuration" start_daemon
check "uninstall without options and without a terminal succeeds" uninstall
check "the daemon ended, and well" daemon_ends_well
check "the programs and the unit are gone" test ! -e "$bin/ibd" -a ! -e "$bin/ib-mcp" -a ! -e "$bin/ibctl" -a ! -e "$bin/ib-sim" -a ! -e "$unit" -a ! -e "$socket_unit"
check "the settings are kept" test -f "$home/.config/ibd/config.toml"
check "the state is kept" test -f "$home/.local/state/ibd/default/ibd.lock"
check "it can be installed again" install --from "$from"
check "and purged" uninstall --purge
check "then nothing is left" nothing_left

echo "# a user manager of systemd"
fresh
manager=ours
check "install succeeds" install --from "$scratch/fake"
check "install reloads, enables, makes room and starts, in this order" in_order daemon-reload enable stop start
check "systemd listens, too" called "systemctl --user start ibd.socket"
check "it says how to stay after logout" says "loginctl enable-linger"
: >"$scratch/calls"
check "uninstall succeeds" uninstall --purge
check "uninstall disables and reloads" in_order "disable" daemon-reload
check "nothing is left" nothing_left
fresh
manager=other
check "install succeeds beside a manager that looks elsewhere" install --from "$scratch/fake"
check "install does not start another one's service" not called "systemctl --user start"
check "uninstall succeeds beside it" uninstall --purge
check "uninstall does not disable another one's service" not called disable

echo "# launchd"
fresh
system=Darwin manager=ours
check "install succeeds" install --from "$scratch/fake"
check "install hands the agent to launchd" called "bootstrap gui/$(id -u) $agent"
plist_is_right() {
    python 'import plistlib, sys
p = plistlib.load(open(sys.argv[1], "rb"))
assert p["Label"] == "ibd", p
assert p["ProgramArguments"] == [sys.argv[2]], p
assert p["KeepAlive"] == {"SuccessfulExit": False} and p["RunAtLoad"] is True, p
assert p["Umask"] == 0o77 and p["EnvironmentVariables"]["XDG_RUNTIME_DIR"], p' "$agent" "$bin/ibd"
}
parsed=no
if has plutil; then
    parsed=yes
    check "plutil accepts the agent" plutil -lint "$agent"
fi
if has python3; then
    parsed=yes
    check "the agent says what it should" plist_is_right
elif has xmllint; then
    parsed=yes
    check "the agent is well-formed" xmllint --nonet --noout "$agent"
fi
[ $parsed = yes ] || not_checked "whether the agent can be parsed (no plutil, python3 or xmllint)"
check "nothing is left to fill in" not grep -q '@' "$agent"
check "uninstall succeeds" uninstall --purge
check "uninstall takes the agent from launchd" called "bootout gui/$(id -u)/ibd"
check "nothing is left" nothing_left

echo "# folders with odd names, and what belongs to others"
fresh
manager=none
odd="$scratch/my home/50% of <it> & more"
check "install into a folder with an odd name succeeds" install --from "$scratch/fake" --bin-dir "$odd"
if has systemd-analyze && [ "$real_system" = Linux ]; then
    check "systemd understands its name" verify
fi
echo changed >>"$odd/ib-sim"
check "uninstall succeeds although a program was changed" uninstall
check "uninstall says which one it leaves" says "ib-sim, which is not the file that was installed"
check "uninstall leaves that one only" test -f "$odd/ib-sim" -a ! -e "$odd/ibd"
odd="$scratch/my home/\"it's\" a \\ folder"
check "a folder that systemd cannot name is refused" not install --from "$scratch/fake" --bin-dir "$odd"
check "without a service that folder is fine" install --from "$scratch/fake" --bin-dir "$odd" --no-service
if has python3; then
    json_is_right() {
        python 'import json, shlex, sys
text = open(sys.argv[1]).read()
lines = [json.loads(l) for l in text.splitlines() if l.lstrip().startswith("{")]
assert len(lines) == 2 and all(l["mcpServers"]["ib"]["command"] == sys.argv[2] for l in lines), lines
words = [shlex.split(l) for l in text.splitlines() if l.startswith("  c")]
assert words[0][-1] == sys.argv[2] and json.loads(words[1][-1])["command"] == sys.argv[2], words' \
            "$scratch/output" "$odd/ib-mcp"
    }
    check "what is to be pasted for clients can be parsed" json_is_right
else
    not_checked "whether what is to be pasted for clients can be parsed (no python3)"
fi
system=Darwin
check "launchd may have any folder" install --from="$scratch/fake" --bin-dir="$odd"
if has python3; then
    check "the agent names that folder rightly" python 'import plistlib, sys
assert plistlib.load(open(sys.argv[1], "rb"))["ProgramArguments"] == [sys.argv[2]]' "$agent" "$odd/ibd"
fi

fresh
mkdir -p "$bin"
echo "somebody else's" >"$bin/ibctl"
check "a program that somebody else put there is refused" not install --from "$scratch/fake"
check "after a refusal nothing was written" test "$(find "$home" ! -type d)" = "$bin/ibctl"
rm "$bin/ibctl"
check "install --no-service succeeds" install --from "$scratch/fake" --no-service
check "it installs no service" test -x "$bin/ibd" -a ! -e "$unit"
XDG_STATE=$scratch/elsewhere
custom() { within XDG_STATE_HOME="$XDG_STATE" "$root/packaging/install.sh" --from "$scratch/fake" >"$scratch/output" 2>&1; }
check "install succeeds with a state folder of one's own" custom
check "the service gets the same one" grep -Fqx "Environment=\"XDG_STATE_HOME=$XDG_STATE\"" "$unit"
echo "Nice=5" >>"$unit"
check "install succeeds over an edited unit" install --from "$scratch/fake"
check "the edited unit is kept beside the new one" grep -qx "Nice=5" "$unit.old"
check "an unknown option is wrong usage" fails_with 2 install --what
check "an unknown option is wrong usage for uninstall" fails_with 2 uninstall --what
check "a folder without programs is refused" fails_with 1 install --from "$scratch"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
