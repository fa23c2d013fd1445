"""Flex statements against ibflex, which nobody here wrote: statements that the daemon fetched, and the elements in
the tests of ibflex's source package, read there and here.

A person runs queries with ibctl, and exports what came; then every attribute as written, every value as read and
every sum of what ibflex calls a decimal is compared."""

import json
import os
import pathlib
import re
import subprocess
import sys

from common import BIN, HERE, Check

COMPARE = HERE.parent.parent / "flex/tests/ibflex_check.py"
HOME = pathlib.Path(os.environ["HOME"])
# Activity with everything ticked, and trade confirmations.
QUERIES = ["1001", "1002"]
# What one line of the comparison says.
LINE = re.compile(r"^(.*): (\d+ .*); (\d+) disagree$")


def ctl(*arguments):
    command = [BIN / "ibctl", "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return done.returncode, json.loads(done.stdout or "{}")


def compare(check, name, *arguments):
    """Counts each statement or element once; prints what disagrees."""
    command = [sys.executable, COMPARE, "--dump", BIN / "examples/dump", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    counted = [found.groups() for line in done.stdout.splitlines() if (found := LINE.match(line))]
    for what, counts, wrong in counted:
        check(f"{what} ({counts})", wrong == "0", done.stdout[-2000:])
    check(f"{name}: compared", counted and done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:])
    return counted


def main():
    check = Check()
    for query in QUERIES:
        code, said = ctl("flex", "run", query)
        check(f"{query} runs", code == 0 and said.get("ok"), said)
        file = HOME / f"statement-{query}.xml"
        code, said = ctl("flex", "export", query, file)
        check(f"{query} is exported", code == 0 and said.get("ok"), said)
        compare(check, query, "--file", file)
    elements = compare(check, "elements of ibflex's own tests", "--snippets")
    check("ibflex's tests have elements", len(elements) > 20, elements)
    check.end()


main()
