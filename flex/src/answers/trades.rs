//! Trades, one by one, in the order of their times.

use rust_decimal::Decimal;

use super::fields::{Field, Item};
use super::read::Context;
use super::sums::{Flow, Sums};
use super::{Answer, Table};
use crate::cell::{Cell, clean};
use crate::value::Moment;

/// More are only counted.
const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Trades {
    /// With the time and number that they are sorted by.
    rows: Vec<(Option<Moment>, u64, Vec<Cell>)>,
    count: u64,
    has_realised: bool,
    /// Exchanges of currencies.
    exchanges: u64,
    /// Of what nobody pays for when it is bought.
    futures: u64,
    sums: Sums,
}

const COLS: [&str; 9] = [
    "time",
    "symbol",
    "side",
    "quantity",
    "price",
    "currency",
    "proceeds",
    "commission",
    "realised",
];

impl Trades {
    pub(super) fn take(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        let day = context.day(item, &[Field::TradeDate, Field::DateTime, Field::ReportDate]);
        if !context.counts(item, day) {
            return;
        }
        for wanted in [
            (Field::Symbol, "what was traded"),
            (Field::Quantity, "how much"),
            (Field::BuySell, "bought or sold"),
            (Field::Proceeds, "what it cost or brought"),
            (Field::Currency, "the currency of amounts"),
            (Field::FxRateToBase, "amounts in base currency"),
        ] {
            context.want(item, wanted);
        }
        self.count += 1;
        self.list(context, item);
        self.add_up(context, item);
    }

    fn list(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        if self.rows.len() >= MOST {
            return;
        }
        let time = context
            .moment(item, Field::DateTime)
            .or_else(|| context.moment(item, Field::TradeDate))
            .or_else(|| context.moment(item, Field::ReportDate));
        let text =
            |field: Field| item.text(field).map_or(Cell::Missing, |text| Cell::Text(clean(&text)));
        let mut number = |first: Field, second: Field| {
            let found = context.number(item, first);
            Cell::from(found.or_else(|| context.number(item, second)))
        };
        let realised = number(Field::Realised, Field::Realised);
        self.has_realised |= realised != Cell::Missing;
        let row = vec![
            time.map_or(Cell::Missing, |time| Cell::Text(time.to_string())),
            text(Field::Symbol),
            text(Field::BuySell),
            number(Field::Quantity, Field::Quantity),
            number(Field::TradePrice, Field::Price),
            text(Field::Currency),
            number(Field::Proceeds, Field::Proceeds),
            number(Field::Commission, Field::ConfirmCommission),
            realised,
        ];
        self.rows.push((time, self.count, row));
    }

    /// What was paid for buying, and what selling brought.
    fn add_up(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        // An exchange of currencies buys and sells nothing.
        if item.text(Field::AssetCategory).is_some_and(|text| text == "CASH") {
            self.exchanges += 1;
            return;
        }
        // What a future stands for is not paid: its proceeds are no money.
        if item.text(Field::AssetCategory).is_some_and(|text| text == "FUT") {
            self.futures += 1;
            return;
        }
        let Some(proceeds) = context.number(item, Field::Proceeds) else { return };
        // What is taken back belongs to what it was.
        let side = item.text(Field::BuySell).map(|text| text.to_uppercase());
        let is_sale = match side.as_deref() {
            Some(side) if side.starts_with("SELL") => true,
            Some(side) if side.starts_with("BUY") => false,
            _ => proceeds > Decimal::ZERO,
        };
        let currency = item.text(Field::Currency).unwrap_or_default();
        let flow = Flow {
            keys: Vec::new(),
            account: &item.account(),
            currency: &currency,
            measures: &[usize::from(is_sale)],
            amount: proceeds,
            day: context.day(item, &[Field::TradeDate, Field::DateTime, Field::ReportDate]),
            rate: context.number(item, Field::FxRateToBase),
        };
        self.sums.add(flow, &mut context.rates);
    }

    pub(super) fn finish(mut self, context: &mut Context<'_>, answer: &mut Answer) {
        self.sums.finish((&[], &[(0, "bought"), (1, "sold")]), &mut context.rates, answer);
        let used = if self.has_realised { COLS.len() } else { COLS.len() - 1 };
        self.rows.sort_by_key(|(time, number, _)| (*time, *number));
        answer.table = Table::new(COLS[..used].iter().copied());
        answer.table.rows = self
            .rows
            .into_iter()
            .map(|(.., mut row)| {
                row.truncate(used);
                row
            })
            .collect();
        answer.rows_in_all = self.count;
        if self.exchanges > 0 {
            answer.notes.push(format!(
                "{} exchanges of currencies are listed, and not in what was bought and sold",
                self.exchanges
            ));
        }
        if self.futures > 0 {
            answer.notes.push(format!(
                "{} trades of futures are listed, and not in what was bought and sold: what a future stands for is \
                 not paid",
                self.futures
            ));
        }
        if self.count > MOST as u64 {
            answer.notes.push(format!(
                "there are more than {MOST} trades: ask for fewer days, or export the section"
            ));
        }
    }
}
