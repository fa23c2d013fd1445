//! The board: how everything is, as data. `ibctl status`, tool errors and the log speak from it, so
//! they agree. Actors write their own view; anybody may read; views survive their actors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ibd_protocol::{
    Budgets, ClientStatus, Condition, DaemonStatus, Event, GatewayStatus, SessionStatus,
};
use ibd_protocol::{GatewayMode, Status, TradingStatus, states};
use jiff::{Timestamp, Unit};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use crate::gateway::state::GatewayView;
use crate::session::calendar;
use crate::session::view::{SessionState, SessionView};

/// Events that a slow listener may lag behind.
const EVENTS: usize = 64;

/// The board; clones share it.
#[derive(Debug, Clone)]
pub struct Board(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    gateway: watch::Sender<GatewayView>,
    session: watch::Sender<SessionView>,
    notes: Mutex<BTreeMap<&'static str, Condition>>,
    trading: watch::Sender<TradingStatus>,
    events: broadcast::Sender<Event>,
}

impl Default for Board {
    fn default() -> Self {
        Self(Arc::new(Inner {
            started: Instant::now(),
            gateway: watch::Sender::new(GatewayView::default()),
            session: watch::Sender::new(SessionView::default()),
            notes: Mutex::default(),
            trading: watch::Sender::new(not_yet()),
            events: broadcast::Sender::new(EVENTS),
        }))
    }
}

impl Board {
    /// Where the gateway actor writes.
    pub fn gateway(&self) -> &watch::Sender<GatewayView> {
        &self.0.gateway
    }

    /// Where the session actor writes.
    pub fn session(&self) -> &watch::Sender<SessionView> {
        &self.0.session
    }

    /// Notes something that a person should know until it is [`Self::clear`]ed.
    pub fn note(&self, code: &'static str, text: impl Into<String>, hint: impl Into<String>) {
        let condition = Condition {
            code: code.to_owned(),
            text: ibd_text::plain(&text.into()).into_owned(),
            hint: ibd_text::plain(&hint.into()).into_owned(),
            since: now_text(),
        };
        tracing::warn!(code, text = condition.text, "a condition was noted");
        self.notes().insert(code, condition);
    }

    /// Tells everybody who listens that something happened.
    pub fn say(&self, event: Event) {
        let plain = |text: &str| ibd_text::plain(text).into_owned();
        let event = Event { text: plain(&event.text), hint: plain(&event.hint), ..event };
        tracing::info!(code = event.code, text = event.text, "event");
        // Nobody listens: then nobody has to hear it.
        let _ = self.0.events.send(event);
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// What was noted is over.
    pub fn clear(&self, code: &'static str) {
        self.notes().remove(code);
    }

    /// Everything, as `ibctl status` shows it.
    pub fn status(&self, budgets: Budgets, clients: Vec<ClientStatus>) -> Status {
        let gateway = self.0.gateway.borrow().clone();
        let session = self.0.session.borrow().clone();
        let mut conditions: Vec<Condition> = session.condition().into_iter().collect();
        conditions.extend(self.notes().values().cloned());
        Status {
            daemon: DaemonStatus {
                running: true,
                version: ibd_protocol::build().to_owned(),
                pid: std::process::id(),
                uptime_seconds: self.0.started.elapsed().as_secs(),
            },
            gateway: GatewayStatus {
                mode: gateway.mode(),
                state: gateway_state(&gateway, session.state).into(),
                pid: gateway.pid,
                address: gateway.address.clone(),
            },
            session: SessionStatus {
                state: session.state.into(),
                text: session.text_at(Timestamp::now()),
                paper: session.facts.paper,
                accounts: session.facts.accounts.iter().map(ToString::to_string).collect(),
                age_seconds: session.opened.map(|at| at.elapsed().as_secs()),
                username: session.facts.username.as_deref().map(ibd_cpapi::failure::clean),
                login_at: session.facts.login_at.map(|at| to_second(at).to_string()),
                next_login_at: session
                    .facts
                    .login_at
                    .map(|at| to_second(calendar::login_ends(at)).to_string()),
            },
            budgets,
            clients,
            trading: self.trading(),
            conditions,
        }
    }

    /// Where the orders actor writes how trading is.
    pub fn set_trading(&self, trading: TradingStatus) {
        self.0.trading.send_replace(trading);
    }

    /// Trading, to be watched.
    pub fn trading_changes(&self) -> watch::Receiver<TradingStatus> {
        self.0.trading.subscribe()
    }

    /// How trading is.
    pub fn trading(&self) -> TradingStatus {
        self.0.trading.borrow().clone()
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Condition>> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until the orders actor has read its journal.
fn not_yet() -> TradingStatus {
    TradingStatus {
        state: states::Trading::Closed.into(),
        protection: String::new(),
        text: "Trading is closed: the journal is being read.".to_owned(),
        waiting: 0,
        in_doubt: 0,
    }
}

/// Of a gateway that is not ours only the session knows whether it answers.
fn gateway_state(gateway: &GatewayView, session: SessionState) -> states::Gateway {
    match (gateway.mode(), session) {
        (GatewayMode::Attach, SessionState::Stopped) => states::Gateway::Down,
        _ => gateway.state.word(),
    }
}

/// Now, RFC 3339, to the second.
pub fn now_text() -> String {
    to_second(Timestamp::now()).to_string()
}

fn to_second(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}
