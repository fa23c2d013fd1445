//! What is held at the end of the period.

use super::identity::{contract, metal};
use super::{Out, Page};
use crate::flex::dec::Dec;
use crate::flex::ledger::{Lot, Position};
use crate::flex::past::Identity;

pub(super) fn write(page: &Page<'_>, out: &mut Out<'_>) {
    let after = page.walk(&mut |_| {});
    let nav = after.nav.total();
    for position in after.positions.values() {
        let rate = page.before.prices().rate(&position.of.currency, after.marked);
        out.put(&summary(page, position, (rate, nav)));
        if page.query.has_level("LOT") {
            for (lot, gain) in position.gains() {
                out.put(&one_lot(page, position, (rate, lot, gain)));
            }
        }
    }
}

fn summary(page: &Page<'_>, position: &Position, (rate, nav): (Dec, Dec)) -> String {
    let of = &position.of;
    let (quantity, cost) = (position.quantity(), position.cost());
    let price = cost.over(quantity.times(of.units()), 9);
    let share = position.value.times(rate).times(Dec::whole(100)).over(nav, 2);
    let row = head(page, position, rate)
        .nums(&[
            ("position", quantity),
            ("markPrice", position.price),
            ("positionValue", position.value),
            ("openPrice", price),
            ("costBasisPrice", price),
            ("costBasisMoney", cost),
            ("percentOfNAV", share),
            ("fifoPnlUnrealized", position.value - cost),
        ])
        .text("side", side(quantity))
        .text("levelOfDetail", "SUMMARY")
        .blank(&["openDateTime", "holdingPeriodDateTime", "vestingDate", "code"])
        .blank(&["originatingOrderID", "originatingTransactionID", "accruedInt"]);
    metal(row).done()
}

fn one_lot(page: &Page<'_>, position: &Position, (rate, lot, gain): (Dec, &Lot, Dec)) -> String {
    let value = gain + lot.cost;
    let price = lot.cost.over(lot.quantity.times(position.of.units()), 9);
    let row = head(page, position, rate)
        .nums(&[
            ("position", lot.quantity),
            ("markPrice", position.price),
            ("positionValue", value),
            ("openPrice", lot.price),
            ("costBasisPrice", price),
            ("costBasisMoney", lot.cost),
        ])
        .text("percentOfNAV", "")
        .num("fifoPnlUnrealized", gain)
        .text("side", side(lot.quantity))
        .text("levelOfDetail", "LOT")
        .moment("openDateTime", lot.at_ms)
        .moment("holdingPeriodDateTime", lot.at_ms)
        .blank(&["vestingDate", "code"])
        .show("originatingOrderID", lot.order)
        .show("originatingTransactionID", lot.id)
        .text("accruedInt", "");
    metal(row).done()
}

fn head<'f>(page: &'f Page<'_>, position: &Position, rate: Dec) -> crate::flex::xml::Row<'f> {
    let row =
        page.row("OpenPosition").text("currency", &position.of.currency).num("fxRateToBase", rate);
    contract(row, &position.of, true).date("reportDate", page.to)
}

fn side(quantity: Dec) -> &'static str {
    if quantity.is_negative() { "Short" } else { "Long" }
}
