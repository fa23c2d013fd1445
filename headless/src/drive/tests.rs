use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::time::timeout;

use super::*;
use crate::attempt::{Attempt, Mode};
use crate::login::log_in;

const ORIGIN: &str = "https://127.0.0.1:5055";

/// What the page's server does with a user after the password.
#[derive(Debug, Clone, Copy, PartialEq)]
enum After {
    Success,
    Error(&'static str),
    Push,
    Code { right: &'static str },
}

#[derive(Debug, Default)]
struct Fake {
    log: Vec<String>,
    paper: bool,
    username: String,
    password: String,
    code: String,
    sight: Sight,
}

/// A login page that is always what it should be.
struct FakePage {
    state: Mutex<Fake>,
    after: After,
}

impl FakePage {
    fn new(after: After) -> Self {
        let sight = Sight { origin: ORIGIN.into(), loaded: true, ..Sight::default() };
        Self { state: Mutex::new(Fake { sight, ..Fake::default() }), after }
    }

    fn sight(state: &Fake) -> Sight {
        let form = Sight {
            username: Some(state.username.clone()),
            password: Some(state.password.len()),
            submit: true,
            paper: Some(state.paper),
            ..state.sight.clone()
        };
        if state.sight.text.is_empty() && state.sight.panel.is_empty() {
            form
        } else {
            state.sight.clone()
        }
    }

    fn submitted(&self, state: &mut Fake) {
        let sight = &mut state.sight;
        match self.after {
            After::Success => sight.text = "Client login succeeds".into(),
            After::Error(text) => sight.error = Some(text.into()),
            After::Push => {
                sight.panel = "A notification has been sent".into();
                sight.notice = Some(sight.panel.clone());
                sight.resend = true;
            }
            After::Code { .. } => {
                sight.panel = "Security Code".into();
                sight.code = true;
            }
        }
    }
}

impl Page for FakePage {
    async fn look(&self) -> Result<Option<Sight>, Failed> {
        Ok(Some(Self::sight(&self.state.lock().unwrap())))
    }

    async fn click(&self, place: Place) -> Result<bool, Failed> {
        let mut state = self.state.lock().unwrap();
        state.log.push(format!("click {place:?}"));
        match place {
            Place::Switch => state.paper = !state.paper,
            Place::LoginSubmit => self.submitted(&mut state),
            Place::TotpSubmit => match self.after {
                After::Code { right } if state.code == right => {
                    state.sight.text = "Client login succeeds".into();
                }
                _ => state.sight.error = Some("failed".into()),
            },
            _ => {}
        }
        Ok(true)
    }

    async fn fill(&self, place: Place, text: &Secret) -> Result<(), Failed> {
        let mut state = self.state.lock().unwrap();
        state.log.push(format!("fill {place:?}"));
        let text = text.expose().to_owned();
        match place {
            Place::Username => state.username = text,
            Place::Password => state.password = text,
            _ => state.code = text,
        }
        Ok(())
    }

    async fn enter(&self) -> Result<(), Failed> {
        Ok(())
    }

    async fn choose(&self, _: usize) -> Result<(), Failed> {
        Ok(())
    }
}

#[derive(Default)]
struct FakeHost {
    forbidden: Option<Submission>,
    /// Given as soon as a step comes whose words begin so.
    answers: Mutex<VecDeque<(&'static str, Answer)>>,
    ready: Mutex<VecDeque<Answer>>,
    log: Mutex<Vec<String>>,
}

impl Host for FakeHost {
    async fn may(&self, submission: Submission) -> bool {
        self.log.lock().unwrap().push(format!("may {submission:?}"));
        self.forbidden != Some(submission)
    }

    fn step(&self, step: Step) {
        let words = format!("{step:?}");
        let mut answers = self.answers.lock().unwrap();
        if answers.front().is_some_and(|(begin, _)| words.starts_with(begin)) {
            let (_, answer) = answers.pop_front().unwrap();
            self.ready.lock().unwrap().push_back(answer);
        }
        self.log.lock().unwrap().push(words);
    }

    async fn answer(&self) -> Answer {
        let ready = self.ready.lock().unwrap().pop_front();
        match ready {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

fn code(text: &str) -> Answer {
    Answer::Code(Secret::new(text))
}

/// Logs in at a fake page; the outcome, what the host was told, and what was done to the page.
async fn drive(
    after: After,
    host: FakeHost,
    seed: Option<&str>,
) -> (Result<(), Failed>, Vec<String>, Vec<String>) {
    let goal = Goal {
        origin: ORIGIN.into(),
        mode: Mode::Paper,
        username: "me".into(),
        password_length: 6,
        has_seed: seed.is_some(),
        push_limit: Duration::from_secs(180),
    };
    let page = FakePage::new(after);
    let mut memory = Memory::new(Duration::ZERO);
    let mut driver = Driver {
        page: &page,
        host: &host,
        password: &Secret::new("canary"),
        goal: &goal,
        memory: &mut memory,
        authenticator: seed.map(|seed| Authenticator::new(&Secret::new(seed)).unwrap()),
        given: None,
        asked: None,
        began: Instant::now(),
        unix: || 1_234_567_890,
    };
    let outcome = timeout(Duration::from_secs(300), driver.drive()).await;
    let outcome = outcome.unwrap_or(Err(Failed::BrowserFailed("too long".into())));
    let done = page.state.into_inner().unwrap().log;
    (outcome, host.log.into_inner().unwrap(), done)
}

#[tokio::test(start_paused = true)]
async fn a_password_is_typed_after_the_switch_and_the_permission() {
    let (outcome, told, done) = drive(After::Success, FakeHost::default(), None).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(told, ["may Password", "Password", "Succeeded"]);
    assert_eq!(done, ["click Switch", "fill Username", "fill Password", "click LoginSubmit"]);
}

#[tokio::test(start_paused = true)]
async fn without_permission_nothing_is_typed() {
    let host = FakeHost { forbidden: Some(Submission::Password), ..FakeHost::default() };
    let (outcome, told, done) = drive(After::Success, host, None).await;
    assert_eq!(outcome, Err(Failed::Held));
    assert_eq!((told.len(), done), (1, vec!["click Switch".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_sent_once() {
    let (outcome, _, done) = drive(After::Error("failed"), FakeHost::default(), None).await;
    assert_eq!(outcome, Err(Failed::WrongCredentials("failed".into())));
    assert_eq!(done.iter().filter(|line| *line == "click LoginSubmit").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_seed_gives_the_code_without_a_person() {
    // RFC 6238's seed and one of its moments.
    let seed = Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    let (outcome, told, _) =
        drive(After::Code { right: "005924" }, FakeHost::default(), seed).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(told, ["may Password", "Password", "may Code", "CodeGiven", "Succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_code_of_a_seed_is_not_sent_again_in_its_window() {
    let seed = Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    // The clock stands still here, so there is no other window.
    let (outcome, told, _) = drive(After::Code { right: "no" }, FakeHost::default(), seed).await;
    assert_eq!(outcome, Err(Failed::BrowserFailed("too long".into())));
    assert_eq!(told.iter().filter(|line| *line == "may Code").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_is_asked_for_codes_and_may_err_once() {
    let answers = [
        ("CodeWanted", code("12 34")),
        ("CodeUnusable", code("111111")),
        ("CodeWanted", code("222 222")),
    ];
    let host = FakeHost { answers: Mutex::new(answers.into()), ..FakeHost::default() };
    let (outcome, told, _) = drive(After::Code { right: "222222" }, host, None).await;
    assert_eq!(outcome, Ok(()));
    let expected = [
        "may Password",
        "Password",
        "CodeWanted(Totp)",
        "CodeUnusable(\"a code has 6 to 8 digits\")",
        "may Code",
        "CodeGiven",
        "CodeWanted(Totp)",
        "may Code",
        "CodeGiven",
        "Succeeded",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_code_without_permission_is_not_sent() {
    let answers = [("CodeWanted", code("222222"))];
    let forbidden = Some(Submission::Code);
    let host = FakeHost { answers: Mutex::new(answers.into()), forbidden, ..FakeHost::default() };
    let (outcome, _, done) = drive(After::Code { right: "222222" }, host, None).await;
    assert_eq!(outcome, Err(Failed::Held));
    assert!(!done.contains(&"fill TotpInput".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_push_can_be_sent_again_and_given_up() {
    let answers = [("Push { resent: 0", Answer::Resend), ("Push { resent: 1", Answer::Cancel)];
    let host = FakeHost { answers: Mutex::new(answers.into()), ..FakeHost::default() };
    let (outcome, told, done) = drive(After::Push, host, None).await;
    assert_eq!(outcome, Err(Failed::Cancelled));
    assert_eq!(told[2..], ["Push { resent: 0 }", "may Push", "Push { resent: 1 }"]);
    assert_eq!(done.last().unwrap(), "click Resend");
}

#[tokio::test(start_paused = true)]
async fn a_push_that_nobody_approves_expires() {
    let (outcome, ..) = drive(After::Push, FakeHost::default(), None).await;
    assert_eq!(outcome, Err(Failed::PushExpired));
}

#[tokio::test]
async fn what_cannot_work_is_not_begun() {
    let attempt = Attempt {
        url: "http://127.0.0.1:5055/".into(),
        spki_sha256: [0; 32],
        username: "me".into(),
        password: Secret::new("canary"),
        totp: None,
        mode: Mode::Live,
        selectors: crate::Selectors::default(),
        browser: None,
        scratch: "/nonexistent".into(),
        limit: Duration::from_secs(1),
        push_limit: Duration::from_secs(1),
    };
    let seed = Some(Secret::new("not base 32!"));
    for attempt in [
        attempt.clone(),
        Attempt {
            url: "https://127.0.0.1:5055/".into(),
            password: Secret::new(""),
            ..attempt.clone()
        },
        Attempt { url: "https://127.0.0.1:5055/".into(), totp: seed, ..attempt },
    ] {
        let host = FakeHost::default();
        let failed = log_in(&attempt, &host).await.unwrap_err();
        assert!(matches!(failed, Failed::Unusable(_)), "{failed:?}");
        assert!(host.log.lock().unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_may_come_before_it_is_asked_for() {
    let answers = [("Password", code("222222"))];
    let host = FakeHost { answers: Mutex::new(answers.into()), ..FakeHost::default() };
    let (outcome, told, _) = drive(After::Code { right: "222222" }, host, None).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(told, ["may Password", "Password", "may Code", "CodeGiven", "Succeeded"]);
}
