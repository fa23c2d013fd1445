//! One attempt from the start of its browser to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::attempt::Attempt;
use crate::browser::{Browser, Launch};
use crate::certificate::in_base64;
use crate::codes::Authenticator;
use crate::decide::Goal;
use crate::drive::Driver;
use crate::failed::{Failed, Stage};
use crate::guard::{Guard, origin};
use crate::host::{Host, Step};
use crate::memory::Memory;
use crate::page::Tab;
use crate::pipe::{Command, Pipe};

/// For a browser to end when it is told to.
const FAREWELL: Duration = Duration::from_secs(2);

/// Logs in once. It ends within the attempt's limit, and a few seconds for the browser to end.
///
/// That the page reports success proves the web session only: whether the brokerage session opens is
/// for the gateway's status to say. When the future is dropped the browser is killed at once; an
/// [`crate::Answer::Cancel`] is heard between two looks at the page.
pub async fn log_in<H: Host>(attempt: &Attempt, host: &H) -> Result<(), Failed> {
    let goal = goal(attempt)?;
    let authenticator = authenticator(attempt)?;
    host.step(Step::Browser);
    let launch = Launch {
        program: attempt.browser.as_deref(),
        scratch: &attempt.scratch,
        trusted_key: in_base64(&attempt.spki_sha256),
    };
    let (browser, (from, to)) = Browser::start(&launch)?;
    let guard = Arc::new(Guard::new(goal.origin.clone()));
    let reflex = guard.clone();
    let pipe = Pipe::new(from, to, Box::new(move |event| reflex.answer(event)));

    let mut course = Course { attempt, host, memory: Memory::new(Duration::ZERO) };
    course.memory.stage = Stage::Browser;
    let outcome = timeout(attempt.limit, course.run(&pipe, guard, (goal, authenticator))).await;
    let outcome = outcome
        .unwrap_or(Err(Failed::TimedOut { stage: course.memory.stage, limit: attempt.limit }));
    let outcome = outcome.map_err(|failed| explain(failed, &pipe, &browser));
    end(pipe, browser).await;
    outcome
}

fn goal(attempt: &Attempt) -> Result<Goal, Failed> {
    if attempt.username.is_empty() || attempt.password.expose().is_empty() {
        return Err(Failed::Unusable(
            "username or password is missing. Set IB_USERNAME and IB_PASSWORD_AUTH",
        ));
    }
    let origin = origin(&attempt.url)
        .ok_or(Failed::Unusable("the gateway's address does not begin with https://"))?;
    Ok(Goal {
        origin,
        mode: attempt.mode,
        username: attempt.username.clone(),
        password_length: attempt.password.expose().encode_utf16().count(),
        has_seed: attempt.totp.is_some(),
        push_limit: attempt.push_limit,
    })
}

fn authenticator(attempt: &Attempt) -> Result<Option<Authenticator>, Failed> {
    let unusable =
        Failed::Unusable("IB_TOTP_SECRET is not a seed in base32 (letters A to Z, digits 2 to 7)");
    attempt.totp.as_ref().map(|seed| Authenticator::new(seed).ok_or(unusable)).transpose()
}

/// A browser that has ended may have said why.
fn explain(failed: Failed, pipe: &Pipe, browser: &Browser) -> Failed {
    match failed {
        Failed::BrowserFailed(_) if pipe.is_closed() => Failed::BrowserFailed(browser.last_words()),
        other => other,
    }
}

/// Asked to, a browser cleans up behind itself; not asked for long, it is killed.
async fn end(pipe: Pipe, browser: Browser) {
    let farewell = async {
        let _ = pipe.call(None, Command::new("Browser.close", serde_json::json!({}))).await;
        pipe.closed().await;
    };
    let _ = timeout(FAREWELL, farewell).await;
    drop(pipe);
    browser.end().await;
}

/// An attempt whose browser runs.
struct Course<'a, H> {
    attempt: &'a Attempt,
    host: &'a H,
    memory: Memory,
}

impl<H: Host> Course<'_, H> {
    async fn run(
        &mut self,
        pipe: &Pipe,
        guard: Arc<Guard>,
        (goal, authenticator): (Goal, Option<Authenticator>),
    ) -> Result<(), Failed> {
        let tab = Tab::open(pipe, &self.attempt.selectors, guard).await?;
        self.host.step(Step::Page);
        self.memory = Memory::new(Duration::ZERO);
        tab.load(self.attempt).await?;
        let mut driver = Driver {
            page: &tab,
            host: self.host,
            password: &self.attempt.password,
            goal: &goal,
            memory: &mut self.memory,
            authenticator,
            given: None,
            asked: None,
            began: Instant::now(),
            unix,
        };
        driver.drive().await
    }
}

fn unix() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}
