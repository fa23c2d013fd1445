"""The official conformance suite, server side. Usage: conformance.py 2025-11-25|2026-07-28 [--listen] [-v]

Over stdio through a bridge, because the suite speaks only HTTP; with --listen over ib-mcp's own HTTP, where the one
thing in between is what puts the token in.

What does not apply stands in conformance-VERSION.yml with its reason; the suite complains of a
failure that does not stand there, and of an entry that does not fail any more.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from common import HERE, REAL, SHIM, Check

VERSION = sys.argv[1]
SUITE = {
    "2025-11-25": ["--suite", "all", "--spec-version", "2025-11-25"],
    "2026-07-28": ["--requirements", "2026-07-28"],
}[VERSION]
# What applies to any server with tools. It must have run and passed, whatever the baseline says.
GENERIC = {
    "2025-11-25": "server-initialize server-session-initialized-accepted ping tools-list tools-name-format"
    " resources-list localhost-host-rebinding-rejected localhost-host-valid-accepted",
    "2026-07-28": "sep-2575-server-implements-discover sep-2575-request-meta-invalid-missing-meta"
    " sep-2575-server-unsupported-version-error sep-2575-discover-capabilities-match-handlers"
    " sep-2575-http-server-method-not-found-404-initialize tools-list tools-list-deterministic-order"
    " resources-list sep-2164-error-code sep-2164-data-uri sep-2549-resources-list-caching-hints"
    " sep-2549-resources-templates-list-caching-hints sep-2549-resources-read-caching-hints"
    " sep-2549-tools-list-caching-hints sep-2549-ttl-non-negative sep-2549-cache-scope-valid"
    " localhost-host-rebinding-rejected localhost-host-valid-accepted",
}[VERSION].split()
PROGRAM = str(REAL / "conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js")


# Over our own HTTP besides: wants a tool `test_reconnection`, and to be told in the middle of its call to come again. A
# stream begins with an event and the time after which to come again; the suite's warning is that it did not end.
ONLY_LISTEN = {"2025-11-25": ["server-sse-polling"], "2026-07-28": []}[VERSION]


def run(url, out):
    baseline = str(HERE / f"conformance-{VERSION}.yml")
    if "--listen" in sys.argv:
        text = pathlib.Path(baseline).read_text().rstrip("\n")
        baseline = str(pathlib.Path(out) / "baseline.yml")
        pathlib.Path(baseline).write_text("\n".join([text, *(f"  - {name}" for name in ONLY_LISTEN), ""]))
    command = ["node", PROGRAM, "server", "--url", url, *SUITE, "--expected-failures", baseline, "-o", out]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=280)
    return ran.returncode, re.sub(r"\x1b\[[0-9;]*m", "", ran.stdout + ran.stderr)


@contextlib.contextmanager
def started(command, **more):
    """A program that says in its first line by which address it is reached."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def served():
    """The address for the suite."""
    if "--listen" not in sys.argv:
        with started(["node", str(HERE / "bridge.mjs"), SHIM]) as url:
            yield url
        return
    made = subprocess.run([SHIM, "--new-token"], capture_output=True, text=True, check=True, timeout=20)
    environment = {**os.environ, "TOKEN": made.stdout.strip()}
    with started([SHIM, "--listen", "127.0.0.1:0"]) as own:
        with started(["node", str(HERE / "bearer.mjs"), own], env=environment) as url:
            yield url


def main():
    check = Check()
    with served() as url:
        with tempfile.TemporaryDirectory() as out:
            code, told = run(url, out)
            results = [
                (path.parent.name, one)
                for path in sorted(pathlib.Path(out).rglob("checks.json"))
                for one in json.loads(path.read_text())
            ]
    if "-v" in sys.argv:
        print(told)
    good = [one["id"] for _, one in results if one["status"] == "SUCCESS"]
    for scenario, one in results:
        # Other failures are the baseline's matter.
        if one["status"] == "SUCCESS" or one["id"] in (*GENERIC, "wire-schema-valid"):
            check(f"{scenario} {one['id']}", one["status"] == "SUCCESS", one.get("errorMessage"))
    for name in GENERIC:
        check(f"{name} was run", name in good)
    check("the suite agrees with its baseline", code == 0, told[told.find("Total:") :])
    check.end()


main()
