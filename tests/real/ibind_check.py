"""Asks a gateway about thirty questions through ibind, a client that this project did not write.

Usage: ibind_check.py GATEWAY_URL [ACCOUNT]

Prints one line per failure, then `N passed, M failed`; exits 1 if anything failed.
The calls are spaced so that a strict gateway never answers 429.
"""

import logging
import sys
import time
import warnings

import urllib3
from ibind import IbkrClient
from ibind.client.ibkr_utils import StockQuery

warnings.simplefilter("ignore")
urllib3.disable_warnings()
logging.disable(logging.CRITICAL)

AAPL, SAP, ES = "265598", "14204", "11004968"
GAP = 0.15
WINDOW = 5.3


class Check:
    """Runs named questions and counts the answers that are as they should be."""

    def __init__(self):
        self.passed, self.failed, self.asked = 0, 0, {}

    def __call__(self, name, ask, right, window=0.0):
        """Asks; `window` is how many seconds apart calls of this name must be."""
        wait = self.asked.get(name, 0) + window - time.monotonic()
        time.sleep(max(GAP, wait if window else 0))
        self.asked[name] = time.monotonic()
        try:
            answer = ask()
            data = getattr(answer, "data", answer)
            if not right(data):
                raise AssertionError(f"unexpected answer: {str(data)[:300]}")
            self.passed += 1
            return data
        except Exception as error:  # a client may fail in any way; all of them count
            self.failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}")
            return None


def is_rows(*keys):
    """A list with at least one row, all of whose rows have these keys."""
    return lambda rows: isinstance(rows, list) and rows != [] and all(k in row for row in rows for k in keys)


def has(*keys):
    """An object with these keys."""
    return lambda data: isinstance(data, dict) and all(k in data for k in keys)


def session(check, client):
    check("tickle", client.tickle, lambda d: d["session"] and d["iserver"]["authStatus"]["connected"])
    check("initialize_brokerage_session", client.initialize_brokerage_session, has("authenticated", "competing"))
    for _ in range(30):
        time.sleep(0.5)
        if client.authentication_status().data.get("established"):
            break
    check("authentication_status", client.authentication_status, lambda d: d["authenticated"] and d["established"])
    check("validate", client.validate, lambda d: d["RESULT"] is True and d["LOGIN_TYPE"] in (1, 2))
    time.sleep(1.1)
    check("check_health", client.check_health, lambda d: d is True)


def accounts(check, client, account):
    check("receive_brokerage_accounts", client.receive_brokerage_accounts, lambda d: account in d["accounts"])
    check("switch_account", lambda: client.switch_account(account), lambda d: "set" in d or "success" in d)
    client.account_id = account
    check("account_profit_and_loss", client.account_profit_and_loss, has("upnl"), WINDOW)
    check("account_summary", client.account_summary, has("netLiquidationValue", "cashBalances"))


def portfolio(check, client, account):
    check("portfolio_accounts", client.portfolio_accounts, is_rows("accountId", "currency", "type"))
    check("portfolio_subaccounts", client.portfolio_subaccounts, is_rows("accountId"))
    check("large_portfolio_subaccounts", client.large_portfolio_subaccounts, lambda d: "subaccounts" in d or d)
    check("portfolio_account_information", client.portfolio_account_information, lambda d: d["accountId"] == account)
    check("portfolio_account_allocation", client.portfolio_account_allocation, has("assetClass", "sector", "group"))
    check("portfolio_summary", client.portfolio_summary, lambda d: d["netliquidation"]["amount"] != 0)
    ledger = check("get_ledger", client.get_ledger, lambda d: "BASE" in d and "USD" in d)
    check("positions", client.positions, is_rows("conid", "position", "mktValue", "currency"))
    check("positions page 9", lambda: client.positions(page=9), lambda d: d == [])
    fresh = check("positions2", client.positions2, is_rows("conid", "position", "marketValue"))
    check("positions_by_conid", lambda: client.positions_by_conid(account, AAPL), is_rows("conid", "position"))
    check("position_and_contract_info", lambda: client.position_and_contract_info(AAPL), has(account))
    check("invalidate_backend_portfolio_cache", client.invalidate_backend_portfolio_cache, lambda d: d is not None)
    base = (ledger or {}).get("BASE", {})
    parts = ("cashbalance", "stockmarketvalue", "stockoptionmarketvalue", "futuresonlypnl")
    total = sum(base.get(part, 0) for part in parts)
    check("ledger adds up", lambda: base, lambda d: abs(total - d["netliquidationvalue"]) < 0.01 and fresh)


def contracts(check, client):
    found = check("search_contract_by_symbol", lambda: client.search_contract_by_symbol("AAPL"), is_rows("conid"))
    month = next((s["months"].split(";")[0] for s in found[0]["sections"] if s["secType"] == "OPT"), "") if found else ""
    strikes = check(
        "search_strikes_by_conid",
        lambda: client.search_strikes_by_conid(AAPL, "OPT", month),
        lambda d: d["call"] and d["put"],
    )
    strike = str(strikes["call"][5]) if strikes else "0"
    check(
        "search_secdef_info_by_conid",
        lambda: client.search_secdef_info_by_conid(AAPL, "OPT", month, strike=strike, right="C"),
        is_rows("conid", "maturityDate", "strike"),
    )
    stocks = lambda: client.security_stocks_by_symbol(["AAPL", "MSFT"])
    check("security_stocks_by_symbol", stocks, lambda d: d["AAPL"] and d["MSFT"])
    check("stock_conid_by_symbol", lambda: client.stock_conid_by_symbol("AAPL"), lambda d: d == {"AAPL": int(AAPL)})
    query = StockQuery("SAN", contract_conditions={"exchange": "BM"})
    spanish = lambda: client.stock_conid_by_symbol(query, default_filtering=False)
    check("stock_conid_by_symbol at an exchange", spanish, lambda d: list(d) == ["SAN"])
    check("security_future_by_symbol", lambda: client.security_future_by_symbol("ES"), lambda d: len(d["ES"]) > 1)
    definition = lambda: client.security_definition_by_conid([AAPL, SAP])
    check("security_definition_by_conid", definition, lambda d: len(d["secdef"]) == 2)
    check("all_conids_by_exchange", lambda: client.all_conids_by_exchange("NYSE"), is_rows("ticker", "conid"))
    info = lambda: client.contract_information_by_conid(AAPL)
    check("contract_information_by_conid", info, lambda d: str(d["con_id"]) == AAPL)
    check("info_and_rules_by_conid", lambda: client.info_and_rules_by_conid(AAPL, True), lambda d: d["rules"]["orderTypes"])
    check("search_contract_rules", lambda: client.search_contract_rules(AAPL), has("orderTypes", "incrementRules"))
    check("currency_pairs", lambda: client.currency_pairs("USD"), lambda d: len(d["USD"]) > 3)
    check("currency_exchange_rate", lambda: client.currency_exchange_rate("EUR", "USD"), lambda d: 0.5 < d["rate"] < 2)
    hours = lambda: client.trading_schedule_by_symbol("STK", "AAPL", exchange="NASDAQ")
    check("trading_schedule_by_symbol", hours, is_rows("timezone", "schedules"))


def market_data(check, client):
    fields = ["31", "55", "84", "86", "6509"]
    snapshot = lambda: client.live_marketdata_snapshot([AAPL, SAP], fields)
    check("live_marketdata_snapshot, cold", snapshot, is_rows("conid"))
    time.sleep(1.0)
    check("live_marketdata_snapshot, warm", snapshot, is_rows("31", "84", "86", "6509"))
    check("marketdata_unsubscribe", lambda: client.marketdata_unsubscribe([SAP]), lambda d: len(d) == 1)
    check("marketdata_unsubscribe_all", client.marketdata_unsubscribe_all, lambda d: d["unsubscribed"] is True)
    by_conid = lambda: client.marketdata_history_by_conid(AAPL, "1h", period="1d")
    check("marketdata_history_by_conid", by_conid, lambda d: d["data"] and {"o", "h", "l", "c", "t"} <= set(d["data"][0]))
    by_symbol = lambda: client.marketdata_history_by_symbol("MSFT", "1d", period="1m")
    check("marketdata_history_by_symbol", by_symbol, lambda d: len(d["data"]) > 10)


def orders(check, client):
    check("live_orders", lambda: client.live_orders(force=True), lambda d: d["orders"] == [], WINDOW)
    check("trades", client.trades, lambda d: isinstance(d, list), WINDOW)
    rows = check("live_orders", client.live_orders, lambda d: is_rows("orderId", "status", "ticker")(d["orders"]), WINDOW)
    check("trades", client.trades, is_rows("execution_id", "size", "price"), WINDOW)
    first = str(rows["orders"][0]["orderId"]) if rows else "0"
    check("order_status", lambda: client.order_status(first), lambda d: str(d["order_id"]) == first)
    check("account_profit_and_loss", client.account_profit_and_loss, lambda d: d["upnl"] != {}, WINDOW)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    account = sys.argv[2] if len(sys.argv) == 3 else None
    client = IbkrClient(url=sys.argv[1].rstrip("/") + "/v1/api/", cacert=False, account_id=account)
    check = Check()
    session(check, client)
    account = account or client.receive_brokerage_accounts().data["selectedAccount"]
    accounts(check, client, account)
    portfolio(check, client, account)
    contracts(check, client)
    market_data(check, client)
    orders(check, client)
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
