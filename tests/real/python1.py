"""The Python SDK of the legacy era (`mcp` 1.30.0)."""

import asyncio
import os

from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from pydantic import AnyUrl

from common import QUOTE, SHIM, Check, every_tool, followed, listed, progress_comes, resource, resources_listed, wire


async def resources(check, session, updates):
    listed = [wire(one) for one in (await session.list_resources()).resources]
    kinds = [wire(one) for one in (await session.list_resource_templates()).resourceTemplates]
    resources_listed(check, listed, kinds)
    quote = resource(check, "quote", wire(await session.read_resource(AnyUrl(QUOTE))))
    check("quote: of that contract", quote["quotes"][0]["conid"] == 265598, quote)
    try:
        check("unknown resource", False, await session.read_resource(AnyUrl("ib://nothing")))
    except McpError as error:
        check("unknown resource", error.error.code == -32002, error.error)
    await session.subscribe_resource(AnyUrl(QUOTE))
    await followed(check, updates.get)
    await session.unsubscribe_resource(AnyUrl(QUOTE))


async def main(check):
    server = StdioServerParameters(command=SHIM, env=dict(os.environ))
    updates = asyncio.Queue()

    async def heard(message):
        told = getattr(message, "root", None)
        if getattr(told, "method", None) == "notifications/resources/updated":
            updates.put_nowait(str(told.params.uri))

    client = stdio_client(server)
    async with client as (read, write), ClientSession(read, write, message_handler=heard) as session:
        hello = await session.initialize()
        check("protocol version", hello.protocolVersion == "2025-11-25", hello)
        check("server says what it is for", hello.serverInfo.name == "ib-mcp" and hello.instructions, hello)
        await session.send_ping()
        check("ping", True)
        tools = [wire(tool) for tool in (await session.list_tools()).tools]
        listed(check, tools)

        async def call(name, arguments):
            return wire(await session.call_tool(name, arguments))

        await every_tool(check, tools, call)
        await progress_comes(
            check, lambda tool, arguments, told: session.call_tool(tool, arguments, progress_callback=told)
        )
        try:
            result = await session.call_tool("no_such_tool", {})
            check("unknown tool", False, result)
        except McpError as error:
            check("unknown tool", error.error.code == -32602, error.error)
        await resources(check, session, updates)


Check().run(main)
