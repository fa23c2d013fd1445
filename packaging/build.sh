#!/bin/sh
# Makes packages out of programs that are built already. The same programs give the same bytes, wherever and whenever.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

usage() {
    cat <<'END_OF_USAGE'
Usage: packaging/build.sh [--from DIR] [--platform NAME] [--out DIR] [--notices FILE] [--fast]
       packaging/build.sh --index [--out DIR]

  --from DIR       folder with the built programs [target/packaged, where `make packaged` builds them]
  --platform NAME  linux-x64, linux-arm64, darwin-x64 or darwin-arm64 [this machine's]
  --out DIR        where the packages go [target/dist]
  --notices FILE   licences of what the programs contain [asked of cargo by packaging/notices.py]
  --fast           compress less, for tests
  --index          of the packages of all platforms: npm's main package, the Homebrew formula,
                   server.json and SHA256SUMS

SOURCE_DATE_EPOCH is the time of every file [that of the last commit]. Needs GNU tar, dpkg-deb, rpmbuild and zip.
END_OF_USAGE
}
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

PROGRAMS="ibd ib-mcp ibctl ib-sim"
PLATFORMS="linux-x64 linux-arm64 darwin-x64 darwin-arm64"
case $(uname -sm) in
"Linux x86_64") platform=linux-x64 ;;
"Linux aarch64") platform=linux-arm64 ;;
"Darwin x86_64") platform=darwin-x64 ;;
"Darwin arm64") platform=darwin-arm64 ;;
*) platform= ;;
esac
own_platform=$platform
target=${CARGO_TARGET_DIR:-$root/target}
from=$target/packaged out=$target/dist notices='' job=packages deb_level=6 rpm_level=19
while [ $# -gt 0 ]; do
    case $1 in
    --from | --platform | --out | --notices)
        [ -n "${2:-}" ] || fail "$1 needs a value"
        case $1 in
        --from) from=$2 ;;
        --platform) platform=$2 ;;
        --out) out=$2 ;;
        --notices) notices=$2 ;;
        esac
        shift 2
        ;;
    --fast) deb_level=1 rpm_level=1 && shift ;;
    --index) job=index && shift ;;
    --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
done
case " $PLATFORMS " in *" $platform "*) ;; *) fail "there are no packages for the platform $platform" ;; esac
os=${platform%-*} cpu=${platform#*-}

# Time zone, language, rights and owner of whoever packs leave no trace.
export TZ=UTC LC_ALL=C
umask 022
: "${SOURCE_DATE_EPOCH:=$(git -C "$root" log -1 --format=%ct 2>/dev/null)}"
[ -n "$SOURCE_DATE_EPOCH" ] || fail "not a checkout: set SOURCE_DATE_EPOCH to the release's time in seconds"
export SOURCE_DATE_EPOCH
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

main() {
    if [ $job = index ]; then
        npm_main
        from_template "$here/homebrew/ibd.rb" "$out/ibd.rb"
        from_template "$here/registry/server.json" "$out/server.json"
        (cd "$out" && sha256sum -- *"$version"* ibd.rb server.json >"$work/sums")
        put 644 "$work/sums" "$out/SHA256SUMS"
    else
        look_first
        tarball
        npm_platform
        mcpb
        [ "$os" != linux ] || deb
        [ "$os" != linux ] || rpm
    fi
}

look_first() {
    tools="tar gzip zip"
    [ "$os" != linux ] || tools="$tools dpkg-deb rpmbuild"
    for tool in $tools; do
        command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install zip dpkg rpm"
    done
    from=$(cd "$from" 2>/dev/null && pwd) || fail "there is no folder $from; \`make packaged\` builds the programs"
    for program in $PROGRAMS; do
        [ -f "$from/$program" ] || fail "$from/$program is missing; \`make packaged\` builds the programs"
        if grep -aqF -e "$root/" -e "${CARGO_HOME:-$HOME/.cargo}/" "$from/$program"; then
            echo "note: $program names folders of the machine it was built on; \`make packaged\` builds one that does not"
        fi
        [ "$platform" = "$own_platform" ] || continue
        [ "$("$from/$program" --version)" = "$program $version" ] || fail "$from/$program is not of version $version"
    done
    if [ -z "$notices" ]; then
        notices=$work/notices
        "$here/notices.py" >"$notices"
    fi
}

# --- what all have in common

put() { install -m "$1" "$2" "$3"; } # rights, source, destination
programs() { # folder
    mkdir -p "$1"
    for program in $PROGRAMS; do put 755 "$from/$program" "$1/$program"; done
}
licences() { # folder
    put 644 "$root/LICENSE" "$1/LICENSE"
    put 644 "$notices" "$1/LICENSES-THIRD-PARTY"
}
documents() { # folder
    mkdir -p "$1/docs"
    put 644 "$root/README.md" "$1/README.md"
    for page in "$root"/docs/*.md "$root"/docs/*.png; do put 644 "$page" "$1/docs/${page##*/}"; done
}
fill_in() { # template, destination
    sed -e "s|@VERSION@|$version|g" -e "s|@PLATFORM@|$platform|g" -e "s|@OS@|$os|g" -e "s|@CPU@|$cpu|g" "$1" >"$2"
    chmod 644 "$2"
}
# Every @SHA256:FILE@ becomes that package's checksum.
from_template() { # template, destination
    fill_in "$1" "$work/filled"
    sed -n 's/.*@SHA256:\([^@]*\)@.*/\1/p' "$work/filled" | while read -r file; do
        [ -f "$out/$file" ] || fail "$out/$file is missing: the index wants the packages of all platforms"
        sum=$(sha256sum "$out/$file" | cut -d ' ' -f 1)
        sed "s|@SHA256:$file@|$sum|" "$work/filled" >"$work/filled.new"
        mv "$work/filled.new" "$work/filled"
    done
    put 644 "$work/filled" "$2"
}
archive() { # folder above, folder, file
    tar --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --mode=u=rwX,go=rX -C "$1" -cf - "$2" | gzip -n >"$out/$3"
    echo "$out/$3"
}
same_time() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; } # folder

# --- one function a package

tarball() {
    name=ibd-$version-$platform
    programs "$work/tar/$name/bin"
    licences "$work/tar/$name"
    documents "$work/tar/$name"
    for file in install.sh uninstall.sh common.sh; do put 755 "$here/$file" "$work/tar/$name/$file"; done
    cp -r "$here/systemd" "$here/launchd" "$work/tar/$name"
    archive "$work/tar" "$name" "$name.tar.gz"
}

npm_platform() {
    programs "$work/npm/package/bin"
    licences "$work/npm/package"
    fill_in "$here/npm/platform.json" "$work/npm/package/package.json"
    # npm knows the C library only by this key, and only on Linux.
    [ "$os" = linux ] || sed -i '/"libc"/d' "$work/npm/package/package.json"
    archive "$work/npm" package "npm-ib-mcp-$platform-$version.tgz"
}

npm_main() {
    mkdir -p "$work/main/package"
    fill_in "$here/npm/package.json" "$work/main/package/package.json"
    for file in ib-mcp.js ibctl.js; do put 755 "$here/npm/$file" "$work/main/package/$file"; done
    for file in start.js README.md; do put 644 "$here/npm/$file" "$work/main/package/$file"; done
    put 644 "$root/LICENSE" "$work/main/package/LICENSE"
    archive "$work/main" package "npm-ib-mcp-$version.tgz"
}

mcpb() {
    programs "$work/mcpb/server"
    licences "$work/mcpb"
    fill_in "$here/mcpb/manifest.json" "$work/mcpb/manifest.json"
    same_time "$work/mcpb"
    file=ibd-$version-$platform.mcpb
    rm -f "$out/$file"
    (cd "$work/mcpb" && find . -type f | sort | zip -qX@ "$out/$file")
    echo "$out/$file"
}

# What a system's package puts under /: nothing is started, enabled or asked, and no home is touched.
system_tree() { # folder
    programs "$1/usr/bin"
    documents "$1/usr/share/doc/ibd"
    put 644 "$notices" "$1/usr/share/doc/ibd/LICENSES-THIRD-PARTY"
    mkdir -p "$1/usr/lib/systemd/user"
    for unit in "$here"/systemd/*; do
        # Without the note about install.sh, and with the folders that everybody has.
        sed -e '/^# Installed by packaging/d' -e '/^@ENVIRONMENT@$/d' -e 's|@IBD@|/usr/bin/ibd|' "$unit" \
            >"$1/usr/lib/systemd/user/${unit##*/}"
    done
    chmod 644 "$1"/usr/lib/systemd/user/*
}

deb() {
    case $cpu in x64) arch=amd64 ;; *) arch=arm64 ;; esac
    tree=$work/deb
    system_tree "$tree"
    put 644 "$root/LICENSE" "$tree/usr/share/doc/ibd/copyright"
    mkdir "$tree/DEBIAN"
    # The newest symbol of the C library that a program asks for.
    # shellcheck disable=SC2086
    libc=$(cd "$from" && grep -aohE 'GLIBC_2\.[0-9]+' $PROGRAMS | sort -uV | tail -1)
    [ -n "$libc" ] || fail "the programs name no version of the C library: they are not built for glibc"
    kilobytes=$(find "$tree/usr" -type f -printf '%s\n' | awk '{ n += int($1 / 1024) + 1 } END { print n }')
    sed -e "s|@ARCH@|$arch|" -e "s|@LIBC@|${libc#GLIBC_}|" -e "s|@SIZE@|$kilobytes|" "$here/deb/control" >"$work/control"
    fill_in "$work/control" "$tree/DEBIAN/control"
    (cd "$tree" && find usr -type f | sort | xargs md5sum >DEBIAN/md5sums)
    same_time "$tree"
    # Compressed by several threads it would depend on their number.
    dpkg-deb --root-owner-group -Zxz "-z$deb_level" --threads-max=1 --build "$tree" "$out/ibd_${version}_$arch.deb" >/dev/null
    echo "$out/ibd_${version}_$arch.deb"
}

rpm() {
    case $cpu in x64) arch=x86_64 ;; *) arch=aarch64 ;; esac
    system_tree "$work/rpm"
    put 644 "$root/LICENSE" "$work/rpm/usr/share/doc/ibd/LICENSE"
    same_time "$work/rpm"
    rpmbuild -bb --quiet --target "$arch-linux" --define "_topdir $work/rpmbuild" --define "tree $work/rpm" \
        --define "version $version" --define "_binary_payload w$rpm_level.zstdio" "$here/rpm/ibd.spec" >"$work/said" 2>&1 || { cat "$work/said" >&2 && exit 1; }
    put 644 "$work/rpmbuild/RPMS/$arch/ibd-$version-1.$arch.rpm" "$out"
    echo "$out/ibd-$version-1.$arch.rpm"
}

main
