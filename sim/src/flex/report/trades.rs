//! Trades at every level of detail that the query wants.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::identity::{contract, metal};
use super::totals::Sum;
use super::{Out, Page};
use crate::flex::days::{business_from, plus};
use crate::flex::dec::Dec;
use crate::flex::ledger::{ClosedLot, Fact, Traded};
use crate::flex::past::{Identity, Order};
use crate::flex::xml::Row;
use crate::instruments::Instrument;

pub(super) fn write(page: &Page<'_>, out: &mut Out<'_>) {
    let wants = |level: &str| page.query.has_level(level);
    let (orders, executions, lots) = (wants("ORDER"), wants("EXECUTION"), wants("CLOSED_LOT"));
    let mut today = page.from;
    page.walk(&mut |fact| match fact {
        Fact::Day(day) => today = day,
        Fact::Order(order, traded) if !out.is_over() => {
            if orders {
                out.put(&whole(page, (today, order), traded));
            }
            for one in traded {
                if executions {
                    out.put(&execution(page, (today, order), one));
                }
                let closed = one.lots.iter().filter(|_| lots);
                closed.for_each(|lot| out.put(&closed_lot(page, (today, order), (one, lot))));
            }
        }
        _ => {}
    });
    if wants("SYMBOL_SUMMARY") || wants("ASSET_SUMMARY") {
        summaries(page, out);
    }
}

fn summaries(page: &Page<'_>, out: &mut Out<'_>) {
    let totals = page.totals();
    let mut assets: BTreeMap<(String, String), Sum> = BTreeMap::new();
    for symbol in totals.symbols.values().filter(|symbol| symbol.trades.count > 0) {
        let of = &symbol.of;
        let key = (of.sec_type.clone(), of.currency.clone());
        assets.entry(key).or_default().merge(&symbol.trades);
        if page.query.has_level("SYMBOL_SUMMARY") {
            let row = head(page, "SymbolSummary", of, symbol.trades.rate);
            let row = contract(row, of, true).date("reportDate", page.to);
            out.put(&summary(row, &symbol.trades, "SYMBOL_SUMMARY"));
        }
    }
    if page.query.has_level("ASSET_SUMMARY") {
        for ((category, currency), sum) in &assets {
            let row =
                page.row("AssetSummary").text("currency", currency).text("assetCategory", category);
            out.put(&summary(row, sum, "ASSET_SUMMARY"));
        }
    }
}

fn summary(row: Row<'_>, sum: &Sum, level: &str) -> String {
    let side = match (sum.bought.is_zero(), (sum.quantity - sum.bought).is_zero()) {
        (false, true) => "BUY",
        (true, _) => "SELL",
        // Both occurred.
        _ => "",
    };
    amounts(row.num("quantity", sum.quantity), sum)
        .num("netCashInBase", sum.net_base)
        .text("buySell", side)
        .text("levelOfDetail", level)
        .done()
}

/// The sums that all levels but the executions have.
fn amounts<'f>(row: Row<'f>, sum: &Sum) -> Row<'f> {
    row.nums(&[
        ("tradeMoney", sum.money),
        ("proceeds", sum.proceeds),
        ("taxes", sum.tax),
        ("ibCommission", sum.commission),
    ])
    .text("ibCommissionCurrency", &sum.commission_currency)
    .nums(&[
        ("netCash", sum.net),
        ("cost", sum.cost),
        ("fifoPnlRealized", sum.realized),
        ("mtmPnl", sum.mtm),
    ])
}

fn head<'f>(page: &'f Page<'_>, tag: &str, of: &Instrument, rate: Dec) -> Row<'f> {
    page.row(tag).text("currency", &of.currency).num("fxRateToBase", rate)
}

fn whole(page: &Page<'_>, (today, order): (Date, &Order), traded: &[Traded<'_>]) -> String {
    let mut sum = Sum::default();
    traded.iter().for_each(|one| sum.add(one));
    let of = &order.of;
    let price = sum.money.over(sum.quantity.times(of.units()), 9);
    let row = contract(head(page, "Order", of, sum.rate), of, true)
        .blank(&["tradeID"])
        .show("orderID", order.id)
        .blank(&["execID"])
        .date("reportDate", today)
        .moment("dateTime", order.at_ms())
        .date("tradeDate", today)
        .date("settleDateTarget", settled(of, today))
        .text("transactionType", order.transaction)
        .text("exchange", "--")
        .nums(&[("quantity", sum.quantity), ("tradePrice", price)]);
    let row = amounts(row, &sum)
        .num("closePrice", sum.close)
        .text("openCloseIndicator", indicator(traded))
        .text("notes", order.note)
        .text("buySell", &side(sum.quantity, order))
        .show("ibOrderID", order.id)
        .blank(&["ibExecID", "brokerageOrderID"])
        .text("orderReference", &order.reference)
        .moment("orderTime", order.entered_ms)
        .text("levelOfDetail", "ORDER");
    metal(last(row, order)).done()
}

fn execution(page: &Page<'_>, (today, order): (Date, &Order), one: &Traded<'_>) -> String {
    let (of, fill) = (&order.of, one.fill);
    let row = contract(head(page, "Trade", of, one.rate), of, true)
        .text("relatedTradeID", "")
        .show("tradeID", fill.id)
        .date("reportDate", today)
        .moment("dateTime", fill.at_ms)
        .date("tradeDate", today)
        .date("settleDateTarget", settled(of, today))
        .text("transactionType", order.transaction)
        .text("exchange", fill.exchange)
        .nums(&[
            ("quantity", fill.quantity),
            ("tradePrice", fill.price),
            ("tradeMoney", one.money),
            ("proceeds", one.proceeds),
            ("taxes", fill.tax),
            ("ibCommission", fill.commission),
        ])
        .text("ibCommissionCurrency", &fill.commission_currency)
        .nums(&[
            ("netCash", one.net),
            ("netCashInBase", one.net.times(one.rate).round(9)),
            ("closePrice", one.close),
        ])
        .text("openCloseIndicator", one.indicator)
        .text("notes", order.note)
        .nums(&[("cost", one.cost), ("fifoPnlRealized", one.realized), ("mtmPnl", one.mtm)])
        .zero(&["fxPnl", "capitalGainsPnl", "origTradePrice"])
        .blank(&["origTradeDate", "origTradeID"])
        .zero(&["origOrderID", "origTransactionID"])
        .text("clearingFirmID", "")
        .show("transactionID", fill.id + 30_000_000_000)
        .text("buySell", &side(fill.quantity, order))
        .show("ibOrderID", order.id)
        .text("ibExecID", &fill.execution)
        .blank(&["relatedTransactionID", "rtn"])
        .text("brokerageOrderID", &format!("00{:08x}.0000{:04x}", order.id, order.id % 65_521))
        .text("orderReference", &order.reference)
        .blank(&["volatilityOrderLink"])
        .text("exchOrderId", "N/A")
        .text("extExecID", "N/A")
        .moment("orderTime", order.entered_ms)
        .blank(&["openDateTime", "holdingPeriodDateTime", "whenRealized", "whenReopened"])
        .text("levelOfDetail", "EXECUTION");
    metal(last(row, order)).done()
}

fn closed_lot(
    page: &Page<'_>,
    (today, order): (Date, &Order),
    (one, lot): (&Traded<'_>, &ClosedLot),
) -> String {
    let (of, fill) = (&order.of, one.fill);
    let row = contract(head(page, "Lot", of, one.rate), of, true)
        .show("tradeID", fill.id)
        .date("reportDate", today)
        .moment("dateTime", fill.at_ms)
        .date("tradeDate", today)
        .date("settleDateTarget", settled(of, today))
        .text("transactionType", order.transaction)
        .text("exchange", fill.exchange)
        .nums(&[("quantity", -lot.quantity), ("tradePrice", lot.open_price)])
        .blank(&["tradeMoney", "proceeds", "taxes", "ibCommission", "ibCommissionCurrency"])
        .blank(&["netCash", "closePrice", "openCloseIndicator"])
        .text("notes", if lot.is_long_term { "LT" } else { "ST" })
        .nums(&[("cost", lot.cost), ("fifoPnlRealized", lot.realized)])
        .blank(&["mtmPnl"])
        .text("buySell", &side(fill.quantity, order))
        .show("transactionID", lot.open_id)
        .blank(&["ibOrderID", "ibExecID"])
        .moment("openDateTime", lot.opened_at)
        .moment("holdingPeriodDateTime", lot.opened_at)
        .moment("whenRealized", fill.at_ms)
        .text("whenReopened", "")
        .text("levelOfDetail", "CLOSED_LOT");
    metal(row).done()
}

/// What stands at the end of every row.
fn last<'f>(row: Row<'f>, order: &Order) -> Row<'f> {
    row.zero(&["changeInPrice", "changeInQuantity"])
        .text("orderType", order.kind)
        .text("traderID", "")
        .text("isAPIOrder", if order.is_api { "Y" } else { "N" })
        .text("accruedInt", "0")
        .blank(&["initialInvestment", "positionActionID"])
}

/// `BUY`, `SELL`, and what took one back.
pub(super) fn side(quantity: Dec, order: &Order) -> String {
    // Taking back a purchase has a quantity below zero, and is still called by the purchase.
    let is_cancel = order.transaction == "TradeCancel";
    let is_sale = quantity.is_negative() != is_cancel;
    let word = if is_sale { "SELL" } else { "BUY" };
    if is_cancel { format!("{word} (Ca.)") } else { word.to_owned() }
}

pub(super) fn indicator(traded: &[Traded<'_>]) -> &'static str {
    let has = |word: &str| traded.iter().any(|one| one.indicator.contains(word));
    match (has("O"), has("C")) {
        (true, true) => "C;O",
        (true, false) => "O",
        (false, true) => "C",
        _ => "",
    }
}

/// Shares are settled a day later, or two outside the United States; currencies two, the rest one.
pub(super) fn settled(of: &Instrument, day: Date) -> Date {
    let days = if of.is("CASH") || (of.is("STK") && !of.is_us()) { 2 } else { 1 };
    (0..days).fold(day, |day, _| business_from(plus(day, 1)))
}
