//! Trade confirmations: the same trades in other words, some minutes after they happened.

use jiff::civil::Date;

use super::identity::contract;
use super::totals::Sum;
use super::trades::{settled, side};
use super::{Out, Page};
use crate::flex::ledger::{Fact, Traded};
use crate::flex::past::{Bulk, Fill, Identity, Order};
use crate::flex::xml::Row;

pub(super) fn write(page: &Page<'_>, out: &mut Out<'_>) {
    let (orders, executions) = (page.query.has_level("ORDER"), page.query.has_level("EXECUTION"));
    let mut today = page.from;
    page.walk(&mut |fact| match fact {
        Fact::Day(day) => today = day,
        Fact::Order(order, traded) if !out.is_over() => {
            let is_old = page.is_activity() || Bulk::made(order.id);
            let known = |one: &&Traded<'_>| is_old || one.fill.at_ms <= page.known_ms;
            let known: Vec<&Traded<'_>> = traded.iter().filter(known).collect();
            if orders && !known.is_empty() {
                out.put(&whole(page, (today, order), &known));
            }
            let rows = known.iter().filter(|_| executions);
            rows.for_each(|one| out.put(&execution(page, (today, order), one)));
        }
        _ => {}
    });
}

fn execution(page: &Page<'_>, (today, order): (Date, &Order), one: &Traded<'_>) -> String {
    let mut sum = Sum::default();
    sum.add(one);
    let row = head(page, "TradeConfirm", order).show("tradeID", one.fill.id);
    tail(row, (today, order), (&sum, Some(one.fill))).text("levelOfDetail", "EXECUTION").done()
}

fn whole(page: &Page<'_>, (today, order): (Date, &Order), known: &[&Traded<'_>]) -> String {
    let mut sum = Sum::default();
    known.iter().for_each(|one| sum.add(one));
    let row = head(page, "Order", order).text("tradeID", "");
    tail(row, (today, order), (&sum, None)).text("levelOfDetail", "ORDER").done()
}

fn head<'f>(page: &'f Page<'_>, tag: &str, order: &Order) -> Row<'f> {
    let row = page.row(tag).text("currency", &order.of.currency);
    contract(row, &order.of, false).text("transactionType", order.transaction)
}

fn tail<'f>(
    row: Row<'f>,
    (today, order): (Date, &Order),
    (sum, fill): (&Sum, Option<&Fill>),
) -> Row<'f> {
    let at = fill.map_or(order.at_ms(), |fill| fill.at_ms);
    let price = sum.money.over(sum.quantity.times(order.of.units()), 9);
    row.show("orderID", order.id)
        .text("execID", fill.map_or("", |fill| &fill.execution))
        .blank(&["brokerageOrderID"])
        .text("orderReference", &order.reference)
        .blank(&["volatilityOrderLink", "clearingFirmID"])
        .zero(&["origTradePrice"])
        .blank(&["origTradeDate", "origTradeID"])
        .moment("orderTime", order.entered_ms)
        .moment("dateTime", at)
        .date("reportDate", today)
        .date("settleDate", settled(&order.of, today))
        .date("tradeDate", today)
        .text("exchange", fill.map_or("--", |fill| fill.exchange))
        .text("buySell", &side(sum.quantity, order))
        .nums(&[
            ("quantity", sum.quantity),
            ("price", fill.map_or(price, |fill| fill.price)),
            ("amount", sum.money),
            ("proceeds", sum.proceeds),
            ("commission", sum.commission),
        ])
        .zero(&["brokerExecutionCommission", "brokerClearingCommission"])
        .zero(&["thirdPartyExecutionCommission", "thirdPartyClearingCommission"])
        .zero(&["thirdPartyRegulatoryCommission", "otherCommission"])
        .text("commissionCurrency", &sum.commission_currency)
        .num("tax", sum.tax)
        .text("code", order.note)
        .text("orderType", order.kind)
        .text("traderID", "")
        .text("isAPIOrder", if order.is_api { "Y" } else { "N" })
        .text("allocatedTo", "")
        .text("accruedInt", "0")
}
