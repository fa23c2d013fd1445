//! The login, the session and trading, as the daemon tells of them.

use ibd_protocol::{Places, SessionStatus, Status, TradingStatus, states};
use jiff::{SignedDuration, Timestamp};

use super::check::Check;
use crate::freeze;
use crate::times::{local, until};

const NOBODY: &str = "no daemon runs that could tell";
/// A login that ends within this time is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn checks(places: &Places, status: Option<&Status>) -> Vec<Check> {
    let Some(status) = status else {
        let is_frozen = freeze::flag::is_up(places);
        let trading = if is_frozen { frozen() } else { Check::not_looked_at("trading", NOBODY) };
        let session = ["login", "session"].map(|name| Check::not_looked_at(name, NOBODY));
        return session.into_iter().chain([trading]).collect();
    };
    vec![
        login(&status.session, Timestamp::now()),
        session(status),
        trading(&status.trading, status.session.state.is(states::Session::Ready)),
    ]
}

/// Who is logged in, and for how long.
fn login(session: &SessionStatus, now: Timestamp) -> Check {
    const NAME: &str = "login";
    let Some(username) = session.username.as_deref() else {
        return Check::not_looked_at(NAME, "IBKR has not said who is logged in");
    };
    let Some(next) = session.next_login_at.as_deref() else {
        return Check::ok(NAME, format!("{username} is logged in."));
    };
    let left = until(next, now).unwrap_or_default();
    let text = format!("{username}; the next login is needed about {} ({left}).", local(next));
    let is_soon = next.parse::<Timestamp>().is_ok_and(|next| next.duration_since(now) < SOON);
    if is_soon {
        return Check::warn(NAME, text, "IBKR ends a login after 24 hours. Anew at once:")
            .mend("ibctl login --renew");
    }
    Check::ok(NAME, text)
}

/// Whether everything works, and what a person does if not.
fn session(status: &Status) -> Check {
    use states::Session::{
        Competing, Degraded, Hung, Init, LockoutGuard, Maint, NeedLogin, Network, Penalty, Ready,
        Starting, Stopped, Wait2fa,
    };
    const NAME: &str = "session";
    let text = status.session.text.clone();
    let hint = status.conditions.first().map(|condition| condition.hint.clone());
    let hint = hint.unwrap_or_default();
    match status.session.state.known() {
        Some(Ready) => Check::ok(NAME, text),
        Some(Starting | Init) => Check::ok(NAME, text),
        Some(NeedLogin | Stopped) => Check::warn(NAME, text, hint).mend("ibctl login"),
        Some(Wait2fa) => Check::warn(NAME, text, hint),
        Some(Competing) => Check::warn(NAME, text, hint).mend("ibctl resume"),
        // They pass.
        Some(Degraded | Maint | Penalty) => Check::warn(NAME, text, hint),
        Some(LockoutGuard) => Check::fail(NAME, text, hint).mend("ibctl login --force"),
        Some(Network) => Check::fail(NAME, text, hint),
        Some(Hung) => Check::fail(NAME, text, hint).mend("ibctl gateway logs"),
        None => Check::warn(NAME, text, "This ibctl is older than the daemon: install the same."),
    }
}

/// Whether orders go through. Without a session nobody expects them to.
fn trading(trading: &TradingStatus, is_ready: bool) -> Check {
    const NAME: &str = "trading";
    let text = trading.text.clone();
    match trading.state.known() {
        Some(states::Trading::Frozen) => Check { text, ..frozen() },
        Some(states::Trading::Closed) if is_ready => {
            Check::warn(NAME, text, "").mend("ibctl audit verify")
        }
        Some(states::Trading::Closed) => {
            Check::not_looked_at(NAME, "orders go through once the session is ready")
        }
        _ if trading.in_doubt > 0 => {
            let text = format!("{} orders are in doubt: IBKR may have them.", trading.in_doubt);
            Check::warn(NAME, text, "").mend("ibctl orders")
        }
        _ if trading.waiting > 0 => {
            let text = format!("{} orders wait for your approval.", trading.waiting);
            Check::warn(NAME, text, "").mend("ibctl orders")
        }
        _ => Check::ok(NAME, text),
    }
}

fn frozen() -> Check {
    Check::warn("trading", "Trading is frozen.", "When you want orders to go through again:")
        .mend("ibctl unfreeze")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::check::State;
    use super::*;

    fn of(state: states::Session) -> SessionStatus {
        SessionStatus {
            state: state.into(),
            text: "So it is.".into(),
            paper: Some(true),
            accounts: Vec::new(),
            age_seconds: None,
            username: Some("jdoe".into()),
            login_at: None,
            next_login_at: Some("2026-11-23T07:30:00Z".into()),
        }
    }

    #[test]
    fn a_login_that_ends_soon_is_told_before_it_does() {
        let at = |now: &str| login(&of(states::Session::Ready), now.parse().unwrap()).state;
        assert_eq!(at("2026-11-22T12:00:00Z"), State::Ok);
        assert_eq!(at("2026-11-23T07:00:00Z"), State::Warn);
        assert_eq!(at("2026-11-23T08:00:00Z"), State::Warn);
        let nobody = SessionStatus { username: None, ..of(states::Session::Ready) };
        let told = login(&nobody, Timestamp::UNIX_EPOCH);
        assert_eq!(told.state, State::NotLookedAt, "not known is not \"no\"");
    }

    #[test]
    fn every_state_of_a_session_says_what_is_done_about_it() {
        use states::Session as S;
        for (state, expected, command) in [
            (S::Ready, State::Ok, None),
            (S::Starting, State::Ok, None),
            (S::Init, State::Ok, None),
            (S::NeedLogin, State::Warn, Some("ibctl login")),
            (S::Stopped, State::Warn, Some("ibctl login")),
            (S::Wait2fa, State::Warn, None),
            (S::Competing, State::Warn, Some("ibctl resume")),
            (S::Degraded, State::Warn, None),
            (S::Maint, State::Warn, None),
            (S::Penalty, State::Warn, None),
            (S::LockoutGuard, State::Fail, Some("ibctl login --force")),
            (S::Network, State::Fail, None),
            (S::Hung, State::Fail, Some("ibctl gateway logs")),
        ] {
            let status = super::super::tests::status(of(state));
            let check = session(&status);
            assert_eq!(check.state, expected, "{state}");
            assert_eq!(check.commands.first().map(String::as_str), command, "{state}");
        }
        assert_eq!(S::ALL.len(), 13, "a new state has its line here");
    }

    #[test]
    fn trading_that_stands_still_names_the_command_that_lets_it_go_on() {
        let of = |state: states::Trading, waiting, in_doubt| TradingStatus {
            state: state.into(),
            protection: String::new(),
            text: "So it is.".into(),
            waiting,
            in_doubt,
        };
        use states::Trading::{Closed, Frozen, Open};
        let told = |status: TradingStatus, is_ready| {
            let check = trading(&status, is_ready);
            (check.state, check.commands.first().cloned().unwrap_or_default())
        };
        assert_eq!(told(of(Open, 0, 0), true).0, State::Ok);
        assert_eq!(told(of(Frozen, 0, 0), true), (State::Warn, "ibctl unfreeze".into()));
        assert_eq!(told(of(Open, 1, 0), true), (State::Warn, "ibctl orders".into()));
        assert_eq!(told(of(Open, 0, 1), true), (State::Warn, "ibctl orders".into()));
        assert_eq!(told(of(Closed, 0, 0), true), (State::Warn, "ibctl audit verify".into()));
        assert_eq!(told(of(Closed, 0, 0), false).0, State::NotLookedAt);
    }
}
