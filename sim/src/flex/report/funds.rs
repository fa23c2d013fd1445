//! The statement of funds: every change in cash, with what is there after it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::identity::{described, nothing, number};
use super::{Out, Page};
use crate::flex::dec::Dec;
use crate::flex::ledger::{Fact, Flow, FlowKind, Traded};
use crate::flex::past::{Identity, Order};
use crate::flex::xml::Row;

/// One line.
struct Line<'a> {
    currency: &'a str,
    code: &'a str,
    text: String,
    amount: Dec,
    at_ms: i64,
    id: u64,
    action: u64,
    trade: Option<(&'a Order, &'a Traded<'a>)>,
    flow: Option<&'a Flow<'a>>,
}

pub(super) fn write(page: &Page<'_>, out: &mut Out<'_>) {
    let mut purses: BTreeMap<String, Dec> = page.before.cash().clone();
    for (currency, amount) in &purses {
        out.put(&border(page, (currency, "Starting Balance", *amount), page.from));
    }
    let mut today = page.from;
    let after = page.walk(&mut |fact| match fact {
        Fact::Day(day) => today = day,
        Fact::Order(order, traded) if !out.is_over() => {
            for one in traded {
                let lines = parts(order, one);
                lines.iter().for_each(|line| out.put(&put(page, today, (line, &mut purses))));
            }
        }
        Fact::Flow(flow) if !flow.kind.is_trade() => {
            out.put(&put(page, today, (&single(&flow), &mut purses)));
        }
        _ => {}
    });
    for (currency, amount) in after.cash() {
        out.put(&border(page, (currency, "Ending Balance", *amount), page.to));
    }
}

/// An execution is one line per currency.
fn parts<'a>(order: &'a Order, one: &'a Traded<'a>) -> Vec<Line<'a>> {
    let (of, fill) = (&order.of, one.fill);
    let verb = if fill.quantity.is_negative() { "Sell" } else { "Buy" };
    let mut amounts: BTreeMap<&str, Dec> = BTreeMap::new();
    *amounts.entry(&fill.commission_currency).or_default() += fill.commission;
    *amounts.entry(&of.currency).or_default() += fill.tax;
    if !of.is("FUT") {
        *amounts.entry(&of.currency).or_default() += one.proceeds;
    }
    if of.is("CASH") {
        *amounts.entry(&of.symbol).or_default() += fill.quantity;
    }
    let line = |(currency, amount): (&'a str, Dec)| Line {
        currency,
        code: if of.is("CASH") { "FOREX" } else { if_sale(fill.quantity) },
        text: format!("{verb} {} {}", fill.quantity.abs(), of.title()),
        amount,
        at_ms: fill.at_ms,
        id: fill.id + 30_000_000_000,
        action: 0,
        trade: Some((order, one)),
        flow: None,
    };
    amounts.into_iter().filter(|(_, amount)| !amount.is_zero()).map(line).collect()
}

fn if_sale(quantity: Dec) -> &'static str {
    if quantity.is_negative() { "SELL" } else { "BUY" }
}

fn single<'a>(flow: &'a Flow<'a>) -> Line<'a> {
    let code = match flow.kind {
        FlowKind::Deposit => "DEP",
        FlowKind::Withdrawal => "WITH",
        FlowKind::Dividend => "DIV",
        FlowKind::Lieu => "PIL",
        FlowKind::Withholding => "FRTAX",
        FlowKind::Interest if flow.amount.is_negative() => "DINT",
        FlowKind::Interest => "CINT",
        FlowKind::Fee => "OFEE",
        FlowKind::Action => "CORP",
        _ => "ADJ",
    };
    Line {
        currency: flow.currency,
        code,
        text: flow.text.to_owned(),
        amount: flow.amount,
        at_ms: flow.at_ms,
        id: flow.id,
        action: flow.action,
        trade: None,
        flow: Some(flow),
    }
}

fn put(
    page: &Page<'_>,
    today: Date,
    (line, purses): (&Line<'_>, &mut BTreeMap<String, Dec>),
) -> String {
    let purse = purses.entry(line.currency.to_owned()).or_default();
    *purse += line.amount;
    let of = match (line.trade, line.flow) {
        (Some((order, _)), _) => Some(&order.of),
        (_, Some(flow)) => flow.of,
        _ => None,
    };
    let rate = page.before.prices().rate(line.currency, today);
    let row =
        page.row("StatementOfFundsLine").text("currency", line.currency).num("fxRateToBase", rate);
    let row = match of {
        Some(of) => described(row, of, (true, &of.title())),
        None => nothing(row, (true, "")),
    };
    let row = row
        .date("reportDate", today)
        .moment("date", line.at_ms)
        .date("settleDate", today)
        .text("activityCode", line.code)
        .text("activityDescription", &line.text);
    let row = match line.trade {
        Some((order, one)) => traded(row, order, one),
        None => untraded(row),
    };
    sums(row, line.amount, *purse)
        .text("levelOfDetail", "Currency")
        .text("transactionID", &number(line.id.cast_signed()))
        .text("actionID", &number(line.action.cast_signed()))
        .done()
}

fn traded<'f>(row: Row<'f>, order: &Order, one: &Traded<'_>) -> Row<'f> {
    row.show("tradeID", one.fill.id)
        .show("orderID", order.id)
        .text("buySell", if_sale(one.fill.quantity))
        .nums(&[
            ("tradeQuantity", one.fill.quantity),
            ("tradePrice", one.fill.price),
            ("tradeGross", one.proceeds),
            ("tradeCommission", one.fill.commission),
            ("tradeTax", one.fill.tax),
        ])
        .text("tradeCode", one.indicator)
}

fn untraded(row: Row<'_>) -> Row<'_> {
    row.blank(&["tradeID", "orderID", "buySell"])
        .zero(&["tradeQuantity", "tradePrice", "tradeGross", "tradeCommission", "tradeTax"])
        .text("tradeCode", "")
}

fn sums(row: Row<'_>, amount: Dec, balance: Dec) -> Row<'_> {
    let row = if amount.is_negative() {
        row.num("debit", amount).text("credit", "")
    } else {
        row.text("debit", "").num("credit", amount)
    };
    row.num("amount", amount).num("balance", balance)
}

/// Where a currency begins or ends; it is no change.
fn border(page: &Page<'_>, (currency, text, balance): (&str, &str, Dec), day: Date) -> String {
    let row = page.row("StatementOfFundsLine").text("currency", currency);
    let row = nothing(row.text("fxRateToBase", ""), (true, ""))
        .date("reportDate", day)
        .date("date", day)
        .text("settleDate", "")
        .text("activityCode", "")
        .text("activityDescription", text);
    untraded(row)
        .blank(&["debit", "credit"])
        .text("amount", "0")
        .num("balance", balance)
        .text("levelOfDetail", "Currency")
        .blank(&["transactionID", "actionID"])
        .done()
}
