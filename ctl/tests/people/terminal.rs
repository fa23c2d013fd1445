//! A terminal, and a person who types at it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ibd_protocol::{ApprovalReport, OrdersVerb, Resolution, Secret};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::process::Child;

use crate::daemon::Daemon;
use crate::orders::{approval, daemon, parked, report, verbs};

struct Terminal {
    keyboard: File,
    screen: Arc<Mutex<String>>,
    child: Child,
}

impl Terminal {
    /// `ibctl` in a session whose terminal this is.
    fn run(daemon: &Daemon, arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
        let master = master.unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let end = || File::options().read(true).write(true).open(&name).unwrap();
        let mut command = daemon.command("setsid");
        command.args(["-c", env!("CARGO_BIN_EXE_ibctl")]).args(arguments).env("TZ", "UTC");
        command.stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().unwrap();
        let screen = Arc::<Mutex<String>>::default();
        watch(master.try_clone().unwrap(), screen.clone());
        Self { keyboard: File::from(master), screen, child }
    }

    fn shows(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// Waits until it is on the screen.
    async fn sees(&self, text: &str) {
        for _ in 0..500 {
            if self.shows().contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{text:?} is not shown: {}", self.shows());
    }

    fn types(&mut self, line: &str) {
        self.keyboard.write_all(line.as_bytes()).unwrap();
    }

    async fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().await.unwrap().code()
    }
}

fn watch(master: OwnedFd, screen: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let (mut master, mut bytes) = (File::from(master), [0; 4096]);
        while let Ok(length @ 1..) = master.read(&mut bytes) {
            screen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    });
}

#[tokio::test]
async fn nothing_is_approved_unless_a_person_says_yes() {
    for answer in ["\n", "n\n", "\u{4}"] {
        let daemon = daemon(report(vec![approval("a1")]));
        let mut terminal = Terminal::run(&daemon, &["approve"]);
        terminal.sees("Approve? [y/N]").await;
        terminal.types(answer);
        assert_eq!(terminal.exit_code().await, Some(4), "{}", terminal.shows());
        terminal.sees("It still waits").await;
        assert_eq!(verbs(&daemon), [OrdersVerb::List]);
    }
}

#[tokio::test]
async fn the_order_stands_above_the_question_and_the_pin_is_not_shown() {
    let pinned = |approval: ApprovalReport| {
        let mut report = report(vec![approval]);
        report.needs_pin = true;
        report
    };
    for (arguments, asks) in [(&["approve", "a1"][..], true), (&["approve", "--yes"], false)] {
        let daemon = daemon(pinned(approval("a1")));
        let mut terminal = Terminal::run(&daemon, arguments);
        if asks {
            terminal.sees("Approve? [y/N]").await;
            terminal.types("y\n");
        }
        terminal.sees("PIN (not shown):").await;
        for line in ["BUY 10 AAPL", "LMT 200.00 USD, DAY", "Do you really want this?"] {
            terminal.sees(line).await;
        }
        terminal.types("2468\n");
        assert_eq!(terminal.exit_code().await, Some(0), "{}", terminal.shows());
        terminal.sees("It was done.").await;
        assert!(!terminal.shows().contains("2468"), "{}", terminal.shows());
        let pin = Some(Secret::new("2468"));
        let approve = OrdersVerb::Approve { id: "a1".into(), digest: "digest of a1".into(), pin };
        assert_eq!(verbs(&daemon), [OrdersVerb::List, approve]);
    }
}

#[tokio::test]
async fn a_watched_status_is_drawn_in_its_place_until_ctrl_c() {
    let daemon = crate::orders::with_status(|_| {});
    let mut terminal = Terminal::run(&daemon, &["status", "--watch"]);
    terminal.sees("Every 2 s; Ctrl-C ends it.").await;
    // Up to its first line, and everything below it anew.
    terminal.sees("A\r\x1b[J").await;
    terminal.types("\u{3}");
    assert_eq!(terminal.exit_code().await, Some(0), "{}", terminal.shows());
}

#[tokio::test]
async fn with_json_the_question_is_beside_the_one_object() {
    let daemon = daemon(report(vec![approval("a1")]));
    let mut terminal = Terminal::run(&daemon, &["approve", "--json"]);
    terminal.sees("BUY 10 AAPL").await;
    terminal.sees("Approve? [y/N]").await;
    terminal.types("yes\n");
    assert_eq!(terminal.exit_code().await, Some(0), "{}", terminal.shows());
    terminal.sees(r#""text":"It was done.""#).await;
}

#[tokio::test]
async fn unfreezing_takes_the_pin() {
    let mut list = report(Vec::new());
    list.needs_pin = true;
    let daemon = daemon(list);
    let mut terminal = Terminal::run(&daemon, &["unfreeze"]);
    terminal.sees("PIN (not shown):").await;
    terminal.types("1357\n");
    assert_eq!(terminal.exit_code().await, Some(0), "{}", terminal.shows());
    let unfreeze = OrdersVerb::Unfreeze { pin: Some(Secret::new("1357")) };
    assert_eq!(verbs(&daemon), [OrdersVerb::List, unfreeze]);
}

#[tokio::test]
async fn settling_an_order_takes_the_pin_whatever_was_said_yes_to() {
    let mut list = report(Vec::new());
    list.orders = vec![parked("I1")];
    list.needs_pin = true;
    let daemon = daemon(list);
    let mut terminal =
        Terminal::run(&daemon, &["orders", "resolve", "I1", "--not-placed", "--yes"]);
    terminal.sees("PIN (not shown):").await;
    terminal.types("1357\n");
    assert_eq!(terminal.exit_code().await, Some(0), "{}", terminal.shows());
    let pin = Some(Secret::new("1357"));
    let resolve = OrdersVerb::Resolve { id: "I1".into(), found: Resolution::NotPlaced, pin };
    assert_eq!(verbs(&daemon), [OrdersVerb::List, resolve]);
}

#[tokio::test]
async fn an_order_in_doubt_is_settled_only_after_a_yes() {
    for (answer, code, count) in [("\n", 4, 1), ("y\n", 0, 2)] {
        let mut list = report(Vec::new());
        list.orders = vec![parked("I1")];
        let daemon = daemon(list);
        let mut terminal = Terminal::run(&daemon, &["orders", "resolve", "I1", "--not-placed"]);
        terminal.sees("SELL 5 MSFT").await;
        terminal.sees("Record that IBKR never had this order? [y/N]").await;
        terminal.types(answer);
        assert_eq!(terminal.exit_code().await, Some(code), "{}", terminal.shows());
        assert_eq!(verbs(&daemon).len(), count);
    }
}
