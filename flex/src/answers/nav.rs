//! Net asset value, day by day.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::fields::{Field, Item};
use super::rates::UNNAMED;
use super::read::Context;
use super::sums::cents;
use super::{Answer, Table};
use crate::cell::Cell;
use crate::question::By;

#[derive(Debug, Default)]
pub(super) struct Nav {
    /// The newest statement's word counts, and it is read first.
    days: BTreeMap<(String, Date), Value>,
    /// The last value before the days that are asked for: what a change of them begins from.
    before: BTreeMap<String, (Date, Value)>,
}

/// A value so many days before the first one is still the last before it: a weekend with holidays.
const NEAR: i32 = 7;

#[derive(Debug, Clone, Copy)]
struct Value {
    total: Decimal,
    cash: Option<Decimal>,
}

impl Nav {
    pub(super) fn take(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        if item.section == "ChangeInNAV" {
            return self.change(context, item);
        }
        context.need(item, (Field::Total, "net asset value"));
        context.need(item, (Field::ReportDate, "the day"));
        if let Some(currency) = item.text(Field::Currency) {
            context.rates.set_base(&item.account(), &currency);
        }
        let day = context.day(item, &[Field::ReportDate]);
        let total = context.number(item, Field::Total);
        let cash = context.number(item, Field::Cash);
        if let (Some(day), Some(total)) = (day, total) {
            self.put(context, item, (day, Value { total, cash }));
        }
    }

    /// The value at the end of a statement, and at the end of the day before it.
    fn change(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        context.need(item, (Field::EndingValue, "net asset value"));
        let Some(period) = context.period else { return };
        let before = period.from.yesterday().unwrap_or(period.from);
        for (day, field) in [(period.to, Field::EndingValue), (before, Field::StartingValue)] {
            if let Some(total) = context.number(item, field) {
                self.put(context, item, (day, Value { total, cash: None }));
            }
        }
    }

    fn put(&mut self, context: &mut Context<'_>, item: &Item<'_>, (day, value): (Date, Value)) {
        let value = Value { total: cents(value.total), cash: value.cash.map(cents) };
        let account = item.account().into_owned();
        if context.is_in_period(Some(day)) {
            self.days.entry((account, day)).or_insert(value);
            return;
        }
        let is_before = context.question.from.is_some_and(|from| {
            day < from && from.since(day).is_ok_and(|span| span.get_days() <= NEAR)
        });
        if is_before {
            let known = self.before.entry(account).or_insert((day, value));
            if day > known.0 {
                *known = (day, value);
            }
        }
    }

    pub(super) fn finish(self, context: &mut Context<'_>, answer: &mut Answer) {
        let mut table = Table::new(["date", "account", "currency", "nav", "cash"]);
        answer.totals_in_base =
            Table::new(["account", "base", "since", "first", "until", "last", "change"]);
        let is_thinned = self.days.len() > context.rows || context.question.by.contains(&By::Month);
        let mut accounts: BTreeMap<&str, Vec<(Date, Value)>> = BTreeMap::new();
        for ((account, day), value) in &self.days {
            accounts.entry(account).or_default().push((*day, *value));
        }
        for (account, days) in accounts {
            let base = Cell::from(context.rates.base(account).unwrap_or(UNNAMED));
            for (at, (day, value)) in days.iter().enumerate() {
                let next = days.get(at + 1).map(|(next, _)| next.first_of_month());
                if is_thinned && next == Some(day.first_of_month()) {
                    continue;
                }
                table.rows.push(vec![
                    Cell::Text(day.to_string()),
                    Cell::from(account),
                    base.clone(),
                    Cell::Number(value.total),
                    Cell::from(value.cash),
                ]);
            }
            // A year's change begins with the value at the end of the year before.
            let first = self.before.get(account).or(days.first());
            if let (Some((since, first)), Some((until, last))) = (first, days.last()) {
                answer.totals_in_base.rows.push(vec![
                    Cell::from(account),
                    base,
                    Cell::Text(since.to_string()),
                    Cell::Number(first.total),
                    Cell::Text(until.to_string()),
                    Cell::Number(last.total),
                    Cell::from(last.total.checked_sub(first.total)),
                ]);
            }
        }
        table.rows.sort();
        answer.table = table;
        if is_thinned {
            answer.notes.push("the last day of each month".to_owned());
        }
        answer
            .notes
            .push("a change of value is no return: deposits and withdrawals are in it".to_owned());
    }
}
