"""The Python SDK of the legacy era (`mcp` 1.30.0)."""

import os

from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client

from common import SHIM, Check, every_tool, listed, progress_comes, wire


async def main(check):
    server = StdioServerParameters(command=SHIM, env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
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


Check().run(main)
