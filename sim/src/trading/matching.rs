//! One order and the market, at one moment.

use super::contract::Touch;
use crate::book::{Kind, Order};

/// What comes of their meeting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Nothing,
    /// The trigger followed the market.
    Moved,
    /// The trigger was reached.
    Triggered,
    /// Everything that is left fills at this price.
    Fills(f64),
}

impl Order {
    /// Meets the market; a trailing trigger moves.
    pub(super) fn meet(&mut self, touch: Touch) -> Verdict {
        if self.kind.is_triggered() && !self.triggered {
            return self.approach(touch);
        }
        match self.kind {
            Kind::Market | Kind::Stop | Kind::Trail => Verdict::Fills(self.takes(touch)),
            Kind::MidPrice => self.at_middle(touch),
            Kind::Limit | Kind::StopLimit | Kind::TrailLimit => self.at_limit(touch),
        }
    }

    /// What the other side of the market wants.
    fn takes(&self, touch: Touch) -> f64 {
        if self.is_buy { touch.ask } else { touch.bid }
    }

    /// This price is within the limit.
    fn allows(&self, price: f64) -> bool {
        self.limit.is_none_or(|limit| if self.is_buy { price <= limit } else { price >= limit })
    }

    /// At once at the market's price if that is good enough; once it rested, at its own.
    fn at_limit(&self, touch: Touch) -> Verdict {
        let price = self.takes(touch);
        match self.limit {
            Some(limit) if self.allows(price) && self.rested => Verdict::Fills(limit),
            _ if self.allows(price) => Verdict::Fills(price),
            _ => Verdict::Nothing,
        }
    }

    fn at_middle(&self, touch: Touch) -> Verdict {
        let middle = f64::midpoint(touch.bid, touch.ask);
        if self.allows(middle) { Verdict::Fills(middle) } else { Verdict::Nothing }
    }

    fn approach(&mut self, touch: Touch) -> Verdict {
        let moved = self.follow(touch);
        let reached = |stop: f64| if self.is_buy { touch.last >= stop } else { touch.last <= stop };
        if self.stop.is_some_and(reached) {
            self.triggered = true;
            return Verdict::Triggered;
        }
        if moved { Verdict::Moved } else { Verdict::Nothing }
    }

    /// A trailing trigger follows a market that moves in the order's favour; its limit goes along.
    fn follow(&mut self, touch: Touch) -> bool {
        let Some(trail) = self.trail else { return false };
        let away = trail.distance(touch.last);
        let wanted = if self.is_buy { touch.last + away } else { touch.last - away };
        let Some(stop) = self.stop else {
            self.stop = Some(wanted);
            return true;
        };
        let better = if self.is_buy { wanted < stop } else { wanted > stop };
        if better {
            self.stop = Some(wanted);
            self.limit = self.limit.map(|limit| limit + wanted - stop);
        }
        better
    }
}
