"""Market data through IBKR's own gateway: one feed for many clients, and no price of before told as one of now."""

import itertools

from orders import desk, opened
from world import run, said_error, told, until

AAPL = 265598
SYMBOLS = ["AAPL", "MSFT", "NVDA", "IBM", "SPY", "F", "TSLA", "AMZN", "GOOG", "META", "EUR.USD", "NESN"]
CLIENTS = 10
# Far more than anything takes, for a machine that has much to do.
PATIENCE = 90


def quotes(shim, symbols):
    """What is told of some symbols: by symbol its fields."""
    result, _ = shim.use("get_market_data", {"symbols": symbols})
    answer = told(result)
    if "rows" in answer:
        return {row[0]: dict(zip(answer["cols"], row)) for row in answer["rows"]}
    return {quote["symbol"]: quote for quote in answer.get("quotes", [])}


def last(shim):
    return quotes(shim, ["AAPL"]).get("AAPL", {}).get("last")


def moves(check, world, shim, name, prices):
    """The next price of the market is told, whatever happened before."""
    price = next(prices)
    world.sim.post("/market", conid=AAPL, last=price)
    check(f"{name}: the market's next price is told", until(lambda: last(shim) == price, PATIENCE, 0.5), last(shim))


def many(check, world, prices):
    """Ten clients with ten symbols each, all of which some other asks for, too."""
    shims = [world.shim() for _ in range(CLIENTS)]
    some = [(SYMBOLS * 2)[number:number + 10] for number in range(CLIENTS)]
    for shim, symbols in zip(shims, some):
        known = quotes(shim, symbols)
        check("each is quoted", len(known) >= 8, known)

    def warm():
        before = len(world.sim.paths())
        for shim, symbols in zip(shims, some):
            quotes(shim, symbols)
        return not [path for path in world.sim.paths(before) if "snapshot" in path or "secdef" in path]

    check("what one has asked for costs the next nothing", until(warm, PATIENCE, 1), world.sim.paths()[-10:])
    moves(check, world, shims[-1], "many", prices)
    check("all are told the same", len({last(shim) for shim in shims}) == 1)


def broken(check, world, shim, prices):
    """What breaks the feed: a session that breaks off and comes back, and one that another platform takes."""

    def is_said():
        """That no price is one of now: a refusal in words, or data that is not live."""
        result, _ = shim.use("get_market_data", {"symbols": ["AAPL"]})
        quote = next(iter(told(result).get("quotes", [])), {})
        return said_error(result) or quote.get("data") not in ("live", None)

    world.sim.post("/session", action="drop")
    moves(check, world, shim, "drop", prices)

    world.sim.post("/session", action="compete")
    check("compete: it is said", until(is_said, PATIENCE, 1))


def past(check, shim):
    """History and options, on the same way."""
    bars, _ = shim.use("get_price_history", {"symbol": "AAPL", "period": "1m", "bar": "1d"})
    check("bars come", len(told(bars).get("rows", [])) >= 18, bars)
    days, _ = shim.use("get_option_chain", {"symbol": "AAPL"})
    expiries = told(days).get("expiries", [])
    if check("expiries come", len(expiries) > 2, days):
        chain, _ = shim.use("get_option_chain", {"symbol": "AAPL", "expiry": expiries[1]["expiry"], "strikes": 4})
        check("a chain comes", len(told(chain).get("rows", [])) >= 6, chain)


def feed(check):
    with desk("feed") as world:
        shim = opened(check, world)
        if not shim:
            return
        prices = (round(270 + step / 4, 2) for step in itertools.count(1))
        many(check, world, prices)
        past(check, shim)
        broken(check, world, shim, prices)


if __name__ == "__main__":
    run(feed)
