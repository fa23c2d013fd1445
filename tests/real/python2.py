"""The Python SDK of the modern era (`mcp` 2.3.0). Usage: python2.py auto|legacy"""

import os
import sys

from mcp import Client, MCPError, StdioServerParameters

from common import SHIM, Check, every_tool, listed, progress_comes, wire

MODE = sys.argv[1]
VERSION = {"auto": "2026-07-28", "legacy": "2025-11-25"}[MODE]


async def main(check):
    server = StdioServerParameters(command=SHIM, env=dict(os.environ))
    async with Client(server, mode=MODE) as client:
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


Check().run(main)
