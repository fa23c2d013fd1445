//! An alert of ibd's own: what it waits for, how it stands, and what was seen. Pure.

use std::fmt;
use std::str::FromStr;

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::exact;
use ibd_cpapi::id::{AccountId, Conid, OrderId};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::measure::Measure;

/// Its number, shown as `ibd-7`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct AlertId(pub u64);

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ibd-{}", self.0)
    }
}

impl FromStr for AlertId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim().to_ascii_lowercase();
        let number = text.strip_prefix("ibd-").ok_or(())?;
        number.parse().map(Self).map_err(|_| ())
    }
}

/// On which side of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The limit, or more.
    Above,
    /// The limit, or less.
    Below,
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// On which side of it.
    pub side: Side,
    /// The limit.
    #[serde(with = "exact")]
    pub value: Decimal,
}

impl Limit {
    /// Whether a value is there.
    pub fn is_met(&self, value: Decimal) -> bool {
        match self.side {
            Side::Above => value >= self.value,
            Side::Below => value <= self.value,
        }
    }
}

/// A contract, as much of it as an alert needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// IBKR's number.
    pub conid: Conid,
    /// How it is called here.
    pub name: String,
    /// The currency of its prices.
    pub currency: Option<String>,
    /// What kind it is.
    pub kind: Option<SecType>,
}

impl Of {
    /// Whether it has greeks.
    pub fn is_option(&self) -> bool {
        self.kind.as_ref().is_some_and(SecType::is_option)
    }
}

/// What is watched, and until what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Watch {
    /// A value of a contract's quote.
    Quote {
        /// Which contract.
        of: Of,
        /// Which value.
        measure: Measure,
        /// Until it is there.
        limit: Limit,
    },
    /// A price that moves by so many per cent, either way, from where it was first seen.
    Move {
        /// Which contract.
        of: Of,
        /// How far.
        #[serde(with = "exact")]
        percent: Decimal,
    },
    /// The unrealised P&L of a position, in its contract's currency.
    Pnl {
        /// Which contract.
        of: Of,
        /// Until it is there.
        limit: Limit,
    },
    /// An order that is filled.
    Order {
        /// Which.
        order_id: OrderId,
    },
    /// No trading session for so long.
    Gap {
        /// How long.
        minutes: u64,
    },
}

impl Watch {
    /// The contract whose quotes it needs.
    pub fn of(&self) -> Option<&Of> {
        match self {
            Self::Quote { of, .. } | Self::Move { of, .. } | Self::Pnl { of, .. } => Some(of),
            Self::Order { .. } | Self::Gap { .. } => None,
        }
    }

    /// Whether it can be seen only within a session.
    pub fn needs_session(&self) -> bool {
        !matches!(self, Self::Gap { .. })
    }
}

/// The login under which it was made, as far as it matters who hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Paper or live, as the broker said.
    pub paper: Option<bool>,
    /// The broker's name for it.
    pub username: Option<String>,
}

/// How an alert stands.
///
/// ```text
///            fires, repeats          is not met any more
///   Armed ───────────────────▶ Spent ──────────────────▶ Armed
///     │ fires once                 ▲ Armed again, and the pause is not over: it waits
///     ▼
///   Over          any ──switched──▶ Off ──switched──▶ Armed
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// It waits for its condition.
    Armed,
    /// It fired, and its condition has been met ever since.
    Spent,
    /// It fired, and does not repeat.
    Over,
    /// Somebody switched it off.
    Off,
}

/// A value that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The value.
    #[serde(with = "exact")]
    pub value: Decimal,
    /// When.
    pub at: Timestamp,
    /// It was not of that moment: the market's data came late.
    #[serde(default)]
    pub is_late: bool,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What is watched.
    pub watch: Watch,
    /// Whose contract, position or order; nobody's for a gap.
    pub account: Option<AccountId>,
    /// Under which login.
    pub login: Option<Login>,
    /// What to say besides.
    pub message: Option<String>,
    /// Seconds until it may fire again; once, if missing.
    pub pause: Option<u64>,
    /// What was seen when it was asked for.
    pub seen: Option<Seen>,
    /// Who asks.
    pub client: String,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its number.
    pub id: AlertId,
    /// What is watched.
    pub watch: Watch,
    /// Whose.
    pub account: Option<AccountId>,
    /// Under which login it was made.
    pub login: Option<Login>,
    /// What to say besides: the client's own words.
    pub message: Option<String>,
    /// Seconds until it may fire again; once, if missing.
    pub pause: Option<u64>,
    /// Who made it.
    pub client: String,
    /// When.
    pub made_at: Timestamp,
    /// How it stands.
    pub phase: Phase,
    /// From where a move is counted.
    #[serde(default, with = "exact::opt")]
    pub base: Option<Decimal>,
    /// The last value.
    #[serde(default)]
    pub seen: Option<Seen>,
    /// How often it fired.
    #[serde(default)]
    pub times: u64,
    /// When it last did.
    #[serde(default)]
    pub fired_at: Option<Timestamp>,
}

impl Alert {
    /// A new one.
    pub fn new(id: AlertId, draft: Draft, now: Timestamp) -> Self {
        let is_move = matches!(draft.watch, Watch::Move { .. });
        Self {
            id,
            watch: draft.watch,
            account: draft.account,
            login: draft.login,
            message: draft.message,
            pause: draft.pause,
            client: draft.client,
            made_at: now,
            phase: Phase::Armed,
            base: draft.seen.filter(|_| is_move).map(|seen| seen.value),
            seen: draft.seen,
            times: 0,
            fired_at: None,
        }
    }

    /// Whether anything may still come of it.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Armed | Phase::Spent)
    }

    /// Whether somebody asks for what this one does already.
    pub fn is_like(&self, draft: &Draft) -> bool {
        let same = (&self.watch, &self.account, &self.message, self.pause)
            == (&draft.watch, &draft.account, &draft.message, draft.pause);
        same && self.is_active()
    }
}
