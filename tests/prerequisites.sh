#!/usr/bin/env bash
# Names what is missing and the command that brings it; installs nothing.
set -u
missing=0
need() { # program, what brings it
    command -v "$1" >/dev/null 2>&1 && return
    echo "missing: $1; $2" >&2
    missing=1
}
need cargo "install Rust: https://rustup.rs"
need cc "a C compiler: apt-get install build-essential (Debian), xcode-select --install (macOS)"
cargo fmt --version >/dev/null 2>&1 || { echo "missing: rustfmt; rustup component add rustfmt" >&2; missing=1; }
cargo clippy --version >/dev/null 2>&1 || { echo "missing: clippy; rustup component add clippy" >&2; missing=1; }
if [ "${1:-rust}" = real ]; then
    need python3 "apt-get install python3 python3-venv"
    need node "apt-get install nodejs"
    need npm "apt-get install npm"
    python3 -c 'import venv, ensurepip' 2>/dev/null || { echo "missing: python venv; apt-get install python3-venv" >&2; missing=1; }
fi
exit $missing
