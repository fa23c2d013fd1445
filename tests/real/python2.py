"""The Python SDK of the modern era (`mcp` 2.3.0). Usage: python2.py auto|legacy"""

import asyncio
import os
import sys

from mcp import Client, MCPError, StdioServerParameters

from common import QUOTE, SHIM, Check, every_tool, followed, listed, progress_comes, resource, resources_listed, wire

MODE = sys.argv[1]
VERSION = {"auto": "2026-07-28", "legacy": "2025-11-25"}[MODE]


async def resources(check, client, updates):
    page = await client.list_resources()
    kinds = await client.list_resource_templates()
    resources_listed(check, [wire(one) for one in page.resources], [wire(one) for one in kinds.resource_templates])
    session = resource(check, "session", wire(await client.read_resource("ib://session")))
    check("session: says how it is", session.get("state") == "ready", session)
    quote = resource(check, "quote", wire(await client.read_resource(QUOTE)))
    check("quote: of that contract", quote["quotes"][0]["conid"] == 265598, quote)
    try:
        check("unknown resource", False, await client.read_resource("ib://nothing"))
    except MCPError as error:
        check("unknown resource", error.code == {"auto": -32602, "legacy": -32002}[MODE], error)
    if MODE == "auto":
        async with client.listen(resource_subscriptions=[QUOTE, "ib://nothing"]) as heard:
            check("what there is is honoured", heard.honored.resource_subscriptions == [QUOTE], heard.honored)

            async def update():
                return (await anext(heard)).uri

            await followed(check, update)
    else:
        await client.subscribe_resource(QUOTE)
        await followed(check, updates.get)
        await client.unsubscribe_resource(QUOTE)


async def main(check):
    server = StdioServerParameters(command=SHIM, env=dict(os.environ))
    updates = asyncio.Queue()

    async def heard(message):
        if getattr(message, "method", None) == "notifications/resources/updated":
            updates.put_nowait(str(message.params.uri))

    async with Client(server, mode=MODE, message_handler=heard) as client:
        check("protocol version", client.protocol_version == VERSION, client.protocol_version)
        check("server says what it is for", client.server_info.name == "ib-mcp" and client.instructions)
        page = await client.list_tools()
        tools = [wire(tool) for tool in page.tools]
        listed(check, tools)
        if MODE == "auto":
            check("the list may be kept", page.ttl_ms >= 60_000 and page.cache_scope == "private", page.ttl_ms)

        async def call(name, arguments):
            return wire(await client.call_tool(name, arguments))

        await every_tool(check, tools, call)
        await progress_comes(
            check, lambda tool, arguments, told: client.call_tool(tool, arguments, progress_callback=told)
        )
        try:
            result = await client.call_tool("no_such_tool", {})
            check("unknown tool", False, result)
        except MCPError as error:
            check("unknown tool", error.code == -32602, error)
        await resources(check, client, updates)


Check().run(main)
