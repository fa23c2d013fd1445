#!/bin/sh
# shellcheck disable=SC2317
# Packs stand-ins for the programs of all platforms, and looks at what came out. Needs neither root nor a build.
# With the real programs, and installed as people install them: the check `packages` of tests/real.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d /tmp/ibd-packages.XXXXXX) || exit 2
trap 'rm -rf "$scratch"' EXIT
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
        sed 's/^/        /' "$scratch/said"
    fi
}
not_checked() { echo "not checked here: $*"; }
has() { command -v "$1" >/dev/null 2>&1; }
not() { ! "$@"; }
end() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
build=$root/packaging/build.sh

echo "# files that stand in the repository as they are published"
plugin=$root/packaging/claude-code
check "the plugin for Claude Code is of this version" grep -Fq "\"version\": \"$version\"" "$plugin/.claude-plugin/plugin.json"
check "it starts the npm package of this version" grep -Fq "\"ib-mcp@$version\"" "$plugin/.mcp.json"
known_settings() { # file
    grep -oE '"IB_[A-Z_]+"' "$1" | while read -r name; do
        grep -q "$name" "$root/protocol/src/settings/table.rs" || { echo "$name is no setting" && return 1; }
    done
}
check "the bundle for Claude Desktop names settings that there are" known_settings "$root/packaging/mcpb/manifest.json"
check "server.json names settings that there are" known_settings "$root/packaging/registry/server.json"
if has cargo && has python3 && cargo metadata --offline --locked --format-version 1 --manifest-path "$root/Cargo.toml" >/dev/null 2>&1; then
    "$root/packaging/notices.py" >"$scratch/notices" 2>&1
    check "the notices name what is compiled in" grep -q '^tokio 1\.' "$scratch/notices"
    check "the notices have the licence of the font" grep -q '^Of the font of chart' "$scratch/notices"
    check "the notices leave out what only tests use" not grep -q '^proptest ' "$scratch/notices"
else
    not_checked "the notices (no cargo, no python3, or its packages are not here)"
fi

for tool in tar gzip zip unzip dpkg-deb rpmbuild sha256sum; do
    has $tool || missing="${missing:-} $tool"
done
if [ -n "${missing:-}" ] || ! tar --version | grep -q GNU; then
    not_checked "packages (missing:${missing:- GNU tar}; apt-get install tar zip unzip dpkg rpm)"
    end
fi

echo "# packed twice"
mkdir "$scratch/fake"
for program in ibd ib-mcp ibctl ib-sim; do
    printf '#!/bin/sh\n# GLIBC_2.17\necho "%s %s"\n' $program "$version" >"$scratch/fake/$program"
    chmod 755 "$scratch/fake/$program"
done
pack() { # folder
    for platform in linux-x64 linux-arm64 darwin-x64 darwin-arm64; do
        SOURCE_DATE_EPOCH=1700000000 "$build" --from "$scratch/fake" --platform "$platform" --out "$1" \
            --notices "$root/LICENSE" --fast || return 1
    done
}
index() { SOURCE_DATE_EPOCH=1700000000 "$build" --index --out "$1"; }
somebody_else() (
    umask 077
    touch "$scratch"/fake/*
    export TZ=Asia/Tokyo LANG=de_DE.UTF-8 HOME="$scratch/other home"
    mkdir -p "$HOME"
    pack "$scratch/second" && index "$scratch/second"
)
check "all platforms are packed" pack "$scratch/first"
check "the index is written" index "$scratch/first"
check "somebody else packs them later" somebody_else
check "they are the same, byte for byte" diff -r "$scratch/first" "$scratch/second"
check "there are twenty files" test "$(find "$scratch/first" -type f | wc -l)" = 20
check "the checksums are right" sh -c "cd '$scratch/first' && sha256sum --check --quiet SHA256SUMS"
rm "$scratch/second/ibd-$version-darwin-x64.mcpb"
check "an index without a platform is refused" not index "$scratch/second"
sed 's/^echo.*/echo "ibd 0.0.1"/' "$scratch/fake/ibd" >"$scratch/older" && mkdir "$scratch/old" &&
    cp -p "$scratch"/fake/* "$scratch/old" && cat "$scratch/older" >"$scratch/old/ibd"
check "programs of another version are refused" not "$build" --from "$scratch/old" --out "$scratch/third" --notices "$root/LICENSE"
check "a folder without programs is refused" not "$build" --from "$scratch" --out "$scratch/third"
check "an unknown platform is refused" not "$build" --platform plan9-mips --out "$scratch/third"

echo "# what is in them"
first=$scratch/first
{
    for file in "$first"/*.tar.gz "$first"/*.tgz; do tar -tzf "$file"; done
    for file in "$first"/*.mcpb; do unzip -Z1 "$file"; done
    for file in "$first"/*.deb; do dpkg-deb --fsys-tarfile "$file" | tar -t; done
    for file in "$first"/*.rpm; do rpm -qpl "$file"; done
} >"$scratch/files" 2>&1
check "nothing of IBKR's, and no Java" not grep -Eiq 'jar$|clientportal|/jre|/java|\.class$' "$scratch/files"
check "each has the four programs" test "$(grep -c '/ib-mcp$' "$scratch/files")" = 16 -a "$(grep -c '/ibd$' "$scratch/files")" -ge 16
check "each carries the licences" test "$(grep -c 'LICENSES-THIRD-PARTY$' "$scratch/files")" = 16
dpkg-deb --extract "$first/ibd_${version}_amd64.deb" "$scratch/deb"
dpkg-deb --control "$first/ibd_${version}_amd64.deb" "$scratch/control"
unit=$scratch/deb/usr/lib/systemd/user/ibd.service
socket_unit=${unit%.service}.socket
check "the unit starts the installed program" grep -qx 'ExecStart=/usr/bin/ibd' "$unit"
check "nothing is left to fill in" not grep -Eq '@[A-Z]+@' "$unit" "$scratch/control/control" "$first/ibd.rb" "$first/server.json"
check "a system's package runs no script" test "$(ls "$scratch/control")" = "control
md5sums"
check "nor does a package of npm" not grep -rq 'install"' "$root/packaging/npm"
check "the C library that is needed is named" grep -q '^Depends: libc6 (>= 2.17)' "$scratch/control/control"
if has systemd-analyze; then
    # Which looks for the program on this machine.
    sed -i 's|^ExecStart=.*|ExecStart=/bin/true|' "$unit"
    said() { XDG_RUNTIME_DIR=$scratch systemd-analyze --user verify "$unit" "$socket_unit" 2>&1 | grep ibd; }
    check "systemd-analyze has nothing to say about the unit" not said
else
    not_checked "whether systemd knows every setting of the unit (no systemd-analyze)"
fi

echo "# the archive, installed"
mkdir -p "$scratch/home/run"
tar -xzf "$first/ibd-$version-linux-x64.tar.gz" -C "$scratch"
at_home() { env -i PATH="$PATH" HOME="$scratch/home" XDG_RUNTIME_DIR="$scratch/home/run" "$@"; }
check "install.sh takes the programs beside it" at_home "$scratch/ibd-$version-linux-x64/install.sh" --no-service
check "they are installed" cmp "$scratch/fake/ibd" "$scratch/home/.local/bin/ibd"
check "uninstall.sh removes them" at_home "$scratch/ibd-$version-linux-x64/uninstall.sh" --purge
check "nothing is left" test -z "$(find "$scratch/home" -name 'ib*')"

echo "# what registries and clients read"
if has ruby; then
    check "the formula is Ruby" ruby -c "$first/ibd.rb"
else
    not_checked "whether the formula is Ruby (no ruby)"
fi
check "the formula has the checksum of each archive" test "$(grep -cE 'sha256 "[0-9a-f]{64}"' "$first/ibd.rb")" = 4
if has python3; then
    check "server.json says what the registry wants" python3 - "$first" "$version" <<'PY'
import hashlib, json, pathlib, re, sys
folder, version = pathlib.Path(sys.argv[1]), sys.argv[2]
server = json.loads((folder / "server.json").read_text())
assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", server["name"]) and server["version"] == version, server
assert 0 < len(server["description"]) <= 100, len(server["description"])
kinds = [package["registryType"] for package in server["packages"]]
assert kinds == ["npm", "mcpb", "mcpb", "mcpb", "mcpb", "oci"], kinds
for package in server["packages"]:
    assert package["transport"] == {"type": "stdio"}, package
    if package["registryType"] == "mcpb":
        file = folder / package["identifier"].rsplit("/", 1)[1]
        assert package["fileSha256"] == hashlib.sha256(file.read_bytes()).hexdigest(), package
    else:
        assert version in (package.get("version"), package["identifier"].rpartition(":")[2]), package
secrets = [one["name"] for one in server["packages"][0]["environmentVariables"] if one.get("isSecret")]
assert secrets == ["IB_FLEX_TOKEN", "IB_PASSWORD_AUTH"], secrets
PY
    check "npm's packages name each other rightly" python3 - "$first" "$version" <<'PY'
import json, pathlib, sys, tarfile
folder, version = pathlib.Path(sys.argv[1]), sys.argv[2]
def manifest(name):
    return json.load(tarfile.open(folder / name).extractfile("package/package.json"))
main = manifest(f"npm-ib-mcp-{version}.tgz")
carried = {}
for platform in ("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"):
    one = manifest(f"npm-ib-mcp-{platform}-{version}.tgz")
    carried[one["name"]] = one["version"]
    assert [*one["os"], *one["cpu"]] == platform.split("-") and ("libc" in one) == platform.startswith("linux"), one
assert main["optionalDependencies"] == carried and main["version"] == version, main
assert main["mcpName"] == json.loads((folder / "server.json").read_text())["name"], main
assert "ib-mcp" in main["bin"] and "scripts" not in main, main
PY
    check "secrets of the bundle are marked, nothing needs an answer" python3 - "$root/packaging/mcpb/manifest.json" <<'PY'
import json, sys
manifest = json.load(open(sys.argv[1]))
asked, env = manifest["user_config"], manifest["server"]["mcp_config"]["env"]
assert {name for name, one in asked.items() if one.get("sensitive")} == {"flex_token", "password"}, asked
assert all("default" in one and not one["required"] for one in asked.values()), "an unset field would stay ${…}"
assert sorted(env.values()) == sorted("${user_config.%s}" % name for name in asked), env
PY
else
    not_checked "server.json, npm's packages and the bundle's settings (no python3)"
fi
end
