//! Gains by contract, in the base currency: by the market, and first in first out.

use std::collections::BTreeMap;

use super::identity::{contract, metal};
use super::totals::{Symbol, Totals};
use super::{Out, Page};
use crate::flex::dec::Dec;

/// Held for longer than this is long term (milliseconds).
const YEAR_MS: i64 = 365 * crate::clock::DAY_MS;

pub(super) fn mtm(page: &Page<'_>, out: &mut Out<'_>) {
    for symbol in page.totals().symbols.values() {
        let total = symbol.prior_mtm + symbol.trade_mtm + symbol.commissions;
        let row = contract(page.row("MTMPerformanceSummaryUnderlying"), &symbol.of, true)
            .date("reportDate", page.to)
            .nums(&[
                ("prevCloseQuantity", symbol.quantity_before),
                ("prevClosePrice", symbol.price_before),
                ("closeQuantity", symbol.quantity),
                ("closePrice", symbol.price),
                ("transactionMtm", symbol.trade_mtm),
                ("priorOpenMtm", symbol.prior_mtm),
                ("commissions", symbol.commissions),
            ])
            .zero(&["other", "otherWithAccruals", "corpActionMtm", "dividends"])
            .nums(&[("total", total), ("totalWithAccruals", total)])
            .text("code", "");
        out.put(&metal(row).done());
    }
}

pub(super) fn fifo(page: &Page<'_>, out: &mut Out<'_>) {
    let mut totals = Totals::new(page.before);
    let after = page.walk(&mut |fact| totals.see(&fact));
    // Short-term profit and loss, long-term profit and loss of what is still open.
    let mut open: BTreeMap<i64, [Dec; 4]> = BTreeMap::new();
    for position in after.positions.values() {
        let rate = page.before.prices().rate(&position.of.currency, after.marked);
        let end = page.before.prices().clock().moment(after.marked, super::super::prices::CLOSE);
        let sums = open.entry(position.of.conid).or_default();
        for (lot, gain) in position.gains() {
            let gain = gain.times(rate).round(9);
            let at = if end - lot.at_ms > YEAR_MS { 2 } else { 0 };
            let at = at + usize::from(gain.is_negative());
            if let Some(sum) = sums.get_mut(at) {
                *sum += gain;
            }
        }
    }
    let traded = totals.symbols.values().filter(|symbol| !symbol.of.is("CASH"));
    for symbol in traded {
        let open = open.get(&symbol.of.conid).copied().unwrap_or_default();
        out.put(&underlying(page, symbol, open));
    }
}

fn underlying(page: &Page<'_>, symbol: &Symbol, open: [Dec; 4]) -> String {
    let closed = symbol.realized;
    let (realized, unrealized): (Dec, Dec) = (closed.into_iter().sum(), open.into_iter().sum());
    let row = contract(page.row("FIFOPerformanceSummaryUnderlying"), &symbol.of, true)
        .date("reportDate", page.to)
        .zero(&["costAdj"])
        .nums(&[
            ("realizedSTProfit", closed[0]),
            ("realizedSTLoss", closed[1]),
            ("realizedLTProfit", closed[2]),
            ("realizedLTLoss", closed[3]),
            ("totalRealizedPnl", realized),
            ("unrealizedProfit", open[0] + open[2]),
            ("unrealizedLoss", open[1] + open[3]),
            ("totalUnrealizedPnl", unrealized),
            ("totalFifoPnl", realized + unrealized),
            ("unrealizedSTProfit", open[0]),
            ("unrealizedSTLoss", open[1]),
            ("unrealizedLTProfit", open[2]),
            ("unrealizedLTLoss", open[3]),
        ])
        .zero(&["transferredPnl", "transferredCapitalGainsPnl", "transferredFxPnl"])
        .text("code", "");
    metal(row).done()
}
