//! Amounts added up: by group, currency and account, and in base.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use super::rates::{OF_DAY, OF_ROW, Rates, UNNAMED};
use super::{Answer, Table, Tick, template};
use crate::cell::Cell;

/// An answer has one kind of amount, or up to four: dividends, what was paid in lieu, what was withheld, and what is left
/// of them; net, deposited, and withdrawn.
pub(super) const MEASURES: usize = 4;
/// Decimal places of what was converted: more were never paid.
const CENTS: u32 = 2;

/// Stands for the base currency of an account, whose name may not be known yet.
pub(super) const BASE: &str = "=";

/// One amount.
#[derive(Debug)]
pub(super) struct Flow<'a> {
    pub(super) keys: Vec<String>,
    pub(super) account: &'a str,
    /// Empty if nobody says; [`BASE`] for the account's own.
    pub(super) currency: &'a str,
    /// Of which of the answer's amounts it is a part.
    pub(super) measures: &'a [usize],
    pub(super) amount: Decimal,
    pub(super) day: Option<Date>,
    /// To base, as the row says.
    pub(super) rate: Option<Decimal>,
}

#[derive(Debug, Default)]
pub(super) struct Sums {
    groups: BTreeMap<(Vec<String>, String, String), Group>,
    is_overflown: bool,
}

#[derive(Debug, Default, Clone)]
struct Group {
    rows: u64,
    amounts: [Decimal; MEASURES],
    base: [Decimal; MEASURES],
    /// What could not be converted yet, by day.
    pending: BTreeMap<Option<Date>, [Decimal; MEASURES]>,
    is_partly: bool,
}

impl Sums {
    pub(super) fn add(&mut self, flow: Flow<'_>, rates: &mut Rates) {
        if flow.amount.is_zero() {
            return;
        }
        let is_base = flow.currency == BASE;
        let rate = flow.rate.filter(|_| !is_base);
        if let Some(rate) = rate {
            rates.note((flow.currency, flow.account), (rate, OF_ROW));
        }
        let key = (flow.keys, flow.currency.to_owned(), flow.account.to_owned());
        let group = self.groups.entry(key).or_default();
        group.rows += 1;
        let rate = rate.or(is_base.then_some(Decimal::ONE));
        for at in flow.measures.iter().copied() {
            let mut is_fine = add(&mut group.amounts[at], Some(flow.amount));
            is_fine &= match rate {
                Some(rate) => add(&mut group.base[at], flow.amount.checked_mul(rate)),
                None => add(&mut group.pending.entry(flow.day).or_default()[at], Some(flow.amount)),
            };
            self.is_overflown |= !is_fine;
        }
    }

    /// Whether there is any amount of that kind.
    pub(super) fn has(&self, measure: usize) -> bool {
        self.groups.values().any(|group| !group.amounts[measure].is_zero())
    }

    /// Turns all into tables. `measures` are the amounts with their names, `keys` those of the groups.
    pub(super) fn finish(
        mut self,
        (keys, measures): (&[&str], &[(usize, &str)]),
        rates: &mut Rates,
        answer: &mut Answer,
    ) {
        let unconverted = self.convert(rates);
        let merged = self.merged(rates);
        let is_several = several_bases(&merged);
        let (used, measures): (Vec<usize>, Vec<&str>) = measures.iter().copied().unzip();
        let used = used.as_slice();
        let mut cols: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        cols.push("currency".to_owned());
        cols.extend(measures.iter().map(|name| (*name).to_owned()));
        if is_several {
            cols.push("base".to_owned());
        }
        cols.extend(measures.iter().map(|name| format!("{name}InBase")));
        cols.push("rows".to_owned());
        let mut table = Table { cols, rows: Vec::new() };
        let (mut by_currency, mut by_base) = (BTreeMap::new(), BTreeMap::new());
        for ((keys, currency, base), group) in &merged {
            let mut row: Vec<Cell> = keys.iter().map(|key| Cell::from(key.as_str())).collect();
            row.push(Cell::from(currency.as_str()));
            row.extend(group.plain(used));
            if is_several {
                row.push(Cell::from(base.as_str()));
            }
            row.extend(group.in_base(used));
            row.push(Cell::from(group.rows));
            table.rows.push(row);
            self.is_overflown |= !total(&mut by_currency, currency, group);
            self.is_overflown |= !total(&mut by_base, base, group);
        }
        answer.table = table;
        answer.totals = Table::new([&["currency"], measures.as_slice()].concat());
        answer.totals.rows =
            by_currency.iter().map(|(name, group)| line(name, group.plain(used))).collect();
        answer.totals_in_base = Table::new([&["base"], measures.as_slice()].concat());
        answer.totals_in_base.rows =
            by_base.iter().map(|(name, group)| line(name, group.in_base(used))).collect();
        answer.rates = rates.finish();
        explain(answer, &unconverted);
        if self.is_overflown {
            answer
                .notes
                .push("an amount is too large to be added: totals are not complete".to_owned());
        }
    }

    /// Converts what waits for the rate of its day, and says of which currencies there is none.
    fn convert(&mut self, rates: &mut Rates) -> BTreeMap<String, u64> {
        let mut unconverted = BTreeMap::new();
        for ((_, currency, account), group) in &mut self.groups {
            for (day, amounts) in std::mem::take(&mut group.pending) {
                let rate = rates.base(account).and_then(|base| rates.of_day(currency, base, day));
                let Some(rate) = rate else {
                    group.is_partly = true;
                    *unconverted.entry(currency.clone()).or_default() += 1;
                    continue;
                };
                rates.note((currency, account), (rate, OF_DAY));
                for (sum, amount) in group.base.iter_mut().zip(amounts) {
                    self.is_overflown |= !add(sum, amount.checked_mul(rate));
                }
            }
        }
        unconverted
    }

    /// Over accounts, unless they have different base currencies.
    fn merged(&mut self, rates: &Rates) -> BTreeMap<(Vec<String>, String, String), Group> {
        let mut merged: BTreeMap<_, Group> = BTreeMap::new();
        for ((keys, currency, account), group) in &self.groups {
            let base = rates.base(account).unwrap_or(UNNAMED).to_owned();
            let currency = if currency == BASE { base.clone() } else { currency.clone() };
            let all = merged.entry((keys.clone(), currency, base)).or_default();
            self.is_overflown |= !all.add(group);
        }
        merged
    }

    /// Gives keys that were left open their names.
    pub(super) fn rename(&mut self, name: impl Fn(&str) -> Option<String>) {
        let groups = std::mem::take(&mut self.groups);
        for ((mut keys, currency, account), group) in groups {
            for key in &mut keys {
                if let Some(name) = name(key) {
                    *key = name;
                }
            }
            let all = self.groups.entry((keys, currency, account)).or_default();
            self.is_overflown |= !all.add(&group);
        }
    }
}

impl Group {
    fn add(&mut self, other: &Self) -> bool {
        let mut is_fine = true;
        self.rows += other.rows;
        self.is_partly |= other.is_partly;
        for at in 0..MEASURES {
            is_fine &= add(&mut self.amounts[at], Some(other.amounts[at]));
            is_fine &= add(&mut self.base[at], Some(other.base[at]));
        }
        for (day, amounts) in &other.pending {
            let pending = self.pending.entry(*day).or_default();
            for at in 0..MEASURES {
                is_fine &= add(&mut pending[at], Some(amounts[at]));
            }
        }
        is_fine
    }

    fn plain(&self, used: &[usize]) -> Vec<Cell> {
        used.iter().map(|at| Cell::Number(self.amounts[*at])).collect()
    }

    /// Nothing, if a part is missing.
    fn in_base(&self, used: &[usize]) -> Vec<Cell> {
        let show = |at: &usize| {
            if self.is_partly { Cell::Missing } else { Cell::Number(cents(self.base[*at])) }
        };
        used.iter().map(show).collect()
    }
}

/// Nobody is paid in less.
pub(super) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(CENTS, RoundingStrategy::MidpointAwayFromZero)
}

fn several_bases(merged: &BTreeMap<(Vec<String>, String, String), Group>) -> bool {
    let mut bases = merged.keys().map(|(.., base)| base);
    bases.next().is_some_and(|first| bases.any(|other| other != first))
}

fn total(totals: &mut BTreeMap<String, Group>, name: &str, group: &Group) -> bool {
    totals.entry(name.to_owned()).or_default().add(group)
}

fn line(name: &str, amounts: Vec<Cell>) -> Vec<Cell> {
    std::iter::once(Cell::from(name)).chain(amounts).collect()
}

fn explain(answer: &mut Answer, unconverted: &BTreeMap<String, u64>) {
    if unconverted.is_empty() {
        return;
    }
    let named = |name: &String| {
        if name.is_empty() { "an unknown currency".to_owned() } else { name.clone() }
    };
    let names: Vec<String> = unconverted.keys().map(named).collect();
    answer.notes.push(format!("no rate to base is known for amounts in {}", names.join(", ")));
    if unconverted.keys().any(|name| !name.is_empty()) {
        answer.tick.push(template::Tick::rates());
    }
}

/// Whether it could be added.
fn add(sum: &mut Decimal, amount: Option<Decimal>) -> bool {
    match amount.and_then(|amount| sum.checked_add(amount)) {
        Some(new) => {
            *sum = new;
            true
        }
        None => false,
    }
}

impl Tick {
    /// Adds it once.
    pub(super) fn push(self, ticks: &mut Vec<Self>) {
        if !ticks.contains(&self) {
            ticks.push(self);
        }
    }
}
