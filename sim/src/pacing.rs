//! Pacing: ten requests a second, a window per endpoint, and the penalty box.

use std::collections::{HashMap, VecDeque};

use crate::scenario::Scenario;

/// How often one endpoint may be asked.
struct Window {
    matches: fn(&[&str]) -> bool,
    name: &'static str,
    millis: i64,
}

/// The endpoints with a window of their own; everything else has only the common limit.
const WINDOWS: [Window; 13] = [
    Window { name: "orders", millis: 5000, matches: |p| p == ["iserver", "account", "orders"] },
    Window { name: "trades", millis: 5000, matches: |p| p == ["iserver", "account", "trades"] },
    Window {
        name: "pnl",
        millis: 5000,
        matches: |p| p == ["iserver", "account", "pnl", "partitioned"],
    },
    Window {
        name: "portfolio accounts",
        millis: 5000,
        matches: |p| p == ["portfolio", "accounts"],
    },
    Window { name: "subaccounts", millis: 5000, matches: |p| p == ["portfolio", "subaccounts"] },
    Window { name: "tickle", millis: 1000, matches: is_tickle },
    Window { name: "sso validate", millis: 60_000, matches: |p| p == ["sso", "validate"] },
    Window { name: "fyi", millis: 1000, matches: |p| p.first() == Some(&"fyi") },
    Window { name: "pa performance", millis: 900_000, matches: |p| p == ["pa", "performance"] },
    Window { name: "pa allperiods", millis: 900_000, matches: |p| p == ["pa", "allperiods"] },
    Window {
        name: "scanner params",
        millis: 900_000,
        matches: |p| p == ["iserver", "scanner", "params"],
    },
    Window { name: "scanner run", millis: 1000, matches: |p| p == ["iserver", "scanner", "run"] },
    Window { name: "pa transactions", millis: 900_000, matches: |p| p == ["pa", "transactions"] },
];

/// Histories that may run at once.
const HISTORIES: usize = 5;

fn is_tickle(path: &[&str]) -> bool {
    path == ["tickle"]
}

/// True for the endpoint that is limited by concurrency instead of a window.
pub(crate) fn is_history(path: &[&str]) -> bool {
    path == ["iserver", "marketdata", "history"]
}

/// Counts what arrives and says when it is too much.
#[derive(Debug, Default)]
pub(crate) struct Pacing {
    recent: VecDeque<i64>,
    last: HashMap<&'static str, i64>,
    histories: usize,
    violations: u32,
    boxed_until: i64,
}

impl Pacing {
    /// Admits a request that arrived at simulated `now` (milliseconds), or counts a violation.
    pub(crate) fn admit(&mut self, path: &[&str], now: i64, rules: &Scenario) -> bool {
        if !rules.pacing {
            return true;
        }
        let crowded = self.is_crowded(now, rules.allowance());
        if now < self.boxed_until {
            return is_tickle(path) && !crowded;
        }
        let allowed = !crowded && self.passes_window(path, now) && self.has_room(path);
        if !allowed {
            self.violate(now, rules);
        }
        allowed
    }

    /// More than the limit arrived in the second that ends now, this one included.
    fn is_crowded(&mut self, now: i64, per_second: usize) -> bool {
        while self.recent.front().is_some_and(|at| *at <= now - 1000) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        self.recent.len() > per_second
    }

    fn passes_window(&mut self, path: &[&str], now: i64) -> bool {
        let Some(window) = WINDOWS.iter().find(|w| (w.matches)(path)) else { return true };
        let free = self.last.get(window.name).is_none_or(|at| now - at >= window.millis);
        if free {
            self.last.insert(window.name, now);
        }
        free
    }

    fn has_room(&self, path: &[&str]) -> bool {
        !is_history(path) || self.histories < HISTORIES
    }

    fn violate(&mut self, now: i64, rules: &Scenario) {
        self.violations += 1;
        if self.violations >= rules.penalty_after {
            self.violations = 0;
            self.punish(now, rules.penalty_seconds);
        }
    }

    /// Puts the client into the penalty box.
    pub(crate) fn punish(&mut self, now: i64, seconds: u32) {
        self.boxed_until = now + i64::from(seconds) * 1000;
    }

    /// Simulated milliseconds since the start at which the penalty box opens; past means open.
    pub(crate) fn boxed_until(&self) -> i64 {
        self.boxed_until
    }

    /// A history began.
    pub(crate) fn history_began(&mut self) {
        self.histories += 1;
    }

    /// A history was answered or given up.
    pub(crate) fn history_ended(&mut self) {
        self.histories = self.histories.saturating_sub(1);
    }
}
