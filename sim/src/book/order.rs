//! One order: what was asked for, and what became of it so far.

use crate::instruments::Instrument;

/// The broker's order types that this one knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Limit,
    Market,
    Stop,
    StopLimit,
    MidPrice,
    Trail,
    TrailLimit,
}

/// Every type: as tickets spell it, and as the broker's pages show it.
const KINDS: [(Kind, &str, &str); 7] = [
    (Kind::Limit, "LMT", "Limit"),
    (Kind::Market, "MKT", "Market"),
    (Kind::Stop, "STP", "Stop"),
    (Kind::StopLimit, "STOP_LIMIT", "Stop Limit"),
    (Kind::MidPrice, "MIDPRICE", "MidPrice"),
    (Kind::Trail, "TRAIL", "Trailing Stop"),
    (Kind::TrailLimit, "TRAILLMT", "Trailing Stop Limit"),
];

impl Kind {
    /// Reads the word of a ticket.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        KINDS.iter().find(|row| row.1 == word).map(|row| row.0)
    }

    /// `Limit`, `Stop`, …: the display word.
    pub(crate) fn word(self) -> &'static str {
        KINDS.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// `STP`, `LMT`, …: the word of a ticket.
    pub(crate) fn ticket_word(self) -> &'static str {
        KINDS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// `STOP_LIMIT`, `LIMIT`, …
    pub(crate) fn code(self) -> String {
        self.word().to_uppercase().replace(' ', "_")
    }

    /// Waits for the market to reach a price before it is an order at all.
    pub(crate) fn is_triggered(self) -> bool {
        matches!(self, Self::Stop | Self::StopLimit | Self::Trail | Self::TrailLimit)
    }
}

/// The broker's statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Inactive,
    PendingSubmit,
    PreSubmitted,
    Submitted,
    Filled,
    PendingCancel,
    PreCancelled,
    Cancelled,
    WarnState,
}

/// Every status: its word, and the colours that the broker's own pages give it (behind, before).
const STATUSES: [(Status, &str, &str, &str); 9] = [
    (Status::Inactive, "Inactive", "#FFFFFF", "#AFAFAF"),
    (Status::PendingSubmit, "PendingSubmit", "#FFFFFF", "#3399CC"),
    (Status::PreSubmitted, "PreSubmitted", "#FFFFFF", "#997EE5"),
    (Status::Submitted, "Submitted", "#000000", "#00F000"),
    (Status::Filled, "Filled", "#FFFFFF", "#0000CC"),
    (Status::PendingCancel, "PendingCancel", "#000000", "#FF64FF"),
    (Status::PreCancelled, "PreCancelled", "#000000", "#FF64FF"),
    (Status::Cancelled, "Cancelled", "#FFFFFF", "#AA0000"),
    (Status::WarnState, "WarnState", "#FFFFFF", "#AFAFAF"),
];

impl Status {
    /// Reads the broker's word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        STATUSES.iter().find(|row| row.1 == word).map(|row| row.0)
    }

    /// The broker's word.
    pub(crate) fn word(self) -> &'static str {
        STATUSES.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// Background and foreground.
    pub(crate) fn colours(self) -> (&'static str, &'static str) {
        STATUSES.iter().find(|row| row.0 == self).map_or(("", ""), |row| (row.2, row.3))
    }

    /// Nothing comes after it.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled)
    }

    /// The market may fill it.
    pub(crate) fn is_working(self) -> bool {
        matches!(self, Self::PreSubmitted | Self::Submitted)
    }
}

/// How far a trigger stays behind the market.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trail {
    Amount(f64),
    Percent(f64),
}

impl Trail {
    /// The distance at this price.
    pub(crate) fn distance(self, price: f64) -> f64 {
        match self {
            Self::Amount(amount) => amount,
            Self::Percent(percent) => price * percent / 100.0,
        }
    }
}

/// One part of a combination; the ratio's sign is its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leg {
    pub(crate) conid: i64,
    pub(crate) ratio: i64,
}

/// What happens to an order next, without anybody's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The exchange takes it.
    Submit,
    /// The exchange confirms the cancellation.
    Cancel,
    /// The broker finds that it cannot be.
    Reject(Status),
}

/// Who decides about fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Course {
    /// The simulated market.
    #[default]
    Market,
    /// It fills as soon as it is submitted, whatever the market says.
    Fill,
    /// Half fills as soon as it is submitted; the rest waits for the control API.
    Partial,
    /// Nothing fills but by the control API.
    Rest,
    /// It turns into this instead of being submitted.
    LateReject(Status),
}

/// One order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) account: String,
    pub(crate) conid: i64,
    /// As it was sent: the conid, perhaps with an exchange, or a combination.
    pub(crate) conidex: String,
    /// Empty unless it is a combination.
    pub(crate) legs: Vec<Leg>,
    pub(crate) is_buy: bool,
    pub(crate) quantity: f64,
    pub(crate) filled: f64,
    /// Average price of what was filled.
    pub(crate) avg_price: f64,
    /// How many times it filled.
    pub(crate) fills: u32,
    pub(crate) kind: Kind,
    pub(crate) limit: Option<f64>,
    pub(crate) stop: Option<f64>,
    pub(crate) trail: Option<Trail>,
    pub(crate) tif: String,
    pub(crate) outside_rth: bool,
    pub(crate) status: Status,
    pub(crate) client_id: Option<String>,
    /// The order whose fill activates this one.
    pub(crate) parent: Option<i64>,
    /// Orders of one group cancel each other.
    pub(crate) group: Option<String>,
    /// Why the broker ended it.
    pub(crate) reason: Option<String>,
    pub(crate) course: Course,
    /// The next step, and when (epoch milliseconds).
    pub(crate) due: Option<(i64, Step)>,
    /// A stop that was reached.
    pub(crate) triggered: bool,
    /// Its cancellation seems to be pending for ever, and it works on.
    pub(crate) is_stuck: bool,
    /// It saw the market and did not fill: from now on it makes its own price.
    pub(crate) rested: bool,
    /// Step of the market at which it was last compared with it.
    pub(crate) seen: i64,
    /// Epoch milliseconds of the acceptance and of the last change.
    pub(crate) entered_ms: i64,
    pub(crate) changed_ms: i64,
}

impl Order {
    /// What is not filled yet.
    pub(crate) fn left(&self) -> f64 {
        self.quantity - self.filled
    }

    /// The market may fill it, whatever it looks like.
    pub(crate) fn works(&self) -> bool {
        self.is_stuck || self.status.is_working()
    }

    /// No cancellation is on its way.
    pub(crate) fn can_be_cancelled(&self) -> bool {
        self.is_stuck || self.status != Status::PendingCancel
    }

    /// `0/10` while it works, `10` when it is filled.
    pub(crate) fn size_and_fills(&self) -> String {
        if self.left() > 0.0 {
            format!("{}/{}", self.filled, self.quantity)
        } else {
            self.quantity.to_string()
        }
    }

    /// `Buy 5 MSFT Limit 430.00, GTC`; without the symbol if `symbol` is empty.
    pub(crate) fn describe(&self, of: &Instrument, symbol: &str) -> String {
        let verb = match (self.is_buy, self.status == Status::Filled) {
            (true, false) => "Buy",
            (false, false) => "Sell",
            (true, true) => "Bought",
            (false, true) => "Sold",
        };
        let symbol = if symbol.is_empty() { String::new() } else { format!(" {symbol}") };
        let price = match (self.stop, self.limit) {
            (Some(stop), Some(limit)) => format!(" {} Limit {}", of.show(stop), of.show(limit)),
            (Some(price), None) | (None, Some(price)) => format!(" {}", of.show(price)),
            (None, None) => String::new(),
        };
        let tif = if self.tif == "DAY" { "Day" } else { &self.tif };
        format!("{verb} {}{symbol} {}{price}, {tif}", self.quantity, self.kind.word())
    }
}
