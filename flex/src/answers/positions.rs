//! Open positions on a day: the last on or before it that a statement tells of.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::fields::{Field, Item};
use super::read::Context;
use super::sums::{Flow, Sums};
use super::{Answer, Table};
use crate::cell::{Cell, clean};

#[derive(Debug, Default)]
pub(super) struct Positions {
    by_account: BTreeMap<String, Held>,
    /// The latest statement of each account.
    latest: BTreeMap<String, Latest>,
}

/// The last day that a statement tells of. Without a row in it nothing is held on that day.
#[derive(Debug)]
struct Latest {
    day: Date,
    number: usize,
    has_rows: bool,
}

/// What an account holds on the best day found so far.
#[derive(Debug)]
struct Held {
    day: Date,
    /// The statement that says so: of the same day, the newest counts.
    number: usize,
    /// By symbol, contract and currency. Lots of one are added up.
    rows: BTreeMap<[String; 3], Position>,
}

#[derive(Debug, Default)]
struct Position {
    asset_class: String,
    /// Quantity, value, cost, unrealised P&L.
    sums: [Option<Decimal>; 4],
    price: Option<Decimal>,
    rate: Option<Decimal>,
}

const COLS: [&str; 10] = [
    "account",
    "symbol",
    "assetClass",
    "quantity",
    "price",
    "currency",
    "value",
    "cost",
    "unrealised",
    "valueInBase",
];
const SUMMED: [Field; 4] =
    [Field::Position, Field::PositionValue, Field::CostBasis, Field::Unrealised];

impl Positions {
    /// A statement of an account begins that tells what is held on its last day.
    pub(super) fn begin(&mut self, context: &Context<'_>, account: &str) {
        let question = context.question;
        let is_asked = |day: &Date| question.to.is_none_or(|to| *day <= to);
        let Some(day) = context.period.map(|period| period.to).filter(is_asked) else { return };
        if question.account.as_deref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(account)) {
            return;
        }
        // Of the same day the newest counts, which is read first.
        if self.latest.get(account).is_none_or(|known| day > known.day) {
            let latest = Latest { day, number: context.number, has_rows: false };
            self.latest.insert(account.to_owned(), latest);
        }
    }

    pub(super) fn take(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        for wanted in [
            (Field::Symbol, "what is held"),
            (Field::PositionValue, "what it is worth"),
            (Field::Unrealised, "unrealised P&L"),
            (Field::Currency, "the currency of amounts"),
            (Field::FxRateToBase, "amounts in base currency"),
        ] {
            context.want(item, wanted);
        }
        context.need(item, (Field::Position, "how much is held"));
        let end = context.period.map(|period| period.to);
        if let Some(latest) = self.latest.get_mut(&*item.account()) {
            latest.has_rows |= latest.number == context.number && Some(latest.day) == end;
        }
        let day =
            context.day(item, &[Field::ReportDate]).or(context.period.map(|period| period.to));
        let Some(day) = day.filter(|day| context.question.to.is_none_or(|to| *day <= to)) else {
            return;
        };
        let number = context.number;
        let held = self.by_account.entry(item.account().into_owned()).or_insert_with(|| Held {
            day,
            number,
            rows: BTreeMap::new(),
        });
        if day > held.day {
            *held = Held { day, number, rows: BTreeMap::new() };
        }
        if day == held.day && number == held.number {
            held.add(context, item);
        }
    }

    pub(super) fn finish(mut self, context: &mut Context<'_>, answer: &mut Answer) {
        self.empty();
        let mut sums = Sums::default();
        let (mut table, mut futures) = (Table::new(COLS), 0);
        for (account, held) in &self.by_account {
            for (key, position) in &held.rows {
                let [symbol, _, currency] = key;
                let [quantity, value, cost, unrealised] = position.sums;
                let in_base = value.and_then(|value| {
                    value.checked_mul(rate(context, (account, held), (currency, position))?)
                });
                table.rows.push(vec![
                    Cell::from(account.as_str()),
                    Cell::from(symbol.as_str()),
                    Cell::from(position.asset_class.as_str()),
                    Cell::from(quantity),
                    Cell::from(position.price),
                    Cell::from(currency.as_str()),
                    Cell::from(value),
                    Cell::from(cost),
                    Cell::from(unrealised),
                    Cell::from(in_base),
                ]);
                // What a future stands for is no part of what the account is worth.
                let is_future = position.asset_class == "FUT";
                futures += usize::from(is_future);
                let worth = value.filter(|_| !is_future);
                for (measure, amount) in [worth, unrealised].into_iter().enumerate() {
                    let flow = Flow {
                        keys: Vec::new(),
                        account,
                        currency,
                        measures: &[measure],
                        amount: amount.unwrap_or_default(),
                        day: Some(held.day),
                        rate: position.rate,
                    };
                    sums.add(flow, &mut context.rates);
                }
            }
        }
        sums.finish((&[], &[(0, "value"), (1, "unrealised")]), &mut context.rates, answer);
        answer.table = table;
        if futures > 0 {
            answer.notes.push(format!(
                "{futures} futures are listed with what they stand for, and are not in the total value: that is not \
                 paid"
            ));
        }
        let what = context.question.symbol.as_deref().map(|symbol| format!(" of {symbol}"));
        for (account, held) in self.by_account.iter().filter(|(_, held)| held.rows.is_empty()) {
            answer.notes.push(format!(
                "{account} holds nothing{} on {}: its statement of that day has no open position of it",
                what.as_deref().unwrap_or_default(),
                held.day
            ));
        }
        let days = |held: &Held| held.day;
        let first = self.by_account.values().map(days).min();
        let last = self.by_account.values().map(days).max();
        if let (Some(first), Some(last)) = (first, last) {
            answer.period = Some(crate::summary::Period { from: first, to: last });
            if context.question.to.is_some_and(|to| first < to) {
                answer.notes.push(format!(
                    "positions are of {first}: the last day on or before the one asked for on which a \
                     statement has any; trades after it are not in them"
                ));
            }
        } else {
            answer.notes.push("no statement has a position on or before that day".to_owned());
        }
    }
}

impl Positions {
    /// What an older statement has is not held any more, where the latest one has none of it.
    fn empty(&mut self) {
        for (account, latest) in &self.latest {
            let known = self.by_account.get(account).map(|held| held.day);
            if !latest.has_rows && known.is_none_or(|day| day < latest.day) {
                let held = Held { day: latest.day, number: latest.number, rows: BTreeMap::new() };
                self.by_account.insert(account.clone(), held);
            }
        }
    }
}

/// The row's own, or that of the day.
fn rate(
    context: &Context<'_>,
    (account, held): (&str, &Held),
    (currency, position): (&str, &Position),
) -> Option<Decimal> {
    position.rate.or_else(|| {
        let base = context.rates.base(account)?;
        context.rates.of_day(currency, base, Some(held.day))
    })
}

impl Held {
    fn add(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        let text = |field: Field| item.text(field).map(|text| clean(&text)).unwrap_or_default();
        let key = [Field::Symbol, Field::Conid, Field::Currency].map(text);
        let position = self.rows.entry(key).or_default();
        position.asset_class = text(Field::AssetCategory);
        for (sum, field) in position.sums.iter_mut().zip(SUMMED) {
            if let Some(amount) = context.number(item, field) {
                *sum = sum.unwrap_or_default().checked_add(amount);
            }
        }
        position.price = context.number(item, Field::MarkPrice);
        position.rate = context.number(item, Field::FxRateToBase);
    }
}
