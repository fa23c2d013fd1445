"""Streams all that ibind's websocket class knows from a gateway: each topic from subscribe to unsubscribe.

Usage: ibind_ws.py GATEWAY_URL

Prints one line per failure, then `N passed, M failed`; exits 1 if anything failed.
"""

import logging
import sys
import threading
import time
import warnings

import urllib3
from ibind import CallbackSink, IbkrClient, IbkrWsClient, events, subscriptions

warnings.simplefilter("ignore")
urllib3.disable_warnings()
logging.disable(logging.CRITICAL)

AAPL = "265598"
# Far more than anything takes, for a machine that has much to do.
PATIENCE = 60


class Heard:
    """Everything that was said, by kind; asked with patience."""

    def __init__(self):
        self.all, self.news = [], threading.Condition()
        self.sink = CallbackSink()
        for kind in (
            events.MarketData, events.MarketHistory, events.Pnl, events.Orders, events.Trades,
            events.AccountSummary, events.AccountLedger,
        ):
            self.sink.on(kind, self.add)

    def add(self, event):
        with self.news:
            self.all.append(event)
            self.news.notify_all()

    def first(self, kind, right):
        """The first event of a kind that is as wanted; None once patience ends."""
        until = time.monotonic() + PATIENCE
        with self.news:
            while True:
                for event in self.all:
                    if isinstance(event, kind) and right(event):
                        return event
                if not self.news.wait(max(0, until - time.monotonic())):
                    return None


class Check:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def __call__(self, name, is_right, seen=""):
        if is_right:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}: {str(seen)[:300]}")


def stream(check, client, heard, subscription, right):
    """One topic: it begins, something sensible comes, and it ends where the server says so."""
    name = subscription.event_type.__name__
    handle = client.subscribe(subscription)
    check(f"{name} begins", handle.wait(PATIENCE), handle)
    event = heard.first(subscription.event_type, right)
    check(f"{name} comes", event is not None, [e for e in heard.all if isinstance(e, subscription.event_type)][-3:])
    ended = client.unsubscribe(subscription)
    check(f"{name} ends", ended.wait(PATIENCE), ended)
    return event


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    base = sys.argv[1].rstrip("/")
    rest = IbkrClient(url=base + "/v1/api/", cacert=False)
    check, heard = Check(), Heard()
    rest.initialize_brokerage_session().data
    until = time.monotonic() + PATIENCE
    while not rest.authentication_status().data.get("established") and time.monotonic() < until:
        time.sleep(0.5)
    account = rest.receive_brokerage_accounts().data["selectedAccount"]
    rest.account_id = account
    url = base.replace("https", "wss") + "/v1/api/ws"
    client = IbkrWsClient(account_id=account, url=url, ibkr_client=rest, cacert=False, sink=heard.sink)
    check("the socket opens", client.start())

    market = subscriptions.MarketDataSubscription(conid=AAPL, fields=["31", "84", "86"])
    quote = stream(check, client, heard, market, lambda e: str(e.conid) == AAPL and any(e.data.values()))
    check("a price is one", quote is not None and any(
        float(str(value).lstrip("CH").replace(",", "")) > 100
        for key, value in quote.data.items()
        if str(value).lstrip("CH").replace(",", "").replace(".", "", 1).isdigit()
    ), quote)

    history = subscriptions.MarketHistorySubscription(conid=AAPL, period="1d", bar="5min", outside_rth=False)
    bars = stream(check, client, heard, history, lambda e: len(e.data.get("data", [])) > 10)
    rows = bars.data["data"] if bars else []
    check("bars are bars", rows and all(row["l"] <= row["o"] <= row["h"] and row["l"] <= row["c"] <= row["h"] for row in rows), rows[:2])
    told = rest.marketdata_history_by_conid(AAPL, period="1d", bar="5min", outside_rth=False).data["data"]
    # The last one goes on.
    check("they are those of the history", rows and told and rows[0] == told[0] and rows[len(rows) // 2] in told, rows[:1])

    stream(check, client, heard, subscriptions.PnlSubscription(), lambda e: f"{account}.Core" in e.data.get("args", {}))
    summary = subscriptions.AccountSummarySubscription(account_id=account)
    stream(check, client, heard, summary, lambda e: e.account_id == account and "NetLiquidation" in str(e.data))
    ledger = subscriptions.AccountLedgerSubscription(account_id=account)
    stream(check, client, heard, ledger, lambda e: e.account_id == account and "USD" in str(e.data))

    orders = subscriptions.OrdersSubscription()
    trades = subscriptions.TradesSubscription(days=1)
    check("orders begin", client.subscribe(orders).wait(PATIENCE))
    check("trades begin", client.subscribe(trades).wait(PATIENCE))
    placed = rest.post(
        f"iserver/account/{account}/orders",
        params={"orders": [{"conid": int(AAPL), "orderType": "MKT", "side": "BUY", "tif": "DAY", "quantity": 1, "cOID": "ws-1"}]},
    ).data
    while isinstance(placed, list) and "messageIds" in placed[0]:
        placed = rest.post(f"iserver/reply/{placed[0]['id']}", params={"confirmed": True}).data
    number = str(placed[0]["order_id"])
    check("an order is pushed", heard.first(events.Orders, lambda e: number in str(e.data)) is not None, placed)
    check("its fill is pushed", heard.first(events.Trades, lambda e: "ws-1" in str(e.data) or number in str(e.data)) is not None, placed)
    check("orders end", client.unsubscribe(orders).wait(PATIENCE))
    check("trades end", client.unsubscribe(trades).wait(PATIENCE))
    client.shutdown()
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
