//! `ibctl status`: never starts a daemon, and answers at once when there is none.

mod watch;
mod words;

use ibd_protocol::states::Said;
use ibd_protocol::{Places, Status, ToClient, ToDaemon, TradingStatus, states};
use serde_json::json;

use crate::daemon::{Fault, ask, running};
use crate::screen::{Screen, Tone};
use crate::{Context, Ended, answer, for_terminal, freeze, own, put, say};
pub(crate) use words::gateway;

/// Flags of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Draw it again every two seconds, until Ctrl-C.
    #[arg(long, short)]
    watch: bool,
}

/// What was found.
enum Seen {
    /// No daemon runs.
    Absent,
    Present(Box<Status>),
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    if args.watch {
        return watch::run(context).await;
    }
    match look(context).await? {
        Seen::Absent if context.json => say(&absent_in_json(&context.places).to_string()),
        Seen::Present(status) if context.json => {
            answer(context, &status, "")?;
            return Ok(ended(&Seen::Present(status)));
        }
        seen => {
            let screen = Screen::of_stdout();
            put(&shown(&page(context, &seen), screen));
            return Ok(ended(&seen));
        }
    }
    Ok(Ended::NotRunning)
}

async fn look(context: &Context) -> Result<Seen, Fault> {
    let Some(mut connection) = running(&context.places).await? else {
        return Ok(Seen::Absent);
    };
    let status = ask(&mut connection, &ToDaemon::Status(1), |answer| match answer {
        ToClient::Status(_, status) => Some(status),
        _ => None,
    })
    .await?;
    Ok(Seen::Present(status))
}

/// The page, before it is fitted to a screen.
fn page(context: &Context, seen: &Seen) -> String {
    match seen {
        Seen::Absent => absent(&context.places),
        Seen::Present(status) => words::text(status, &context.places.profile),
    }
}

fn ended(seen: &Seen) -> Ended {
    match seen {
        Seen::Absent => Ended::NotRunning,
        Seen::Present(status) => {
            let waits = waits_for_person(&status.trading);
            let needs_person = needs_person(&status.session.state) || waits;
            if needs_person { Ended::NeedsPerson } else { Ended::Fine }
        }
    }
}

/// The page as a screen shows it: whatever others wrote into it draws nothing there, what is to be done stands out.
fn shown(page: &str, screen: Screen) -> String {
    let mut shown = String::new();
    for line in for_terminal(page).lines() {
        let is_to_do = line.starts_with(words::TO_DO);
        for part in screen.fit(line, words::INDENT) {
            let part = if is_to_do { screen.paint(Tone::Care, &part) } else { part };
            shown.push_str(&part);
            shown.push('\n');
        }
    }
    shown
}

fn absent(places: &Places) -> String {
    let mut text = match own::problem(places) {
        Some(problem) => format!("ibd is not running, and cannot start: {problem}."),
        None => "ibd is not running. A client starts it when it is needed; `ibctl restart` starts it now."
            .to_owned(),
    };
    if places.profile != "default" {
        text.push_str(&format!("\nThe profile is {}.", places.profile));
    }
    if is_frozen(places) {
        text.push_str("\nTrading is frozen; `ibctl unfreeze` ends that.");
    }
    text
}

fn absent_in_json(places: &Places) -> serde_json::Value {
    let mut report = json!({ "daemon": { "running": false } });
    if let Some(problem) = own::problem(places) {
        report["daemon"]["problem"] = problem.into();
    }
    if is_frozen(places) {
        report["trading"] = json!({ "state": "frozen" });
    }
    report
}

/// Without a daemon only the flag can tell.
fn is_frozen(places: &Places) -> bool {
    freeze::flag::is_up(places)
}

/// Whether orders stand still until a person does something.
fn waits_for_person(trading: &TradingStatus) -> bool {
    trading.state.is(states::Trading::Frozen) || trading.waiting > 0 || trading.in_doubt > 0
}

/// States that nothing but a person ends.
fn needs_person(state: &Said<states::Session>) -> bool {
    use states::Session::{Competing, Hung, LockoutGuard, NeedLogin, Stopped, Wait2fa};
    state.is_one_of(&[Stopped, NeedLogin, Wait2fa, LockoutGuard, Competing, Hung])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_wait_for_a_person_are_told_from_those_that_pass() {
        use states::Session::{
            Competing, Hung, Init, LockoutGuard, Maint, NeedLogin, Ready, Starting, Stopped,
            Wait2fa,
        };
        for state in [NeedLogin, Wait2fa, LockoutGuard, Competing, Hung, Stopped] {
            assert!(needs_person(&state.into()), "{state}");
        }
        for state in [Ready, Init, Starting, Maint] {
            assert!(!needs_person(&state.into()), "{state}");
        }
    }

    #[test]
    fn orders_wait_for_a_person_when_frozen_or_asked_for_or_in_doubt() {
        let waits = |state, waiting, in_doubt| {
            waits_for_person(&words::tests::trading_of(state, waiting, in_doubt))
        };
        assert!(!waits(states::Trading::Open, 0, 0));
        assert!(!waits(states::Trading::Closed, 0, 0), "that is the session's matter");
        assert!(waits(states::Trading::Frozen, 0, 0));
        assert!(waits(states::Trading::Open, 1, 0));
        assert!(waits(states::Trading::Open, 0, 1));
    }

    #[test]
    fn a_page_fits_its_screen_and_what_others_wrote_draws_nothing() {
        let page =
            format!("Session   Ready.\nClients   evil\x1b[2J\nTo do     {}", "log in ".repeat(12));
        let told = shown(&page, Screen::terminal(60, true));
        assert!(told.contains("evil\\u{1b}[2J"), "{told}");
        assert!(told.contains("\x1b[33mTo do     log in"), "{told}");
        let longest = told.lines().map(|line| line.chars().count()).max();
        assert!(longest.is_some_and(|longest| longest <= 60 + 9), "colours are no columns: {told}");
        assert_eq!(shown("To do     x", Screen::PLAIN), "To do     x\n");
    }
}
