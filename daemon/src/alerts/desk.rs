//! What is asked for: alerts made, switched, deleted and shown.

use std::collections::BTreeSet;

use ibd_cpapi::id::{AccountId, Conid};
use ibd_protocol::ErrorCode;
use jiff::Timestamp;
use ractor::ActorRef;

use super::alert::{Alert, AlertId, Draft, Login, Phase, Watch};
use super::look::why_no_pnl;
use super::watch::{is_here, waits_for_session};
use super::{Msg, State, blind, words};
use crate::refusal::Refusal;

/// Alerts that there may be.
const MOST: usize = 200;
/// Contracts that they may be about: IBKR follows a hundred for a user, and others want some of them.
const MOST_CONTRACTS: usize = 60;

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It waits for its condition.
    On,
    /// It does not.
    Off,
}

/// An alert as a client names it.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its number.
    pub id: AlertId,
    /// Whose it says that it is.
    pub account: Option<AccountId>,
}

impl Named {
    /// Another account's alert is not meant.
    fn agrees(&self, alert: &Alert) -> Result<(), Refusal> {
        match (&self.account, &alert.account) {
            (Some(named), Some(own)) if named != own => Err(Refusal::new(
                ErrorCode::Contradiction,
                format!("The alert {} is of {own}, and accountId says {named}.", self.id),
                "Nothing was done. Leave out accountId, or name the alert that is meant.",
            )
            .at("accountId")),
            _ => Ok(()),
        }
    }
}

/// An alert as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its number.
    pub id: AlertId,
    /// What it waits for.
    pub text: String,
    /// `watching`, `waiting` (it fired, and may again), `fired`, `off` or `not watched`.
    pub state: &'static str,
    /// Why it stands so, where there is something to say.
    pub why: Option<String>,
    /// The client's own words.
    pub message: Option<String>,
    /// Whose.
    pub account: Option<AccountId>,
    /// Under which login it was made.
    pub login: Option<Login>,
    /// The last value, with its unit.
    pub value: Option<String>,
    /// When that was seen.
    pub seen_at: Option<Timestamp>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it last fired.
    pub fired_at: Option<Timestamp>,
    /// How often it fired.
    pub times: u64,
    /// Seconds until it may fire again; once, if missing.
    pub pause: Option<u64>,
    /// Who made it.
    pub client: String,
    /// Who could not be told that it fired, and why.
    pub trouble: Option<String>,
}

/// An alert that was switched.
#[derive(Debug, Clone)]
pub struct Switched {
    /// As it is now.
    pub alert: Shown,
    /// What it watches.
    pub watch: Watch,
    /// It was on before.
    pub was_on: bool,
    /// When it had fired, if it had and is on again.
    pub had_fired: Option<Timestamp>,
}

/// What a request came to.
#[derive(Debug, Clone)]
pub struct Made {
    /// The alert.
    pub alert: Shown,
    /// It was there already.
    pub is_old: bool,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The alerts, the oldest first.
    pub alerts: Vec<Shown>,
    /// When none of them was watched, and why; the newest last.
    pub not_watched: Vec<String>,
    /// Who could not be told of one, and why.
    pub trouble: Option<String>,
}

impl State {
    pub(super) fn create(
        &mut self,
        me: &ActorRef<Msg>,
        draft: Draft,
        replaced: Option<AlertId>,
    ) -> Result<Made, Refusal> {
        let now = Timestamp::now();
        if replaced.is_none()
            && let Some(old) = self.kept.now.alerts.iter().find(|alert| alert.is_like(&draft))
        {
            return Ok(Made { alert: self.shown(old), is_old: true });
        }
        self.has_room(&draft.watch)?;
        let before = self.kept.now.clone();
        let alert = match replaced {
            Some(id) => {
                let place = self.kept.alert(id).ok_or_else(|| unknown(id))?;
                *place = Alert::new(id, draft, now);
                place.clone()
            }
            None => {
                let alert = Alert::new(self.kept.now.next_id(), draft, now);
                self.kept.now.alerts.push(alert.clone());
                alert
            }
        };
        self.kept.now.alive_at = Some(now);
        // What is not on the disk would be forgotten in silence.
        if let Err(why) = self.kept.write() {
            self.kept.now = before;
            return Err(Refusal::new(
                ErrorCode::Internal,
                format!("The alert could not be written down ({why}), so it was not made."),
                "Ask the user to make room on the disk; or use at:\"ibkr\".",
            ));
        }
        self.missing.remove(&alert.id);
        self.handle.changed();
        self.follow(me);
        self.want_look(me);
        Ok(Made { alert: self.shown(&alert), is_old: false })
    }

    /// What is over goes first; what waits is never pushed out.
    fn has_room(&mut self, watch: &Watch) -> Result<(), Refusal> {
        let alerts = &mut self.kept.now.alerts;
        let conids: BTreeSet<Conid> = alerts
            .iter()
            .filter(|alert| alert.is_active())
            .filter_map(|alert| alert.watch.of())
            .map(|of| of.conid)
            .collect();
        let is_new = watch.of().is_some_and(|of| !conids.contains(&of.conid));
        if is_new && conids.len() >= MOST_CONTRACTS {
            return Err(too_many(format!(
                "ibd watches {MOST_CONTRACTS} contracts already: IBKR gives a user a hundred at a time."
            )));
        }
        if alerts.len() < MOST {
            return Ok(());
        }
        match alerts.iter().position(|alert| alert.phase == Phase::Over) {
            Some(oldest) => {
                alerts.remove(oldest);
                Ok(())
            }
            None => Err(too_many(format!("There are {MOST} alerts already."))),
        }
    }

    pub(super) fn switch(
        &mut self,
        me: &ActorRef<Msg>,
        named: &Named,
        switch: Switch,
    ) -> Result<Switched, Refusal> {
        let alert = self.kept.alert(named.id).ok_or_else(|| unknown(named.id))?;
        named.agrees(alert)?;
        let (was_on, fired_at) = (alert.is_active(), alert.fired_at);
        let had_fired = fired_at.filter(|_| switch == Switch::On && !was_on);
        match switch {
            // It waits anew, and what was before counts for nothing.
            Switch::On if !alert.is_active() => {
                (alert.phase, alert.base, alert.fired_at) = (Phase::Armed, None, None);
            }
            Switch::On => {}
            Switch::Off => alert.phase = Phase::Off,
        }
        let alert = alert.clone();
        self.missing.remove(&alert.id);
        self.keep();
        self.follow(me);
        self.want_look(me);
        Ok(Switched { alert: self.shown(&alert), watch: alert.watch, was_on, had_fired })
    }

    pub(super) fn delete(&mut self, me: &ActorRef<Msg>, named: &Named) -> Result<Shown, Refusal> {
        let alerts = &mut self.kept.now.alerts;
        let at = alerts.iter().position(|alert| alert.id == named.id);
        let at = at.ok_or_else(|| unknown(named.id))?;
        named.agrees(&alerts[at])?;
        let gone = alerts.remove(at);
        let shown = self.shown(&gone);
        self.missing.remove(&gone.id);
        self.keep();
        self.follow(me);
        Ok(shown)
    }

    pub(super) fn listing(&self) -> Listing {
        let memory = &self.kept.now;
        let blinds = blind::told(&memory.blinds, memory.shorter.as_ref());
        let now = self.gone_in_words().filter(|_| memory.alerts.iter().any(waits_for_session));
        Listing {
            alerts: memory.alerts.iter().map(|alert| self.shown(alert)).collect(),
            not_watched: blinds.into_iter().chain(now).collect(),
            trouble: memory.news.iter().rev().find_map(|news| news.trouble()),
        }
    }

    fn shown(&self, alert: &Alert) -> Shown {
        let not_watched = self.not_watched(alert);
        let mut news = self.kept.now.news.iter().rev().filter(|news| news.alert == alert.id);
        Shown {
            id: alert.id,
            text: words::watch(&alert.watch),
            state: words::state(alert, not_watched.is_some()),
            why: not_watched.or_else(|| self.not_seen(alert)),
            message: alert.message.clone(),
            account: alert.account.clone(),
            login: alert.login.clone(),
            value: alert.seen.map(|seen| words::value(alert, seen.value)),
            seen_at: alert.seen.map(|seen| seen.at),
            made_at: alert.made_at,
            fired_at: alert.fired_at,
            times: alert.times,
            pause: alert.pause,
            client: alert.client.clone(),
            trouble: news.find_map(|news| news.trouble()),
        }
    }

    /// Why an alert that waits sees nothing now.
    fn not_watched(&self, alert: &Alert) -> Option<String> {
        if !waits_for_session(alert) {
            return None;
        }
        if let Some(gone) = self.gone_in_words() {
            return Some(format!("not watched {gone}"));
        }
        let account = alert.account.as_ref().filter(|_| !is_here(alert, self.lease.as_ref()))?;
        Some(format!("its account {account} is not one of the login that is there now"))
    }

    /// Why an alert that is watched has nothing to go by.
    fn not_seen(&self, alert: &Alert) -> Option<String> {
        match &alert.watch {
            _ if !alert.is_active() => None,
            Watch::Pnl { of, .. } => {
                let book = alert.account.as_ref().and_then(|account| self.holdings.get(account));
                why_no_pnl(book, of.conid)
            }
            Watch::Quote { .. } | Watch::Move { .. } => {
                let why = self.missing.get(&alert.id).map(|why| format!("no value now: {why}"));
                why.or_else(|| match &self.unquoted {
                    _ if alert.seen.is_some() => None,
                    Some(failed) => Some(format!("its quote could not be read ({failed})")),
                    None => Some("IBKR has given no such value yet".to_owned()),
                })
            }
            Watch::Order { .. } | Watch::Gap { .. } => None,
        }
    }
}

fn unknown(id: AlertId) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownAlert,
        format!("There is no alert {id}."),
        "get_alerts lists those that there are.",
    )
    .at("alertId")
}

fn too_many(message: String) -> Refusal {
    Refusal::new(
        ErrorCode::TooBusy,
        message,
        "Delete what is not needed any more (get_alerts, delete_alert), or let IBKR watch it (at:\"ibkr\").",
    )
}
