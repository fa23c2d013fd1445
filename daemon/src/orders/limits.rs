//! The limits for orders: what the daemon's settings say, made stricter by what a client says. Pure.
//!
//! A limit that loosens counts only from the daemon's own configuration; a client can only bind itself
//! further. Docs: the table in docs/configuration.md.

use ibd_protocol::settings::{Key, Settings, names};
use rust_decimal::Decimal;

use crate::contracts::is_same_symbol;

/// What settings say; what is not said has the default of the mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    confirm: Option<Confirm>,
    max_percent: Option<Decimal>,
    max_value: Option<Decimal>,
    max_quantity: Option<Decimal>,
    collar: Option<Decimal>,
    per_minute: Option<u64>,
    per_day: Option<u64>,
    max_loss: Option<Decimal>,
    duplicate_seconds: Option<u64>,
    approve_by: Option<String>,
    approval_seconds: Option<u64>,
    breaker: Option<u64>,
    accounts: Option<Words>,
    symbols: Option<Words>,
    denied_symbols: Option<Words>,
    sec_types: Option<Words>,
    denied_sec_types: Option<Words>,
    order_types: Option<Words>,
    questions: Option<Words>,
}

/// When a person approves an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// Each.
    Always,
    /// Each for a live account.
    Live,
    /// Those worth more than this, in base currency.
    Above(Decimal),
    /// None.
    Never,
}

/// Names in capitals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// What a setting lists; a setting's value was checked where it was read.
    fn of(text: &str) -> Self {
        let names = names(text).unwrap_or_default();
        Self(names.iter().map(|name| name.to_uppercase()).collect())
    }

    /// Whether the name is among them, in any case: `BRK.B` is `BRK B`.
    pub fn has(&self, word: &str) -> bool {
        self.0.iter().any(|one| is_same_symbol(one, word))
    }

    /// All of them, for a person.
    pub fn shown(&self) -> String {
        let has_blanks = self.0.iter().any(|name| name.contains(' '));
        self.0.join(if has_blanks { ", " } else { " " })
    }
}

/// The limits in force for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// A person approves if any of these says so.
    pub confirm: Vec<Confirm>,
    /// Value at most, in percent of the NLV.
    pub max_percent: Decimal,
    /// Value at most, in base currency.
    pub max_value: Option<Decimal>,
    /// Shares or contracts at most.
    pub max_quantity: Option<Decimal>,
    /// Percent that a limit price may be away from a quote.
    pub collar: Decimal,
    /// Orders a minute.
    pub per_minute: u64,
    /// Orders a day.
    pub per_day: u64,
    /// The day's loss, in base currency, above which nothing new is sent.
    pub max_loss: Option<Decimal>,
    /// How long an alike order is held as a possible duplicate.
    pub duplicate_seconds: u64,
    /// Whether a person approves with `ibctl` only.
    pub is_ctl_only: bool,
    /// Seconds until an approval expires.
    pub approval_seconds: u64,
    /// Rejects in a row that freeze trading.
    pub breaker: u64,
    /// An account must be in each of these.
    pub accounts: Vec<Words>,
    /// A symbol must be in each of these.
    pub symbols: Vec<Words>,
    /// A symbol may be in none of these.
    pub denied_symbols: Vec<Words>,
    /// A kind of contract must be in each of these.
    pub sec_types: Vec<Words>,
    /// A kind of contract may be in none of these.
    pub denied_sec_types: Vec<Words>,
    /// An order type must be in each of these.
    pub order_types: Vec<Words>,
    /// A question of the broker's is answered with yes only if each of these has its id.
    pub questions: Vec<Words>,
}

/// Questions that are answered where the order itself allows it; docs/security.md says what each asks.
const QUESTIONS: &str = "o163 o354 o383 o403 o451 o10151 o10152 o10153 o10164 o10223 o10331";

impl Limits {
    /// What these settings say.
    pub fn of(settings: &Settings) -> Self {
        let words = |key| settings.text(key).map(Words::of);
        let number = |key| settings.text(key).and_then(|text| text.parse::<Decimal>().ok());
        Self {
            confirm: settings.text(Key::ConfirmOrders).and_then(confirm),
            max_percent: number(Key::MaxOrderPercent),
            max_value: number(Key::MaxOrderValue),
            max_quantity: number(Key::MaxOrderQuantity),
            collar: number(Key::PriceCollarPercent),
            per_minute: settings.number(Key::MaxOrdersPerMinute),
            per_day: settings.number(Key::MaxOrdersPerDay),
            max_loss: number(Key::MaxDailyLoss),
            duplicate_seconds: settings.number(Key::DuplicateSeconds),
            approve_by: settings.text(Key::ApproveBy).map(str::to_owned),
            approval_seconds: settings.number(Key::ApprovalSeconds),
            breaker: settings.number(Key::BreakerRejects),
            accounts: words(Key::AllowedAccounts),
            symbols: words(Key::AllowedSymbols),
            denied_symbols: words(Key::DeniedSymbols),
            sec_types: words(Key::AllowedSecTypes),
            denied_sec_types: words(Key::DeniedSecTypes),
            order_types: words(Key::AllowedOrderTypes),
            questions: words(Key::AllowedQuestions),
        }
    }

    /// What limits that a client brought along say. A name that is there twice binds twice.
    pub fn of_client(bound: &[(String, String)]) -> Vec<Self> {
        let mut layers: Vec<Vec<(String, String)>> = Vec::new();
        for (name, value) in bound {
            let pair = (name.clone(), value.clone());
            match layers.iter_mut().find(|layer| layer.iter().all(|(taken, _)| taken != name)) {
                Some(layer) => layer.push(pair),
                None => layers.push(vec![pair]),
            }
        }
        let read = |layer: &Vec<(String, String)>| {
            let mut settings = Settings::default();
            settings.take_limits(layer);
            Self::of(&settings)
        };
        layers.iter().map(read).collect()
    }

    /// The strictest of the daemon's and of all that a client is bound by, in everything; `is_paper` picks the
    /// defaults.
    pub fn strictest(&self, clients: &[Self], is_paper: bool) -> Rules {
        let pick = |paper: u32, live: u32| Decimal::from(if is_paper { paper } else { live });
        let both = |words: fn(&Self) -> &Option<Words>| {
            std::iter::once(self).chain(clients).filter_map(words_of(words)).collect::<Vec<_>>()
        };
        let lowest = |limit: fn(&Self) -> Option<Decimal>| clients.iter().filter_map(limit).min();
        let fewest = |limit: fn(&Self) -> Option<u64>| clients.iter().filter_map(limit).min();
        let mut questions = both(|limits| &limits.questions);
        if self.questions.is_none() {
            questions.push(Words::of(QUESTIONS));
        }
        Rules {
            confirm: std::iter::once(self.confirm.unwrap_or(Confirm::Live))
                .chain(clients.iter().filter_map(|client| client.confirm))
                .collect(),
            max_percent: less(
                self.max_percent.unwrap_or(pick(100, 10)),
                lowest(|client| client.max_percent),
            ),
            max_value: least(self.max_value, lowest(|client| client.max_value)),
            max_quantity: least(self.max_quantity, lowest(|client| client.max_quantity)),
            collar: less(self.collar.unwrap_or(pick(50, 5)), lowest(|client| client.collar)),
            per_minute: less(
                self.per_minute.unwrap_or(if is_paper { 60 } else { 10 }),
                fewest(|client| client.per_minute),
            ),
            per_day: less(
                self.per_day.unwrap_or(if is_paper { 1_000 } else { 50 }),
                fewest(|client| client.per_day),
            ),
            max_loss: least(self.max_loss, lowest(|client| client.max_loss)),
            duplicate_seconds: clients
                .iter()
                .filter_map(|client| client.duplicate_seconds)
                .fold(self.duplicate_seconds.unwrap_or(120), u64::max),
            is_ctl_only: std::iter::once(self)
                .chain(clients)
                .any(|limits| limits.approve_by.as_deref() == Some("ibctl")),
            approval_seconds: less(
                self.approval_seconds.unwrap_or(300),
                fewest(|client| client.approval_seconds),
            ),
            breaker: less(self.breaker.unwrap_or(5), fewest(|client| client.breaker)),
            accounts: both(|limits| &limits.accounts),
            symbols: both(|limits| &limits.symbols),
            denied_symbols: both(|limits| &limits.denied_symbols),
            sec_types: both(|limits| &limits.sec_types),
            denied_sec_types: both(|limits| &limits.denied_sec_types),
            order_types: both(|limits| &limits.order_types),
            questions,
        }
    }

    /// When a person approves, in words.
    pub fn confirm_in_words(&self) -> String {
        match self.confirm.unwrap_or(Confirm::Live) {
            Confirm::Always => "a person approves every order".to_owned(),
            Confirm::Live => "a person approves every live order".to_owned(),
            Confirm::Above(amount) => format!("a person approves orders above {amount}"),
            Confirm::Never => "nobody approves orders".to_owned(),
        }
    }
}

impl Rules {
    /// Whether a person must approve an order of this value, in base currency.
    pub fn needs_approval(&self, is_paper: bool, value: Decimal) -> bool {
        self.confirm.iter().any(|confirm| match confirm {
            Confirm::Always => true,
            Confirm::Live => !is_paper,
            Confirm::Above(amount) => value > *amount,
            Confirm::Never => false,
        })
    }
}

/// The words of a limit, if it has any.
fn words_of(words: fn(&Limits) -> &Option<Words>) -> impl Fn(&Limits) -> Option<Words> {
    move |limits| words(limits).clone()
}

fn confirm(text: &str) -> Option<Confirm> {
    match text {
        "always" => Some(Confirm::Always),
        "live" => Some(Confirm::Live),
        "never" => Some(Confirm::Never),
        _ => text.strip_prefix("above:")?.parse().ok().map(Confirm::Above),
    }
}

fn less<T: Ord>(own: T, other: Option<T>) -> T {
    match other {
        Some(other) => own.min(other),
        None => own,
    }
}

fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
