//! The way to IBKR, and what time it is there.

use std::time::Duration;

use ibd_protocol::GatewayMode;
use ibd_protocol::settings::{Key, Settings};
use jiff::Timestamp;

use super::check::Check;
use super::probe::{Address, Answer, Heard, visit};

const UPSTREAM: &str = "upstream";
const CLOCK: &str = "clock";
/// What IBKR's gateway talks to.
const IBKR: &str = "https://api.ibkr.com";
/// For a connection across the world.
const PATIENCE: Duration = Duration::from_secs(5);
/// Differences that a request and whole seconds explain, in seconds.
const EXPLAINED: u64 = 10;
/// A code that is made from a seed is good for thirty seconds, and IBKR takes the one before and after it.
const TOO_MUCH: u64 = 60;

/// Whether the way there is to be tried at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Try,
    Offline,
}

/// Whether IBKR can be reached, and what it showed: a connection, and the head of the first page for the time.
pub(super) async fn look(
    reach: Reach,
    mode: GatewayMode,
    settings: &Settings,
) -> (Check, Option<Answer>) {
    let not = |why: &str| (Check::not_looked_at(UPSTREAM, why), None);
    match (reach, mode) {
        (Reach::Offline, _) => return not("--offline"),
        (_, GatewayMode::Simulator) => return not("the simulator needs no way to IBKR"),
        (_, GatewayMode::Attach) => return not("your own gateway has its own way to IBKR"),
        // Without a gateway it is the daemon itself that talks to IBKR.
        (Reach::Try, GatewayMode::Managed | GatewayMode::Direct) => {}
    }
    let url = settings.text(Key::GatewayUpstream).unwrap_or(IBKR);
    let Some(address) = Address::of(url) else {
        return not("IB_GATEWAY_UPSTREAM is no address");
    };
    let heard = visit(&address, "HEAD", PATIENCE).await;
    let check = upstream(&address, &heard);
    match heard {
        Heard::Somebody(answer) => (check, Some(*answer)),
        Heard::Nobody(_) | Heard::NoTls => (check, None),
    }
}

fn upstream(address: &Address, heard: &Heard) -> Check {
    let (text, hint) = match heard {
        Heard::Somebody(_) => return Check::ok(UPSTREAM, format!("{address} can be reached.")),
        Heard::Nobody(why) => (
            format!("{address} cannot be reached: {why}."),
            "Look at the network, at name resolution, and at firewalls. The gateway heeds no HTTPS_PROXY.",
        ),
        Heard::NoTls => (
            format!("{address} is connected to, and speaks no TLS."),
            "Something on the way answers in its place: a proxy, or a login page of this network.",
        ),
    };
    Check::fail(UPSTREAM, text, hint)
}

/// Whether this machine's clock is right, by whoever said what time it is.
pub(super) fn clock(told: Option<(&str, &Answer)>, now: Timestamp) -> Check {
    let date = told.and_then(|(who, answer)| Some((who, answer.date.as_deref()?)));
    let Some((who, date)) = date else {
        return Check::not_looked_at(CLOCK, "nobody who was asked says what time it is");
    };
    let Ok(there) = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date) else {
        return Check::not_looked_at(CLOCK, format!("{who} says its time in an unknown way"));
    };
    let off = now.duration_since(there).as_secs();
    let text = match off.unsigned_abs() {
        0..=EXPLAINED => {
            return Check::ok(CLOCK, format!("This machine's clock agrees with that of {who}."));
        }
        seconds => {
            let way = if off > 0 { "ahead of" } else { "behind" };
            format!("This machine's clock is {seconds} s {way} that of {who}.")
        }
    };
    let hint = "Codes that are made from a seed, and times of orders, depend on it. Set it by the network:";
    let check = match off.unsigned_abs() {
        0..=TOO_MUCH => Check::warn(CLOCK, text, hint),
        _ => Check::fail(CLOCK, text, hint),
    };
    check.mend(match std::env::consts::OS {
        "macos" => "sudo sntp -sS time.apple.com",
        "windows" => "w32tm /resync",
        _ => "sudo timedatectl set-ntp true",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::check::State;
    use super::*;

    #[test]
    fn a_clock_is_held_against_what_somebody_says() {
        let now: Timestamp = "2026-11-23T07:30:00Z".parse().unwrap();
        let at = |date: Option<&str>| {
            let answer = Answer { date: date.map(str::to_owned), ..Answer::default() };
            clock(Some(("the gateway", &answer)), now)
        };
        assert_eq!(at(Some("Mon, 23 Nov 2026 07:30:03 GMT")).state, State::Ok);
        let ahead = at(Some("Mon, 23 Nov 2026 07:29:30 GMT"));
        assert_eq!(ahead.state, State::Warn);
        assert!(ahead.text.contains("30 s ahead of that of the gateway"), "{}", ahead.text);
        let behind = at(Some("Mon, 23 Nov 2026 08:30:00 GMT"));
        assert!(behind.state == State::Fail && behind.text.contains("3600 s behind"), "{behind:?}");
        for nothing in [at(None), at(Some("soon")), clock(None, now)] {
            assert_eq!(nothing.state, State::NotLookedAt, "{nothing:?}");
        }
    }

    #[test]
    fn what_is_reached_is_fine_whatever_it_says() {
        let address = Address::of(IBKR).unwrap();
        let of = |heard| upstream(&address, &heard);
        assert_eq!(of(Heard::Somebody(Box::default())).state, State::Ok);
        assert!(of(Heard::Nobody("connection refused".into())).text.contains("refused"));
        assert_eq!(of(Heard::NoTls).state, State::Fail);
    }
}
