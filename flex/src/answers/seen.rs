//! Tells rows that a newer statement had already: by the strongest id that both have, else by what they mean.
//!
//! IBKR cancels a trade and books it anew under the same `tradeID`; templates change between statements, and with
//! them columns and the way numbers are written. So ids are compared in the order of their strength, of rows of the
//! same kind, and without ids what both rows say, as values and not as text.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::civil::Date;

use super::fields::{Field, Item};
use crate::summary::Period;
use crate::value::{self, Order};

/// Each is one booking's or one execution's alone, the strongest first: a trade that is booked anew keeps its last.
pub(super) const IDS: [Field; 3] = [Field::TransactionId, Field::ExecId, Field::TradeId];
/// How much: by these a row is found again. Nothing and zero say too little.
const AMOUNTS: [Field; 8] = [
    Field::Amount,
    Field::Proceeds,
    Field::Quantity,
    Field::Realised,
    Field::TotalRealised,
    Field::Tax,
    Field::Commission,
    Field::ConfirmCommission,
];
/// When.
const DAYS: [Field; 4] = [Field::TradeDate, Field::ReportDate, Field::DateTime, Field::SettleDate];
/// What else it says of what happened.
const WORDS: [Field; 6] =
    [Field::Conid, Field::Symbol, Field::Currency, Field::Type, Field::BuySell, Field::TradePrice];

/// What was in the statements read before, the newer ones. With one statement nothing is kept.
#[derive(Debug, Default)]
pub(super) struct Seen {
    is_needed: bool,
    /// The statement being read: it is not compared with itself, since what it says twice happened twice.
    number: usize,
    order: Order,
    rows: Vec<Facts>,
    /// Rows of the statement being read are found from the next one on.
    ready: usize,
    by_id: HashMap<u64, Vec<usize>>,
    by_amount: HashMap<u64, Vec<usize>>,
    told: Vec<Told>,
    repeated: u64,
    /// Days of rows that a newer statement of the same days does not have.
    lost: BTreeSet<Date>,
}

/// What a row says, as values.
#[derive(Debug)]
struct Facts {
    place: u64,
    ids: [Option<u64>; IDS.len()],
    said: BTreeMap<Field, u64>,
    is_cancellation: bool,
    /// The statement one of whose rows is this one.
    matched: Option<usize>,
}

/// A statement of an account with rows of a place.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    number: usize,
    place: u64,
    days: Period,
}

impl Seen {
    pub(super) fn of(statements: usize) -> Self {
        Self { is_needed: statements > 1, ..Self::default() }
    }

    /// Another statement begins, older than those before.
    pub(super) fn begin(&mut self, number: usize, order: Order) {
        for at in self.ready..self.rows.len() {
            let row = &self.rows[at];
            for id in row.ids.iter().flatten() {
                self.by_id.entry(*id).or_default().push(at);
            }
            for key in row.amount_keys() {
                self.by_amount.entry(key).or_default().push(at);
            }
        }
        (self.ready, self.number, self.order) = (self.rows.len(), number, order);
    }

    /// Rows that were passed over.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Days of rows that a newer statement of the same days does not have: that they are counted may be wrong.
    pub(super) fn lost(&self) -> &BTreeSet<Date> {
        &self.lost
    }

    /// Whether a newer statement had the row.
    pub(super) fn is_repeated(
        &mut self,
        item: &Item<'_>,
        level: &str,
        days: Option<Period>,
    ) -> bool {
        if !self.is_needed {
            return false;
        }
        let facts = Facts::of(item, level, self.order);
        let found = self.found(&facts);
        if let Some(days) = days {
            let told = Told { number: self.number, place: facts.place, days };
            if !self.told.contains(&told) {
                self.told.push(told);
            }
        }
        match found {
            Some(at) => {
                self.repeated += 1;
                self.join(at, &facts);
            }
            None => {
                self.look_for_newer_word(item, &facts);
                self.rows.push(facts);
            }
        }
        found.is_some()
    }

    /// The row has these ids, too: an older statement may have only them.
    fn join(&mut self, at: usize, facts: &Facts) {
        let row = &mut self.rows[at];
        row.matched = Some(self.number);
        for (known, id) in row.ids.iter_mut().zip(&facts.ids) {
            if let (None, Some(new)) = (&known, id) {
                *known = Some(*new);
                self.by_id.entry(*new).or_default().push(at);
            }
        }
    }

    /// A row of a newer statement that is this one, and is not another one of this statement, too.
    fn found(&self, facts: &Facts) -> Option<usize> {
        let by_id = facts.ids.iter().flatten().filter_map(|id| self.by_id.get(id)).flatten();
        let keys = facts.amount_keys();
        let by_amount = keys.iter().filter_map(|key| self.by_amount.get(key)).flatten();
        let is_it = |at: &usize| {
            let row = &self.rows[*at];
            row.matched != Some(self.number) && self.is_same(row, facts)
        };
        by_id.chain(by_amount).copied().find(is_it)
    }

    fn is_same(&self, newer: &Facts, older: &Facts) -> bool {
        if newer.place != older.place || newer.is_cancellation != older.is_cancellation {
            return false;
        }
        let mut ids = newer.ids.iter().zip(&older.ids).enumerate();
        let shared = ids.find_map(|(at, (one, other))| Some((at, (*one)? == (*other)?)));
        match shared {
            // Booked anew the trade has its id still; it is another booking where that was cancelled.
            Some((at, true)) if IDS[at] == Field::TradeId => {
                newer.agrees(older) || !self.was_cancelled(older)
            }
            Some((_, is_same)) => is_same,
            None => newer.agrees(older),
        }
    }

    /// Whether a newer statement cancels the trade.
    fn was_cancelled(&self, facts: &Facts) -> bool {
        let trade = facts.ids[IDS.len() - 1];
        let rows = trade.and_then(|id| self.by_id.get(&id)).into_iter().flatten();
        rows.map(|at| &self.rows[*at]).any(|row| row.is_cancellation && row.place == facts.place)
    }

    fn look_for_newer_word(&mut self, item: &Item<'_>, facts: &Facts) {
        let Some(day) = day(item, self.order) else { return };
        let covers = |told: &&Told| {
            told.number < self.number
                && told.place == facts.place
                && (told.days.from..=told.days.to).contains(&day)
        };
        if self.told.iter().any(|told| covers(&told)) {
            self.lost.insert(day);
        }
    }
}

impl Facts {
    fn of(item: &Item<'_>, level: &str, order: Order) -> Self {
        let account = item.account();
        let place = hash((item.section, level, &*account));
        // Lots carry the ids of the trade that closed them, and share them.
        let has_ids = matches!(level, "EXECUTION" | "DETAIL" | "");
        let id = |field: Field| {
            let id = item.text(field).filter(|_| has_ids)?;
            Some(hash((place, field as usize, id.trim())))
        };
        let mut said = BTreeMap::new();
        for field in AMOUNTS {
            if let Ok(Some(number)) = item.number(field) {
                said.insert(field, hash((field as usize, number.normalize())));
            }
        }
        for field in DAYS {
            let day = item.text(field).and_then(|text| value::date(&text, order).ok().flatten());
            said.extend(day.map(|day| (field, hash(day))));
        }
        for field in WORDS {
            let Some(text) = item.text(field) else { continue };
            let value = match value::number(&text) {
                Ok(Some(number)) => hash(number.normalize()),
                _ => hash(text.trim().to_uppercase()),
            };
            said.insert(field, value);
        }
        let is_cancellation = [Field::BuySell, Field::Type].iter().any(|field| {
            item.text(*field).is_some_and(|text| text.to_uppercase().contains("(CA.)"))
        });
        Self { place, ids: IDS.map(id), said, is_cancellation, matched: None }
    }

    /// By which amounts it is found again.
    fn amount_keys(&self) -> Vec<u64> {
        let zero = |field: Field| hash((field as usize, rust_decimal::Decimal::ZERO));
        let amounts = AMOUNTS.iter().filter_map(|field| Some((*field, *self.said.get(field)?)));
        amounts
            .filter(|(field, amount)| *amount != zero(*field))
            .map(|(_, amount)| hash((self.place, amount)))
            .collect()
    }

    /// Whether two rows say the same in everything that both say, an amount and a day among it.
    fn agrees(&self, other: &Self) -> bool {
        let shared =
            |field: &&Field| self.said.contains_key(field) && other.said.contains_key(field);
        let is_same = |field: &Field| self.said.get(field) == other.said.get(field);
        let fields = || AMOUNTS.iter().chain(&DAYS).chain(&WORDS).filter(shared);
        let has = |wanted: &[Field]| fields().any(|field| wanted.contains(field));
        has(&AMOUNTS) && has(&DAYS) && fields().all(is_same)
    }
}

fn day(item: &Item<'_>, order: Order) -> Option<Date> {
    let mut texts = DAYS.iter().filter_map(|field| item.text(*field));
    texts.find_map(|text| value::date(&text, order).ok().flatten())
}

fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
