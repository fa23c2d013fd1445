//! What time does to the world: expiry, the broker's nights and weekends, sessions given back, orders.
//!
//! Nothing runs in the background. Whoever looks at the world lets it catch up first.

use crate::advisor::ALL;
use crate::api;
use crate::calendar::{Calendar, Closed, Event};
use crate::clock;
use crate::http::Call;
use crate::login::{Moment, User};
use crate::scenario::Scenario;
use crate::state::World;

/// What the world remembers in order to catch up.
#[derive(Debug)]
pub(crate) struct Life {
    calendar: Option<Calendar>,
    /// Simulated epoch milliseconds up to which it has caught up.
    seen: i64,
    /// Closed by the control API, until then (simulated milliseconds since the start).
    forced: Option<(Closed, i64)>,
    /// The other platform logs out then.
    give_back_at: Option<i64>,
}

impl Life {
    /// A life that begins now (simulated epoch milliseconds).
    pub(crate) fn new(calendar: Option<Calendar>, now_ms: i64, rules: &Scenario) -> Self {
        let gives_back = rules.competing && rules.give_back_seconds > 0;
        let give_back_at = gives_back.then(|| i64::from(rules.give_back_seconds) * 1000);
        Self { calendar, seen: now_ms, forced: None, give_back_at }
    }
}

impl World {
    /// Lets happen what was due since somebody last looked.
    pub(crate) fn catch_up(&mut self) {
        let (now, now_ms) = (self.now(), self.clock.now_ms());
        let calendar = self.life.calendar.as_ref();
        match calendar.and_then(|calendar| calendar.event(self.life.seen, now_ms)) {
            Some(Event::LoggedOut) => self.session.logout(),
            Some(Event::Dropped) => self.session.lose(),
            None => {}
        }
        self.life.seen = now_ms;
        if self.life.forced.is_some_and(|(_, until)| now >= until) {
            self.life.forced = None;
        }
        if self.life.give_back_at.is_some_and(|at| now >= at) {
            self.give_back();
        }
        self.carry_out();
        self.trade();
    }

    /// A request is carried out so many simulated milliseconds later, and nobody hears of it.
    pub(crate) fn put_off(&mut self, call: &Call, millis: u64) {
        let at = self.clock.now_ms().saturating_add_unsigned(millis);
        self.put_off.push((at, call.clone()));
    }

    /// Carries out what was put off until now.
    fn carry_out(&mut self) {
        let now = self.clock.now_ms();
        let all = std::mem::take(&mut self.put_off);
        let (due, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at, _)| *at <= now);
        self.put_off = waiting;
        for (_, call) in due {
            api::answer(self, &call);
        }
    }

    /// Why the broker does not serve now, if it does not.
    pub(crate) fn closed(&self) -> Option<Closed> {
        let forced = self.life.forced.map(|(closed, _)| closed);
        let calendar = self.life.calendar.as_ref();
        forced.or_else(|| calendar.and_then(|calendar| calendar.closed(self.clock.now_ms())))
    }

    /// A night out of turn: the brokerage session is gone, and not to be had for the usual time.
    pub(crate) fn begin_night(&mut self) {
        self.session.lose();
        let until = self.now() + i64::from(self.rules.nightly_minutes) * 60_000;
        self.life.forced = Some((Closed::Night, until));
    }

    /// A weekend out of turn: it lasts until the broker is told that it is up again.
    pub(crate) fn begin_weekend(&mut self) {
        self.session.logout();
        self.life.forced = Some((Closed::Weekend, i64::MAX));
    }

    /// The broker serves again, whatever was the matter. The calendar still counts.
    pub(crate) fn come_up(&mut self) {
        self.session.maintenance = false;
        self.life.forced = None;
    }

    /// The user logs in on another platform, and out again after so many seconds; 0 is never.
    pub(crate) fn take_over(&mut self, seconds: u32) {
        self.session.take_over();
        let at = self.now() + i64::from(seconds) * 1000;
        self.life.give_back_at = (seconds > 0).then_some(at);
    }

    /// The user logs out of the other platform.
    pub(crate) fn give_back(&mut self) {
        self.session.give_back();
        self.life.give_back_at = None;
    }

    /// Somebody who came through the login page is logged in; accounts become theirs.
    pub(crate) fn welcome(&mut self, user: &User) {
        self.identity = Identity { user: user.name.to_owned(), is_paper: user.is_paper };
        for account in &mut self.accounts {
            account.id = id_of_kind(&account.id, user.is_paper);
        }
        let mut groups = self.group_names();
        groups.push(ALL.to_owned());
        let is_group = |name: &str| groups.iter().any(|group| group == name);
        self.book.rename(
            |id| {
                if is_group(id) { id.to_owned() } else { id_of_kind(id, user.is_paper) }
            },
        );
        if let Some(advisor) = &mut self.advisor {
            advisor.rename(|id| id_of_kind(id, user.is_paper));
        }
        self.alerts.rename(|id| id_of_kind(id, user.is_paper));
        self.log_in();
    }

    /// The present user is logged in.
    pub(crate) fn log_in(&mut self) {
        let now = self.now();
        self.session.login(now);
        self.logins.ledger.logins += 1;
    }

    /// This moment, for the login page.
    pub(crate) fn moment(&self) -> Moment {
        Moment::new(self.now(), clock::system_s(), &self.rules)
    }
}

/// Who is logged in, or was last.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) user: String,
    pub(crate) is_paper: bool,
}

/// The same account on the paper or on the live side: with or without the leading `D`.
fn id_of_kind(id: &str, paper: bool) -> String {
    match (paper, id.strip_prefix('D')) {
        (true, None) => format!("D{id}"),
        (false, Some(live)) => live.to_owned(),
        _ => id.to_owned(),
    }
}
