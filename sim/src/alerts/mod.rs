//! Alerts: what a user wants to be told of, and what became of it.
//!
//! ```text
//! entered, changed, switched on ─▶ armed ──conditions met──▶ triggered ──▶ off
//!                                    ▲                          │
//!                                    └── repeatable, and ended ─┘
//! ```

mod condition;
mod enter;
mod fields;
mod request;
mod watch;

use std::collections::BTreeMap;
use std::iter::once;

pub(crate) use condition::{Condition, Kind};

/// The name of the Mobile Trading Assistant's alert, which never changes; its id does.
const TOOL: i64 = 55_834_574_848;
/// Its first id; later ones are numbered as orders are.
const FIRST_MTA: i64 = 987_654_320;

/// What a user says about an alert.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    /// The Mobile Trading Assistant's has none.
    pub(crate) name: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) is_repeatable: bool,
    pub(crate) outside_rth: bool,
    pub(crate) sends_message: bool,
    pub(crate) email: Option<String>,
    pub(crate) is_mobile_only: bool,
    pub(crate) shows_popup: bool,
    pub(crate) audio: Option<String>,
    /// Good until then; for ever if missing.
    pub(crate) expiry: Option<Expiry>,
    pub(crate) conditions: Vec<Condition>,
}

/// The end of an alert.
#[derive(Debug, Clone)]
pub(crate) struct Expiry {
    /// As it was sent.
    pub(crate) text: String,
    /// Epoch milliseconds.
    at_ms: i64,
}

/// One alert.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    pub(crate) id: i64,
    pub(crate) account: String,
    pub(crate) terms: Terms,
    /// Epoch milliseconds.
    pub(crate) entered_ms: i64,
    pub(crate) is_active: bool,
    pub(crate) is_triggered: bool,
    /// Epoch milliseconds.
    pub(crate) fired_ms: Option<i64>,
    pub(crate) fires: u32,
    /// Its conditions were met at the last look: it fires when that begins, not as long as it lasts.
    is_met: bool,
    /// Executions from this one on count for it.
    armed: u64,
}

impl Alert {
    fn new((id, account): (i64, &str), terms: Terms, entered_ms: i64) -> Self {
        let account = account.to_owned();
        let (is_active, is_triggered, is_met) = (true, false, false);
        let (fired_ms, fires, armed) = (None, 0, 0);
        Self {
            id,
            account,
            terms,
            entered_ms,
            is_active,
            is_triggered,
            fired_ms,
            fires,
            is_met,
            armed,
        }
    }

    /// It waits for its conditions, whatever was before; executions count from this one on.
    fn arm(&mut self, from: u64) {
        (self.is_active, self.is_triggered, self.is_met) = (true, false, false);
        self.armed = from;
    }

    /// Its time is over.
    fn is_over(&self, now_ms: i64) -> bool {
        self.terms.expiry.as_ref().is_some_and(|expiry| expiry.at_ms <= now_ms)
    }

    /// Something that can be met is watched for.
    pub(crate) fn is_watching(&self) -> bool {
        self.is_active && !self.terms.conditions.is_empty()
    }
}

/// All alerts of the user, by id.
#[derive(Debug)]
pub(crate) struct Alerts {
    all: BTreeMap<i64, Alert>,
    /// The Mobile Trading Assistant's, which is always there.
    mta: Alert,
}

impl Alerts {
    /// None but the Mobile Trading Assistant's, which watches for nothing.
    pub(crate) fn new(account: &str, now_ms: i64) -> Self {
        let mta = Alert::new((FIRST_MTA, account), mobile(), now_ms);
        Self { all: BTreeMap::new(), mta }
    }

    /// All but the Mobile Trading Assistant's, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.all.values()
    }

    /// The Mobile Trading Assistant's.
    pub(crate) fn mta(&self) -> &Alert {
        &self.mta
    }

    /// The name of the Mobile Trading Assistant's, if it is this one.
    pub(crate) fn tool(&self, alert: &Alert) -> Option<i64> {
        (alert.id == self.mta.id).then_some(TOOL)
    }

    /// The alert with this id.
    pub(crate) fn get(&self, id: i64) -> Option<&Alert> {
        self.all.get(&id).or_else(|| Some(&self.mta).filter(|mta| mta.id == id))
    }

    fn get_mut(&mut self, id: i64) -> Option<&mut Alert> {
        if self.mta.id == id { Some(&mut self.mta) } else { self.all.get_mut(&id) }
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Alert> {
        self.all.values_mut().chain(once(&mut self.mta))
    }

    /// Changes the owner of everything, as another login does.
    pub(crate) fn rename(&mut self, change: impl Fn(&str) -> String) {
        self.iter_mut().for_each(|alert| alert.account = change(&alert.account));
    }
}

/// What the Mobile Trading Assistant's alert is at first, and after it was deleted.
fn mobile() -> Terms {
    Terms { is_repeatable: true, sends_message: true, ..Terms::default() }
}
