//! We log in, in a browser that nobody sees, within the guard's budget.

use ibd_protocol::ErrorCode;
use std::path::PathBuf;
use std::time::Duration;

use ibd_headless::{Answer, Attempt, CodeKind, Failed, Host, Mode, Step, Submission, log_in};
use ibd_protocol::settings::Key;
use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;
use ulid::Ulid;

use super::browser::{Tell, last_look, prepare};
use super::{Credentials, Stage, Wish, guarded};
use crate::gateway::{GatewayHandle, GatewayView};
use crate::refusal::Refusal;
use crate::session::guard::{Asker, Guard, Held, Outcome, Will};
use crate::session::life::Sight;

/// IBKR's own limit for an approval on the phone.
const PUSH: Duration = Duration::from_secs(180);

/// What a run needs.
pub struct Run {
    /// To make it ready.
    pub gateway: GatewayHandle,
    /// Whom to log in.
    pub wish: Wish,
    /// Whose keyring entries.
    pub profile: String,
    /// Paper or live.
    pub paper: bool,
    /// What IBKR counts.
    pub guard: Guard,
    /// Who wants it.
    pub asker: Asker,
    /// Whether a person insists.
    pub will: Will,
    /// A new login although there is one.
    pub renews: bool,
    /// For the browser's profile.
    pub scratch: PathBuf,
    /// What a person says.
    pub answers: mpsc::UnboundedReceiver<Answer>,
    /// The session.
    pub tell: Tell,
}

/// A session is ready this soon after its login, or something is wrong.
const SEEN: Duration = Duration::from_secs(120);

/// One login. Ends with `Checking` or `Failed`.
pub async fn run(run: Run) {
    let tell = run.tell.clone();
    match attempt(run).await {
        Ok(Attempted::LoggedIn) => tell(Stage::Checking),
        Ok(Attempted::NotNeeded) => return tell(Stage::Found),
        Err(failure) => return tell(Stage::Failed(failure)),
    }
    // Whoever sees the session ready ends this before.
    tokio::time::sleep(SEEN).await;
    tell(Stage::Failed(Refusal::new(
        ErrorCode::LoginNotSeen,
        "IBKR's page says that the login succeeded, but no trading session came of it.",
        "Log in once at IBKR's own Client Portal on the web: it may ask something there that this page does \
         not show. Then run `ibctl login`.",
    )));
}

/// What came of an attempt.
enum Attempted {
    /// It worked.
    LoggedIn,
    /// Somebody was logged in already; nothing was typed.
    NotNeeded,
}

async fn attempt(run: Run) -> Result<Attempted, Refusal> {
    let patience = Instant::now() + Duration::from_secs(1_800);
    let credentials = run.wish.credentials(&run.profile).await.map_err(missing)?;
    let view = prepare(&run.gateway, patience, &run.tell).await?;
    let is_persons_will = run.asker == Asker::Person && run.will == Will::Insists;
    match last_look(&view).await {
        Some(Sight::Login { .. }) if !run.renews => return Ok(Attempted::NotNeeded),
        // A password has nowhere to go.
        Some(Sight::Trouble | Sight::SilentUpstream) if !is_persons_will => return Err(closed()),
        _ => {}
    }
    let (url, spki_sha256) = trusted(&view, &credentials).await?;
    let attempt = Attempt {
        url,
        spki_sha256,
        username: credentials.username.clone(),
        password: credentials.password,
        totp: credentials.totp,
        mode: if run.paper { Mode::Paper } else { Mode::Live },
        selectors: run.wish.selectors(),
        browser: run.wish.browser(),
        scratch: run.scratch,
        limit: run.wish.limit(),
        push_limit: PUSH,
    };
    let host = Owner {
        user: credentials.username,
        guard: run.guard.clone(),
        asker: run.asker,
        will: run.will,
        tell: run.tell,
        held: std::sync::Mutex::default(),
        answers: Mutex::new(run.answers),
    };
    let ended = log_in(&attempt, &host).await;
    let outcome = match &ended {
        Ok(()) => Outcome::LoggedIn,
        Err(Failed::Locked(_)) => Outcome::Locked,
        Err(_) => Outcome::Failed,
    };
    host.settle(outcome).await;
    match ended {
        Ok(()) => Ok(Attempted::LoggedIn),
        Err(Failed::Held) => Err(guarded(&host.held())),
        Err(failed) => {
            tracing::warn!(%failed, "a headless login failed");
            Err(failure(&failed))
        }
    }
}

fn closed() -> Refusal {
    Refusal::new(
        ErrorCode::BrokerMaintenance,
        "IBKR does not answer, or answers with errors, so nothing was typed.",
        "Wait a few minutes; then `ibctl login`.",
    )
}

fn missing(setting: Key) -> Refusal {
    Refusal::new(
        ErrorCode::CredentialsMissing,
        format!("IB_HEADLESS_MODE is on, but {setting} is not set."),
        format!(
            "Set {setting} where this client starts ib-mcp or in config.toml, or keep it in the keyring \
             with `ibctl secrets set`; or switch IB_HEADLESS_MODE off and log in in the browser."
        ),
    )
}

/// The page, and the key that it must show: that of a gateway that we started ourselves, or whose
/// certificate is in the configuration.
async fn trusted(
    view: &GatewayView,
    credentials: &Credentials,
) -> Result<(String, [u8; 32]), Refusal> {
    // What a client chose is for its own secrets alone.
    let chose_it = credentials.gateway.is_some() && credentials.gateway == view.choice;
    if view.is_upstream_of_a_client && !chose_it {
        return Err(Refusal::new(
            ErrorCode::GatewayNotTrusted,
            "A client chose what the gateway talks to (IB_GATEWAY_UPSTREAM), and the password or the code is not \
             its own.",
            "Set gateway_upstream in config.toml if that is meant.",
        ));
    }
    if !view.is_trusted_with_credentials() {
        return Err(Refusal::new(
            ErrorCode::GatewayNotTrusted,
            "Credentials are typed only into a gateway that ibd started itself, or whose certificate is \
             pinned in its configuration.",
            "Set IB_GATEWAY_CERT to the certificate's SHA-256 in config.toml, use IB_GATEWAY=managed, or \
             log in in the browser.",
        ));
    }
    let page = view.client.clone().zip(view.address.clone());
    let (client, address) = page.ok_or_else(|| no_page("the gateway is gone"))?;
    if !client.answers_itself().await {
        return Err(no_page("the gateway does not answer, or shows another certificate"));
    }
    let key = view.pin.certificate().and_then(ibd_headless::spki_sha256);
    Ok((format!("{address}/"), key.ok_or_else(|| no_page("its certificate cannot be read"))?))
}

fn no_page(why: &str) -> Refusal {
    Refusal::new(
        ErrorCode::GatewayDown,
        format!("The login page cannot be reached: {why}."),
        "Run `ibctl gateway status`, then try again.",
    )
}

/// What a failure means for whoever waits.
fn failure(failed: &Failed) -> Refusal {
    let (code, next) = match failed {
        Failed::NoBrowser { .. } => {
            (ErrorCode::BrowserMissing, "Do that, or log in in the browser (`ibctl login`).")
        }
        Failed::WrongCredentials(_) | Failed::Refused(_) => (
            ErrorCode::WrongCredentials,
            "Correct IB_USERNAME and the password; then `ibctl login`.",
        ),
        Failed::WrongMode(_) => (
            ErrorCode::WrongMode,
            "Set IB_PAPER_TRADING as this username needs it; a paper account has a username of its own.",
        ),
        Failed::Locked(_) => {
            (ErrorCode::LockoutGuard, "Do not try again: unlock the login with IBKR first.")
        }
        Failed::CodeRefused(_) => (ErrorCode::CodeRefused, "Correct it, then `ibctl login`."),
        Failed::PushDenied | Failed::PushExpired => (
            ErrorCode::ApprovalMissing,
            "When the phone is at hand: `ibctl login`, or authenticate.",
        ),
        Failed::Maintenance(_) => (ErrorCode::BrokerMaintenance, "Wait; it is tried again later."),
        Failed::TimedOut { .. } => (ErrorCode::LoginTimeout, "Try again with `ibctl login`."),
        Failed::Cancelled => {
            (ErrorCode::LoginCancelled, "Nothing more is done until it is asked for.")
        }
        Failed::PageUnknown(_) => {
            (ErrorCode::LoginPageChanged, "Log in in the browser until that is done.")
        }
        Failed::ModeUnverified { .. } => {
            (ErrorCode::ModeUnverified, "No password was sent. Log in in the browser.")
        }
        Failed::OtherCertificate(_) | Failed::WrongPage(_) => (
            ErrorCode::GatewayNotTrusted,
            "Nothing more was typed. Look at `ibctl gateway status`.",
        ),
        _ => (
            ErrorCode::LoginFailed,
            "Look at `ibctl logs`, then try again or log in in the browser.",
        ),
    };
    let text = failed.to_string();
    let mut letters = text.chars();
    let text = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>());
    Refusal::new(code, format!("{}.", text.unwrap_or_default().trim_end_matches('.')), next)
}

/// Answers for the session while a browser works.
struct Owner {
    user: String,
    guard: Guard,
    asker: Asker,
    will: Will,
    tell: Tell,
    held: std::sync::Mutex<Option<Held>>,
    answers: Mutex<mpsc::UnboundedReceiver<Answer>>,
}

impl Owner {
    fn held(&self) -> Held {
        let held = self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        held.unwrap_or(Held::Factors)
    }

    async fn settle(&self, outcome: Outcome) {
        let (guard, user) = (self.guard.clone(), self.user.clone());
        let _ = tokio::task::spawn_blocking(move || guard.settle(&user, outcome)).await;
    }
}

impl Host for Owner {
    async fn may(&self, submission: Submission) -> bool {
        let (guard, user) = (self.guard.clone(), self.user.clone());
        let (asker, will, now) = (self.asker, self.will, Timestamp::now());
        let written = tokio::task::spawn_blocking(move || match submission {
            Submission::Password => {
                // An earlier password of this attempt was refused.
                guard.settle(&user, Outcome::Failed);
                guard.begin(&user, now, asker, will)
            }
            Submission::Code | Submission::Push => guard.factor(&user, now, will),
        })
        .await
        .unwrap_or_else(|error| Err(Held::Unreadable(error.to_string())));
        match written {
            Ok(()) => true,
            Err(held) => {
                *self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(held);
                false
            }
        }
    }

    fn step(&self, step: Step) {
        let stage = match step {
            Step::Browser => Stage::Typing("Starting the browser.".to_owned()),
            Step::Page => Stage::Typing("Loading the login page.".to_owned()),
            Step::Password => Stage::Typing("Giving username and password.".to_owned()),
            Step::Device(device) => Stage::Typing(format!("Choosing the second factor: {device}.")),
            Step::Push { .. } => Stage::Approval(Timestamp::now() + PUSH),
            Step::CodeWanted(kind) => Stage::Code(wanted(&kind), Ulid::new().to_string()),
            Step::CodeUnusable(why) => {
                Stage::Code(format!("That cannot be the code: {why}"), Ulid::new().to_string())
            }
            Step::CodeGiven => Stage::Typing("Giving the code.".to_owned()),
            // Checking begins when the guard knows of the success.
            Step::Succeeded => Stage::Typing("Closing the browser.".to_owned()),
        };
        (self.tell)(stage);
    }

    async fn answer(&self) -> Answer {
        match self.answers.lock().await.recv().await {
            Some(answer) => answer,
            // The session is going; the run goes with it.
            None => std::future::pending().await,
        }
    }
}

fn wanted(kind: &CodeKind) -> String {
    match kind {
        CodeKind::Totp => "The code of the authenticator app".to_owned(),
        CodeKind::Sms => "The code of the text message".to_owned(),
        CodeKind::Challenge(challenge) => {
            format!("The response that IBKR Mobile shows for the challenge {challenge}")
        }
    }
}
