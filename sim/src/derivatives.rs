//! What only options and futures have.

use jiff::civil::Date;
use serde::Deserialize;

use crate::clock::DAY_MS;
use crate::hours::before;
use crate::instruments::Instrument;

/// What only an option or a future has.
#[derive(Debug, Clone)]
pub(crate) struct Derivative {
    /// What it is on.
    pub(crate) underlying: i64,
    /// What it is searched by: its underlying, or of an option on a future what that future is on.
    pub(crate) root: i64,
    pub(crate) expiry: Date,
    /// `Some` for options.
    pub(crate) option: Option<(Right, f64)>,
    pub(crate) style: Style,
    pub(crate) settled: Settled,
}

/// Call or put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// `C`
    Call,
    /// `P`
    Put,
}

/// When an option can be exercised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Style {
    /// On any day.
    American,
    /// At its end only.
    European,
}

/// When on its last day it is decided what it is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Settled {
    /// By the opening prices: it trades until the day before.
    Morning,
    /// By the closing prices.
    #[default]
    Evening,
}

impl Derivative {
    /// A future, or an option, with the terms that are usual there. It ends with its last day.
    pub(crate) fn on(root: &Instrument, expiry: Date, option: Option<(Right, f64)>) -> Self {
        Self {
            underlying: root.conid,
            root: root.conid,
            expiry,
            option,
            style: Style::usual(root),
            settled: Settled::Evening,
        }
    }

    /// The last day on which it trades.
    pub(crate) fn last_day(&self) -> Date {
        match self.settled {
            Settled::Morning => before(self.expiry),
            Settled::Evening => self.expiry,
        }
    }

    /// Years until its worth is decided, never quite zero.
    pub(crate) fn years_left(&self, at_ms: i64) -> f64 {
        // New York's closing and opening bell, in winter.
        let (hour, minute) = match self.settled {
            Settled::Evening => (21, 0),
            Settled::Morning => (14, 30),
        };
        let end = self
            .expiry
            .at(hour, minute, 0, 0)
            .in_tz("UTC")
            .map_or(at_ms, |z| z.timestamp().as_millisecond());
        (end - at_ms).max(3_600_000) as f64 / (365.0 * DAY_MS as f64)
    }
}

impl Right {
    /// The letter the broker uses.
    pub(crate) fn letter(self) -> &'static str {
        if self == Self::Call { "C" } else { "P" }
    }

    /// The word the broker uses.
    pub(crate) fn word(self) -> &'static str {
        if self == Self::Call { "Call" } else { "Put" }
    }
}

impl Style {
    /// Of options on this: an index cannot be delivered, and is paid for in cash at the end.
    pub(crate) fn usual(root: &Instrument) -> Self {
        if root.is("IND") { Self::European } else { Self::American }
    }
}
