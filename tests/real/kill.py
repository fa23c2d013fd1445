"""The daemon is killed while a client of the Python SDK (`mcp` 1.30.0) has a session open."""

import asyncio
import os
import signal
import time

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from common import SHIM, Check, answer, daemon, wire


def kill():
    pid = daemon()["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


async def main(check):
    server = StdioServerParameters(command=SHIM, env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = {tool.name: wire(tool) for tool in (await session.list_tools()).tools}

        async def ask(when, name, arguments, right):
            started = time.monotonic()
            try:
                result = wire(await session.call_tool(name, arguments))
            except Exception as error:  # the client did not like the answer
                check(f"{name} {when}: the client takes the answer", False, repr(error))
                return
            told = answer(check, f"{name} {when}", result, tools[name]["outputSchema"])
            check(f"{name} {when}: the right answer", told and right(told), told)
            check(f"{name} {when}: in time", time.monotonic() - started < 30, time.monotonic() - started)

        account = ("get_account_info", {}, lambda d: d["accounts"][0]["account"] == "DU1234567")
        orders = ("get_live_orders", {}, lambda d: d["working"] == 3 and len(d["orders"]) == 5)
        one = ("get_order_status", {"orderId": 1234567890}, lambda d: d["symbol"] == "AAPL")
        quotes = ("get_market_data", {"symbols": ["AAPL"]}, lambda d: d["quotes"][0]["conid"] == 265598)

        await ask("before", *account)
        first = kill()
        await ask("after a kill", *orders)
        second = daemon()["pid"]
        check("another daemon serves", first != second, (first, second))

        kill()
        await asyncio.sleep(0.5)
        # Just started, these take seconds; the daemon goes while they are under way, and again after it came back.
        calls = [asyncio.create_task(ask("killed twice under way", *call)) for call in (account, orders, quotes)]
        for pause in (1.0, 2.0):
            await asyncio.sleep(pause)
            if check("calls are under way", not all(call.done() for call in calls)):
                await asyncio.to_thread(kill)
        await asyncio.gather(*calls)
        await ask("at the end", *one)
        check("the list is still there", len((await session.list_tools()).tools) == len(tools))


Check().run(main)
