//! One login, by hand or by a script: prints each step, reads answers.
//!
//! ```text
//! login --url https://127.0.0.1:5055/ --certificate gateway.der --user NAME [--paper] [--totp]
//!       [--browser PATH] [--scratch FOLDER] [--limit SECONDS] [--push-limit SECONDS] [--may COUNT]
//!       [--set IB_SELECTOR_…=CSS]… [--drop-after SECONDS]
//! ```
//!
//! Standard input: the password on the first line, with `--totp` the seed on the second, then one
//! answer on each line: `code 123456`, `resend`, `cancel`. `--may` allows so many submissions;
//! `--drop-after` leaves the attempt alone in the middle, as a daemon does that stops. Exit code 0 if
//! the page reports success, else 1 with the reason on the last line.
//!
//! The certificate: `openssl s_client -connect 127.0.0.1:5055 </dev/null | openssl x509 -outform der`.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::BufRead;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use ibd_headless::{Answer, Attempt, Host, Mode, Selectors, Step, Submission, log_in, spki_sha256};
use ibd_protocol::Secret;
use tokio::sync::{Mutex, mpsc};

struct Terminal {
    began: Instant,
    allowed: AtomicI64,
    answers: Mutex<mpsc::UnboundedReceiver<Answer>>,
}

impl Terminal {
    fn say(&self, what: &str) {
        println!("{:6} ms  {what}", self.began.elapsed().as_millis());
    }
}

impl Host for Terminal {
    async fn may(&self, submission: Submission) -> bool {
        let may = self.allowed.fetch_sub(1, Ordering::Relaxed) > 0;
        self.say(&format!("may {submission:?}: {may}"));
        may
    }

    fn step(&self, step: Step) {
        self.say(&format!("{step:?}"));
    }

    async fn answer(&self) -> Answer {
        match self.answers.lock().await.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Asked { attempt, allowed, drop_after } = arguments()?;
    let host =
        Terminal { began: Instant::now(), allowed: allowed.into(), answers: answers().into() };
    let Ok(outcome) = tokio::time::timeout(drop_after, log_in(&attempt, &host)).await else {
        host.say("dropped");
        std::process::exit(1);
    };
    match outcome {
        Ok(()) => host.say("logged in"),
        Err(ref failed) => {
            host.say(&format!("{failed:?}"));
            println!("{failed}");
        }
    }
    // Standard input may still be open, and its thread would be waited for.
    std::process::exit(i32::from(outcome.is_err()));
}

struct Asked {
    attempt: Attempt,
    allowed: i64,
    drop_after: Duration,
}

fn arguments() -> Result<Asked, Box<dyn Error>> {
    let (mut totp, mut allowed, mut drop_after) = (false, 10, Duration::MAX);
    let mut attempt = Attempt {
        url: String::new(),
        spki_sha256: [0; 32],
        username: String::new(),
        password: Secret::new(""),
        totp: None,
        mode: Mode::Live,
        selectors: Selectors::default(),
        browser: None,
        scratch: std::env::temp_dir().join("ibd-login"),
        limit: Duration::from_secs(300),
        push_limit: Duration::from_secs(180),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--url" => attempt.url = value()?,
            "--certificate" => {
                attempt.spki_sha256 =
                    spki_sha256(&std::fs::read(value()?)?).ok_or("not a certificate")?;
            }
            "--user" => attempt.username = value()?,
            "--paper" => attempt.mode = Mode::Paper,
            "--totp" => totp = true,
            "--browser" => attempt.browser = Some(value()?.into()),
            "--scratch" => attempt.scratch = value()?.into(),
            "--limit" => attempt.limit = Duration::from_secs(value()?.parse()?),
            "--push-limit" => attempt.push_limit = Duration::from_secs(value()?.parse()?),
            "--drop-after" => drop_after = Duration::from_secs(value()?.parse()?),
            "--may" => allowed = value()?.parse()?,
            "--set" => {
                let pair = value()?;
                let (variable, selector) = pair.split_once('=').ok_or("--set VARIABLE=CSS")?;
                if !attempt.selectors.set(variable, selector) {
                    return Err(format!("{variable} is no selector").into());
                }
            }
            other => return Err(format!("unknown: {other}").into()),
        }
    }
    attempt.password = secret()?;
    attempt.totp = totp.then(secret).transpose()?;
    Ok(Asked { attempt, allowed, drop_after })
}

fn secret() -> std::io::Result<Secret> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

fn answers() -> mpsc::UnboundedReceiver<Answer> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let answer = match line.split_once(' ').unwrap_or((line.as_str(), "")) {
                ("code", code) => Answer::Code(Secret::new(code)),
                ("resend", _) => Answer::Resend,
                ("cancel", _) => Answer::Cancel,
                _ => continue,
            };
            if sender.send(answer).is_err() {
                return;
            }
        }
    });
    receiver
}
