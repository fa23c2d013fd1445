//! `ibctl freeze`: stops all new orders. First a file that every daemon obeys, then the daemon that
//! runs: so it works without one, and with one that hangs.

pub(crate) mod flag;

use std::time::Duration;

use ibd_protocol::client::ConnectError;
use ibd_protocol::version::Role;
use ibd_protocol::{Connection, OrdersReport, OrdersVerb, Places, ToClient, ToDaemon};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::daemon::Fault;
use crate::terminal::plain;
use crate::{Context, Ended, answer};

/// The daemon is told within this time, or it is taken to hang.
const LIMIT: Duration = Duration::from_secs(10);

const ELSEWHERE: &str = "Cancel them at IBKR itself: Client Portal, TWS or IBKR's app.";

/// What the running daemon says to it.
enum Told {
    Answered(Box<OrdersReport>),
    /// None runs.
    Absent,
    /// One runs, and this is what it does instead of answering; its process, where that is known.
    Silent(String, Option<u32>),
}

/// What came of it.
struct Outcome {
    text: String,
    hint: String,
    /// Whether all was done that was asked for.
    is_fine: bool,
}

impl Outcome {
    fn fine(text: impl Into<String>) -> Self {
        let hint = "`ibctl unfreeze` lets orders through again.".to_owned();
        Self { text: text.into(), hint, is_fine: true }
    }

    fn not_all(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { text: text.into(), hint: hint.into(), is_fine: false }
    }
}

pub(crate) async fn run(context: &Context, cancel_all: bool) -> Result<Ended, Fault> {
    let file = flag::file(&context.places);
    let raised = flag::raise_all(&context.places, Timestamp::now());
    let told = tell(&context.places, cancel_all).await;
    let Outcome { text, hint, is_fine } = match &raised {
        Ok(()) => raised_and(&told, cancel_all),
        Err(error) => not_raised_but(&told, &format!("{}: {error}", file.display())),
    };
    let took_hold = matches!(&told, Told::Answered(report) if report.ok);
    let (daemon, report) = match &told {
        Told::Answered(report) => ("told", json!(report)),
        Told::Absent => ("absent", Value::Null),
        Told::Silent(..) => ("silent", Value::Null),
    };
    let json = json!({
        "frozen": flag::is_up(&context.places) || took_hold,
        "told": matches!(told, Told::Answered(_)),
        "daemon": daemon,
        "durable": raised.is_ok(),
        "file": file,
        "text": text,
        "hint": hint,
        "report": report,
    });
    if !is_fine {
        return Err(Fault::new(text, hint).with(&json));
    }
    answer(context, &json, &format!("{text}\n{hint}"))?;
    Ok(Ended::Fine)
}

async fn tell(places: &Places, cancel_all: bool) -> Told {
    let until = Instant::now() + LIMIT;
    let opened = timeout_at(until, Connection::open_present(places, Role::Ctl)).await;
    let mut connection = match opened {
        Ok(Ok(connection)) => connection,
        // One may run whose socket is gone, and that must not read as none.
        Ok(Err(ConnectError::Absent)) if !places.has_daemon() => return Told::Absent,
        Ok(Err(ConnectError::Absent)) => {
            return Told::Silent("does not listen on its socket".to_owned(), None);
        }
        Ok(Err(ConnectError::Silent)) | Err(_) => {
            return Told::Silent("does not answer".to_owned(), None);
        }
        Ok(Err(error)) => return Told::Silent(format!("cannot be told: {error}"), None),
    };
    let question = ToDaemon::Orders(1, OrdersVerb::Freeze { cancel_all });
    let answer = connection.ask(&question, |answer| match answer {
        ToClient::Orders(1, report) => Some(report),
        _ => None,
    });
    let answer = timeout_at(until, answer).await;
    match answer {
        Ok(Ok(report)) => Told::Answered(report),
        Ok(Err(error)) => Told::Silent(format!("gave no answer: {error}"), Some(connection.pid)),
        Err(_) => Told::Silent("does not answer".to_owned(), Some(connection.pid)),
    }
}

/// With the flag, only what is under way is left to the running daemon.
fn raised_and(told: &Told, cancel_all: bool) -> Outcome {
    match told {
        Told::Answered(report) if report.ok => {
            let text = format!("Trading is frozen, and the daemon knows. {}", plain(&report.text));
            Outcome::fine(text.trim_end())
        }
        Told::Answered(report) => {
            let text = format!("trading is frozen, but not all was done: {}", plain(&report.text));
            let otherwise = if cancel_all { ELSEWHERE } else { "`ibctl status` tells more." };
            let hint = if report.hint.is_empty() { otherwise } else { &report.hint };
            Outcome::not_all(text, plain(hint))
        }
        Told::Absent if cancel_all => Outcome::not_all(
            "trading is frozen, but nothing was cancelled: no daemon runs that could do it",
            format!(
                "`ibctl restart` starts ibd, which stays frozen; then say this again. {ELSEWHERE}"
            ),
        ),
        Told::Absent => {
            Outcome::fine("Trading is frozen. No daemon runs; the next one stays frozen.")
        }
        Told::Silent(does, pid) => {
            let cancels = if cancel_all {
                format!(" Whether anything was cancelled is not known. {ELSEWHERE}")
            } else {
                String::new()
            };
            Outcome::not_all(
                format!("trading is frozen, but the daemon {does}, so it may not know"),
                format!("{}; the next one stays frozen.{cancels}", ends(*pid)),
            )
        }
    }
}

/// Without the flag only the running daemon keeps orders back.
fn not_raised_but(told: &Told, why: &str) -> Outcome {
    match told {
        Told::Answered(report) if report.ok => Outcome::not_all(
            format!("the daemon is frozen, but the next one may not be: {why}"),
            "Correct that and say it again; do not restart ibd before.",
        ),
        Told::Answered(report) => Outcome::not_all(
            format!("trading may not be frozen: {why}; {}", plain(&report.text)),
            format!("Correct that and say it again. {}.", ends(None)),
        ),
        Told::Absent => Outcome::not_all(
            format!("trading may not be frozen: {why}"),
            "Correct that and say it again. No daemon runs, so nothing sends orders now.",
        ),
        Told::Silent(does, pid) => Outcome::not_all(
            format!("trading may not be frozen: {why}; and the daemon {does}"),
            format!("Correct that and say it again. {}.", ends(*pid)),
        ),
    }
}

/// How to be sure that nothing more is sent.
fn ends(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("To be sure, `kill -9 {pid}` ends it at once"),
        None => "To be sure, end the process `ibd`".to_owned(),
    }
}
