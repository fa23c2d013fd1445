"""The Inspector's command line (@modelcontextprotocol/inspector 2.12.0)."""

import json
import os
import subprocess

from common import REAL, SHIM, Check, answer, arguments, refusal

INSPECTOR = [
    "node",
    str(REAL / "inspector/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"),
    "--cli",
    SHIM,
]
# It hands a server only what it is told to.
PASSED_ON = [
    part for key, value in os.environ.items() if key.startswith(("XDG_", "IB_")) for part in ("-e", f"{key}={value}")
]
CALL = ("--method", "tools/call", "--tool-name")


def inspect(check, name, expected, *arguments):
    """Runs it; what it printed, if it ended with the expected code."""
    command = [*INSPECTOR, *PASSED_ON, *arguments, "--format", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=90)
    check(f"{name}: exit {expected}", ran.returncode == expected, f"{ran.returncode} {ran.stderr} {ran.stdout}")
    try:
        return json.loads(ran.stdout)["result"]
    except (ValueError, KeyError):
        check(f"{name}: a result", False, ran.stdout)
        return {"content": []}


def main():
    check = Check()
    for era in ("legacy", "modern"):
        result = inspect(check, f"tools/list, {era}", 0, "--protocol-era", era, "--method", "tools/list", "--strict")
        tools = {tool["name"]: tool for tool in result.get("tools", [])}
        check(f"tools/list, {era}: lists tools", tools, result)
    for name in tools:
        good, _ = arguments(tools[name])
        if good is not None:
            answer(check, name, inspect(check, name, 0, *CALL, name, "--tool-args-json", json.dumps(good)))
    result = inspect(check, "an error", 5, *CALL, "cancel_order", "--tool-args-json", '{"noSuchField":1}')
    refusal(check, "an error", result, "noSuchField")
    check.end()


main()
