//! Time-weighted return, as IBKR computes it for the days of each statement.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::fields::{Field, Item};
use super::read::Context;
use super::{Answer, Table};
use crate::archive::Coverage;
use crate::cell::Cell;
use crate::summary::Period;

const HUNDRED: Decimal = Decimal::ONE_HUNDRED;
/// Decimal places of a return that was linked from others, in percent.
const PLACES: u32 = 6;

#[derive(Debug, Default)]
pub(super) struct Performance {
    periods: BTreeMap<(String, Period), Value>,
}

#[derive(Debug, Clone, Copy)]
struct Value {
    /// In percent.
    twr: Decimal,
    start: Option<Decimal>,
    end: Option<Decimal>,
}

impl Performance {
    pub(super) fn take(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        context.need(item, (Field::Twr, "the time-weighted return"));
        let Some(period) = context.period else { return };
        let Some(twr) = context.number(item, Field::Twr) else { return };
        let account = item.account();
        if context.claim(&account) {
            let start = context.number(item, Field::StartingValue);
            let end = context.number(item, Field::EndingValue);
            self.periods.insert((account.into_owned(), period), Value { twr, start, end });
        }
    }

    pub(super) fn finish(self, _: &mut Context<'_>, answer: &mut Answer) {
        answer.table =
            Table::new(["account", "from", "to", "twrPct", "startingValue", "endingValue"]);
        answer.totals_in_base = Table::new(["account", "from", "to", "twrPct"]);
        let mut accounts: BTreeMap<&str, Vec<(Period, Value)>> = BTreeMap::new();
        for ((account, period), value) in &self.periods {
            accounts.entry(account).or_default().push((*period, *value));
            answer.table.rows.push(vec![
                Cell::from(account.as_str()),
                Cell::Text(period.from.to_string()),
                Cell::Text(period.to.to_string()),
                Cell::Number(value.twr),
                Cell::from(value.start),
                Cell::from(value.end),
            ]);
        }
        for (account, periods) in accounts {
            let days = Coverage::of(periods.iter().map(|(period, _)| *period).collect());
            let [whole] = days.have[..] else {
                answer.notes.push(format!(
                    "the statements of {account} leave days out between them: their returns cannot be linked"
                ));
                continue;
            };
            answer.totals_in_base.rows.push(vec![
                Cell::from(account),
                Cell::Text(whole.from.to_string()),
                Cell::Text(whole.to.to_string()),
                Cell::from(linked(periods.iter().map(|(_, value)| value.twr))),
            ]);
        }
        if answer.table.rows.is_empty() {
            answer.notes.push(
                "no statement is of days that all lie within those asked for: run a query whose period is these days, \
                 for instance the year to date, or leave out from, to and year"
                    .to_owned(),
            );
        }
        answer.notes.push(
            "time-weighted, in percent, as IBKR computes it for the days of each statement; several are linked"
                .to_owned(),
        );
    }
}

/// Returns of periods that follow one another, as one.
fn linked(returns: impl Iterator<Item = Decimal>) -> Option<Decimal> {
    let factor = returns.map(|percent| Decimal::ONE + percent / HUNDRED);
    let all = factor.reduce(|all, one| (all * one).round_dp(20))?;
    Some(((all - Decimal::ONE) * HUNDRED).round_dp(PLACES).normalize())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn returns_are_linked_and_not_added() {
        let of = |all: &[&str]| linked(all.iter().map(|text| text.parse().unwrap()));
        assert_eq!(of(&["10", "10"]), Some("21".parse().unwrap()));
        assert_eq!(of(&["50", "-50"]), Some("-25".parse().unwrap()));
        assert_eq!(of(&["1.25"]), Some("1.25".parse().unwrap()));
        assert_eq!(of(&[]), None);
    }
}
