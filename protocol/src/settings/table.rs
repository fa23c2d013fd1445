//! The table itself. `docs/configuration.md` is held against it by a test.

use super::Kind;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable; key and flag follow from it.
    pub name: &'static str,
    /// Other variables that mean the same.
    pub aliases: &'static [&'static str],
    /// What its value may look like.
    pub kind: Kind,
    /// What it does when unset, for a person.
    pub default: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// Why this version only checks it, where that is so.
    pub not_yet: Option<&'static str>,
}

const HEADLESS: Option<&str> =
    Some("kept for the headless login, which this version does not have; log in in the browser");
const MANAGED: Option<&str> =
    Some("kept for the managed gateway, which this version does not have; attach to a running one");
const ORDERS: Option<&str> = Some("kept for orders, which this version does not send");
const FLEX: Option<&str> = Some("kept for Flex queries, which this version does not run");

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting { name, aliases: &[], kind, default, about, not_yet: None }
}

const fn also(mut setting: Setting, aliases: &'static [&'static str]) -> Setting {
    setting.aliases = aliases;
    setting
}

const fn later(mut setting: Setting, why: Option<&'static str>) -> Setting {
    setting.not_yet = why;
    setting
}

use Kind::{Base32, Choice, Confirm, Filter, Flag, Host, Port, Profile, Seconds, Secret, Text};

/// Every setting, in the order people read about them.
pub const SETTINGS: &[Setting] = &[
    setting(
        "IB_GATEWAY",
        Choice(&["managed", "attach", "simulator"]),
        "attach if a host or port is given, else managed",
        "Own Java gateway, a gateway that is already running, or the simulator",
    ),
    setting("IB_GATEWAY_HOST", Host, "localhost", "Host of the gateway to attach to (HTTPS)"),
    setting("IB_GATEWAY_PORT", Port, "5000", "Port of the gateway to attach to"),
    later(
        setting("IB_GATEWAY_UPSTREAM", Text, "IBKR", "What a managed gateway talks to (tests)"),
        MANAGED,
    ),
    setting("IB_FORCE_STANDALONE_GATEWAY", Flag, "false", "Never attach to a running gateway"),
    setting("IB_PROFILE", Profile, "default", "A separate daemon, socket, state and gateway"),
    setting("IB_ACCOUNT", Text, "the only account", "The account for calls that name none"),
    setting("IB_PAPER_TRADING", Flag, "false", "Refuse to work with a live session"),
    setting("IB_READ_ONLY_MODE", Flag, "false", "Hide every tool that writes"),
    setting(
        "IB_COMPETE",
        Choice(&["ask", "yield", "take"]),
        "ask",
        "What to do when TWS or a phone holds the brokerage session",
    ),
    setting(
        "IB_IDLE_EXIT",
        Seconds(604_800),
        "1800",
        "Seconds without a client after which a daemon that a client started ends; 0: never",
    ),
    setting("IB_USERNAME", Text, "-", "The username this client means; another one is refused"),
    later(
        also(
            setting("IB_PASSWORD_AUTH", Secret, "-", "Password for headless login"),
            &["IB_PASSWORD"],
        ),
        HEADLESS,
    ),
    later(
        setting("IB_HEADLESS_MODE", Flag, "false", "Log in without a person at a browser"),
        HEADLESS,
    ),
    later(setting("IB_AUTH_TIMEOUT", Seconds(9_999), "300", "Seconds for one login"), HEADLESS),
    later(
        setting("IB_AUTH_WAIT_SECONDS", Seconds(45), "40", "Seconds until `authenticate` answers"),
        HEADLESS,
    ),
    later(
        setting("IB_AUTH_POLL_SECONDS", Seconds(60), "2", "Seconds between looks at a login"),
        HEADLESS,
    ),
    later(
        setting(
            "IB_TWO_FA_STRATEGY",
            Choice(&["manual", "totp"]),
            "manual",
            "How the second factor is given",
        ),
        HEADLESS,
    ),
    later(setting("IB_TOTP_SECRET", Base32, "-", "Seed of the second factor"), HEADLESS),
    later(setting("IB_SELECTOR_USERNAME", Text, "built in", "CSS of the username field"), HEADLESS),
    later(setting("IB_SELECTOR_PASSWORD", Text, "built in", "CSS of the password field"), HEADLESS),
    later(
        setting("IB_SELECTOR_LOGIN_SUBMIT", Text, "built in", "CSS of the login button"),
        HEADLESS,
    ),
    later(setting("IB_SELECTOR_TOTP_INPUT", Text, "built in", "CSS of the code field"), HEADLESS),
    later(
        setting("IB_SELECTOR_TOTP_SUBMIT", Text, "built in", "CSS of the code's button"),
        HEADLESS,
    ),
    later(
        setting("IB_SELECTOR_TOTP_DEVICE_SELECT", Text, "built in", "CSS of the device chooser"),
        HEADLESS,
    ),
    later(
        also(
            setting("IB_BROWSER", Text, "found on the system", "Chrome or Chromium to drive"),
            &["CHROME_BIN", "CHROMIUM_PATH", "GOOGLE_CHROME_BIN", "PUPPETEER_EXECUTABLE_PATH"],
        ),
        HEADLESS,
    ),
    later(setting("IB_CONFIRM_ORDERS", Confirm, "live", "When a person approves an order"), ORDERS),
    later(setting("IB_FLEX_TOKEN", Secret, "-", "Token of the Flex Web Service"), FLEX),
    later(setting("IB_FLEX_URL", Text, "IBKR", "Address of the Flex Web Service"), FLEX),
    setting("IB_LOG", Filter, "info", "Log filter"),
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
