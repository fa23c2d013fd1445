"""Streams all that ibind's websocket class knows from a gateway: each topic from subscribe to unsubscribe.

Usage: ibind_ws.py GATEWAY_URL

Prints one line per failure, then `N passed, M failed`; exits 1 if anything failed.
The values are compared with what the same gateway answers to ibind's other class. ibind hears of an end only for
histories, summaries and ledgers; so a second socket goes on listening, and the first must fall silent meanwhile.
"""

import logging
import sys
import threading
import time
import warnings

import urllib3
from ibind import CallbackSink, IbkrClient, IbkrWsClient, OrderRequest, events, subscriptions

warnings.simplefilter("ignore")
urllib3.disable_warnings()
logging.disable(logging.CRITICAL)

AAPL = "265598"
# Far more than anything takes, for a machine that has much to do.
PATIENCE = 60
GAP = 0.2
TOPICS = (
    events.MarketData, events.MarketHistory, events.Pnl, events.Orders, events.Trades, events.AccountSummary,
    events.AccountLedger, events.PriceLadder,
)
# None of these belongs into a run without faults.
TROUBLE = (events.IbkrError, events.GenericIbkrEvent, events.WsDegraded, events.WsClose, events.WsError)


class Check:
    """Counts what is as it should be. A question that raises has failed."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def __call__(self, name, is_right, seen=lambda: ""):
        """`is_right` and `seen` are asked once."""
        try:
            error = None if is_right() else str(seen())[:400]
        except Exception as problem:  # a client may fail in any way; all of them count
            error = f"{type(problem).__name__}: {problem}"
        if error is None:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}: {error}")


def comes(is_there):
    """Whether it becomes true before patience ends."""
    until = time.monotonic() + PATIENCE
    while not (there := is_there()) and time.monotonic() < until:
        time.sleep(GAP)
    return there


def near(one, other, share=0.01):
    """Whether two numbers are about the same: prices move between two questions."""
    one, other = float(one), float(other)
    return abs(one - other) <= share * max(abs(one), abs(other), 1)


class Socket:
    """One websocket, and all that it said in the order in which it came."""

    def __init__(self, url, rest, account, use_oauth=False, access_token=None):
        self.heard, self.lock = [], threading.Lock()
        sink = CallbackSink()
        for kind in (*TOPICS, *TROUBLE, events.System):
            sink.on(kind, self.hear)
        self.client = IbkrWsClient(
            account_id=account, url=url, ibkr_client=rest, cacert=False, sink=sink, use_oauth=use_oauth,
            access_token=access_token,
        )
        self.wanted = [
            subscriptions.MarketDataSubscription(conid=AAPL, fields=["31", "84", "86"]),
            subscriptions.MarketHistorySubscription(conid=AAPL, period="1d", bar="5min", format="%o/%c/%h/%l/%v"),
            subscriptions.PnlSubscription(),
            subscriptions.OrdersSubscription(),
            subscriptions.TradesSubscription(days=1),
            subscriptions.AccountSummarySubscription(account_id=account),
            subscriptions.AccountLedgerSubscription(account_id=account),
            subscriptions.PriceLadderSubscription(account_id=account, conid=AAPL, exchange="SMART"),
        ]

    def hear(self, event):
        with self.lock:
            self.heard.append(event)

    def of(self, *kinds):
        with self.lock:
            return [event for event in self.heard if isinstance(event, kinds)]

    def start(self):
        self.client.start()
        return comes(self.client.is_authenticated)

    def sync(self):
        """Whether all that was said until now has been heard: the answer to a question comes after it."""
        tic = comes(self.client.tic)
        is_heard = lambda: any(e.data.get("lastAccessed") == tic["lastAccessed"] for e in self.of(events.System))
        return tic and comes(is_heard)

    # What the frames of a topic add up to.

    def quotes(self):
        """Price, bid and ask after each frame."""
        quote, all_of_them = {}, []
        for event in self.of(events.MarketData):
            quote |= event.data
            all_of_them.append(tuple(float(quote.get(key, 0)) for key in ("last_price", "bid_price", "ask_price")))
        return all_of_them

    def ladders(self):
        """The rows after each frame, by their numbers."""
        rows, all_of_them = {}, []
        for event in self.of(events.PriceLadder):
            rows |= {row["row"]: row for row in event.data}
            all_of_them.append(dict(rows))
        return all_of_them

    def bars(self):
        return {bar["t"]: bar for event in self.of(events.MarketHistory) for bar in event.data["data"]}

    def pnl(self, account):
        row = {}
        for event in self.of(events.Pnl):
            row |= event.data["args"].get(f"{account}.Core", {})
        return row

    def order(self, number):
        """The order's row, and each status that it had."""
        row, words = {}, []
        for event in self.of(events.Orders):
            for change in event.data["args"]:
                if change["orderId"] == number:
                    row |= change
                    words += [change["status"]] if "status" in change else []
        return row, words

    def trades(self):
        """The executions; the same comes again once its commission is known."""
        rows = {}
        for event in self.of(events.Trades):
            for row in event.data["args"]:
                rows.setdefault(row["execution_id"], {}).update(row)
        return rows

    def summary(self):
        rows = {}
        for event in self.of(events.AccountSummary):
            rows |= event.data
        return rows

    def ledger(self):
        rows = {}
        for event in self.of(events.AccountLedger):
            rows.setdefault(event.data["secondKey"], {}).update(event.data)
        return rows


def subscribe(check, socket, who):
    for wanted in socket.wanted:
        name = f"{wanted.event_type.__name__}, {who}"
        handle = socket.client.subscribe(wanted)
        check(f"{name} begins", lambda: handle.wait(PATIENCE), lambda: handle.status)
        # Orders say nothing before one of them changes.
        if wanted.event_type is not events.Orders:
            check(f"{name} comes", lambda: comes(lambda: socket.of(wanted.event_type)))


def market_data(check, socket, rest):
    def snapshot():
        row = rest.live_marketdata_snapshot([AAPL], ["31", "84", "86"]).data[0]
        return tuple(float(row.get(key, 0)) for key in ("31", "84", "86"))

    def is_told():
        seen = snapshot()
        return all(seen) and socket.sync() and seen in socket.quotes()

    check("a snapshot's prices are among those told", lambda: comes(is_told), lambda: (snapshot(), socket.quotes()[-5:]))
    check("the bid is below the ask", lambda: all(0 < bid < ask and bid <= last <= ask for last, bid, ask in socket.quotes()))
    # More often than a price changes both ways by chance.
    check("prices go on", lambda: comes(lambda: len(set(socket.quotes())) > 3), socket.quotes)


def price_of(row):
    """A row's price. That of the last trade says how much was traded, too."""
    return float(row["price"].rpartition(" @ ")[2])


def best(ladder):
    """The highest price that is bid with its size, and the lowest that is asked."""
    size = lambda text: int(text.replace(",", ""))
    bids = [(price_of(row), size(row["bid"])) for row in ladder.values() if row["bid"]]
    asks = [(price_of(row), size(row["ask"])) for row in ladder.values() if row["ask"]]
    return max(bids), min(asks)


def price_ladder(check, socket, rest, account):
    def snapshot():
        row = rest.live_marketdata_snapshot([AAPL], ["84", "85", "86", "88"]).data[0]
        number = lambda key: float(row.get(key, "0").replace(",", ""))
        return (number("84"), number("88")), (number("86"), number("85"))

    def is_told():
        seen = snapshot()
        return seen[0][1] and socket.sync() and seen in [best(ladder) for ladder in socket.ladders()]

    check("a snapshot's best bid and offer are on the ladder", lambda: comes(is_told), lambda: (snapshot(), best(socket.ladders()[-1])))
    first = socket.of(events.PriceLadder)[0]
    check("the ladder is the contract's", lambda: first.account_id == account and str(first.conid) == AAPL, lambda: first)
    ladders = [[ladder[at] for at in sorted(ladder)] for ladder in socket.ladders()]
    prices = [[price_of(row) for row in rows] for rows in ladders]
    is_stair = lambda steps: all(0.009 < above - below < 0.011 for above, below in zip(steps, steps[1:]))
    check("a ladder goes down by a cent a row", lambda: all(map(is_stair, prices)), lambda: [p for p in prices if not is_stair(p)][:1])
    check("the bid of a ladder is below its ask", lambda: all(bid < ask for (bid, _), (ask, _) in map(best, socket.ladders())))
    lasts = lambda rows: [row["price"].count(" @ ") for row in rows if row["focus"]]
    check("a ladder has one last price", lambda: all(lasts(rows) == [1] for rows in ladders), lambda: ladders[-1])
    depth = lambda rows, side: sum(1 for row in rows if row[side])
    check("a ladder is deep", lambda: all(depth(rows, side) > 3 for rows in ladders for side in ("bid", "ask")), lambda: ladders[-1])
    check("the ladder goes on", lambda: comes(lambda: len(socket.ladders()) > 3), socket.ladders)


def market_history(check, socket, rest):
    told = socket.bars()
    asked = {bar["t"]: bar for bar in rest.marketdata_history_by_conid(AAPL, bar="5min", period="1d").data["data"]}
    # The last two go on, or began between the questions; the first may have left the period.
    closed = sorted(told.keys() & asked.keys())[:-2]
    check("bars are as many as by REST", lambda: len(closed) > 10 and len(closed) >= len(asked) - 4, lambda: (len(told), len(asked)))
    check("bars are those of REST", lambda: all(told[t] == asked[t] for t in closed), lambda: [
        (told[t], asked[t]) for t in closed if told[t] != asked[t]
    ])
    is_bar = lambda bar: bar["l"] <= min(bar["o"], bar["c"]) and max(bar["o"], bar["c"]) <= bar["h"] and bar["v"] >= 0
    check("bars are bars", lambda: all(is_bar(bar) for bar in told.values()))
    check("bars are five minutes apart", lambda: min(b - a for a, b in zip(closed, closed[1:])) == 300_000)
    check("the last bar ends at the price", lambda: near(told[max(told)]["c"], socket.quotes()[-1][0]), lambda: told[max(told)])
    first = socket.of(events.MarketHistory)[0].data
    check("the history says what it is", lambda: first["symbol"] == "AAPL" and first["barLength"] == 300, lambda: first)
    check("the history goes on", lambda: comes(lambda: len(socket.of(events.MarketHistory)) > 1))


def money(check, socket, rest, account):
    asked = lambda: rest.account_profit_and_loss().data["upnl"].get(f"{account}.Core")
    row = comes(asked)
    told = socket.pnl(account)
    net = row["nl"]
    check("profit and loss has a worth", lambda: net > 0 and near(told["nl"], net), lambda: (told, row))
    for key in ("upl", "dpl", "mv"):
        check(f"{key} is that of REST", lambda: abs(told[key] - row[key]) <= 0.01 * net, lambda: (told, row))
    rest.portfolio_accounts()
    page, told = rest.portfolio_summary().data, socket.summary()
    check("the summary is the account's", lambda: told["AccountCode"]["value"] == account, lambda: told)
    for key in ("NetLiquidation", "TotalCashValue", "AvailableFunds", "GrossPositionValue", "BuyingPower"):
        check(
            f"{key} is that of REST",
            lambda: near(told[key]["monetaryValue"], page[key.lower()]["amount"])
            and told[key]["monetaryValue"] > 0 and told[key]["currency"] == page[key.lower()]["currency"],
            lambda: (told.get(key), page.get(key.lower())),
        )
    page, told = rest.get_ledger().data, socket.ledger()
    check("the ledger has each currency", lambda: told.keys() == page.keys() and len(page) > 1, lambda: (told.keys(), page.keys()))
    for currency, line in page.items():
        for mine, theirs in (("cashbalance", "cashbalance"), ("exchangeRate", "exchangerate"),
                             ("netLiquidationValue", "netliquidationvalue"), ("stockMarketValue", "stockmarketvalue")):
            check(
                f"{mine} in {currency} is that of REST",
                lambda: near(told[currency][mine], line[theirs]),
                lambda: (told.get(currency), line),
            )


def place(rest, account, name, **what):
    """Says yes to whatever is asked; the answer is the order's number."""
    order = OrderRequest(conid=int(AAPL), side="BUY", quantity=1, acct_id=account, tif="DAY", coid=name, **what)
    return int(rest.place_order([order], {"": True}, account).data["order_id"])


def known_trades(rest):
    """By REST; the first question only begins it."""
    rows = comes(lambda: rest.trades().data)
    return {row["execution_id"]: row for row in rows}


def orders(check, sockets, rest, account):
    socket = sockets[0]
    past = known_trades(rest)
    check("past executions come", lambda: comes(lambda: past.keys() <= socket.trades().keys()), lambda: (past.keys(), socket.trades().keys()))
    limit = round(socket.quotes()[-1][0] * 0.9, 0)
    resting = place(rest, account, "ws-resting", order_type="LMT", price=limit)
    status = lambda: socket.order(resting)
    check("an order is told to work", lambda: comes(lambda: "Submitted" in status()[1]), status)
    row = status()[0]
    check(
        "its row is the order's",
        lambda: row["side"] == "BUY" and row["totalSize"] == 1 and row["conid"] == int(AAPL)
        and float(row["price"]) == limit and row["order_ref"] == "ws-resting" and row["acct"] == account,
        lambda: row,
    )
    page = rest.order_status(str(resting)).data
    check("REST says the same of it", lambda: page["order_status"] == row["status"] and float(page["limit_price"]) == limit, lambda: (page, row))
    rest.cancel_order(str(resting), account)
    check("its end is told", lambda: comes(lambda: status()[1][-1:] == ["Cancelled"]), status)
    filled(check, sockets, rest, account, "ws-filled")


def filled(check, sockets, rest, account, name):
    """An order that is carried out at once, to each who listens."""
    number = place(rest, account, name, order_type="MKT")
    own = lambda socket: [row for row in socket.trades().values() if row["order_id"] == number]
    for socket in sockets:
        check("a fill is told of the order", lambda: comes(lambda: socket.order(number)[1][-1:] == ["Filled"]), lambda: socket.order(number))
        check("a fill is told as an execution", lambda: comes(lambda: any("commission" in row for row in own(socket))), lambda: own(socket))
    socket = sockets[0]
    row, execution = socket.order(number)[0], own(socket)[0]
    check("the order is filled whole", lambda: row["filledQuantity"] == 1 and row["remainingQuantity"] == 0, lambda: row)
    check("it has one execution", lambda: len(own(socket)) == 1 and near(execution["price"], row["avgPrice"], 0.0001), lambda: (own(socket), row))
    listed = lambda: known_trades(rest).get(execution["execution_id"], {})
    check("REST lists it", lambda: comes(lambda: "commission" in listed()), listed)
    same = ("order_id", "conid", "symbol", "side", "size", "price", "commission", "order_ref", "net_amount", "trade_time_r", "account")
    check("REST says the same of it", lambda: all(execution[key] == listed()[key] for key in same), lambda: (execution, listed()))
    check("its price is the market's", lambda: near(execution["price"], socket.quotes()[-1][0]), lambda: execution)


def end(check, first, second, rest, account):
    """Everything ends at the first socket; the second hears what the first no longer does."""
    for wanted in first.wanted:
        handle = first.client.unsubscribe(wanted)
        check(f"{wanted.event_type.__name__} ends", lambda: handle.wait(PATIENCE), lambda: handle.status)
    check("the first socket answers", first.sync)
    said = {kind: len(first.of(kind)) for kind in TOPICS}
    others = {kind: len(second.of(kind)) for kind in TOPICS}
    filled(check, [second], rest, account, "ws-last")
    for kind in TOPICS:
        # The second time, in case the first frame was under way.
        check(f"{kind.__name__} goes on elsewhere", lambda: comes(lambda: len(second.of(kind)) > others[kind] + 1))
    check("the first socket answers still", first.sync)
    for kind in TOPICS:
        check(f"{kind.__name__} is silent", lambda: len(first.of(kind)) == said[kind], lambda: first.of(kind)[said[kind]:][:2])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    base = sys.argv[1].rstrip("/")
    rest = IbkrClient(url=base + "/v1/api/", cacert=False)
    check = Check()
    rest.initialize_brokerage_session()
    check("the session is there", lambda: comes(lambda: rest.authentication_status().data.get("established")))
    account = rest.account_id = rest.receive_brokerage_accounts().data["selectedAccount"]
    url = base.replace("https:", "wss:") + "/v1/api/ws"
    first, second = (Socket(url, rest, account) for _ in range(2))
    for who, socket in (("first", first), ("second", second)):
        check(f"the {who} socket opens", socket.start)
        subscribe(check, socket, who)
    market_data(check, first, rest)
    price_ladder(check, first, rest, account)
    market_history(check, first, rest)
    money(check, first, rest, account)
    orders(check, [first, second], rest, account)
    end(check, first, second, rest, account)
    for who, socket in (("first", first), ("second", second)):
        check(f"nothing went wrong at the {who} socket", lambda: socket.of(*TROUBLE) == [], lambda: socket.of(*TROUBLE)[:3])
        # Its answer says nothing of the gateway: where the main thread reads the last frame, another waits in vain.
        socket.client.shutdown()
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
