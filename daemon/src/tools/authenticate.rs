//! `authenticate`: starts or joins a login, and says how it stands.

use std::time::Duration;

use ibd_protocol::states::Session;
use ibd_protocol::{Effect, ErrorCode, GatewayMode, LoginReport, Question, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::args::Confirm;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::refusal::Refusal;
use crate::session::guard::Asker;
use crate::session::login::Ask;
use crate::session::warning;

/// The answer must be on its way before the caller stops waiting.
const MARGIN: Duration = Duration::from_secs(2);

/// No arguments.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    #[schemars(skip)]
    #[allow(dead_code)]
    confirm: Confirm,
}

/// How the login stands.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// ready: logged in, everything works. need_login: a person must log in at authUrl. wait_2fa: a
    /// person must approve on the phone or give a code. starting, init: it goes on by itself.
    state: String,
    /// Whether the other tools can be used now.
    ready: bool,
    /// One sentence for the user.
    text: String,
    /// What to do next; absent when there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// browser: the user logs in; headless: ibd does; direct: requests are signed, so there is nothing to approve.
    /// Absent when no login was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    /// The login page, on the user's own machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_url: Option<String>,
    /// Whether a browser was opened at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    browser_opened: Option<bool>,
    /// login: at the page. approval: on the phone. code: must be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<String>,
    /// true: paper account; false: real money; absent: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    paper: Option<bool>,
    /// Accounts of this login.
    accounts: Vec<String>,
    /// When this was written.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct Authenticate;

impl Tool for Authenticate {
    const NAME: &'static str = "authenticate";
    const TITLE: &'static str = "Log in";
    const ABOUT: &'static str = "Logs in to Interactive Brokers, or joins a login that is under way: \
        shows the user the login page, or, if configured, logs in by itself and waits for the phone. Use \
        it when a tool says that nobody is logged in. Answers within 45 seconds with the state and \
        what to do; a login needs the user: tell them, and call again only after they have acted.";
    const EFFECT: Effect = Effect::Acts;
    const SET: Toolset = Toolset::Every;
    const EXAMPLE: &'static str = "{}";
    const ANSWER: usize = 300;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, _: Args) -> Result<Out, Refusal> {
        ctx.admit()?;
        let wait = Instant::now() + Duration::from_secs(ctx.policy.wait);
        let deadline = wait.min(ctx.deadline - MARGIN);
        let ask = Ask {
            asker: Asker::Client,
            forced: false,
            paper: ctx.policy.paper_only,
            headless: ctx.policy.headless,
            renew: false,
            join_only: false,
        };
        let done = std::sync::atomic::AtomicU32::new(0);
        let tell = |text: &str| {
            ctx.tell(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed), None, text);
        };
        let followed = ctx.desks.session.login(ask, ctx.page.clone(), deadline, tell).await;
        if let Some(failure) = &followed.failed {
            return Err(failure.clone());
        }
        if followed.view.lease.is_some() {
            ctx.policy.admits_login(&followed.view.facts)?;
        }
        let report = followed.report();
        let next = next(&report, followed.gateway);
        let facts = &followed.view.facts;
        let has_mode = !report.mode.is_empty();
        let out = Out {
            ready: report.ready,
            text: report.text,
            next,
            browser_opened: (report.mode == "browser").then_some(report.browser_opened),
            auth_url: report.auth_url.filter(|_| !report.ready),
            mode: has_mode.then_some(report.mode),
            waiting_for: report.waiting_for,
            paper: facts.paper,
            accounts: facts.accounts.iter().map(ToString::to_string).collect(),
            state: report.state.to_string(),
            as_of: Time::now(),
        };
        match followed.question() {
            Some((token, what)) => Err(ask_person(token, what, &out)),
            None => Ok(out),
        }
    }
}

const GOES_ON: &str = "It goes on by itself; call authenticate again in a few seconds.";

fn next(report: &LoginReport, gateway: GatewayMode) -> Option<String> {
    let url = report.auth_url.as_deref().unwrap_or("the login page");
    let text = match (report.waiting_for.as_deref(), report.browser_opened) {
        _ if report.ready => return None,
        (Some("login"), true) => format!(
            "A browser was opened at {url}. Ask the user to log in there{}, then call authenticate again.",
            warning(gateway)
        ),
        (Some("login"), false) => format!(
            "No browser could be opened from here. Ask the user to open {url} in a browser on the machine \
             where ibd runs (over SSH: forward that port with ssh -L), to log in, and then call authenticate \
             again."
        ),
        (Some("approval"), _) => {
            "Ask the user to approve the login in IBKR Mobile, then call authenticate again.".to_owned()
        }
        (Some("code"), _) => {
            "Ask the user to run `ibctl login --code CODE` with the code; never ask for it in the chat."
                .to_owned()
        }
        // Every other state has its own way out.
        _ if report.next.is_empty() || report.state.is(Session::Degraded) => GOES_ON.to_owned(),
        _ if report.state.is(Session::Starting) => format!("{GOES_ON} {}", report.next),
        _ => format!("Tell the user: {}", report.next),
    };
    Some(text)
}

/// A client that can ask its person asks; for any other one this is the result.
fn ask_person(token: &str, what: &str, out: &Out) -> Refusal {
    let fallback = serde_json::to_string(out).unwrap_or_default();
    let question = Question {
        token: token.to_owned(),
        message: format!("Interactive Brokers asks for a code to log in. {what}."),
        field: "code".to_owned(),
        title: "Code".to_owned(),
        description: "Goes to IBKR's login page and nowhere else; the assistant does not see it."
            .to_owned(),
        choices: Vec::new(),
        fallback,
    };
    Refusal {
        question: Some(Box::new(question)),
        ..Refusal::new(ErrorCode::Wait2fa, what, "Run `ibctl login --code CODE`.")
    }
}
