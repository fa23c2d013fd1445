//! Interest and dividends that are owed and not paid yet.

use jiff::civil::Date;

use super::identity::{contract, metal};
use super::totals::{Interest, Totals};
use super::{Out, Page};
use crate::flex::dec::Dec;
use crate::flex::ledger::{Due, Fact};
use crate::flex::xml::Row;

pub(super) fn interest(page: &Page<'_>, out: &mut Out<'_>) {
    let mut totals = Totals::new(page.before);
    let after = page.walk(&mut |fact| totals.see(&fact));
    let mut base = Interest::default();
    for (currency, of) in &totals.interest {
        let first = page.before.interest().get(currency).copied().unwrap_or_default();
        let last = after.interest().get(currency).copied().unwrap_or_default();
        base.accrued.add(Dec::ZERO, of.accrued.base);
        base.reversed.add(Dec::ZERO, of.reversed.base);
        let sums = [first, of.accrued.own, of.reversed.own, Dec::ZERO, last];
        out.put(&accrual(page, currency, sums));
    }
    let (first, last) = (totals.first.interest, totals.last.interest);
    let (accrued, reversed) = (base.accrued.base, base.reversed.base);
    let translation = last - first - accrued - reversed;
    out.put(&accrual(page, "BASE_SUMMARY", [first, accrued, reversed, translation, last]));
}

fn accrual(page: &Page<'_>, currency: &str, sums: [Dec; 5]) -> String {
    let [first, accrued, reversed, translation, last] = sums;
    page.row("InterestAccrualsCurrency")
        .text("currency", currency)
        .date("fromDate", page.from)
        .date("toDate", page.to)
        .nums(&[
            ("startingAccrualBalance", first),
            ("interestAccrued", accrued),
            ("accrualReversal", reversed),
            ("fxTranslation", translation),
            ("endingAccrualBalance", last),
        ])
        .done()
}

pub(super) fn dividends(page: &Page<'_>, out: &mut Out<'_>) {
    let mut today = page.from;
    page.walk(&mut |fact| match fact {
        Fact::Day(day) => today = day,
        Fact::Dividend { due, is_new, rate } => {
            out.put(&change(page, (today, due), (is_new, rate)))
        }
        _ => {}
    });
}

fn change(page: &Page<'_>, (today, due): (Date, &Due), (is_new, rate): (bool, Dec)) -> String {
    let row = page
        .row("ChangeInDividendAccrual")
        .text("currency", &due.dividend.of.currency)
        .num("fxRateToBase", rate);
    let row = contract(row, &due.dividend.of, true).date("reportDate", today).date("date", today);
    let row = amounts(row, due, if is_new { Dec::whole(1) } else { Dec::whole(-1) });
    row.text("code", if is_new { "Po" } else { "Re" })
        .blank(&["fromAcct", "toAcct"])
        .show("actionID", due.dividend.number)
        .text("levelOfDetail", "DETAIL")
        .done()
}

fn amounts<'f>(row: Row<'f>, due: &Due, sign: Dec) -> Row<'f> {
    row.date("exDate", due.dividend.ex).date("payDate", due.dividend.pay).nums(&[
        ("quantity", due.quantity),
        ("tax", due.tax.times(sign)),
        ("fee", Dec::ZERO),
        ("grossRate", due.dividend.per_share),
        ("grossAmount", due.gross.times(sign)),
        ("netAmount", (due.gross - due.tax).times(sign)),
    ])
}

pub(super) fn open_dividends(page: &Page<'_>, out: &mut Out<'_>) {
    let after = page.walk(&mut |_| {});
    for due in after.due() {
        let of = &due.dividend.of;
        let rate = page.before.prices().rate(&of.currency, after.marked);
        let row = page
            .row("OpenDividendAccrual")
            .text("currency", &of.currency)
            .num("fxRateToBase", rate);
        let row = amounts(contract(row, of, false), due, Dec::whole(1));
        out.put(&metal(row.text("code", "").blank(&["fromAcct", "toAcct"])).done());
    }
}
