//! Cash: what it came to in each currency, and every movement that no trade made.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::{described, metal, nothing, number};
use super::totals::Totals;
use super::{Out, Page};
use crate::flex::dec::Dec;
use crate::flex::ledger::{Fact, Flow, FlowKind, Ledger};

/// The attribute of each kind.
const KINDS: [(&str, FlowKind); 13] = [
    ("commissions", FlowKind::Commission),
    ("deposits", FlowKind::Deposit),
    ("withdrawals", FlowKind::Withdrawal),
    ("dividends", FlowKind::Dividend),
    ("paymentInLieu", FlowKind::Lieu),
    ("brokerInterest", FlowKind::Interest),
    ("cashSettlingMtm", FlowKind::Settling),
    ("netTradesSales", FlowKind::Sale),
    ("netTradesPurchases", FlowKind::Purchase),
    ("withholdingTax", FlowKind::Withholding),
    ("transactionTax", FlowKind::Tax),
    ("otherFees", FlowKind::Fee),
    ("other", FlowKind::Action),
];
const ALWAYS_ZERO: [&str; 14] = [
    "clientFees",
    "billableCommissions",
    "accountTransfers",
    "linkingAdjustments",
    "internalTransfers",
    "excessFundSweep",
    "insuredDepositInterest",
    "bondInterest",
    "realizedVm",
    "cfdCharges",
    "advisorFees",
    "feesReceivables",
    "taxReceivables",
    "salesTax",
];

pub(super) fn report(page: &Page<'_>, out: &mut Out<'_>) {
    let mut totals = Totals::new(page.before);
    let after = page.walk(&mut |fact| totals.see(&fact));
    let currencies: BTreeSet<&String> =
        page.before.cash().keys().chain(after.cash().keys()).collect();
    let mut base = Line::default();
    for currency in currencies {
        let of = |ledger: &Ledger<'_>| ledger.cash().get(currency).copied().unwrap_or_default();
        let mut line = Line { first: of(page.before), last: of(&after), ..Line::default() };
        for ((_, kind), both) in totals.flows.iter().filter(|((c, _), _)| c == currency) {
            *line.kinds.entry(*kind).or_default() += both.own;
            *base.kinds.entry(*kind).or_default() += both.base;
        }
        out.put(&line.write(page, currency));
    }
    (base.first, base.last) = (totals.first.cash, totals.last.cash);
    base.translation = totals.cash_translation;
    out.put(&base.write(page, "BASE_SUMMARY"));
}

#[derive(Default)]
struct Line {
    first: Dec,
    last: Dec,
    translation: Dec,
    kinds: BTreeMap<FlowKind, Dec>,
}

impl Line {
    fn write(&self, page: &Page<'_>, currency: &str) -> String {
        let of = |kind: FlowKind| self.kinds.get(&kind).copied().unwrap_or_default();
        let kinds: Vec<(&str, Dec)> = KINDS.iter().map(|(name, kind)| (*name, of(*kind))).collect();
        let row = page.row("CashReportCurrency").text("currency", currency);
        let level = if currency == "BASE_SUMMARY" { "BaseCurrency" } else { "Currency" };
        row.text("levelOfDetail", level)
            .date("fromDate", page.from)
            .date("toDate", page.to)
            .num("startingCash", self.first)
            .nums(&kinds)
            // The sum of two others, as IBKR has it.
            .num("depositWithdrawals", of(FlowKind::Deposit) + of(FlowKind::Withdrawal))
            .zero(&ALWAYS_ZERO)
            .num("fxTranslationGainLoss", self.translation)
            .num("endingCash", self.last)
            .num("endingSettledCash", self.last)
            .done()
    }
}

/// IBKR's name of a kind that has rows of its own.
fn name(flow: &Flow<'_>) -> Option<&'static str> {
    Some(match flow.kind {
        FlowKind::Deposit | FlowKind::Withdrawal => "Deposits/Withdrawals",
        FlowKind::Dividend => "Dividends",
        FlowKind::Lieu => "Payment In Lieu Of Dividends",
        FlowKind::Withholding => "Withholding Tax",
        FlowKind::Interest if flow.amount.is_negative() => "Broker Interest Paid",
        FlowKind::Interest => "Broker Interest Received",
        FlowKind::Fee => "Other Fees",
        _ => return None,
    })
}

pub(super) fn transactions(page: &Page<'_>, out: &mut Out<'_>) {
    page.walk(&mut |fact| {
        if let Fact::Flow(flow) = fact
            && let Some(kind) = name(&flow)
        {
            out.put(&transaction(page, &flow, kind));
        }
    });
}

fn transaction(page: &Page<'_>, flow: &Flow<'_>, kind: &str) -> String {
    let row =
        page.row("CashTransaction").text("currency", flow.currency).num("fxRateToBase", flow.rate);
    let row = match flow.of {
        Some(of) => described(row, of, (true, flow.text)),
        None => nothing(row, (true, flow.text)),
    };
    let row = row
        .moment("dateTime", flow.at_ms)
        .date("settleDate", flow.day)
        .text("availableForTradingDate", "")
        .num("amount", flow.amount)
        .text("type", kind)
        .blank(&["tradeID", "code"])
        .show("transactionID", flow.id)
        .date("reportDate", flow.day);
    let row = match flow.ex {
        Some(day) => row.date("exDate", day),
        None => row.text("exDate", ""),
    };
    let action = number(flow.action.cast_signed());
    metal(row.text("clientReference", "").text("actionID", &action).text("levelOfDetail", "DETAIL"))
        .done()
}
