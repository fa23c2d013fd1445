//! The pacing budget, decided purely: who may go now, and when to look again.
//!
//! IBKR allows ten requests a second and a session, and some endpoints far less; one refusal puts
//! the whole address into a penalty box of ten minutes or more. So the budget is kept in a way that
//! cannot be broken by a slow wire: **a place is taken when a request starts and comes back one
//! second after its answer**. Whatever the delay between here and there, eleven requests can then
//! never arrive within one second. The price is a rate of ten per (one second + answer time).
//!
//! The gateway has five upstream slots, so four requests are under way at most; one of them, and one
//! place a second, is kept free for the session and for orders. Who signs requests has other [`Limits`].

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::faults::scaled;

/// Requests that IBKR allows in a second.
pub const PER_SECOND: usize = 10;
const SECOND: Duration = Duration::from_secs(1);
/// Requests at the gateway at one time.
pub const IN_FLIGHT: usize = 4;
/// Requests that IBKR allows a user in a second who signs them.
const SIGNED_PER_SECOND: usize = 50;
/// And at one time, so that with the one that is kept free five histories can be asked for: IBKR allows no more.
const SIGNED_IN_FLIGHT: usize = 6;
/// Of both, kept for what keeps the session alive and for orders.
const KEPT_FREE: usize = 1;
/// IBKR's documents say ten minutes in one place and fifteen in another.
pub const PENALTY: Duration = Duration::from_secs(15 * 60);
/// What a first refusal of an endpoint without a window of its own closes it for.
const FIRST_WARNING: Duration = Duration::from_secs(10);

/// Whose turn a request takes at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Keeps the session alive; passes even in the penalty box.
    Tickle,
    /// Orders and the opening of the session: room is always kept for them.
    Vital,
    /// Everything else.
    Data,
}

/// An endpoint's own limit: so many requests in so much time, counted like the global one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Requests.
    pub count: usize,
    /// In this time.
    pub per: Duration,
}

impl Window {
    /// One request in `seconds`.
    pub const fn one_in(seconds: u64) -> Self {
        Self { count: 1, per: Duration::from_secs(seconds) }
    }
}

/// How much the way to the broker bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in a second.
    pub per_second: usize,
    /// Requests at one time.
    pub in_flight: usize,
}

impl Limits {
    /// Of a gateway's session.
    pub const GATEWAY: Self = Self { per_second: PER_SECOND, in_flight: IN_FLIGHT };
    /// Of a user whose requests are signed.
    pub const SIGNED: Self = Self { per_second: SIGNED_PER_SECOND, in_flight: SIGNED_IN_FLIGHT };
}

impl Default for Limits {
    fn default() -> Self {
        Self::GATEWAY
    }
}

/// What a request needs of the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// The endpoint, by which its window is found.
    pub endpoint: &'static str,
    /// Its window.
    pub window: Option<Window>,
    /// Whose turn it takes.
    pub lane: Lane,
}

/// What the budget says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go; the place is taken.
    Go,
    /// Not before this time.
    Until(Instant),
    /// Not before some request under way is answered.
    AfterAnswer,
    /// Refused by the broker's limit until then: this endpoint, or everything.
    Penalty(Instant),
}

/// How a request that went ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was answered, or broke, or timed out.
    Over,
    /// 429, with the seconds the broker asked for, if it did.
    RateLimited(Option<Duration>),
}

#[derive(Debug, Default)]
struct Places {
    running: usize,
    /// When each answered request was answered; older ones have given their place back.
    answered: VecDeque<Instant>,
}

impl Places {
    /// How many places are taken, and when the next one comes back.
    fn taken(&mut self, now: Instant, per: Duration) -> (usize, Option<Instant>) {
        while self.answered.front().is_some_and(|at| *at + per <= now) {
            self.answered.pop_front();
        }
        (self.running + self.answered.len(), self.answered.front().map(|at| *at + per))
    }

    fn has_room(&mut self, now: Instant, per: Duration, limit: usize) -> Verdict {
        match self.taken(now, per) {
            (taken, _) if taken < limit => Verdict::Go,
            (_, Some(back)) => Verdict::Until(back),
            (_, None) => Verdict::AfterAnswer,
        }
    }

    fn start(&mut self) {
        self.running += 1;
    }

    fn answer(&mut self, now: Instant) {
        self.running = self.running.saturating_sub(1);
        self.answered.push_back(now);
    }
}

/// The whole budget of one address.
#[derive(Debug, Default)]
pub struct Pace {
    /// From which way to the broker it is. The windows of single endpoints are the same on each.
    pub limits: Limits,
    all: Places,
    data_running: usize,
    endpoints: HashMap<String, Places>,
    closed: HashMap<&'static str, Instant>,
    last_refusal: Option<Instant>,
    penalty: Option<Instant>,
}

impl Pace {
    /// Decides about one request; `Go` takes its place.
    pub fn admit(&mut self, now: Instant, want: &Want) -> Verdict {
        let verdict = self.judge(now, want);
        if verdict == Verdict::Go {
            self.all.start();
            self.data_running += usize::from(want.lane == Lane::Data);
            self.places(want.endpoint).start();
        }
        verdict
    }

    fn places(&mut self, endpoint: &str) -> &mut Places {
        if !self.endpoints.contains_key(endpoint) {
            self.endpoints.insert(endpoint.to_owned(), Places::default());
        }
        self.endpoints.entry(endpoint.to_owned()).or_default()
    }

    fn judge(&mut self, now: Instant, want: &Want) -> Verdict {
        if want.lane != Lane::Tickle
            && let Some(until) = self.penalty(now)
        {
            return Verdict::Penalty(until);
        }
        if let Some(until) = self.closed.get(want.endpoint).copied().filter(|until| *until > now) {
            return Verdict::Penalty(until);
        }
        let kept = if want.lane == Lane::Data { KEPT_FREE } else { 0 };
        let Limits { per_second, in_flight } = self.limits;
        if self.all.running >= in_flight || self.data_running >= in_flight - KEPT_FREE && kept > 0 {
            return Verdict::AfterAnswer;
        }
        if let Some(window) = want.window {
            let places = self.places(want.endpoint);
            let verdict = places.has_room(now, scaled(window.per), window.count);
            if verdict != Verdict::Go {
                return verdict;
            }
        }
        self.all.has_room(now, scaled(SECOND), per_second - kept)
    }

    /// From when on an endpoint's own window, or its closing, lets a request go; `None`: it does already.
    pub fn opens(&mut self, now: Instant, want: &Want) -> Option<Instant> {
        let closed = self.closed.get(want.endpoint).copied().filter(|until| *until > now);
        let window = want.window.and_then(|window| {
            let per = scaled(window.per);
            match self.places(want.endpoint).has_room(now, per, window.count) {
                Verdict::Until(back) => Some(back),
                // Its place comes back so long after the answer.
                Verdict::AfterAnswer => Some(now + per),
                Verdict::Go | Verdict::Penalty(_) => None,
            }
        });
        closed.max(window)
    }

    /// Gives back the place that `Go` took.
    pub fn over(&mut self, now: Instant, want: &Want, ending: Ending) {
        self.all.answer(now);
        if want.lane == Lane::Data {
            self.data_running = self.data_running.saturating_sub(1);
        }
        let places = self.places(want.endpoint);
        places.answer(now);
        let per = want.window.map_or(SECOND, |window| window.per);
        places.taken(now, scaled(per));
        if let Ending::RateLimited(asked) = ending {
            self.refused(now, want, asked);
        }
    }

    /// The first 429 closes its endpoint; a second one anywhere soon after closes everything.
    fn refused(&mut self, now: Instant, want: &Want, asked: Option<Duration>) {
        let window = scaled(want.window.map_or(FIRST_WARNING, |w| w.per.max(FIRST_WARNING)));
        let close = asked.unwrap_or_default().max(window);
        self.closed.insert(want.endpoint, now + close);
        let is_repeated = self.last_refusal.is_some_and(|at| now < at + scaled(PENALTY));
        self.last_refusal = Some(now);
        if is_repeated {
            self.penalty = Some(now + asked.unwrap_or_default().max(scaled(PENALTY)));
        }
    }

    /// Until when everything but the tickle is refused.
    pub fn penalty(&mut self, now: Instant) -> Option<Instant> {
        self.penalty = self.penalty.filter(|until| *until > now);
        self.penalty
    }

    /// Takes over a penalty that an earlier daemon had noted.
    pub fn resume_penalty(&mut self, until: Instant) {
        self.penalty = Some(until);
    }

    /// Takes over what an earlier daemon asked last: the broker still counts it.
    pub fn resume_request(&mut self, endpoint: &str, at: Instant) {
        self.places(endpoint).answered.push_back(at);
        // How many came just before it is not known, so it counts as a full second's worth.
        if self.all.answered.back().is_none_or(|last| *last < at) {
            self.all.answered = std::iter::repeat_n(at, self.limits.per_second).collect();
        }
    }

    /// Requests under way.
    pub fn in_flight(&self) -> usize {
        self.all.running
    }
}
