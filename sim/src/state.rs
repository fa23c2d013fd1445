//! The world: everything the simulated broker knows, behind one lock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::accounts::{self, Account};
use crate::advisor::Advisor;
use crate::alerts::Alerts;
use crate::book::{Book, Trade};
use crate::calendar::Calendar;
use crate::clock::{self, Clock};
use crate::fault::Faults;
use crate::flex::{Desk, Opening};
use crate::http::Call;
use crate::instruments::Universe;
use crate::life::{Identity, Life};
use crate::login::Logins;
use crate::market::Market;
use crate::masks::Masks;
use crate::oauth::Registrar;
use crate::pacing::Pacing;
use crate::record::Record;
use crate::scenario::{Scenario, Start};
use crate::session::Session;
use crate::trading::{Chaos, NextBody, Rounds};
use crate::watchlists::Watchlists;

/// Everything the simulated broker knows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) rules: Scenario,
    pub(crate) clock: Clock,
    pub(crate) universe: Arc<Universe>,
    pub(crate) market: Market,
    pub(crate) session: Session,
    pub(crate) identity: Identity,
    pub(crate) logins: Logins,
    pub(crate) life: Life,
    pub(crate) accounts: Vec<Account>,
    /// Whose login it is, if it is an adviser's.
    pub(crate) advisor: Option<Advisor>,
    pub(crate) book: Book,
    pub(crate) alerts: Alerts,
    pub(crate) watchlists: Watchlists,
    pub(crate) rounds: Rounds,
    pub(crate) chaos: Chaos,
    /// What is shown in place of the truth.
    pub(crate) masks: Masks,
    /// What becomes of the next change and the next cancellation.
    pub(crate) next: NextBody,
    /// Requests that are carried out later, and when (epoch milliseconds).
    pub(crate) put_off: Vec<(i64, Call)>,
    /// Executions whose commission is not known yet.
    pub(crate) uncharged: Vec<Trade>,
    pub(crate) pacing: Pacing,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    pub(crate) flex: Desk,
    /// Consumers with keys of their own.
    pub(crate) oauth: Registrar,
    /// The broker's port speaks plain HTTP.
    pub(crate) is_plain: bool,
    /// Scheme and address of the broker's port; empty without a socket.
    pub(crate) origin: String,
    seed: u64,
    served: AtomicUsize,
}

impl World {
    /// Builds the world of a scenario; an error names what the scenario got wrong.
    pub(crate) fn new(scenario: Scenario, seed: u64, require_login: bool) -> Result<Self, String> {
        let mut rules = scenario;
        if require_login && rules.session == Start::LoggedIn {
            rules.session = Start::LoggedOut;
        }
        let today = day_of(Clock::start(rules.now, 1.0).now_ms());
        let universe = Arc::new(Universe::new(today, rules.extra_positions));
        Self::with(rules, seed, universe)
    }

    /// The same with instruments that are there already.
    fn with(rules: Scenario, seed: u64, universe: Arc<Universe>) -> Result<Self, String> {
        if !clock::is_rate(rules.clock_rate) {
            return Err(format!("clockRate {} is not between 0 and 1000000", rules.clock_rate));
        }
        let clock = Clock::start(rules.now, rules.clock_rate);
        let mut accounts = accounts::build(&rules, &universe)?;
        let advisor = rules.advisor.as_ref();
        let advisor = advisor.map(|spec| Advisor::new(spec, &mut accounts)).transpose()?;
        let first = accounts.first().map(|a| a.id.clone()).unwrap_or_default();
        let book = Book::build(&rules, &universe, clock.start_ms(), &first)?;
        let alerts = Alerts::new(&first, clock.start_ms());
        let watchlists = Watchlists::usual(&universe, clock.start_ms());
        rules.flex.check()?;
        let openings = Opening::all(&accounts, &book, &universe);
        let flex = Desk::new(rules.flex.clone(), openings);
        let market = Market::new(seed, clock.start_ms(), rules.market_hours);
        let session = Session::new(&rules);
        let identity = first_identity(&rules, &accounts);
        let life = Life::new(Calendar::of(&rules)?, clock.now_ms(), &rules);
        let (pacing, faults, record) = (Pacing::default(), Faults::default(), Record::default());
        let (served, chaos) = (AtomicUsize::new(0), Chaos::new(rules.chaos.clone()));
        Ok(Self {
            rules,
            clock,
            universe,
            market,
            session,
            identity,
            logins: Logins::default(),
            life,
            accounts,
            advisor,
            book,
            alerts,
            watchlists,
            rounds: Rounds::default(),
            chaos,
            masks: Masks::default(),
            next: NextBody::default(),
            put_off: Vec::new(),
            uncharged: Vec::new(),
            pacing,
            faults,
            record,
            flex,
            oauth: Registrar::default(),
            is_plain: false,
            origin: String::new(),
            seed,
            served,
        })
    }

    /// Starts over, with the same scenario and seed.
    pub(crate) fn reset(&mut self) {
        // The instruments only follow the date, and take long to make.
        let same_day =
            day_of(self.clock.start_ms()) == day_of(Clock::start(self.rules.now, 1.0).now_ms());
        let fresh = if same_day {
            Self::with(self.rules.clone(), self.seed, Arc::clone(&self.universe))
        } else {
            Self::new(self.rules.clone(), self.seed, false)
        };
        if let Ok(mut fresh) = fresh {
            fresh.flex.succeeds(&self.flex);
            fresh.is_plain = self.is_plain;
            fresh.origin = std::mem::take(&mut self.origin);
            let (generation, record) = (self.session.generation, self.record.successor());
            let log = self.book.log.successor();
            *self = fresh;
            self.session.generation = generation + 1;
            (self.record, self.book.log) = (record, log);
        }
    }

    /// Decides all that is left to chance.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Simulated milliseconds since the start.
    pub(crate) fn now(&self) -> i64 {
        self.clock.elapsed_ms()
    }

    /// The account with this id.
    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|a| a.id == id)
    }

    /// The account that lists follow; a world always has one.
    pub(crate) fn selected(&self) -> Option<&Account> {
        self.accounts.get(self.session.selected)
    }

    /// Whether this is a paper login.
    pub(crate) fn is_paper(&self) -> bool {
        self.identity.is_paper
    }

    /// The user who is logged in.
    pub(crate) fn user(&self) -> &str {
        &self.identity.user
    }

    /// The number of the user who is logged in: each has its own, and keeps it.
    pub(crate) fn user_id(&self) -> u64 {
        let name = self.identity.user.bytes();
        name.fold(7, |number: u64, byte| (number * 31 + u64::from(byte)) % 899_999_999)
            + 100_000_000
    }

    /// The 32 hex digits that tickle calls the session.
    pub(crate) fn session_id(&self) -> String {
        format!(
            "{:016x}{:016x}",
            self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            self.session.generation
        )
    }

    /// A number that is never the same twice, for request ids.
    pub(crate) fn next_number(&self) -> usize {
        self.served.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Who is logged in from the start, or would be.
fn first_identity(rules: &Scenario, accounts: &[Account]) -> Identity {
    let is_paper = rules.paper.unwrap_or_else(|| accounts.iter().all(|a| a.id.starts_with('D')));
    Identity { user: if is_paper { "simpaper" } else { "simlive" }.to_owned(), is_paper }
}

fn day_of(ms: i64) -> Date {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The world and its lock.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
}

impl Shared {
    /// Puts a world behind a lock.
    pub(crate) fn new(world: World) -> Self {
        Self { world: Mutex::new(world) }
    }

    /// The world after everything that was due has happened.
    pub(crate) fn caught_up(&self) -> MutexGuard<'_, World> {
        let mut world = self.world();
        world.catch_up();
        world
    }

    /// The world, for one step. Never held across an await.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
