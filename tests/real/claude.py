"""Claude Code (2.1.330) as a host; needs no account."""

import os
import subprocess

from common import REAL, SHIM, Check

CLAUDE = str(REAL / "claude/node_modules/.bin/claude")
PASSED_ON = [f"-e{key}={value}" for key, value in os.environ.items() if key.startswith(("XDG_", "IB_"))]


def claude(*arguments):
    quiet = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    return subprocess.run(
        [CLAUDE, *arguments], capture_output=True, text=True, timeout=90, env={**os.environ, **quiet}
    )


check = Check()
added = claude("mcp", "add", "-s", "user", "ib", *PASSED_ON, "--", SHIM)
check("mcp add", added.returncode == 0, added)
listed = claude("mcp", "list")
line = next((line for line in listed.stdout.splitlines() if line.startswith("ib:")), listed)
check("mcp list says that it is connected", "Connected" in str(line), line)
check.end()
