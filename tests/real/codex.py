"""Codex (0.169.0) as a host; needs no account."""

import json
import os
import subprocess

from common import OWN_CALLS, REAL, SHIM, Check

CODEX = str(REAL / "codex/node_modules/.bin/codex")
PASSED_ON = [
    part for key, value in os.environ.items() if key.startswith(("XDG_", "IB_")) for part in ("--env", f"{key}={value}")
]

check = Check()
added = subprocess.run(
    [CODEX, "mcp", "add", "ib", *PASSED_ON, "--", SHIM], capture_output=True, text=True, timeout=90
)
check("mcp add", added.returncode == 0, added)

server = subprocess.Popen([CODEX, "app-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(id, method, params):
    server.stdin.write(json.dumps({"id": id, "method": method, "params": params}) + "\n")
    server.stdin.flush()
    for line in server.stdout:
        message = json.loads(line)
        if message.get("id") == id and "method" not in message:
            return message
    return {}


ask(1, "initialize", {"clientInfo": {"name": "check", "title": "check", "version": "1"}})
server.stdin.write('{"method":"initialized"}\n')
told = ask(2, "mcpServerStatus/list", {})
ours = next((one for one in told.get("result", {}).get("data", []) if one.get("name") == "ib"), {})
check("mcpServerStatus/list has our tools", set(OWN_CALLS) <= set(ours.get("tools", {})), told)
server.stdin.close()
try:
    server.wait(10)
except subprocess.TimeoutExpired:
    server.kill()
check.end()
