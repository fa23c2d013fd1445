//! `ibctl login`: starts a login, or joins the one under way, and stays until it is over.
//!
//! The login is the daemon's: who leaves here with Ctrl-C does not end it.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use ibd_protocol::settings::Key;
use ibd_protocol::{LoginReport, LoginRequest, Secret, ToClient, ToDaemon, states};
use serde_json::json;
use tokio::sync::oneshot;

use crate::daemon::Fault;
use crate::errand::Errand;
use crate::progress::Shown;
use crate::{Context, Ended, answer, own};

/// The daemon answers one request within this time, in seconds.
const WAIT_SECONDS: u32 = 40;
/// It may be late by so much.
const GRACE: Duration = Duration::from_secs(20);
/// How long a login may take, in seconds, where IB_AUTH_TIMEOUT does not say; at least [`SHORTEST`].
const LIMIT: u64 = 300;
const SHORTEST: u64 = 10;
/// The daemon ends it first, and says why.
const LATER: Duration = Duration::from_secs(10);
/// A gateway that must be installed first is waited for so long.
const INSTALL: Duration = Duration::from_secs(1_800);
/// Between two requests of which the second brought nothing new.
const PAUSE: Duration = Duration::from_secs(2);

/// Flags of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code that the login under way waits for; `-` reads it from stdin, where no other program
    /// of this machine can see it.
    #[arg(long, value_name = "CODE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    code: Option<String>,
    /// Log in to the paper account, whatever the configuration says.
    #[arg(long)]
    paper: bool,
    /// Send another approval to the phone, for the login under way.
    #[arg(long, conflicts_with_all = ["code", "paper", "force", "renew"])]
    resend: bool,
    /// Log in anew although somebody is logged in: a login lasts 24 hours.
    #[arg(long)]
    renew: bool,
    /// Go on although failed attempts, or somebody else's session, speak against it.
    #[arg(long)]
    force: bool,
    /// Call the login under way off.
    #[arg(long, conflicts_with_all = ["code", "paper", "force", "resend", "renew"])]
    cancel: bool,
}

impl Args {
    fn request(&self) -> Result<LoginRequest, Fault> {
        let code = self.code.as_deref().map(code_of).transpose()?;
        let (paper, resend, renew, force) = (self.paper, self.resend, self.renew, self.force);
        let join = code.is_some() || resend;
        Ok(LoginRequest { code, paper, resend, renew, join, force, wait_seconds: WAIT_SECONDS })
    }
}

fn code_of(given: &str) -> Result<Secret, Fault> {
    let code = match given {
        "-" => read_line().ok_or_else(|| Fault::new("there is no code on stdin", "")),
        given => Ok(Secret::new(given.trim())),
    };
    code.and_then(|code| {
        if code.expose().is_empty() {
            Err(Fault::new("the code is empty", "Give it as `--code 123456`."))
        } else {
            Ok(code)
        }
    })
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let request = args.request()?;
    let silence = Duration::from_secs(WAIT_SECONDS.into()) + GRACE;
    let mut errand = Errand::start(context, silence).await?;
    if args.cancel {
        let report = errand.ask(ToDaemon::CancelLogin, report_of).await?;
        answer(context, &report, &text(&report))?;
        return Ok(Ended::Fine);
    }
    let may_prompt = !context.json && args.code.is_none() && std::io::stdin().is_terminal();
    let settings = own::settings(&context.places)?;
    let limit = settings.number(Key::AuthTimeout).unwrap_or(LIMIT).max(SHORTEST);
    let limit = Duration::from_secs(limit) + LATER;
    let prompt = Prompt::default();
    let mut stay = Stay { errand, request, prompt, may_prompt, limit, told: None };
    tokio::select! {
        report = stay.until_it_ends() => end(context, &report?),
        _ = tokio::signal::ctrl_c() => {
            stay.errand.shown.clear();
            left(context)
        }
    }
}

fn report_of(id: u64, answer: ToClient) -> Option<LoginReport> {
    match answer {
        ToClient::Login(of, report) if of == id => Some(*report),
        _ => None,
    }
}

/// Whether another look may find it further.
fn goes_on(report: &LoginReport) -> bool {
    use states::Session::{Init, NeedLogin, Starting, Wait2fa};
    let is_under_way = match report.state.known() {
        Some(NeedLogin) => !report.mode.is_empty(),
        state => matches!(state, Some(Wait2fa | Init | Starting)),
    };
    !report.ready && report.failed.is_none() && (report.waiting_for.is_some() || is_under_way)
}

/// What it takes to stay with a login.
struct Stay {
    errand: Errand,
    request: LoginRequest,
    prompt: Prompt,
    may_prompt: bool,
    /// How long a person is waited for in all.
    limit: Duration,
    /// What the person was told last.
    told: Option<LoginReport>,
}

impl Stay {
    async fn until_it_ends(&mut self) -> Result<LoginReport, Fault> {
        let mut until = Instant::now() + INSTALL;
        let mut is_prepared = false;
        let stays = self.request.code.is_none();
        loop {
            let report = tokio::select! {
                code = self.prompt.answered() => {
                    self.errand.shown = Shown::new(false);
                    self.request.code = code;
                    continue;
                }
                report = look(&mut self.errand, &self.request, self.told.as_ref()) => report?,
            };
            if !is_prepared && !report.state.is(states::Session::Starting) {
                // From here on somebody is waited for.
                is_prepared = true;
                until = Instant::now() + self.limit;
            }
            let left = until.saturating_duration_since(Instant::now());
            if !stays || !goes_on(&report) || left < PAUSE {
                return Ok(report);
            }
            self.tell(report);
            let wait = u32::try_from(left.as_secs()).unwrap_or(WAIT_SECONDS).min(WAIT_SECONDS);
            // From now on this only joins: a second start is nothing that the person has asked for.
            self.request = LoginRequest {
                code: None,
                resend: false,
                renew: false,
                join: true,
                force: false,
                wait_seconds: wait,
                paper: self.request.paper,
            };
        }
    }

    /// Says what is new, and asks for what is wanted.
    fn tell(&mut self, report: LoginReport) {
        let is_new = self.told.as_ref().is_none_or(|told| text(told) != text(&report));
        if is_new {
            self.errand.shown.say(&text(&report));
        }
        if self.may_prompt && report.waiting_for.as_deref() == Some("code") && self.prompt.open() {
            // Whatever came now would run over what is being typed.
            self.errand.shown = Shown::Nothing;
        }
        self.told = Some(report);
    }
}

async fn look(
    errand: &mut Errand,
    request: &LoginRequest,
    told: Option<&LoginReport>,
) -> Result<LoginReport, Fault> {
    let report = errand.ask(|id| ToDaemon::Login(id, request.clone()), report_of).await?;
    if told == Some(&report) {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(report)
}

/// Waits for a line on the terminal, while the login may get on without it.
#[derive(Default)]
enum Prompt {
    /// Nobody was asked.
    #[default]
    Closed,
    /// Somebody is being asked.
    Open(oneshot::Receiver<Option<Secret>>),
    /// stdin is at its end: nobody can be asked.
    Over,
}

impl Prompt {
    /// Asks, unless it has; whether it did.
    fn open(&mut self) -> bool {
        let is_closed = matches!(self, Self::Closed);
        if is_closed {
            eprint!("Code: ");
            let (said, line) = oneshot::channel();
            // A thread of its own, because nothing can end its reading: it must not keep us from ending.
            std::thread::spawn(move || said.send(read_line()));
            *self = Self::Open(line);
        }
        is_closed
    }

    /// The line, or `None` if there is none; for ever if nobody is being asked.
    async fn answered(&mut self) -> Option<Secret> {
        let Self::Open(line) = self else { return std::future::pending().await };
        let line = line.await.ok().flatten();
        *self = if line.is_some() { Self::Closed } else { Self::Over };
        line.filter(|code| !code.expose().is_empty())
    }
}

fn read_line() -> Option<Secret> {
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(1..) => Some(Secret::new(line.trim())),
        _ => None,
    }
}

fn end(context: &Context, report: &LoginReport) -> Result<Ended, Fault> {
    if report.failed.is_some() {
        let fault = Fault::new(report.text.clone(), report.next.clone());
        return Err(fault.with(report));
    }
    answer(context, report, &text(report))?;
    Ok(if report.ready { Ended::Fine } else { Ended::NeedsPerson })
}

fn text(report: &LoginReport) -> String {
    let is_wanted = report.waiting_for.as_deref() == Some("login") && !report.browser_opened;
    let page = report.auth_url.as_ref().filter(|url| is_wanted && !report.text.contains(*url));
    let page = page.map(|url| format!("The login page: {url}"));
    let next = (!report.next.is_empty()).then(|| report.next.clone());
    let lines = [Some(report.text.clone()), page, next];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn left(context: &Context) -> Result<Ended, Fault> {
    let text = "The login goes on without you. `ibctl login` joins it, `ibctl login --cancel` calls \
        it off, `ibctl status` shows it.";
    answer(context, &json!({ "left": true, "text": text }), text)?;
    Ok(Ended::NeedsPerson)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: states::Session) -> LoginReport {
        LoginReport { state: state.into(), text: "So it is.".into(), ..Default::default() }
    }

    #[test]
    fn a_login_goes_on_until_it_is_ready_or_failed_or_stands_still() {
        let browser = |state| LoginReport { mode: "browser".into(), ..report(state) };
        assert!(
            goes_on(&browser(states::Session::NeedLogin))
                && goes_on(&report(states::Session::Wait2fa))
        );
        assert!(
            goes_on(&report(states::Session::Init)) && goes_on(&report(states::Session::Starting))
        );
        let waiting =
            LoginReport { waiting_for: Some("code".into()), ..report(states::Session::Degraded) };
        assert!(goes_on(&waiting));
        assert!(!goes_on(&report(states::Session::NeedLogin)), "nobody is logging in");
        use states::Session::{Competing, LockoutGuard, Maint, Ready};
        for state in [LockoutGuard, Competing, Maint, Ready] {
            assert!(!goes_on(&browser(state)), "{state}");
        }
        assert!(!goes_on(&LoginReport { ready: true, ..browser(states::Session::Wait2fa) }));
        assert!(!goes_on(&LoginReport {
            failed: Some("wrong".into()),
            ..browser(states::Session::Wait2fa)
        }));
    }

    #[test]
    fn a_page_that_nobody_sees_is_named() {
        let page = Some("https://localhost:5000/".to_owned());
        let login = LoginReport {
            auth_url: page,
            next: "Log in.".into(),
            waiting_for: Some("login".into()),
            ..report(states::Session::NeedLogin)
        };
        assert_eq!(text(&login), "So it is.\nThe login page: https://localhost:5000/\nLog in.");
        assert_eq!(
            text(&LoginReport { browser_opened: true, ..login.clone() }),
            "So it is.\nLog in."
        );
        let said = LoginReport { text: "Log in: https://localhost:5000/".into(), ..login.clone() };
        assert_eq!(text(&said), "Log in: https://localhost:5000/\nLog in.", "once");
        // Whatever else it waits for, no page helps.
        for waiting_for in [None, Some("approval".to_owned())] {
            let other = LoginReport { waiting_for, ..login.clone() };
            assert!(!text(&other).contains("https"));
        }
    }
}
