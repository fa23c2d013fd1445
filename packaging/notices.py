#!/usr/bin/env python3
"""Prints the licences of everything that is compiled into the programs, as their authors ask for.

Asks cargo which packages these are on the platforms that we build for; a text that several share is printed once.
"""

import collections
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).parent.parent
PROGRAMS = {"ibd", "ib-mcp", "ibctl", "ib-sim"}
PLATFORMS = [f"{cpu}-{os}" for cpu in ("x86_64", "aarch64") for os in ("unknown-linux-gnu", "apple-darwin")]
NAMES = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)


def compiled_in():
    """The packages that a program has in it: what is only built with, or tested with, is not among them."""
    filters = [word for platform in PLATFORMS for word in ("--filter-platform", platform)]
    asked = ["cargo", "metadata", "--locked", "--format-version", "1", *filters]
    told = json.loads(subprocess.run(asked, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in told["packages"]}
    needs = {
        node["id"]: [dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
        for node in told["resolve"]["nodes"]
    }
    ours = set(told["workspace_members"])
    waiting, seen = [id for id in ours if packages[id]["name"] in PROGRAMS], set()
    while waiting:
        id = waiting.pop()
        if id not in seen:
            seen.add(id)
            waiting += needs[id]
    return sorted((packages[id] for id in seen - ours), key=lambda package: (package["name"], package["version"]))


def texts(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and NAMES.match(file.name)]
    # Where the MIT licence is offered beside others, it is the one that we take.
    if "MIT OR" in (package["license"] or "") or "OR MIT" in (package["license"] or ""):
        files = [file for file in files if "mit" in file.name.lower()] or files
    return [file.read_text(encoding="utf-8", errors="replace").strip() for file in files]


def main():
    packages, shared = compiled_in(), collections.defaultdict(list)
    for file in sorted(ROOT.glob("*/fonts/LICENSE.txt")):
        shared[file].append((f"the font of {file.parts[-3]}", file.read_text(encoding="utf-8").strip()))
    print("The programs of ibd contain the work of others, under the licences below.\n")
    for package in packages:
        name = f"{package['name']} {package['version']}"
        print(f"{name}: {package['license'] or 'see its text'}, {package['repository'] or ''}".rstrip(", "))
        for text in texts(package):
            # The same licence differs in line breaks from author to author.
            shared[" ".join(text.split())].append((name, text))
    for users in shared.values():
        print(f"\n{'-' * 80}\nOf {', '.join(dict.fromkeys(name for name, _ in users))}:\n\n{users[0][1]}")


main()
