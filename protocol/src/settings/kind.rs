//! What a value of a setting may look like.

use super::sources::did_you_mean;
use crate::{logging, places};

/// A word that looks like milliseconds starts here, in seconds.
const LOOKS_LIKE_MILLISECONDS: u64 = 10_000;

/// The kind of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// true, false, 1, 0, yes, no, on or off in any case.
    Flag,
    /// Any text.
    Text,
    /// Text that is never shown.
    Secret,
    /// A base32 secret that is never shown.
    Base32,
    /// A host name or address, without scheme or port.
    Host,
    /// A TCP port.
    Port,
    /// Whole seconds, at most so many.
    Seconds(u64),
    /// Whole seconds; more than so many are taken as so many.
    SecondsUpTo(u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `always`, `live`, `never`, or `above:` and an amount in base currency.
    Confirm,
    /// A log filter in tracing's syntax.
    Filter,
    /// The name of a profile.
    Profile,
    /// A SHA-256 as 64 hex digits, with or without colons.
    Fingerprint,
    /// A time of day, HH:MM.
    Clock,
    /// A day, YYYY-MM-DD.
    Day,
    /// An address to be told things; it may hold a token, so it is never shown.
    Webhook,
    /// Scheme, host and perhaps a port.
    Upstream,
    /// The same, https alone; the path of the API may stand behind it.
    Https,
    /// A positive decimal number.
    Amount,
    /// A positive number of percent, with or without its sign.
    Percent,
    /// A whole number from 1 to so many.
    Count(u64),
    /// Names with commas between them, else with blanks; quotes keep one together.
    Words,
    /// Some of these words, with commas or blanks between them, or `all`.
    Several(&'static [&'static str]),
}

impl Kind {
    /// The value in its one spelling, or what is wrong with it.
    pub fn check(self, value: &str) -> Result<String, String> {
        let shown = if self.is_secret() { "this value" } else { value };
        match self {
            Self::Flag => parse_flag(value).map(|yes| yes.to_string()),
            Self::Text | Self::Secret => Some(value.to_owned()),
            Self::Base32 => base32(value),
            Self::Host => host(value),
            Self::Port => value.parse::<u16>().ok().filter(|port| *port > 0).map(|p| p.to_string()),
            Self::Seconds(max) => return seconds(value, max),
            Self::SecondsUpTo(max) => {
                return seconds(value, LOOKS_LIKE_MILLISECONDS - 1).map(|given| {
                    match given.parse::<u64>() {
                        Ok(given) if given <= max => given.to_string(),
                        _ => max.to_string(),
                    }
                });
            }
            Self::Choice(words) => {
                words.iter().find(|word| word.eq_ignore_ascii_case(value)).map(|w| (*w).to_owned())
            }
            Self::Confirm => confirm(value),
            Self::Filter => logging::is_filter(value).then(|| value.to_owned()),
            Self::Profile => places::is_profile(value).then(|| value.to_owned()),
            Self::Fingerprint => fingerprint(value),
            Self::Clock => clock(value),
            Self::Day => day(value),
            Self::Webhook => is_webhook(value).then(|| value.to_owned()),
            Self::Upstream => upstream(value),
            Self::Https => https(value),
            Self::Amount => amount(value),
            Self::Percent => amount(value.trim_end_matches('%').trim_end()),
            Self::Count(max) => {
                value.parse::<u64>().ok().filter(|n| (1..=max).contains(n)).map(|n| n.to_string())
            }
            Self::Words => words(value),
            Self::Several(all) => return several(value, all),
        }
        .ok_or_else(|| format!("{shown} is not {}", self.wanted()))
    }

    /// What should be known of a value that was taken otherwise than it was given.
    pub fn warning(self, given: &str, taken: &str) -> Option<String> {
        let is_cut =
            matches!(self, Self::SecondsUpTo(_)) && given.parse::<u64>().ok() != taken.parse().ok();
        is_cut.then(|| format!("{given} seconds are more than are possible; it is {taken}"))
    }

    /// Whether the value must not be shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Base32 | Self::Webhook)
    }

    /// What a value must be, for a person.
    pub fn wanted(self) -> String {
        match self {
            Self::Flag => "true, false, 1, 0, yes, no, on or off".into(),
            Self::Text | Self::Secret => "text".into(),
            Self::Base32 => "a base32 secret (letters A-Z and digits 2-7)".into(),
            Self::Host => "a host name or address without scheme, port or path".into(),
            Self::Port => "a port from 1 to 65535".into(),
            Self::Seconds(max) | Self::SecondsUpTo(max) => {
                format!("whole seconds from 0 to {max}")
            }
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Confirm => "always, live, never or above:AMOUNT".into(),
            Self::Filter => {
                "a log filter: off, error, warn, info, debug, trace, or such as `ibd=debug,info`"
                    .into()
            }
            Self::Profile => "a profile name of 1 to 32 letters, digits, - or _".into(),
            Self::Fingerprint => "a SHA-256 of 64 hex digits".into(),
            Self::Clock => "a time of day such as 07:30".into(),
            Self::Day => "a day such as 2027-03-01".into(),
            Self::Webhook => "an https address (http on this machine only)".into(),
            Self::Upstream => "an address such as https://api.ibkr.com, without a path".into(),
            Self::Https => "an https address such as https://api.ibkr.com".into(),
            Self::Amount => "a positive number such as 5000 or 0.5".into(),
            Self::Percent => "a positive number of percent such as 5".into(),
            Self::Count(max) => format!("a whole number from 1 to {max}"),
            Self::Words => {
                "names with commas between them, or with spaces if none has one in it".into()
            }
            Self::Several(all) => format!("some of {}, or all", all.join(", ")),
        }
    }
}

/// Yes or no, in any of the spellings people use.
pub(super) fn parse_flag(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn seconds(value: &str, max: u64) -> Result<String, String> {
    match value.parse::<u64>() {
        Ok(n) if n > max && n >= LOOKS_LIKE_MILLISECONDS => Err(format!(
            "{value}: this looks like milliseconds; the unit is seconds, so perhaps {}",
            n / 1000
        )),
        Ok(n) if n <= max => Ok(n.to_string()),
        _ => Err(format!("{value} is not {}", Kind::Seconds(max).wanted())),
    }
}

fn base32(value: &str) -> Option<String> {
    let plain: String = value.chars().filter(|c| !matches!(c, ' ' | '-' | '=')).collect();
    let upper = plain.to_ascii_uppercase();
    let fits = upper.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b));
    (fits && upper.len() >= 16).then_some(upper)
}

fn host(value: &str) -> Option<String> {
    let is_v6 = value.parse::<std::net::Ipv6Addr>().is_ok();
    let is_name = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    (is_v6 || is_name).then(|| value.to_owned())
}

fn confirm(value: &str) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    let fits = match lower.strip_prefix("above:") {
        Some(amount) => is_amount(amount),
        None => matches!(lower.as_str(), "always" | "live" | "never"),
    };
    fits.then_some(lower)
}

/// Digits with at most one point among them.
fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// More than nothing, and no more digits than a decimal holds.
fn amount(value: &str) -> Option<String> {
    let is_more_than_nothing = value.bytes().any(|b| (b'1'..=b'9').contains(&b));
    (is_amount(value) && is_more_than_nothing && value.len() <= 20).then(|| value.to_owned())
}

/// In one spelling: one space between two names, none twice, quotes round those with a blank or a comma in
/// them.
fn words(value: &str) -> Option<String> {
    let names = names(value)?;
    let needs_quotes = |name: &str| name.contains([' ', ',', ';']);
    let spelled = names
        .iter()
        .map(|name| if needs_quotes(name) { format!("\"{name}\"") } else { name.clone() });
    (!names.is_empty()).then(|| spelled.collect::<Vec<_>>().join(" "))
}

/// The names of a list. If it has a comma or a semicolon only those part names, else blanks do; what stands
/// in quotes is one name. `None`: a quote is not closed, or something is in it that no name has.
pub fn names(value: &str) -> Option<Vec<String>> {
    const HARD: [char; 3] = [',', ';', '\n'];
    let mut is_quoted = false;
    let is_parted = value.chars().any(|c| {
        is_quoted ^= c == '"';
        !is_quoted && matches!(c, ',' | ';')
    });
    let (mut names, mut name, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in value.chars() {
        let parts = !is_quoted && (HARD.contains(&c) || !is_parted && c.is_whitespace());
        match c {
            '"' => is_quoted = !is_quoted,
            _ if parts => take(&mut names, &mut name),
            _ if c.is_whitespace() => name.push(' '),
            _ if c.is_control() => return None,
            _ => name.push(c),
        }
    }
    take(&mut names, &mut name);
    (!is_quoted).then_some(names)
}

/// Ends a name: one blank between two words of it, and none twice.
fn take(names: &mut Vec<String>, name: &mut String) {
    let whole = std::mem::take(name).split_whitespace().collect::<Vec<_>>().join(" ");
    if !whole.is_empty() && !names.contains(&whole) {
        names.push(whole);
    }
}

/// Some of the words there are, in the order of the table, each once.
fn several(value: &str, all: &[&str]) -> Result<String, String> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let given: Vec<String> = value
        .split(is_between)
        .filter(|name| !name.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let list = all.join(", ");
    match given.iter().find(|name| *name != "all" && !all.contains(&name.as_str())) {
        Some(unknown) => {
            let meant = did_you_mean(unknown, all.iter().map(|name| (*name).to_owned()));
            return Err(format!("{unknown} is none of {list}{meant}"));
        }
        None if given.is_empty() => return Err(format!("{value} is none of {list}")),
        None => {}
    }
    let is_given = |name: &&str| given.iter().any(|one| one == "all" || one == *name);
    Ok(all.iter().copied().filter(is_given).collect::<Vec<_>>().join(" "))
}

fn fingerprint(value: &str) -> Option<String> {
    let hex: String = value.chars().filter(|c| *c != ':').collect();
    let fits = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| hex.to_ascii_lowercase())
}

fn clock(value: &str) -> Option<String> {
    let (hour, minute) = value.split_once(':')?;
    let number = |text: &str, below: u8| {
        let is_plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u8>().ok().filter(|n| is_plain && *n < below)
    };
    Some(format!("{:02}:{:02}", number(hour, 24)?, number(minute, 60)?))
}

/// A day that the calendar has, in any century.
fn day(value: &str) -> Option<String> {
    let mut parts = value.split('-');
    let mut number = |digits: usize| {
        let text = parts.next()?;
        let is_plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_plain)
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_day = (1..=days).contains(&day) && parts.next().is_none();
    is_day.then(|| value.to_owned())
}

/// Host and port of an http or https address, and whether it is https.
fn host_of(address: &str) -> Option<(&str, bool)> {
    let (rest, is_https) = match address.split_once("://")? {
        ("https", rest) => (rest, true),
        ("http", rest) => (rest, false),
        _ => return None,
    };
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = !host.is_empty() && !host.contains(['@', ' ', '"']);
    is_plain.then_some((host, is_https))
}

fn is_webhook(value: &str) -> bool {
    let is_here = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    };
    host_of(value).is_some_and(|(host, is_https)| is_https || is_here(host))
}

/// Written into the gateway's configuration, so nothing but an address may be in it.
fn upstream(value: &str) -> Option<String> {
    let (host, _) = host_of(value)?;
    let is_bare =
        value.trim_end_matches('/').split_once("://").is_some_and(|(_, rest)| rest == host);
    let is_name =
        host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    (is_bare && is_name).then(|| value.trim_end_matches('/').to_owned())
}

/// An https address without a path; the one of the API is IBKR's own and may be left on.
fn https(value: &str) -> Option<String> {
    let bare = value.trim_end_matches('/');
    let bare = bare.strip_suffix("/v1/api").unwrap_or(bare);
    upstream(bare).filter(|address| address.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_signed_requests_is_https_and_has_no_path_of_its_own() {
        let checked = |value: &str| Kind::Https.check(value).ok();
        for value in
            ["https://api.ibkr.com", "https://api.ibkr.com/", "https://api.ibkr.com/v1/api/"]
        {
            assert_eq!(checked(value).as_deref(), Some("https://api.ibkr.com"), "{value}");
        }
        assert!(checked("https://127.0.0.1:5001").is_some());
        for value in
            ["http://api.ibkr.com", "https://", "https://a.example/x", "https://u@a.example", "a"]
        {
            assert_eq!(checked(value), None, "{value}");
        }
    }

    #[test]
    fn a_list_of_names_has_one_spelling_that_reads_as_itself() {
        for (given, spelled, count) in [
            ("AAPL MSFT", "AAPL MSFT", 2),
            ("AAPL, MSFT;IBM", "AAPL MSFT IBM", 3),
            ("AAPL,AAPL , ", "AAPL", 1),
            ("BRK B, AAPL", "\"BRK B\" AAPL", 2),
            ("\"BRK B\" AAPL", "\"BRK B\" AAPL", 2),
            ("\"BRK   B\", AAPL", "\"BRK B\" AAPL", 2),
            ("BRK B,", "\"BRK B\"", 1),
            ("\"A,B\" C", "\"A,B\" C", 2),
            ("A B\nC D", "A B C D", 4),
            ("A B,\nC D", "\"A B\" \"C D\"", 2),
        ] {
            let once = Kind::Words.check(given).unwrap_or_default();
            assert_eq!(once, spelled, "{given}");
            assert_eq!(Kind::Words.check(&once).as_deref(), Ok(spelled), "{given} again");
            assert_eq!(names(&once).map(|names| names.len()), Some(count), "{given}");
        }
        for bad in ["\"BRK B", ",", "  ", "A\u{7}"] {
            assert!(Kind::Words.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn some_of_several_words_are_named_in_any_way_and_what_is_none_is_told() {
        let kind = Kind::Several(&["market", "orders", "flex"]);
        for (given, spelled) in [
            ("orders", "orders"),
            ("Orders,MARKET", "market orders"),
            (" flex ; orders  orders ", "orders flex"),
            ("all", "market orders flex"),
        ] {
            assert_eq!(kind.check(given).as_deref(), Ok(spelled), "{given}");
        }
        for (bad, told) in [
            ("marker", "marker is none of market, orders, flex; did you mean market?"),
            ("market x", "x is none of market, orders, flex"),
            (",", ", is none of market, orders, flex"),
        ] {
            assert_eq!(kind.check(bad), Err(told.to_owned()), "{bad}");
        }
    }
}
