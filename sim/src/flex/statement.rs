//! A statement: what it is about, taken from the world at once, and written later without it.

use std::io::{self, Write};
use std::sync::Arc;

use jiff::civil::Date;

use super::days::{NewYork, each, plus};
use super::desk::Reference;
use super::form::Form;
use super::ledger::Ledger;
use super::past::{Bulk, Opening, Plan, Real};
use super::prices::Prices;
use super::report::{self, Out, Page, Party};
use super::spec::QuerySpec;
use crate::flow::Source;
use crate::instruments::Universe;
use crate::market::Market;
use crate::state::World;

/// Bytes in what `sizeMb` counts.
const MB: f64 = 1_000_000.0;

/// One account.
#[derive(Debug)]
struct Account {
    number: u64,
    party: Party,
    opening: Opening,
    real: Real,
}

/// Everything that a statement needs.
#[derive(Debug)]
pub(super) struct Statement {
    market: Market,
    universe: Arc<Universe>,
    seed: u64,
    accounts: Vec<Account>,
    query: QuerySpec,
    form: Form,
    range: (Date, Date),
    is_own_range: bool,
    /// Epoch milliseconds.
    asked_ms: i64,
    ready_ms: i64,
    start: Date,
    lag_ms: i64,
    size: f64,
    surprises: bool,
}

impl Statement {
    /// What a reference stands for.
    pub(super) fn new(world: &World, asked: &Reference, query: QuerySpec) -> Self {
        let spec = &world.flex.spec;
        let numbered = world.accounts.iter().zip(&world.flex.openings).enumerate();
        let wanted = |id: &str| query.accounts.is_empty() || query.accounts.iter().any(|a| a == id);
        let account =
            |(number, (account, opening)): (usize, (&crate::accounts::Account, &Opening))| {
                Account {
                    number: number as u64,
                    party: Party {
                        id: account.id.clone(),
                        name: account.title.clone(),
                        alias: account.alias.clone().unwrap_or_default(),
                        currency: account.currency.clone(),
                    },
                    opening: opening.clone(),
                    real: Real::of(&world.book, &world.universe, &account.id, asked.asked_ms),
                }
            };
        Self {
            market: world.market.clone(),
            universe: Arc::clone(&world.universe),
            seed: world.seed(),
            accounts: numbered.filter(|(_, (a, _))| wanted(&a.id)).map(account).collect(),
            form: query.form().unwrap_or_default(),
            query,
            range: asked.range,
            is_own_range: asked.is_own_range,
            asked_ms: asked.asked_ms,
            ready_ms: asked.ready_ms,
            start: NewYork::default().day(world.clock.start_ms()),
            lag_ms: spec.trade_lag_millis,
            size: spec.size_mb * MB,
            surprises: spec.surprises,
        }
    }

    /// Everything with so many rounds of bulk trades a day.
    fn put(&self, out: &mut dyn Write, rounds: f64) -> io::Result<()> {
        let mut out = Out::new(out);
        let template = self.universe.named("KO", "STK");
        let mut bulk = template.filter(|_| self.size > 0.0).map(Bulk::like).unwrap_or_default();
        bulk.rounds = rounds;
        let books: Vec<Book<'_>> = self.accounts.iter().map(|a| Book::new(self, a)).collect();
        let periods: Vec<Vec<(Date, Date)>> = books.iter().map(|book| self.periods(book)).collect();
        let count = periods.iter().map(Vec::len).sum();
        if self.surprises {
            out.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        }
        out.put(&report::open(&self.query, count, &self.form));
        for (book, periods) in books.iter().zip(&periods) {
            self.account(book, periods, (&bulk, &mut out));
        }
        out.put(report::CLOSE);
        out.finish()
    }

    /// The whole period, or every report day of it; nothing before the account was opened.
    fn periods(&self, book: &Book<'_>) -> Vec<(Date, Date)> {
        let (from, to) = self.range;
        if to < book.plan.first {
            return Vec::new();
        }
        if !self.query.breakout_by_day {
            return vec![(from, to)];
        }
        let ledger = Ledger::new(&book.prices, &book.plan).with(&book.account.real);
        each(from, to).filter(|day| ledger.is_report_day(*day)).map(|day| (day, day)).collect()
    }

    fn account(
        &self,
        book: &Book<'_>,
        periods: &[(Date, Date)],
        (bulk, out): (&Bulk, &mut Out<'_>),
    ) {
        let mut before = Ledger::new(&book.prices, &book.plan).with(&book.account.real);
        let period = if self.is_own_range { "" } else { self.query.period() };
        for (from, to) in periods {
            before.run_to(plus(*from, -1));
            let page = Page {
                query: &self.query,
                form: &self.form,
                party: &book.account.party,
                before: &before,
                bulk,
                from: *from,
                to: *to,
                period,
                generated_ms: self.ready_ms,
                opened: book.plan.first,
                known_ms: self.asked_ms - self.lag_ms,
                surprises: self.surprises,
            };
            page.write(out);
        }
    }

    /// How many rounds of bulk trades a day make it as large as it shall be.
    fn rounds(&self) -> io::Result<f64> {
        if self.size <= 0.0 {
            return Ok(0.0);
        }
        let (plain, one) = (self.measure(0.0)?, self.measure(4.0)?);
        let per_round = (one - plain) / 4.0;
        if per_round <= 0.0 {
            return Ok(0.0);
        }
        Ok(((self.size - plain) / per_round).max(0.0))
    }

    fn measure(&self, rounds: f64) -> io::Result<f64> {
        let mut counter = Counter::default();
        self.put(&mut counter, rounds)?;
        Ok(counter.0 as f64)
    }
}

impl Source for Statement {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let rounds = self.rounds()?;
        self.put(out, rounds)
    }
}

/// One account's history and prices.
struct Book<'a> {
    account: &'a Account,
    prices: Prices,
    plan: Plan,
}

impl<'a> Book<'a> {
    fn new(statement: &Statement, account: &'a Account) -> Self {
        let market = statement.market.clone();
        let universe = Arc::clone(&statement.universe);
        let base = &account.party.currency;
        let mut prices = Prices::new(market, universe, base, statement.asked_ms);
        let of = (statement.seed, account.number);
        let plan = Plan::new(&mut prices, &account.opening, of, statement.start);
        Self { account, prices, plan }
    }
}

/// Counts bytes and keeps none.
#[derive(Debug, Default)]
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
