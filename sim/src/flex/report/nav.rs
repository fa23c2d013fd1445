//! What the account is worth, and why that changed.

use jiff::civil::Date;

use super::{Out, Page};
use crate::flex::dec::Dec;
use crate::flex::ledger::{FlowKind, Nav};

/// What exists, and is nothing here.
const ALWAYS_ZERO: [&str; 31] = [
    "realized",
    "changeInUnrealized",
    "costAdjustments",
    "transferredPnlAdjustments",
    "internalCashTransfers",
    "debitCardActivity",
    "billPay",
    "withholding871m",
    "withholdingTaxCollected",
    "advisorFees",
    "brokerFees",
    "changeInBrokerFeeAccruals",
    "clientFees",
    "feesReceivables",
    "commissionReceivables",
    "forexCommissions",
    "taxReceivables",
    "salesTax",
    "softDollars",
    "linkingAdjustments",
    "other",
    "corporateActionProceeds",
    "commissionCreditsRedemption",
    "grantActivity",
    "excessFundSweep",
    "billableSalesTax",
    "mtmAtPaxos",
    "donations",
    "paxosTransfers",
    "commissionsAtPaxos",
    "referralFee",
];

pub(super) fn change(page: &Page<'_>, out: &mut Out<'_>) {
    use FlowKind::{
        Commission, Deposit, Dividend, Fee, Interest, Lieu, Tax, Withdrawal, Withholding,
    };
    let totals = page.totals();
    let interest: Dec = totals.interest.values().map(|i| i.accrued.base + i.reversed.base).sum();
    let row = page
        .row("ChangeInNAV")
        .text("currency", &page.party.currency)
        .date("fromDate", page.from)
        .date("toDate", page.to)
        .nums(&[
            ("startingValue", totals.first.total()),
            ("mtm", totals.mtm()),
            ("depositsWithdrawals", totals.base(&[Deposit, Withdrawal])),
            ("assetTransfers", totals.transferred),
            ("dividends", totals.base(&[Dividend, Lieu])),
            ("withholdingTax", totals.base(&[Withholding])),
            ("changeInDividendAccruals", totals.dividends_accrued),
            ("interest", totals.base(&[Interest])),
            ("changeInInterestAccruals", interest),
            ("otherFees", totals.base(&[Fee])),
            ("commissions", totals.base(&[Commission])),
            ("transactionTax", totals.base(&[Tax])),
            ("netFxTrading", totals.fx_trading),
            ("fxTranslation", totals.translation),
        ])
        .zero(&ALWAYS_ZERO)
        .nums(&[("endingValue", totals.last.total()), ("twr", totals.twr())]);
    out.put(&row.done());
}

/// One row per report day, beginning with the last before the period.
pub(super) fn equity(page: &Page<'_>, out: &mut Out<'_>) {
    let mut before = page.before.day;
    while before >= page.opened && !page.before.is_report_day(before) {
        before = crate::flex::days::plus(before, -1);
    }
    if before >= page.opened {
        out.put(&day(page, before, &page.before.nav));
    }
    for (date, nav) in page.totals().days {
        out.put(&day(page, date, &nav));
    }
}

fn day(page: &Page<'_>, date: Date, nav: &Nav) -> String {
    let (interest, dividends) = (nav.interest, nav.dividends);
    let long = nav.cash_long + nav.stock_long + nav.options_long;
    let short = nav.cash_short + nav.stock_short + nav.options_short;
    let accrued = [interest, dividends];
    let accrued_long: Dec = accrued.iter().map(|a| a.positive()).sum();
    let accrued_short: Dec = accrued.iter().map(|a| a.negative()).sum();
    page.row("EquitySummaryByReportDateInBase")
        .text("currency", &page.party.currency)
        .date("reportDate", date)
        .nums(&[
            ("cash", nav.cash),
            ("cashLong", nav.cash_long),
            ("cashShort", nav.cash_short),
            ("stock", nav.stock),
            ("stockLong", nav.stock_long),
            ("stockShort", nav.stock_short),
            ("options", nav.options),
            ("optionsLong", nav.options_long),
            ("optionsShort", nav.options_short),
        ])
        .zero(&["commodities", "bonds", "notes", "funds", "softDollars", "crypto"])
        .nums(&[
            ("interestAccruals", interest),
            ("interestAccrualsLong", interest.positive()),
            ("interestAccrualsShort", interest.negative()),
            ("dividendAccruals", dividends),
            ("dividendAccrualsLong", dividends.positive()),
            ("dividendAccrualsShort", dividends.negative()),
        ])
        .zero(&["forexCfdUnrealizedPl", "cfdUnrealizedPl"])
        .nums(&[
            ("total", nav.total()),
            ("totalLong", long + accrued_long),
            ("totalShort", short + accrued_short),
        ])
        .done()
}
