# shellcheck shell=bash
# What bring.sh brings and run.sh wants; sourced by both, from the top folder.
REAL=$PWD/target/real

each_python() { # action: called with folder, package, version, further packages
    "$1" python1 mcp 1.30.0 jsonschema
    "$1" python2 mcp 2.3.0 jsonschema
    "$1" ibind ibind 0.2.2
    "$1" oauth ibind 0.2.2 pycryptodome
    "$1" ibflex ibflex 1.1 requests
    "$1" quantlib quantlib 1.44
    "$1" pandas pandas 3.1.1
}
each_npm() { # action: called with folder, package, version
    "$1" node node 22.23.3
    "$1" conformance @modelcontextprotocol/conformance 0.2.0-alpha.12
    "$1" inspector @modelcontextprotocol/inspector 2.12.0
    "$1" sdk @modelcontextprotocol/sdk 1.32.2
    "$1" client @modelcontextprotocol/client 2.4.0
    "$1" claude @anthropic-ai/claude-code 2.1.330
    "$1" codex @openai/codex 0.169.0
    "$1" mcpb @anthropic-ai/mcpb 2.1.2
}

have_py() { # folder, package, version
    [ -x "$REAL/$1/bin/python" ] && compgen -G "$REAL/$1/lib/python*/site-packages/$2-$3.dist-info" >/dev/null
}
have_npm() { # folder, package, version
    grep -q "\"version\": *\"$3\"" "$REAL/$1/node_modules/$2/package.json" 2>/dev/null
}

# IBKR's gateway and a Java runtime for it: the package of the original carries both.
GATEWAY_VERSION=1.24.1
case $(uname -m) in aarch64 | arm64) RUNTIME=linux-arm64 ;; *) RUNTIME=linux-x64 ;; esac
have_gateway() {
    [ -e "$REAL/gateway/$GATEWAY_VERSION" ] && [ -x "$REAL/gateway/package/runtime/$RUNTIME/bin/java" ]
}
# Who uses the gateway and Chromium in the checks: Chromium has no sandbox as root.
# shellcheck disable=SC2034
PERSON=ibd-test
each_program() { # action: called with program, Debian package
    "$1" chromium chromium
    "$1" gnome-keyring-daemon gnome-keyring
    "$1" dbus-daemon dbus
    "$1" setpriv util-linux
    "$1" useradd passwd
    "$1" strip binutils
    "$1" zip zip
    "$1" rpmbuild rpm
    "$1" debootstrap debootstrap
}
have_python_dbus() { /usr/bin/python3 -c 'import dbus, gi' 2>/dev/null; }

# A system without anything of ours, for the packages. Of this machine's release: the programs want its C library.
have_debian() { [ -e "$REAL/debian.tar" ]; }
