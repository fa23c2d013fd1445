//! What is seen: sessions that come and go, quotes, orders, and the passing of time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_cpapi::orders::{OrderRow, Stage};
use ibd_cpapi::snapshot::Row;
use ibd_cpapi::stream::{Topic, Update};
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::alert::{Alert, Phase, Seen, Watch};
use super::blind::{self, Blind, Lasting, Left, Why};
use super::decide::{self, Sight};
use super::ears::Fired;
use super::look::{Book, Holding, Look};
use super::measure::Measure;
use super::{Msg, State, news};
use crate::market::{self, Data, Quote};
use crate::session::Lease;
use crate::stream::Heard;

/// What the stream may have kept to itself is looked for this often.
const LOOK: Duration = Duration::from_secs(30);
/// That a daemon is at work is written down this often.
const BEAT: Duration = Duration::from_secs(60);
/// Of a value older than this nothing is concluded when a pause is over.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// A failure of so long ago is not why there is no session now.
const LATELY: SignedDuration = SignedDuration::from_secs(120);

/// Positions, by account.
type Holdings = BTreeMap<AccountId, Book>;

impl State {
    /// What was so when the last daemon ended.
    pub(super) fn recover(&mut self, me: &ActorRef<Msg>) {
        let now = Timestamp::now();
        if let Some(lost) = self.kept.lost.clone() {
            let hint = "Look at get_alerts, and make anew what is missing.";
            self.board.note("alerts_unreadable", lost, hint);
        }
        let memory = &mut self.kept.now;
        // A file of before `dark_since` has the beginning alone.
        let dark = memory.dark_since.or(memory.gone_since);
        self.gone_since = Some(*memory.gone_since.get_or_insert(now));
        let why = memory.gone_why.take();
        if let Some(alive) = memory.alive_at {
            let left = Left { alive, dark, why: why.as_ref() };
            let needs_session = memory.alerts.iter().any(waits_for_session);
            let is_waiting = memory.alerts.iter().any(Alert::is_active);
            let without_session = blind::without_session(left).filter(|_| needs_session);
            let without_daemon = blind::without_daemon(left, now).filter(|_| is_waiting);
            without_session.into_iter().chain(without_daemon).for_each(|one| memory.blind(one));
        }
        memory.dark_since = Some(now);
        self.follow(me);
        self.beat(now);
        self.tell_due(me);
    }

    pub(super) fn session_changed(&mut self, me: &ActorRef<Msg>, lease: Option<Lease>) {
        let now = Timestamp::now();
        let seen = if lease.is_none() { self.why_gone() } else { None };
        let memory = &mut self.kept.now;
        match (&lease, self.gone_since) {
            (Some(_), Some(since)) => {
                let from = memory.dark_since.take().unwrap_or(since).min(now);
                let why = memory.gone_why.take();
                if memory.alerts.iter().any(waits_for_session) {
                    let why = blind::text(why.as_ref()).to_owned();
                    memory.blind(Blind { from, until: now, why });
                }
                (self.gone_since, memory.gone_since) = (None, None);
            }
            (None, None) => {
                (self.gone_since, memory.gone_since) = (Some(now), Some(now));
                memory.dark_since = Some(now);
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        if let Some(seen) = seen {
            memory.gone_why = Some(blind::graver(memory.gone_why.take(), seen));
        }
        let has_begun = lease.is_some();
        self.lease = lease;
        self.holdings.clear();
        self.look.take().into_iter().for_each(|look| look.abort());
        self.follow(me);
        self.time(me, now);
        self.keep();
        if has_begun {
            self.want_look(me);
        }
    }

    /// Why there is no session, as far as can be seen now.
    fn why_gone(&self) -> Option<Why> {
        let (now, view) = (Timestamp::now(), self.session.view());
        let doubt = self.session.last_doubt();
        let doubt = doubt.filter(|(at, _)| now.duration_since(*at) < LATELY).map(|(_, why)| why);
        let (state, text, is_passing) = (view.state, view.text_at(now), view.is_passing);
        blind::why(blind::Sight { state, text: &text, is_passing, doubt: doubt.as_deref() })
    }

    /// Since when there is no session, why it went, and why there is none now; nothing while there is one.
    pub(super) fn gone_in_words(&self) -> Option<String> {
        let since = self.gone_since?;
        let (memory, now) = (&self.kept.now, self.why_gone());
        let from = memory.dark_since.unwrap_or(since);
        let why = memory.gone_why.as_ref();
        Some(Lasting { since, from, why, now: now.as_ref() }.in_words())
    }

    /// Holds the lines of what is watched, and listens to orders while somebody waits for one.
    pub(super) fn follow(&mut self, me: &ActorRef<Msg>) {
        let lease = self.lease.as_ref();
        let alerts = &self.kept.now.alerts;
        let watched = || alerts.iter().filter(move |alert| is_watched(alert, lease));
        let conids: BTreeSet<Conid> =
            watched().filter_map(|alert| alert.watch.of()).map(|of| of.conid).collect();
        let has_orders = watched().any(|alert| matches!(alert.watch, Watch::Order { .. }));
        self.market.hold(conids);
        match (has_orders, self.feed.is_some()) {
            (true, false) => self.listen(me),
            (false, true) => self.feed = None,
            (true, true) | (false, false) => {}
        }
        self.show();
    }

    fn listen(&mut self, me: &ActorRef<Msg>) {
        let me = me.clone();
        self.feed = Some(self.stream.subscribe([Topic::Orders], move |heard| {
            let told = match heard {
                Heard::Update(Update::Orders(rows)) => {
                    let rows = rows.into_iter().map(OrderRow::from);
                    Msg::Orders(rows.filter_map(|row| Some((row.order_id, row.status?))).collect())
                }
                Heard::Gap => Msg::Broke,
                Heard::Update(_) | Heard::Quotes(_) => return,
            };
            let _ = me.cast(told);
        }));
    }

    /// Shows something to every alert that watches it; what is news is told.
    fn each(&mut self, me: &ActorRef<Msg>, sight: impl Fn(&Alert, &Holdings) -> Option<Sight>) {
        let now = Timestamp::now();
        let (mut fired, mut is_changed) = (Vec::new(), false);
        let Self { kept, lease, holdings, .. } = self;
        for alert in &mut kept.now.alerts {
            if !is_watched(alert, lease.as_ref()) {
                continue;
            }
            let Some(sight) = sight(alert, holdings) else { continue };
            let before = (alert.base, alert.phase);
            let verdict = decide::see(alert, &sight, now);
            is_changed |= before != (alert.base, alert.phase);
            if verdict.is_news() {
                fired.push(Fired::of(alert, verdict, before.0));
            }
        }
        if !fired.is_empty() {
            self.fired(me, fired, now);
        } else if is_changed {
            self.keep();
        }
    }

    /// What is known of a contract.
    pub(super) fn quote(&mut self, me: &ActorRef<Msg>, row: &Row, at: Timestamp) {
        self.note_missing(row);
        self.each(me, |alert, holdings| {
            let of = alert.watch.of().filter(|of| of.conid == row.conid)?;
            let quote = Quote::of(Some(row), market::signs(of.kind.as_ref()));
            let value = value(alert, &quote, holdings)?;
            let is_late = quote.data == Data::Delayed;
            Some(Sight::Value(Seen { value, at, is_late }))
        });
    }

    /// Keeps in mind why a value that is watched is not there.
    fn note_missing(&mut self, row: &Row) {
        let Self { kept, missing, .. } = self;
        for alert in kept.now.alerts.iter().filter(|alert| alert.is_active()) {
            let measure = match &alert.watch {
                Watch::Quote { measure, .. } => *measure,
                Watch::Move { .. } => Measure::Price,
                Watch::Pnl { .. } | Watch::Order { .. } | Watch::Gap { .. } => continue,
            };
            let Some(of) = alert.watch.of().filter(|of| of.conid == row.conid) else { continue };
            let quote = Quote::of(Some(row), market::signs(of.kind.as_ref()));
            match measure.missing(&quote) {
                Some(why) => missing.insert(alert.id, why),
                None => missing.remove(&alert.id),
            };
        }
    }

    /// How orders stand.
    pub(super) fn orders(&mut self, me: &ActorRef<Msg>, orders: Vec<(OrderId, Stage)>) {
        self.each(me, |alert, _| {
            let Watch::Order { order_id } = alert.watch else { return None };
            let (_, stage) = orders.iter().find(|(id, _)| *id == order_id)?;
            Some(Sight::Order(stage.clone()))
        });
    }

    /// What a look showed.
    pub(super) fn looked(&mut self, me: &ActorRef<Msg>, look: Look) {
        if let (Some(lease), Some(failure)) = (self.lease.as_ref(), &look.doubt) {
            self.session.suspect_after(lease, failure);
        }
        self.holdings.extend(look.books);
        for (account, why) in look.unread {
            self.holdings.entry(account).or_default().failed = Some(why);
        }
        self.unquoted = look.unquoted;
        let at = look.quotes.as_of.unwrap_or_else(Timestamp::now);
        let has_price = |row: &Row| {
            let quote = Quote::of(Some(row), market::signs(None));
            Measure::Price.read(&quote).is_some()
        };
        let rows = &look.quotes.rows;
        let priced: BTreeSet<Conid> =
            rows.iter().filter(|(_, row)| has_price(row)).map(|(conid, _)| *conid).collect();
        rows.values().for_each(|row| self.quote(me, row, at));
        // Where there is no price, for instance at night, a position is worth what the portfolio says.
        self.each(me, |alert, holdings| {
            let Watch::Pnl { of, .. } = &alert.watch else { return None };
            let held = held(alert, of.conid, holdings).filter(|_| !priced.contains(&of.conid))?;
            Some(Sight::Value(Seen { value: held.pnl_at(None), at: held.at, is_late: false }))
        });
        self.orders(me, look.orders);
    }

    pub(super) fn tick(&mut self, me: &ActorRef<Msg>) {
        let now = Timestamp::now();
        self.time(me, now);
        self.rested(me, now);
        self.tell_due(me);
        let is_due = self.looked_at.is_none_or(|at| at.elapsed() >= scaled(LOOK));
        if self.wants_look || is_due {
            self.look_now(me);
        }
        if self.beat_at.is_none_or(|at| at.elapsed() >= scaled(BEAT)) {
            self.beat(now);
        }
    }

    /// For how long there has been no session.
    fn time(&mut self, me: &ActorRef<Msg>, now: Timestamp) {
        let gone = self.gone_since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
        // In tenths of minutes, and none too early.
        let value = Decimal::new(gone / 6, 1);
        self.each(me, |alert, _| {
            let is_gap = matches!(alert.watch, Watch::Gap { .. });
            is_gap.then_some(Sight::Value(Seen { value, at: now, is_late: false }))
        });
    }

    /// What has waited for the end of its pause, and is still so, fires now.
    fn rested(&mut self, me: &ActorRef<Msg>, now: Timestamp) {
        self.each(me, |alert, _| {
            let seen = alert.seen.filter(|seen| now.duration_since(seen.at) < FRESH)?;
            let waits = alert.phase == Phase::Armed && alert.fired_at.is_some();
            waits.then_some(Sight::Value(seen))
        });
    }

    /// That a daemon is at work is written down, and what nobody needs any more goes.
    pub(super) fn beat(&mut self, now: Timestamp) {
        self.beat_at = Some(Instant::now());
        news::sweep(&mut self.kept.now.news, now);
        self.kept.now.sweep_blinds();
        // Where nobody ever made an alert there is no file.
        if self.kept.now.last > 0 {
            self.keep();
        }
        self.show();
    }

    /// What is known is on the disk when this returns; where that cannot be, a person is told.
    pub(super) fn keep(&mut self) {
        if self.kept.now.last == 0 {
            return;
        }
        self.kept.now.alive_at = Some(Timestamp::now());
        self.handle.changed();
        match self.kept.write() {
            Ok(()) => self.board.clear("alerts_not_kept"),
            Err(why) => self.board.note(
                "alerts_not_kept",
                format!("The alerts that ibd watches cannot be written down ({why})."),
                "They are watched all the same, and forgotten when ibd ends. Make room on the disk.",
            ),
        }
    }
}

/// Whether it sees nothing while there is no session.
pub(super) fn waits_for_session(alert: &Alert) -> bool {
    alert.is_active() && alert.watch.needs_session()
}

/// Whether something may come of an alert under the login that is there. Before there is one nobody knows.
pub(super) fn is_watched(alert: &Alert, lease: Option<&Lease>) -> bool {
    alert.is_active() && is_here(alert, lease)
}

/// Whether its account is one of the login that is there.
pub(super) fn is_here(alert: &Alert, lease: Option<&Lease>) -> bool {
    match (&alert.account, lease) {
        (Some(account), Some(lease)) => lease.facts().accounts.contains(account),
        (None, _) | (_, None) => true,
    }
}

/// The position of an alert on its P&L.
pub(super) fn held<'h>(alert: &Alert, conid: Conid, holdings: &'h Holdings) -> Option<&'h Holding> {
    holdings.get(alert.account.as_ref()?)?.held.get(&conid)
}

fn value(alert: &Alert, quote: &Quote, holdings: &Holdings) -> Option<Decimal> {
    match &alert.watch {
        Watch::Quote { measure, .. } => measure.read(quote),
        Watch::Move { .. } => Measure::Price.read(quote),
        Watch::Pnl { of, .. } => {
            let held = held(alert, of.conid, holdings)?;
            // Where there is no price a look says what the portfolio has.
            Some(held.pnl_at(Some(Measure::Price.read(quote)?)))
        }
        Watch::Order { .. } | Watch::Gap { .. } => None,
    }
}
