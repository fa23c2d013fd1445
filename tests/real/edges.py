"""Odd input, by hand: no SDK would send it."""

import os
import subprocess
import time

import lines
from common import BIN, SHIM, Check, answer, daemon, refusal
from lines import HELLO


def Shim(*arguments, **variables):
    return lines.Shim([SHIM, *arguments], {**os.environ, **variables})


def odd_lines(check):
    shim = Shim()
    check("ping before initialize", shim.ask("ping", id=7) == {"jsonrpc": "2.0", "id": 7, "result": {}})
    check("initialize", shim.greet().get("result", {}).get("protocolVersion") == "2025-11-25")

    def code(name, line, expected, id=None):
        shim.raw(line)
        said = shim.next(20)
        error = said.get("error") or {}
        check(f"{name}: {expected}", error.get("code") == expected and said.get("id") == id, str(said)[:300])

    code("a line that is no JSON", b"this is garbage", -32700)
    code("half an object", b'{"jsonrpc":"2.0","id":1', -32700, 1)
    code("not UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', -32700, 1)
    code("a batch", b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600)
    code("an object that is no message", b'{"jsonrpc":"2.0","id":"q"}', -32600, "q")
    code("an unknown method", b'{"jsonrpc":"2.0","id":3,"method":"no/such","params":{}}', -32601, 3)
    code("an unknown tool", b'{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"none"}}', -32602, 4)
    head = b'{"jsonrpc":"2.0","id":"long-1","method":"tools/call","params":{"name":"get_positions","arguments":{"symbol":"'
    code("a line of more than 16 MiB", head + b"x" * (17 << 20) + b'"}}}', -32600, "long-1")
    code("a long line of nothing", b"y" * (17 << 20), -32600)
    refusal(check, "ten megabytes of argument", shim.call("get_positions", {"symbol": "x" * 10_000_000}))
    shim.raw(b"")
    shim.raw(b"  \r")
    shim.raw(b'{"jsonrpc":"2.0","id":5,"method":"ping"}\r')
    check("empty lines and CRLF", shim.next().get("id") == 5)
    check("it still serves", shim.call("get_session_status", {}).get("structuredContent"))
    code_, took = shim.end()
    check("it ends when its input does", code_ == 0 and took < 1, (code_, took))
    check("nothing but messages on stdout", not shim.strange, shim.strange)


def first_call(check):
    """The first call of all finds no daemon, no gateway and no session, and waits for them."""
    shim = Shim()
    shim.greet()
    answer(check, "the first call", shim.call("get_live_orders", {}))
    shim.end()


def many_at_once(check):
    """Clients that start together share the one daemon that one of them started."""
    shims = [Shim() for _ in range(6)]
    for shim in shims:
        shim.send("initialize", HELLO, 0)
        shim.send("notifications/initialized")
        shim.send("tools/call", {"name": "get_account_info", "arguments": {}}, 1)
    for number, shim in enumerate(shims):
        shim.next()
        answer(check, f"client {number} of 6 that start at once", shim.next().get("result", {}))
        shim.end()


def stop(check, profile="default"):
    ran = subprocess.run([BIN / "ibctl", "--profile", profile, "stop"], capture_output=True, text=True, timeout=60)
    check("ibctl stop", ran.returncode == 0 and not daemon(profile)["running"], ran)


def gone_at_once(check):
    """A client that leaves while its daemon starts does not spoil the start for the next."""
    for milliseconds in (0, 2, 4, 6, 8, 10, 15, 20, 40, 80):
        profile = f"gone-{milliseconds}"
        first = Shim(IB_PROFILE=profile)
        first.send("initialize", HELLO, 0)
        time.sleep(milliseconds / 1000)
        first.process.kill()
        second = Shim(IB_PROFILE=profile)
        try:
            second.greet()
            answer(check, f"after a client that left within {milliseconds} ms", second.call("get_session_status", {}))
        finally:
            second.end()
            stop(check, profile)


def configuration(check):
    ran = subprocess.run([SHIM, "--bogus"], capture_output=True, text=True, timeout=20)
    check("a bad flag: exit 2, says so", ran.returncode == 2 and "--bogus" in ran.stderr and not ran.stdout, ran)
    shim = Shim(IB_PAPER_TRADING="maybe")
    shim.greet()
    check("a bad variable: it stays up", len(shim.ask("tools/list")["result"]["tools"]) > 0)
    for tool in ("get_session_status", "get_positions"):
        said = refusal(check, f"a bad variable, {tool}", shim.call(tool, {}), "IB_PAPER_TRADING")
        check(f"a bad variable, {tool}: bad_configuration", said.get("error") == "bad_configuration", said)
    check("a bad variable: it ends", shim.end()[0] == 0)
    for program in ("ibd", "ib-mcp", "ibctl", "ib-sim"):
        for flag, expected in (("--version", 0), ("--help", 0), ("--bogus", 2)):
            ran = subprocess.run([BIN / program, flag], capture_output=True, text=True, timeout=20)
            check(f"{program} {flag}: exit {expected}", ran.returncode == expected, ran)


def main():
    check = Check()
    for part in (first_call, odd_lines, configuration, stop, many_at_once, stop, gone_at_once):
        try:
            part(check)
        except Exception as error:  # one part must not hide the next
            check(f"{part.__name__} runs to its end", False, repr(error))
    check.end()


main()
