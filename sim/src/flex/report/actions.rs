//! Taxes on trades, corporate actions, transfers, options that ended.

use jiff::civil::Date;

use super::identity::{contract, described, metal};
use super::{Out, Page};
use crate::flex::dec::Dec;
use crate::flex::ledger::{Acted, Fact, Traded};
use crate::flex::past::{Action, Identity, Order, Transfer};

pub(super) fn taxes(page: &Page<'_>, out: &mut Out<'_>) {
    let mut today = page.from;
    page.walk(&mut |fact| match fact {
        Fact::Day(day) => today = day,
        Fact::Order(order, traded) => {
            let taxed = traded.iter().filter(|one| !one.fill.tax.is_zero());
            taxed.for_each(|one| out.put(&tax(page, (today, order), one)));
        }
        _ => {}
    });
}

fn tax(page: &Page<'_>, (today, order): (Date, &Order), one: &Traded<'_>) -> String {
    let of = &order.of;
    let name = match of.country.as_str() {
        "FR" => "French Transaction Tax",
        "GB" => "UK Stamp Tax",
        _ => "Hong Kong Stamp Duty",
    };
    let row =
        page.row("TransactionTax").text("currency", &of.currency).num("fxRateToBase", one.rate);
    contract(row, of, false)
        .date("date", today)
        .text("taxDescription", name)
        .num("quantity", one.fill.quantity)
        .date("reportDate", today)
        .num("taxAmount", one.fill.tax)
        .show("tradeId", one.fill.id)
        .num("tradePrice", one.fill.price)
        .text("source", "TRADE")
        .text("code", "")
        .text("levelOfDetail", "SUMMARY")
        .done()
}

pub(super) fn corporate(page: &Page<'_>, out: &mut Out<'_>) {
    let mut today = page.from;
    page.walk(&mut |fact| match fact {
        Fact::Day(day) => today = day,
        Fact::Action { action, acted, rate } => {
            out.put(&corporate_action(page, (today, action), (acted, rate)));
        }
        _ => {}
    });
}

fn corporate_action(
    page: &Page<'_>,
    (today, action): (Date, &Action),
    (acted, rate): (Acted, Dec),
) -> String {
    let of = &action.of;
    let name = format!("({}, {}, {})", of.symbol, of.name, of.isin());
    let (kind, what) = match action.ratio {
        1 => ("TC", format!("MERGED(Acquisition)  FOR {} {} PER SHARE", of.currency, action.cash)),
        ratio => ("FS", format!("SPLIT {ratio} FOR 1")),
    };
    let text = format!("{}({}) {what} {name}", of.symbol, of.isin());
    let row = page.row("CorporateAction").text("currency", &of.currency).num("fxRateToBase", rate);
    let row = described(row, of, (true, &text))
        .show("actionID", action.id)
        .date("reportDate", today)
        .moment("dateTime", action.at_ms)
        .text("actionDescription", &text)
        .nums(&[
            ("amount", -acted.proceeds),
            ("proceeds", acted.proceeds),
            ("value", acted.value),
            ("quantity", acted.quantity),
        ])
        .zero(&["fxPnl", "capitalGainsPnl"])
        .num("fifoPnlRealized", acted.realized)
        .num("mtmPnl", if action.ratio == 1 { acted.proceeds + acted.value } else { Dec::ZERO })
        .text("code", "")
        .text("type", kind)
        .show("transactionID", action.id)
        .text("levelOfDetail", "DETAIL");
    metal(row).done()
}

pub(super) fn transfers(page: &Page<'_>, out: &mut Out<'_>) {
    let mut today = page.from;
    page.walk(&mut |fact| match fact {
        Fact::Day(day) => today = day,
        Fact::Transfer(transfer, amounts) => {
            out.put(&one_transfer(page, (today, transfer), amounts));
        }
        _ => {}
    });
}

fn one_transfer(
    page: &Page<'_>,
    (today, transfer): (Date, &Transfer),
    [amount, base]: [Dec; 2],
) -> String {
    let of = &transfer.of;
    let rate = page.before.prices().rate(&of.currency, today);
    let row = page.row("Transfer").text("currency", &of.currency).num("fxRateToBase", rate);
    let row = contract(row, of, true)
        .date("reportDate", today)
        .date("date", today)
        .moment("dateTime", transfer.at_ms)
        .date("settleDate", today)
        .text("type", "FOP")
        .text("direction", "IN")
        .text("company", "OTHER BROKER & CO")
        .text("account", "12345678")
        .blank(&["accountName", "deliveringBroker"])
        .num("quantity", transfer.quantity)
        .zero(&["transferPrice"])
        .num("positionAmount", amount)
        .num("positionAmountInBase", base)
        .zero(&["pnlAmount", "pnlAmountInBase", "fxPnl", "capitalGainsPnl", "cashTransfer"])
        .blank(&["code", "clientReference"])
        .show("transactionID", transfer.id)
        .text("levelOfDetail", "TRANSFER")
        .blank(&["positionInstructionID", "positionInstructionSetID"]);
    metal(row).done()
}

/// Options that were booked out on their last day.
pub(super) fn expirations(page: &Page<'_>, out: &mut Out<'_>) {
    let mut today = page.from;
    page.walk(&mut |fact| match fact {
        Fact::Day(day) => today = day,
        Fact::Order(order, traded) if order.note == "Ep" => {
            traded.iter().for_each(|one| out.put(&expiration(page, (today, order), one)));
        }
        _ => {}
    });
}

fn expiration(page: &Page<'_>, (today, order): (Date, &Order), one: &Traded<'_>) -> String {
    let of = &order.of;
    let row = page.row("OptionEAE").text("currency", &of.currency).num("fxRateToBase", one.rate);
    let row = contract(row, of, true)
        .date("date", today)
        .text("transactionType", "Expiration")
        .nums(&[("quantity", one.fill.quantity), ("tradePrice", one.fill.price)])
        .num("markPrice", one.close)
        .num("proceeds", one.proceeds)
        // IBKR's spelling.
        .num("commisionsAndTax", one.fill.commission + one.fill.tax)
        .num("costBasis", one.cost)
        .num("realizedPnl", one.realized)
        .zero(&["capitalGainsPnl", "fxPnl"])
        .num("mtmPnl", one.mtm)
        .show("tradeID", one.fill.id);
    metal(row).done()
}
