"""What the Python checks share: counting, and what every client should find."""

import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
BIN = pathlib.Path(os.environ["IBD_BIN"])
REAL = pathlib.Path(os.environ["REAL"])
SHIM = str(BIN / "ib-mcp")
OWN_CALLS = json.loads((HERE / "calls.json").read_text())


class Check:
    """Counts what is as it should be; prints what is not."""

    def __init__(self):
        self.passed, self.failed, self.began = 0, 0, time.monotonic()

    def __call__(self, name, condition, detail=""):
        if condition:
            self.passed += 1
            if os.environ.get("VERBOSE"):
                print(f"{time.monotonic() - self.began:7.1f} s  {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED {name}: {str(detail)[:600]}", flush=True)
        return bool(condition)

    def run(self, main):
        """Runs a coroutine; whatever ends it early is a failure."""
        try:
            asyncio.run(main(self))
        except BaseException as error:
            while getattr(error, "exceptions", None):  # a group of them
                error = error.exceptions[0]
            self("runs to its end", False, repr(error))
        self.end()

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


def refusal(check, name, result, field=None):
    """A result that says what is wrong in one JSON object and nothing else."""
    check(f"{name}: isError", result.get("isError") is True, result)
    check(f"{name}: no structuredContent", result.get("structuredContent") is None, result)
    try:
        said = json.loads(result["content"][0]["text"])
    except (KeyError, IndexError, ValueError) as error:
        check(f"{name}: text is JSON", False, f"{error!r}: {result}")
        return {}
    check(f"{name}: error, message, next", all(said.get(key) for key in ("error", "message", "next")), said)
    if field:
        check(f"{name}: field", said.get("field") == field, said)
    return said


def answer(check, name, result, schema=None):
    """A result whose text and structured content are the same JSON, of the promised shape."""
    if not check(f"{name}: no error", not result.get("isError"), result):
        return {}
    structured = result.get("structuredContent")
    texts = [block.get("text") for block in result["content"]]
    if not check(f"{name}: one text block and the same structured", len(texts) == 1 and structured is not None, result):
        return {}
    check(f"{name}: text is the same JSON", json.loads(texts[0]) == structured, result)
    if schema:
        import jsonschema

        try:
            jsonschema.Draft202012Validator.check_schema(schema)
            jsonschema.Draft202012Validator(schema).validate(structured)
            check(f"{name}: fits its schema", True)
        except jsonschema.ValidationError as error:
            check(f"{name}: fits its schema", False, error.message)
    return structured


def arguments(tool):
    """Good arguments of a tool (none where it takes what an earlier answer named) and bad ones with the field at
    fault. What calls.json does not say stands in the tool's own description."""
    own = OWN_CALLS.get(tool["name"], {})
    _, _, example = tool["description"].partition(" Example: ")
    return own.get("good", json.loads(example or "{}")), own.get("bad")


def listed(check, tools):
    """What a list of tools must say about each."""
    names = [tool["name"] for tool in tools]
    check("tools are listed once each", names and len(set(names)) == len(names), names)
    for tool in tools:
        for key in ("title", "description", "annotations", "inputSchema", "outputSchema"):
            check(f"{tool['name']}: has {key}", tool.get(key), tool)
        check(f"{tool['name']}: says whether it writes", "readOnlyHint" in (tool.get("annotations") or {}), tool)


def unknown(check, tool, result):
    """What a tool that writes refuses, a tool that reads leaves out of account, and says so."""
    name = f"{tool['name']}, unknown field"
    if tool["inputSchema"].get("additionalProperties") is False:
        refusal(check, name, result, "noSuchField")
    else:
        check(f"{name}: named", "noSuchField" in result["content"][0]["text"], result)


async def every_tool(check, tools, call):
    """Each tool with good and with bad arguments. `call` gives the result as the wire has it."""
    for tool in tools:
        name = tool["name"]
        good, bad = arguments(tool)
        if good is not None:
            try:
                answer(check, name, await call(name, good), tool["outputSchema"])
            except Exception as error:  # a client may refuse what it got in any way
                check(f"{name}: the client takes the answer", False, repr(error))
        if bad is not None:
            wrong, field = bad
            refusal(check, f"{name}, bad argument", await call(name, wrong), field)
        unknown(check, tool, await call(name, {"noSuchField": 1}))


async def progress_comes(check, call):
    """`call(tool, arguments, callback)` makes a call that takes long enough to tell how far it is."""
    seen = []

    async def progress(done, total, message):
        seen.append((done, total))

    try:
        await call("get_market_data", {"symbols": ["IBM", "NVDA"]}, progress)
    except Exception as error:  # the tool's answer is not what is asked about here
        check("a call with progress", False, repr(error))
    check("progress comes", seen, seen)
    check("progress never goes back", [s[0] for s in seen] == sorted(s[0] for s in seen), seen)
    check("progress has a total", all(total and done <= total for done, total in seen), seen)


def resources_listed(check, resources, templates):
    """What the lists of resources must say. Both as on the wire."""
    uris = [one["uri"] for one in resources]
    check("resources are listed once each", len(set(uris)) == len(uris), uris)
    check("resources", {"ib://session", "ib://orders"} <= set(uris), uris)
    kinds = [one["uriTemplate"] for one in templates]
    check("templates", {"ib://quote/{conid}", "ib://positions/{accountId}"} <= set(kinds), kinds)
    for one in resources + templates:
        whole = all(one.get(key) for key in ("name", "title", "description", "mimeType"))
        check(f"{one.get('uri', one.get('uriTemplate'))} says what it is", whole, one)


def resource(check, name, result):
    """What a resource says: one text, which is JSON."""
    contents = result["contents"]
    if not check(f"{name}: one content", len(contents) == 1, result):
        return {}
    check(f"{name}: JSON", contents[0].get("mimeType") == "application/json", contents)
    return json.loads(contents[0]["text"])


QUOTE = "ib://quote/265598"


async def followed(check, update):
    """A quote that is followed is told, also over the end of a daemon. `update()` waits for the next word."""

    async def told(when):
        try:
            uri = await asyncio.wait_for(update(), 30)
            check(f"an update {when}", uri == QUOTE, uri)
        except Exception as error:  # what was awaited has not come
            check(f"an update {when}", False, repr(error))

    await told("when the market moves")
    before = daemon()["pid"]
    os.kill(before, signal.SIGKILL)
    await told("after the daemon was killed")
    after = daemon().get("pid")
    check("nobody asked, and another daemon serves", after not in (None, before), (before, after))
    await told("when the market moves again")


def wire(model):
    """A pydantic model as it was on the wire."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def daemon(profile="default"):
    """What `ibctl status --json` says of the daemon."""
    command = [BIN / "ibctl", "--profile", profile, "status", "--json"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return json.loads(told.stdout)["daemon"]
