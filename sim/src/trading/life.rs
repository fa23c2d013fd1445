//! What time does to orders: they are submitted, cancelled, rejected, filled.

use super::fill::Telling;
use super::matching::Verdict;
use crate::book::{Course, News, Order, Status, Step};
use crate::state::World;

impl World {
    /// Lets happen what was due since somebody last looked.
    pub(crate) fn trade(&mut self) {
        self.keep_rounds();
        self.charge();
        let now = self.clock.now_ms();
        if let Some(close) = self.book.ended_day(now) {
            self.end_the_day(close);
        }
        let step = self.market.step(now);
        // Fills change others of the set, so the ids are taken first.
        for id in self.book.open.iter().copied().collect::<Vec<_>>() {
            self.advance(id, now);
            self.meet_market(id, step);
        }
        self.watch_alerts();
    }

    /// The orders of the day that were there at its close (epoch milliseconds) end with it, and over night
    /// the broker forgets what was over. What is for the opening waits for that.
    pub(crate) fn end_the_day(&mut self, close_ms: i64) {
        let of_the_day = |order: &Order| order.tif == "DAY" && order.entered_ms < close_ms;
        for id in self.related(of_the_day) {
            self.end(id, Status::Cancelled);
            if let Some(order) = self.book.orders.get_mut(&id) {
                order.changed_ms = close_ms.min(order.changed_ms) - 1;
            }
        }
        self.book.turn_the_page(close_ms);
    }

    /// Takes an order's next step if its time has come.
    fn advance(&mut self, id: i64, now: i64) {
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        let Some((_, step)) = order.due.take_if(|(at, _)| *at <= now) else { return };
        match step {
            Step::Submit => self.submit(id),
            Step::Cancel => self.end(id, Status::Cancelled),
            Step::Reject(status) => {
                let usual = "Order rejected by the exchange";
                let reason = order.reason.get_or_insert_with(|| usual.to_owned()).clone();
                self.reject(id, status, &reason);
            }
        }
    }

    /// The exchange takes an order; what waits for something stays at PreSubmitted.
    fn submit(&mut self, id: i64) {
        let now = self.clock.now_ms();
        if self.waits(id) {
            return;
        }
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        order.seen = i64::MIN;
        if order.is_stuck {
            return;
        }
        if order.status != Status::Submitted && (!order.kind.is_triggered() || order.triggered) {
            order.status = Status::Submitted;
            order.changed_ms = now;
            let news = News::Status(Box::new(order.clone()));
            self.book.note(now, news);
        }
    }

    /// A child waits for its parent, and what is for the opening waits for that.
    fn waits(&self, id: i64) -> bool {
        let Some(order) = self.book.order(id) else { return true };
        let parent = order.parent.and_then(|parent| self.book.order(parent));
        let opens = order.tif == "OPG" && !bell_rang(order.entered_ms, self.clock.now_ms());
        opens || parent.is_some_and(|parent| !parent.status.is_final())
    }

    /// Compares an order with the market, once for each of its steps.
    fn meet_market(&mut self, id: i64, step: i64) {
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        if !order.works() || order.due.is_some() || order.seen == step {
            return;
        }
        order.seen = step;
        if self.waits(id) {
            return;
        }
        self.submit_if_it_waited(id);
        match self.book.order(id).map(|order| order.course) {
            Some(Course::Market) => self.compare(id, step),
            Some(Course::Fill) => self.fill_scripted(id, 1.0),
            Some(Course::Partial) => self.fill_scripted(id, 0.5),
            _ => {}
        }
    }

    fn submit_if_it_waited(&mut self, id: i64) {
        if self.book.order(id).is_some_and(|order| order.status == Status::PreSubmitted) {
            self.submit(id);
        }
    }

    fn compare(&mut self, id: i64, step: i64) {
        let Some(order) = self.book.order(id).filter(|order| self.is_traded(order)) else { return };
        let Some(touch) = self.touch(order.conid, &order.legs) else { return };
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        order.seen = step;
        match order.meet(touch) {
            Verdict::Nothing if order.tif == "IOC" => self.end(id, Status::Cancelled),
            Verdict::Nothing => order.rested = true,
            Verdict::Moved => {
                let row = News::Row(Box::new(order.clone()));
                self.book.note(self.clock.now_ms(), row);
            }
            Verdict::Triggered => {
                self.submit(id);
                self.compare(id, step);
            }
            Verdict::Fills(price) => {
                let left = order.left();
                self.fill(id, left, price);
            }
        }
    }

    /// The script's fill: a part of the whole, at the order's own price or the market's.
    fn fill_scripted(&mut self, id: i64, part: f64) {
        let price = self.own_price(id);
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        order.course = Course::Rest;
        let half = order.left() * part;
        let quantity = if half > 1.0 { half.floor() } else { half };
        self.fill(id, quantity, price);
    }

    /// The price at which an order would fill if somebody made it.
    pub(crate) fn own_price(&self, id: i64) -> f64 {
        let Some(order) = self.book.order(id) else { return 0.0 };
        let market = self.touch(order.conid, &order.legs);
        let market = market.map(|touch| if order.is_buy { touch.ask } else { touch.bid });
        let base = || self.universe.of(order).map_or(0.0, |of| of.base);
        order.limit.or(market).unwrap_or_else(base)
    }

    /// An order ends without (another) fill, and its children with it.
    pub(super) fn end(&mut self, id: i64, status: Status) {
        let now = self.clock.now_ms();
        self.book.open.remove(&id);
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        (order.status, order.changed_ms, order.due) = (status, now, None);
        order.is_stuck = false;
        let had_fills = order.filled > 0.0;
        let news = News::Status(Box::new(order.clone()));
        self.book.note(now, news);
        if !had_fills {
            for child in self.related(|other| other.parent == Some(id)) {
                self.end(child, Status::Cancelled);
            }
        }
    }

    /// An order that was over works again; false if there is none, or nothing left of it.
    pub(crate) fn revive(&mut self, id: i64, telling: Telling) -> bool {
        let now = self.clock.now_ms();
        let is_over = |o: &&mut Order| o.left() > 0.0 && !self.book.open.contains(&id);
        let Some(order) = self.book.orders.get_mut(&id).filter(is_over) else { return false };
        let waits = order.kind.is_triggered() && !order.triggered;
        order.status = if waits { Status::PreSubmitted } else { Status::Submitted };
        if matches!(order.course, Course::LateReject(_)) {
            order.course = Course::Market;
        }
        (order.reason, order.due, order.seen) = (None, None, i64::MIN);
        order.changed_ms = now;
        let order = Box::new(order.clone());
        self.book.open.insert(id);
        self.book.hide(id, false);
        let news = match telling {
            Telling::Pushed => News::Row(order),
            Telling::Silent => News::Quiet(order),
        };
        self.book.note(now, news);
        self.trade();
        true
    }

    /// The broker ends an order, and says why.
    fn reject(&mut self, id: i64, status: Status, reason: &str) {
        if let Some(order) = self.book.orders.get_mut(&id) {
            order.reason = Some(reason.to_owned());
        }
        self.end(id, status);
    }

    /// The open orders that have to do with another one.
    pub(super) fn related(&self, is_one: impl Fn(&Order) -> bool) -> Vec<i64> {
        let open = self.book.open.iter().filter_map(|id| self.book.order(*id));
        open.filter(|order| is_one(order)).map(|order| order.id).collect()
    }
}

/// The opening bell (14:30 in UTC) rang between these moments (epoch milliseconds).
fn bell_rang(from_ms: i64, to_ms: i64) -> bool {
    const BELL_MS: i64 = (14 * 60 + 30) * 60_000;
    let bells = |ms: i64| (ms - BELL_MS).div_euclid(crate::clock::DAY_MS);
    bells(to_ms) > bells(from_ms)
}
