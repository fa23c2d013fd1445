//! The limits for orders: what the daemon's settings say, made stricter by what a client says.
//!
//! A limit that loosens counts only from the daemon's own configuration; a client can only bind itself
//! further. Docs: the table in docs/configuration.md.

use ibd_protocol::settings::{Settings, names};
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
        let words = |name| settings.text(name).map(Words::of);
        let number = |name| settings.text(name).and_then(|text| text.parse::<Decimal>().ok());
        Self {
            confirm: settings.text("IB_CONFIRM_ORDERS").and_then(confirm),
            max_percent: number("IB_MAX_ORDER_PERCENT"),
            max_value: number("IB_MAX_ORDER_VALUE"),
            max_quantity: number("IB_MAX_ORDER_QUANTITY"),
            collar: number("IB_PRICE_COLLAR_PERCENT"),
            per_minute: settings.number("IB_MAX_ORDERS_PER_MINUTE"),
            per_day: settings.number("IB_MAX_ORDERS_PER_DAY"),
            max_loss: number("IB_MAX_DAILY_LOSS"),
            duplicate_seconds: settings.number("IB_DUPLICATE_SECONDS"),
            accounts: words("IB_ALLOWED_ACCOUNTS"),
            symbols: words("IB_ALLOWED_SYMBOLS"),
            denied_symbols: words("IB_DENIED_SYMBOLS"),
            sec_types: words("IB_ALLOWED_SEC_TYPES"),
            denied_sec_types: words("IB_DENIED_SEC_TYPES"),
            order_types: words("IB_ALLOWED_ORDER_TYPES"),
            questions: words("IB_ALLOWED_QUESTIONS"),
        }
    }

    /// The stricter of the two in everything; `is_paper` picks the defaults.
    pub fn strictest(&self, client: &Self, is_paper: bool) -> Rules {
        let pick = |paper: u32, live: u32| Decimal::from(if is_paper { paper } else { live });
        let both = |words: fn(&Self) -> &Option<Words>| {
            [words(self), words(client)].into_iter().flatten().cloned().collect::<Vec<_>>()
        };
        let mut questions = both(|limits| &limits.questions);
        if self.questions.is_none() {
            questions.push(Words::of(QUESTIONS));
        }
        Rules {
            confirm: [Some(self.confirm.unwrap_or(Confirm::Live)), client.confirm]
                .into_iter()
                .flatten()
                .collect(),
            max_percent: less(self.max_percent.unwrap_or(pick(100, 10)), client.max_percent),
            max_value: least(self.max_value, client.max_value),
            max_quantity: least(self.max_quantity, client.max_quantity),
            collar: less(self.collar.unwrap_or(pick(50, 5)), client.collar),
            per_minute: less(
                self.per_minute.unwrap_or(if is_paper { 60 } else { 10 }),
                client.per_minute,
            ),
            per_day: less(
                self.per_day.unwrap_or(if is_paper { 1_000 } else { 50 }),
                client.per_day,
            ),
            max_loss: least(self.max_loss, client.max_loss),
            duplicate_seconds: self
                .duplicate_seconds
                .unwrap_or(120)
                .max(client.duplicate_seconds.unwrap_or(0)),
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
mod tests {
    use super::*;
    use ibd_protocol::settings::from_toml_pairs;

    fn limits(pairs: &[(&str, &str)]) -> Limits {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Limits::of(&from_toml_pairs(pairs))
    }

    #[test]
    fn the_defaults_are_those_of_the_mode() {
        let none = Limits::default();
        let (live, paper) = (none.strictest(&none, false), none.strictest(&none, true));
        assert_eq!((live.max_percent, live.collar), (Decimal::from(10), Decimal::from(5)));
        assert_eq!((live.per_minute, live.per_day), (10, 50));
        assert_eq!((paper.max_percent, paper.collar), (Decimal::from(100), Decimal::from(50)));
        assert!(live.needs_approval(false, Decimal::ONE));
        assert!(!paper.needs_approval(true, Decimal::from(1_000_000)));
    }

    #[test]
    fn a_client_can_only_bind_itself_further() {
        let daemon = limits(&[("max_order_value", "5000"), ("confirm_orders", "above:1000")]);
        let loose = limits(&[
            ("max_order_value", "9000"),
            ("max_order_percent", "100"),
            ("confirm_orders", "never"),
            ("max_orders_per_day", "100000"),
            ("duplicate_seconds", "1"),
            ("allowed_questions", "o1 o163"),
        ]);
        let rules = daemon.strictest(&loose, false);
        assert_eq!(rules.max_value, Some(Decimal::from(5000)));
        assert_eq!(rules.max_percent, Decimal::from(10));
        assert_eq!((rules.per_day, rules.duplicate_seconds), (50, 120));
        assert!(rules.needs_approval(true, Decimal::from(1001)), "the daemon's word stays");
        assert!(rules.questions.iter().all(|words| words.has("o163")));
        assert!(!rules.questions.iter().all(|words| words.has("o1")), "o1 is the client's alone");
        let strict = limits(&[("max_order_value", "100"), ("confirm_orders", "always")]);
        let rules = daemon.strictest(&strict, false);
        assert_eq!(rules.max_value, Some(Decimal::from(100)));
        assert!(rules.needs_approval(true, Decimal::ONE));
    }

    #[test]
    fn lists_must_all_agree() {
        let daemon = limits(&[("allowed_symbols", "AAPL, msft")]);
        let client = limits(&[("allowed_symbols", "MSFT"), ("denied_sec_types", "opt")]);
        let rules = daemon.strictest(&client, true);
        let allowed = |symbol: &str| rules.symbols.iter().all(|words| words.has(symbol));
        assert!(allowed("msft") && !allowed("AAPL"));
        assert!(rules.denied_sec_types.iter().any(|words| words.has("OPT")));
    }

    #[test]
    fn a_list_holds_names_with_blanks() {
        for text in ["BRK B, AAPL", "\"BRK B\" AAPL", "brk.b aapl", "BRK-B;AAPL"] {
            let rules = limits(&[("allowed_symbols", text)]).strictest(&Limits::default(), true);
            let has = |symbol: &str| rules.symbols.iter().all(|words| words.has(symbol));
            assert!(has("BRK B") && has("BRK.B") && has("AAPL"), "{text}");
            assert!(!has("BRK") && !has("B") && !has("BRK A"), "{text}");
        }
    }
}
