#!/usr/bin/env python3
"""Stands in for a model: makes the calls of the book through the client's configuration, and says what was answered.

It tries the way of a real model: `make tasks MODEL_CMD='python3 tests/tasks/scripted.py'`. The person's words are on
stdin, the configuration's path in MCP_CONFIG. Needs Python 3.11.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

PATH = re.compile(r"\$(\d+)((?:\.\w+|\[[^\]]*\])*)")
STEP = re.compile(r"\.(\w+)|\[(-?\d+)\]|\[(\w+)=([^\],]+)\]")


def month(ahead):
    today = datetime.date.today()

    def third_friday(at):
        first = datetime.date(at // 12, at % 12 + 1, 1)
        return first + datetime.timedelta((4 - first.weekday()) % 7 + 14)

    at = today.year * 12 + today.month - 1
    # As tests/src/months.rs: not one that ends while this runs.
    is_near = third_friday(at) <= today + datetime.timedelta(1)
    return third_friday(at + ahead + is_near)


def place(found):
    what, _, ahead = found[1].partition(":")
    if what == "year":
        return str((datetime.date.today() - datetime.timedelta(60)).year)
    day = month(int(ahead or 0))
    return day.isoformat() if what == "day" else day.strftime("%b%y").upper()


def worded(text):
    return re.sub(r"\{(\w+(?::\d)?)\}", place, text)


def field(value, name):
    if isinstance(value, list):
        return [found for found in (field(one, name) for one in value) if found is not None]
    found = value.get(name)
    if name == "rows" and "cols" in value:
        return [dict(zip(value["cols"], row)) for row in found]
    return found


def walked(answers, found):
    value = answers[int(found[1]) - 1]
    for name, at, key, wanted in STEP.findall(found[2]):
        if name:
            value = field(value, name)
        elif at:
            value = value[int(at)]
        else:
            value = [one for one in value if str(one.get(key)) == wanted.strip("'")]
    return repr(value[0] if isinstance(value, list) else value)


def computed(formula, answers):
    formula = PATH.sub(lambda found: walked(answers, found), worded(formula))
    # An order's number is text, and a number where something is added.
    formula = re.sub(r"'(\d+)' \+ 0", r"\1", formula)
    value = eval(formula, {"round": lambda number: round(number, 2)})  # what the book says, and numbers
    return int(value) if isinstance(value, float) and value.is_integer() else value


def filled(value, answers):
    if isinstance(value, dict):
        return {name: filled(one, answers) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, answers) for one in value]
    if isinstance(value, str):
        return computed(value[1:], answers) if value.startswith("=") else worded(value)
    return value


class Client:
    def __init__(self, config):
        server = next(iter(json.loads(pathlib.Path(config).read_text())["mcpServers"].values()))
        environment = {**os.environ, **server["env"]}
        self.process = subprocess.Popen(
            [server["command"], *server["args"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.id = 0
        who = {"name": "scripted", "version": "1"}
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": who}
        self.ask("initialize", hello)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        self.id += 1
        self.send({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params})
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.id and "method" not in answer:
                return answer
        raise EOFError("the server is gone")

    def call(self, tool, arguments):
        answer = self.ask("tools/call", {"name": tool, "arguments": arguments})
        return json.loads(answer["result"]["content"][0]["text"]) if "result" in answer else answer["error"]


def holds(condition, answer):
    name, wanted = re.fullmatch(r"it\.(\w+) == (\w+)", condition).groups()
    return json.dumps(answer.get(name)) == wanted


def main():
    words = sys.stdin.read().strip()
    files = sorted(pathlib.Path(__file__).parent.glob("*.toml"))
    tasks = [task for file in files for task in tomllib.loads(file.read_text())["task"]]
    task = next(task for task in tasks if worded(task["words"]) == words)
    client, answers = Client(os.environ["MCP_CONFIG"]), []
    for call in task["calls"]:
        arguments = filled(call.get("args", {}), answers)
        answers.append(client.call(call["tool"], arguments))
        while "until" in call and not holds(call["until"], answers[-1]):
            answers[-1] = client.call(call["tool"], arguments)
    print(json.dumps(answers, ensure_ascii=False, indent=1))
    # What a model would say in words of its own.
    print(*(fact for fact in task.get("told", []) if fact.startswith("'")))
    client.process.stdin.close()
    client.process.wait()


main()
