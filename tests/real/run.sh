#!/usr/bin/env bash
# Clients that nobody here wrote, one after another, each against a daemon in a folder of its own.
# Usage: run.sh [CHECK…]; without arguments, all of them. IBD_BIN: a folder with the four programs.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/real/versions.sh
. tests/real/versions.sh
CHECKS="edges python1 python2 python2-legacy sdk client client-auto inspector conformance-2025 conformance-2026 listen-2025 listen-2026 kill claude codex ibind ibind-ws ibind-oauth flex pricing resampling gateway login secrets origin orders market faults packages"
BIN=$(cd "${IBD_BIN:-target/debug}" && pwd) || exit 1
HERE=$PWD/tests/real

missing=0
lacks() { echo "missing: $1; run tests/real/bring.sh" >&2; missing=1; }
want_py() { have_py "$@" || lacks "$2 $3"; }
want_npm() { have_npm "$@" || lacks "$2 $3"; }
each_python want_py
each_npm want_npm
for program in ibd ib-mcp ibctl ib-sim faults ibd-faults; do
    [ -x "$BIN/$program" ] || { echo "missing: $program; run make test-real, or the builds in it" >&2; missing=1; }
done
for example in dump price sign; do
    [ -x "$BIN/examples/$example" ] || { echo "missing: the example $example; run make test-real, or the builds in it" >&2; missing=1; }
done
want_program() { command -v "$1" >/dev/null || lacks "$1"; }
each_program want_program
have_python_dbus || lacks "python3-dbus and python3-gi"
have_debian || lacks "a bare Debian"
have_gateway || lacks "IBKR's gateway"
id "$PERSON" >/dev/null 2>&1 || lacks "the user $PERSON"
[ $missing = 0 ] || exit 1
# What the checks with IBKR's gateway run as: it becomes other users, and reads what they do.
ROOT=()
[ "$(id -u)" = 0 ] || ROOT=(sudo -n)

# A short folder: the path of a socket has at most a hundred characters.
TOP=$(mktemp -d)
SHARE=$TOP/share
SIM=

in_world() { # command…, with nothing of this environment but PATH
    env -i PATH="$REAL/node/node_modules/node/bin:$PATH" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
        HOME="$WORLD" XDG_CONFIG_HOME="$WORLD/.config" XDG_STATE_HOME="$WORLD/state" XDG_DATA_HOME="$WORLD/data" \
        XDG_CACHE_HOME="$WORLD/cache" XDG_RUNTIME_DIR="$WORLD/run" IB_GATEWAY=simulator \
        IB_FLEX_TOKEN=sim-flex-token \
        IBD_BIN="$BIN" REAL="$REAL" "$@"
}
end_world() {
    in_world "$BIN/ibctl" stop >/dev/null 2>&1
    # A client that hides our variables from ib-mcp would have started one elsewhere in the same home.
    env -i PATH="$PATH" HOME="$WORLD" "$BIN/ibctl" stop >/dev/null 2>&1
    [ -z "$SIM" ] || { kill "$SIM" && wait "$SIM"; } 2>/dev/null
    SIM=
}
clean_up() {
    [ -z "${WORLD:-}" ] || end_world
    "${ROOT[@]}" rm -rf "$TOP"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

ibind() { # folder of ibind, script, scenario, what else it wants: it asks a simulator of its own, without a daemon
    echo "$3" >"$WORLD/scenario.json"
    "$BIN/ib-sim" --scenario "$WORLD/scenario.json" >"$WORLD/sim" &
    SIM=$!
    for _ in $(seq 100); do [ -s "$WORLD/sim" ] && break; sleep 0.1; done
    in_world CONTROL="$(address control)" "$REAL/$1/bin/python" "$HERE/$2.py" "$(address gateway)" "${@:4}"
}
address() { # of the simulator: gateway or control
    sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" "$WORLD/sim"
}
person() { # a check in which an ordinary user has IBKR's gateway, a browser and all
    if [ ! -d "$SHARE" ]; then
        # Where that user can read it.
        mkdir -p "$SHARE/bin"
        cp "$BIN"/{ibd,ib-mcp,ibctl,ib-sim,faults,ibd-faults} "$SHARE/bin"
        cp -r "$REAL/gateway/package/ib-gateway/clientportal.gw" "$SHARE/gateway"
        cp -r "$REAL/gateway/package/runtime/$RUNTIME" "$SHARE/java"
        chmod -R a+rX "$SHARE"
    fi
    chmod 711 "$TOP" "$WORLD"
    "${ROOT[@]}" env -i PATH="$PATH" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 VERBOSE="${VERBOSE:-}" REAL="$REAL" \
        IBD_BIN="$SHARE/bin" FAULTS="$SHARE/bin" GATEWAY="$SHARE/gateway" RUNTIME="$SHARE/java" PERSON="$PERSON" WORLD="$WORLD" \
        python3 "$HERE/$1.py"
}
one() { # check
    case $1 in
    python1) in_world "$REAL/python1/bin/python" "$HERE/python1.py" ;;
    python2) in_world "$REAL/python2/bin/python" "$HERE/python2.py" auto ;;
    python2-legacy) in_world "$REAL/python2/bin/python" "$HERE/python2.py" legacy ;;
    sdk) in_world node "$HERE/sdk.mjs" ;;
    client) in_world node "$HERE/client.mjs" ;;
    client-auto) in_world node "$HERE/client.mjs" auto ;;
    inspector) in_world python3 "$HERE/inspector.py" ;;
    conformance-2025) in_world python3 "$HERE/conformance.py" 2025-11-25 ;;
    conformance-2026) in_world python3 "$HERE/conformance.py" 2026-07-28 ;;
    listen-2025) in_world python3 "$HERE/conformance.py" 2025-11-25 --listen ;;
    listen-2026) in_world python3 "$HERE/conformance.py" 2026-07-28 --listen ;;
    kill) in_world "$REAL/python1/bin/python" "$HERE/kill.py" ;;
    edges) in_world python3 "$HERE/edges.py" ;;
    claude) in_world python3 "$HERE/claude.py" ;;
    codex) in_world python3 "$HERE/codex.py" ;;
    ibind) ibind ibind ibind_check '{"pacing": true}' ;;
    # Its websocket class asks for its session three times in a hundredth of a second.
    ibind-ws) ibind ibind ibind_ws '{"pacing": false}' ;;
    ibind-oauth) ibind oauth ibind_oauth '{"oauth": true, "pacing": false, "session": "loggedOut"}' "$BIN/examples/sign" ;;
    flex) in_world "$REAL/ibflex/bin/python" "$HERE/flex.py" ;;
    pricing) in_world "$REAL/quantlib/bin/python" "$HERE/pricing.py" "$BIN/examples/price" ;;
    resampling) in_world "$REAL/pandas/bin/python" "$HERE/resampling.py" ;;
    # From here on they become other users, and so are root.
    packages) "${ROOT[@]}" env -i PATH="$REAL/node/node_modules/node/bin:$PATH" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
        VERBOSE="${VERBOSE:-}" REAL="$REAL" IBD_BIN="$BIN" HOME="$WORLD" WORLD="$WORLD" "$REAL/python1/bin/python" "$HERE/packages.py" ;;
    gateway | login | origin | orders | market | faults) person "$1" ;;
    secrets) person secrecy ;;
    *) echo "no such check: $1; there are: $CHECKS"; return 2 ;;
    esac
}

passed=0 failed=0
# shellcheck disable=SC2086
[ $# != 0 ] || set -- $CHECKS
for check in "$@"; do
    WORLD=$TOP/$check
    mkdir -p "$WORLD"
    mkdir -m 700 "$WORLD/run"
    started=$(date +%s)
    one "$check" >"$WORLD/out" 2>"$WORLD/err" </dev/null
    code=$?
    end_world
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$WORLD/out" | tail -1)
    good=0 bad=0
    [ -z "$counts" ] || read -r good _ bad _ <<<"$counts"
    # A check that fell over before it could count has failed once.
    [ -n "$counts" ] && { [ $code = 0 ] || [ "$bad" != 0 ]; } || bad=$((bad + 1))
    passed=$((passed + good)) failed=$((failed + bad))
    verdict=ok
    [ "$bad" = 0 ] || verdict=FAILED
    printf '%-17s %-6s %4s passed %3s failed  %3s s\n' "$check" $verdict "$good" "$bad" $(($(date +%s) - started))
    if [ "$bad" != 0 ]; then
        grep -vE '^[0-9]+ passed, [0-9]+ failed$' "$WORLD/out" | tail -40 | sed 's/^/    /'
        tail -15 "$WORLD/err" | sed 's/^/    stderr: /'
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
