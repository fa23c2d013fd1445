//! The contracts that occur, and the rates that were used.

use std::collections::BTreeSet;

use super::identity::{contract, metal};
use super::{Out, Page};
use crate::flex::past::Identity;
use crate::flex::xml::Row;

pub(super) fn write(page: &Page<'_>, out: &mut Out<'_>) {
    for symbol in page.totals().symbols.values() {
        let of = &symbol.of;
        let row = contract(Row::new("SecurityInfo", page.form), of, true)
            .text("currency", &of.currency)
            .blank(&["maturity", "issueDate", "underlyingCategory"])
            .text("type", of.sub_category())
            .blank(&["settlementPolicyMethod", "code"]);
        out.put(&metal(row).done());
    }
}

/// One row per report day and currency that the account has anything in.
pub(super) fn rates(page: &Page<'_>, out: &mut Out<'_>) {
    let totals = page.totals();
    let flows = totals.flows.keys().map(|(currency, _)| currency);
    let held = totals.symbols.values().map(|symbol| &symbol.of.currency);
    let currencies: BTreeSet<&String> =
        page.before.cash().keys().chain(flows).chain(held).collect();
    for (day, _) in &totals.days {
        for currency in currencies.iter().filter(|currency| **currency != &page.party.currency) {
            let row = Row::new("ConversionRate", page.form)
                .date("reportDate", *day)
                .text("fromCurrency", currency)
                .text("toCurrency", &page.party.currency)
                .num("rate", page.before.prices().rate(currency, *day));
            out.put(&row.done());
        }
    }
}
