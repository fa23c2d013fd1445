//! Alerts meet the market: they are looked at whenever orders are.

use super::condition::Bind;
use super::{Alert, Condition, Kind};
use crate::hours::{Hours, Part, is_trading};
use crate::instruments::Instrument;
use crate::state::World;

impl Alert {
    /// What a look at its conditions makes of it.
    fn look(&mut self, is_met: bool, (traded, now_ms): (u64, i64)) {
        if is_met && !self.is_met {
            (self.is_triggered, self.fired_ms) = (true, Some(now_ms));
            self.fires += 1;
            self.is_active = self.terms.is_repeatable;
            self.armed = traded;
        }
        // An execution is an event: it does not last, and the next one is another.
        let is_event = self.terms.conditions.iter().any(|one| one.kind == Kind::Trade);
        self.is_met = is_met && !is_event;
    }
}

impl World {
    /// Looks at all alerts that wait for something.
    pub(crate) fn watch_alerts(&mut self) {
        let (now, traded) = (self.clock.now_ms(), self.book.traded());
        for alert in self.alerts.iter_mut().filter(|alert| alert.is_over(now)) {
            alert.is_active = false;
        }
        let all = self.alerts.iter().chain([self.alerts.mta()]);
        let looks: Vec<(i64, bool)> = all
            .filter(|alert| alert.is_watching())
            .map(|alert| (alert.id, self.is_met(alert)))
            .collect();
        for (id, is_met) in looks {
            if let Some(alert) = self.alerts.get_mut(id) {
                alert.look(is_met, (traded, now));
            }
        }
    }

    /// One row of conditions bound by AND is met; OR begins the next row.
    fn is_met(&self, alert: &Alert) -> bool {
        let mut rows = alert.terms.conditions.split_inclusive(|one| one.bind == Bind::Or);
        rows.any(|row| row.iter().all(|condition| self.holds(alert, condition)))
    }

    fn holds(&self, alert: &Alert, condition: &Condition) -> bool {
        let found = match condition.kind {
            Kind::Trade => return self.has_traded(alert, condition),
            Kind::Time => Some(self.clock.now_ms() as f64),
            Kind::Price => self.heard(alert, condition).and_then(|of| {
                // Nothing while it is halted.
                self.touch(of.conid, &[]).map(|touch| touch.last)
            }),
            Kind::Volume => self.heard(alert, condition).map(|of| {
                let quote = self.market.quote(&self.universe, of, self.clock.now_ms());
                quote.volume as f64
            }),
            Kind::Margin => self.account(&alert.account).map(|account| {
                let worth = self.worth(account);
                worth.excess() / worth.base.net() * 100.0
            }),
            Kind::Market | Kind::Position | Kind::DailyPnl => None,
        };
        match (found, condition.limit) {
            (Some(found), Some(limit)) if condition.is_above => found >= limit,
            (Some(found), Some(limit)) => found <= limit,
            _ => false,
        }
    }

    /// The contract, while its exchange is heard: in regular hours, and outside them if that is wanted.
    fn heard(&self, alert: &Alert, condition: &Condition) -> Option<&Instrument> {
        let (of, now) = (self.universe.get(condition.conid?)?, self.clock.now_ms());
        let is_heard = match alert.terms.outside_rth {
            _ if self.market.never_closes(of) => true,
            true => self.market.is_open(of, now),
            false => is_regular(of, now),
        };
        is_heard.then_some(of)
    }

    fn has_traded(&self, alert: &Alert, condition: &Condition) -> bool {
        let mut trades = self.book.trades_from(alert.armed);
        trades.any(|trade| {
            trade.account == alert.account && condition.conid.is_none_or(|c| c == trade.conid)
        })
    }
}

fn is_regular(of: &Instrument, now_ms: i64) -> bool {
    let hours = Hours::of(of);
    let day = hours.day(now_ms);
    is_trading(day) && hours.session(day, Part::Regular).contains(&now_ms)
}
