"""Bars that were put together against pandas, which this project did not write: into fewer rows, into weeks, into months."""

import os

import lines
import pandas as pd
from common import SHIM, Check

HOW = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
PRICES = ["open", "high", "low", "close"]


def frame(answer):
    """The rows of an answer, by the time at which each begins."""
    table = pd.DataFrame(answer["rows"], columns=answer["cols"])
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return table.set_index("time")


def same(check, name, ours, theirs):
    """Each row begins at the same time and has the same values."""
    if not check(f"{name}: as many rows", len(ours) == len(theirs), (len(ours), len(theirs))):
        return
    check(f"{name}: the same times", list(ours.index) == list(theirs.index), (ours.index[:3], theirs.index[:3]))
    for column in HOW:
        one, other = ours[column].to_numpy(), theirs[column].to_numpy()
        wrong = [(at, a, b) for at, a, b in zip(ours.index, one, other, strict=True) if abs(a - b) > 1e-6]
        check(f"{name}: {column}", not wrong, wrong[:3])


def grouped(table, key):
    """What pandas makes of the rows with one key; each begins with its first row."""
    joined = table.groupby(key, sort=False).agg(HOW)
    joined.index = table.index.to_series().groupby(key, sort=False).first()
    return joined


def whole(check, name, answer, table):
    """The whole period in one."""
    said = answer.get("whole", {})
    joined = table.groupby(lambda _: 0).agg(HOW).iloc[0]
    wrong = {column: (said.get(column), joined[column]) for column in PRICES if abs(said.get(column, 0) - joined[column]) > 1e-6}
    check(f"{name}: the whole of it", not wrong, wrong)
    change = (joined["close"] / joined["open"] - 1) * 100
    check(f"{name}: its change", abs(said.get("changePct", 1e9) - change) <= 0.0051, (said, change))


def main():
    check = Check()
    shim = lines.Shim([SHIM], dict(os.environ))
    shim.greet()

    def ask(**arguments):
        result = shim.call("get_price_history", arguments)
        if not check(f"{arguments}: answered", not result.get("isError"), result):
            check.end()
        return result["structuredContent"]

    for symbol, period, bar in [("AAPL", "1d", "1min"), ("MSFT", "1m", "1h"), ("SPY", "1y", "1d")]:
        fine = ask(symbol=symbol, period=period, bar=bar, limit=1000)
        table = frame(fine)
        for limit in [1, 7, 50, 200]:
            few = ask(symbol=symbol, period=period, bar=bar, limit=limit)
            # A bar that has begun since belongs to neither.
            each = few.get("barsInRow", 1)
            keys = pd.Series(range(len(table)), index=table.index) // each
            joined, ours = grouped(table, keys), frame(few)
            check(f"{symbol} {bar} into {limit}: no more than asked for", len(ours) <= limit, len(ours))
            last = min(len(ours), len(joined)) - 1
            same(check, f"{symbol} {bar} into {limit}", ours[:last], joined[:last])

    today = pd.Timestamp.now(tz="America/New_York").normalize().tz_localize(None)
    # Over two ends of months, beginning and ending in the middle of a week.
    begin, end = (str((today - pd.Timedelta(days=days)).date()) for days in (75, 10))
    days = ask(symbol="AAPL", **{"from": begin, "to": end}, bar="1d", limit=1000)
    table = frame(days)
    for bar, unit in [("1w", "W-SUN"), ("1m", "M")]:
        answer = ask(symbol="AAPL", **{"from": begin, "to": end}, bar=bar, limit=1000)
        joined = grouped(table, table.index.tz_localize(None).to_period(unit))
        same(check, f"days into {bar}", frame(answer), joined)
        whole(check, f"days into {bar}", answer, table)
    shim.end()
    check.end()


if __name__ == "__main__":
    main()
