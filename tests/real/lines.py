"""An `ib-mcp`, spoken to in lines: no SDK in between."""

import itertools
import json
import queue
import subprocess
import threading
import time

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "edges", "version": "1"}}


class Shim:
    """A client that sends lines and reads lines. `answer(request)` answers what the server asks."""

    def __init__(self, command, environment, answer=None, stderr=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment
        )
        self.answer, self.heard, self.strange, self.transcript = answer, [], [], []
        self.lines, self.waiting = queue.Queue(), {}
        self.ids, self.lock = itertools.count(100), threading.Lock()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.transcript.append(line)
            try:
                message = json.loads(line)
                assert message["jsonrpc"] == "2.0"
            except (ValueError, AssertionError, KeyError, TypeError):
                self.strange.append(line)
                continue
            if "method" not in message:
                self.waiting.get(message.get("id"), self.lines).put(message)
            elif "id" in message:
                threading.Thread(target=self.asked, args=(message,), daemon=True).start()
            else:
                self.heard.append(message)

    def asked(self, request):
        self.heard.append(request)
        result = self.answer(request) if self.answer else None
        if result is not None:
            self.raw(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode())

    def raw(self, line):
        with self.lock:
            self.process.stdin.write(line + b"\n")
            self.process.stdin.flush()

    def send(self, method, params=None, id=None):
        message = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        self.raw(json.dumps(message if id is None else {**message, "id": id}).encode())

    def next(self, timeout=60):
        """The next answer that nobody in particular waits for."""
        try:
            return self.lines.get(timeout=timeout)
        except queue.Empty:
            return {}

    def ask(self, method, params=None, id=1):
        self.send(method, params, id)
        return self.next()

    def call(self, name, arguments, id=1):
        return self.ask("tools/call", {"name": name, "arguments": arguments}, id).get("result", {})

    def use(self, tool, arguments=None, timeout=90):
        """Calls a tool, with a token for its progress; several threads may. The result and how long it took."""
        id = next(self.ids)
        self.waiting[id] = queue.Queue()
        started = time.monotonic()
        params = {"name": tool, "arguments": arguments or {}, "_meta": {"progressToken": id}}
        self.send("tools/call", params, id)
        try:
            answer = self.waiting[id].get(timeout=timeout)
        except queue.Empty:
            answer = {"error": f"nothing within {timeout} s"}
        finally:
            del self.waiting[id]
        return answer.get("result") or {"noResult": answer}, time.monotonic() - started

    def progress(self):
        """What was told while calls were under way."""
        told = [one["params"] for one in self.heard if one["method"] == "notifications/progress"]
        return [one.get("message", "") for one in told]

    def greet(self, capabilities=None):
        hello = self.ask("initialize", {**HELLO, "capabilities": capabilities or {}}, 0)
        self.send("notifications/initialized")
        return hello

    def end(self):
        """Closes its stdin; how long it took to go, and its exit code."""
        started = time.monotonic()
        self.process.stdin.close()
        try:
            return self.process.wait(20), time.monotonic() - started
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None, 20
