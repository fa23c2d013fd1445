//! `ibctl orders`, `approve`, `deny`, `unfreeze` and `audit`, without a terminal.

use ibd_protocol::states;
use ibd_protocol::{
    ApprovalReport, AuditLine, OrderReport, OrdersReport, OrdersVerb, Resolution, Status, ToClient,
    ToDaemon,
};
use serde_json::json;

use crate::daemon::Daemon;
use crate::{ctl, ctl_with, json_of, stderr, stdout};

pub(crate) fn approval(id: &str) -> ApprovalReport {
    ApprovalReport {
        id: id.into(),
        intent_id: format!("intent of {id}"),
        account: "U7654321".into(),
        paper: false,
        lines: vec!["BUY 10 AAPL".into(), "LMT 200.00 USD, DAY".into()],
        questions: vec!["Do you really want this?".into()],
        client: "claude-code".into(),
        digest: format!("digest of {id}"),
        asked_at: "2026-11-23T07:30:00Z".into(),
        expires_at: "2026-11-23T07:35:00Z".into(),
        age_seconds: 42,
    }
}

pub(crate) fn parked(intent: &str) -> OrderReport {
    OrderReport {
        intent_id: intent.into(),
        client_order_id: format!("ibd{intent}"),
        order_id: None,
        account: "U7654321".into(),
        state: states::Order::Parked.into(),
        text: "SELL 5 MSFT LMT 400.00 USD, DAY".into(),
        client: "codex".into(),
        since: "2026-11-23T07:30:00Z".into(),
        reason: Some("IBKR did not answer.".into()),
        hint: "Look in Client Portal.".into(),
        ..Default::default()
    }
}

pub(crate) fn report(approvals: Vec<ApprovalReport>) -> OrdersReport {
    OrdersReport {
        ok: true,
        text: "Trading is open.".into(),
        trading: states::Trading::Open.into(),
        approvals,
        ..Default::default()
    }
}

/// Lists this, and does whatever it is told.
pub(crate) fn daemon(list: OrdersReport) -> Daemon {
    answering(list, true)
}

fn answering(list: OrdersReport, ok: bool) -> Daemon {
    Daemon::start(move |message| match message {
        ToDaemon::Orders(id, OrdersVerb::List) => {
            vec![ToClient::Orders(*id, Box::new(list.clone()))]
        }
        ToDaemon::Orders(id, _) => {
            let text = if ok { "It was done." } else { "It was not done." };
            let (text, hint) = (text.to_owned(), if ok { "" } else { "Do this." }.to_owned());
            let report = OrdersReport { ok, text, hint, ..Default::default() };
            vec![ToClient::Orders(*id, Box::new(report))]
        }
        _ => Vec::new(),
    })
}

/// What was said about orders.
pub(crate) fn verbs(daemon: &Daemon) -> Vec<OrdersVerb> {
    let heard = daemon.heard().into_iter();
    heard
        .filter_map(|m| if let ToDaemon::Orders(_, verb) = m { Some(verb) } else { None })
        .collect()
}

#[tokio::test]
async fn the_whole_order_is_shown_and_exactly_its_digest_is_approved() {
    let daemon = daemon(report(vec![approval("a1"), approval("a2")]));
    let output = ctl(&daemon, &["approve", "a2", "--yes"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = stdout(&output);
    for part in [
        "U7654321 (LIVE",
        "claude-code",
        "BUY 10 AAPL",
        "LMT 200.00 USD, DAY",
        "Do you really want this?",
        "42 s ago",
        "Expires   Mon 23 Nov 2026, 07:35 UTC",
        "digest of a2",
        "It was done.",
    ] {
        assert!(told.contains(part), "{part:?} in {told}");
    }
    let approve = OrdersVerb::Approve { id: "a2".into(), digest: "digest of a2".into(), pin: None };
    assert_eq!(verbs(&daemon), [OrdersVerb::List, approve]);
}

#[tokio::test]
async fn the_only_one_that_waits_needs_no_id() {
    let daemon = daemon(report(vec![approval("a1")]));
    let output = ctl(&daemon, &["approve", "--yes", "--json"]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{output:?}");
    let said = json_of(&output);
    assert_eq!((&said["ok"], &said["text"]), (&json!(true), &json!("It was done.")));
    assert_eq!(said["approval"]["lines"], json!(["BUY 10 AAPL", "LMT 200.00 USD, DAY"]));
    assert_eq!(verbs(&daemon).len(), 2);
}

#[tokio::test]
async fn without_a_terminal_nobody_says_yes() {
    let daemon = daemon(report(vec![approval("a1")]));
    let output = ctl_with(&daemon, &["approve"], "y\n").await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("no terminal") && stderr(&output).contains("--yes"));
    assert_eq!(verbs(&daemon), [OrdersVerb::List]);
}

#[tokio::test]
async fn a_pin_comes_from_a_terminal_or_not_at_all() {
    let mut list = report(vec![approval("a1")]);
    list.needs_pin = true;
    let daemon = daemon(list);
    for arguments in [&["approve", "--yes"][..], &["approve", "a1"], &["unfreeze"]] {
        let mut command = daemon.command(env!("CARGO_BIN_EXE_ibctl"));
        let output = command.args(arguments).env("IB_APPROVAL_PIN", "2468").output().await.unwrap();
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        assert!(stderr(&output).contains("PIN"), "{output:?}");
        assert!(!stderr(&output).contains("2468"), "{output:?}");
        assert_eq!(ctl_with(&daemon, arguments, "2468\n").await.status.code(), Some(4));
    }
    assert!(verbs(&daemon).iter().all(|verb| *verb == OrdersVerb::List));
    assert_eq!(ctl(&daemon, &["approve", "--pin", "2468"]).await.status.code(), Some(2));
    assert_eq!(ctl(&daemon, &["unfreeze", "2468"]).await.status.code(), Some(2));
}

#[tokio::test]
async fn which_one_is_meant_is_not_guessed() {
    let several = daemon(report(vec![approval("a1"), approval("a2")]));
    let output = ctl(&several, &["approve", "--yes"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = stdout(&output);
    assert!(told.contains("a1") && told.contains("a2") && told.contains("BUY 10 AAPL"), "{told}");
    let said = json_of(&ctl(&several, &["approve", "--yes", "--json"]).await);
    assert_eq!(said["approvals"][1]["id"], "a2");
    let output = ctl(&several, &["approve", "a3", "--yes"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("a1, a2"), "{output:?}");
    assert!(verbs(&several).iter().all(|verb| *verb == OrdersVerb::List));
    let none = daemon(report(Vec::new()));
    for arguments in [&["approve", "--yes"][..], &["approve", "a1", "--yes"]] {
        let output = ctl(&none, arguments).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(stderr(&output).contains("no order waits"), "{output:?}");
    }
}

#[tokio::test]
async fn the_daemons_no_is_1_and_says_what_to_do() {
    let mut list = report(vec![approval("a1")]);
    list.orders = vec![parked("I1")];
    let daemon = answering(list, false);
    for arguments in [
        &["approve", "--yes"][..],
        &["deny", "a1"],
        &["unfreeze"],
        &["audit"],
        &["audit", "verify"],
        &["orders", "resolve", "I1", "--not-placed", "--yes"],
    ] {
        let output = ctl(&daemon, arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?} {output:?}");
        assert!(stderr(&output).contains("It was not done."), "{output:?}");
        assert!(stderr(&output).contains("Do this."), "{output:?}");
        let output = ctl(&daemon, &[arguments, &["--json"]].concat()).await;
        let said = json_of(&output);
        assert_eq!((&said["ok"], &said["hint"]), (&json!(false), &json!("Do this.")));
        assert_eq!(said["error"], "It was not done.");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_a_no() {
    let list = report(vec![approval("a1")]);
    let asked = std::sync::atomic::AtomicBool::default();
    let daemon = Daemon::start(move |message| match message {
        ToDaemon::Orders(id, OrdersVerb::List) => {
            vec![ToClient::Orders(*id, Box::new(list.clone()))]
        }
        // This one ends the connection: it cannot be written.
        ToDaemon::Orders(..) if !asked.swap(true, std::sync::atomic::Ordering::SeqCst) => {
            vec![ToClient::OpenPage("x".repeat(16 << 20))]
        }
        _ => Vec::new(),
    });
    let output = ctl(&daemon, &["approve", "--yes", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = json_of(&output);
    assert!(said["error"].as_str().unwrap().contains("not known"), "{said}");
    assert_eq!(said["approval"]["id"], "a1");
}

#[tokio::test]
async fn no_needs_no_question() {
    let daemon = daemon(report(vec![approval("a1")]));
    let output = ctl(&daemon, &["deny", "a1"]).await;
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), "It was done.\n".to_owned()));
    assert_eq!(verbs(&daemon), [OrdersVerb::Deny("a1".into())]);
    let said = json_of(&ctl(&daemon, &["deny", "a1", "--json"]).await);
    assert_eq!(said["ok"], true);
}

#[tokio::test]
async fn without_a_pin_unfreezing_asks_nothing() {
    let daemon = daemon(report(Vec::new()));
    let output = ctl(&daemon, &["unfreeze", "--json"]).await;
    assert_eq!(json_of(&output)["text"], "It was done.");
    assert_eq!(verbs(&daemon), [OrdersVerb::List, OrdersVerb::Unfreeze { pin: None }]);
}

#[tokio::test]
async fn orders_are_listed_with_what_needs_a_person_first() {
    let mut list = report(vec![approval("a1")]);
    let working = OrderReport {
        order_id: Some("987".into()),
        state: states::Order::Working.into(),
        reason: None,
        hint: String::new(),
        ..parked("I2")
    };
    list.orders = vec![parked("I1"), working];
    let daemon = daemon(list);
    let output = ctl(&daemon, &["orders"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = stdout(&output);
    let at = |what: &str| told.find(what).unwrap_or_else(|| panic!("{what} in {told}"));
    assert!(at("I1") < at("a1") && at("a1") < at("I2"), "{told}");
    assert!(told.contains("987") && told.contains("Look in Client Portal."), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
    let said = json_of(&ctl(&daemon, &["orders", "--json"]).await);
    assert_eq!(said["trading"], "open");
    assert_eq!(said["elsewhere"], json!([]), "the daemon says that it knows of none");
    assert_eq!(said["orders"][0]["intentId"], "I1");
    assert_eq!(said["approvals"][0]["expiresAt"], "2026-11-23T07:35:00Z");
}

#[tokio::test]
async fn an_order_in_doubt_is_settled_by_what_a_person_found() {
    let mut list = report(Vec::new());
    list.orders = vec![parked("I1")];
    let daemon = daemon(list);
    let resolve = |more: &[&'static str]| [&["orders", "resolve"], more].concat();
    let output = ctl(&daemon, &resolve(&["I1", "--placed", "987", "--yes"])).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).contains("SELL 5 MSFT"), "{output:?}");
    let output = ctl(&daemon, &resolve(&["I1", "--not-placed", "--yes", "--json"])).await;
    assert_eq!(json_of(&output)["ok"], true);
    let told: Vec<OrdersVerb> =
        verbs(&daemon).into_iter().filter(|verb| *verb != OrdersVerb::List).collect();
    let expected = [Resolution::Placed("987".into()), Resolution::NotPlaced];
    assert_eq!(
        told,
        expected.map(|found| OrdersVerb::Resolve { id: "I1".into(), found, pin: None })
    );
    let before = verbs(&daemon).len();
    let output = ctl_with(&daemon, &resolve(&["I1", "--not-placed"]), "y\n").await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("no terminal"), "{output:?}");
    assert_eq!(verbs(&daemon).len(), before, "nothing was sent");
    let output = ctl(&daemon, &resolve(&["I9", "--not-placed", "--yes"])).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("I1"), "{output:?}");
}

#[tokio::test]
async fn the_audit_trail_is_shown_and_checked() {
    let line = AuditLine {
        seq: 7,
        at: "2026-11-23T07:30:05Z".into(),
        what: "approved".into(),
        intent_id: Some("I1".into()),
        client: None,
        text: "A person approved it.".into(),
        hash: "abc".into(),
    };
    let daemon = Daemon::start(move |message| match message {
        ToDaemon::Orders(id, verb) => {
            let (ok, text) = match verb {
                OrdersVerb::AuditVerify => (false, "Entry 7 was changed.".to_owned()),
                _ => (true, String::new()),
            };
            let audit = vec![line.clone()];
            let report = OrdersReport { ok, text, audit, ..Default::default() };
            vec![ToClient::Orders(*id, Box::new(report))]
        }
        _ => Vec::new(),
    });
    let output = ctl(&daemon, &["audit"]).await;
    let expected = "SEQ  TIME                 WHAT      INTENT  TEXT\n\
        7    2026-11-23 07:30:05  approved  I1      A person approved it.\n";
    assert_eq!(stdout(&output), expected);
    let said = json_of(&ctl(&daemon, &["audit", "-n", "3", "--json"]).await);
    assert_eq!((&said["audit"][0]["seq"], &said["audit"][0]["hash"]), (&json!(7), &json!("abc")));
    // With a filter all that is given is looked through.
    let of = async |arguments: &[&'static str]| {
        let said = json_of(&ctl(&daemon, &[&["audit", "--json"], arguments].concat()).await);
        said["audit"].as_array().unwrap().len()
    };
    assert_eq!(of(&["--order", "I1"]).await, 1);
    assert_eq!(of(&["--order", "I2"]).await, 0);
    assert_eq!(of(&["--day", "2026-11-23"]).await, 1);
    assert_eq!(of(&["--since", "2026-11-24"]).await, 0);
    assert_eq!(of(&["--client", "codex"]).await, 0);
    let output = ctl(&daemon, &["audit", "--json", "verify"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("Entry 7 was changed."), "{output:?}");
    let all = || OrdersVerb::Audit(10_000);
    let expected = [
        OrdersVerb::Audit(50),
        OrdersVerb::Audit(3),
        all(),
        all(),
        all(),
        all(),
        all(),
        OrdersVerb::AuditVerify,
    ];
    assert_eq!(verbs(&daemon), expected);
}

#[tokio::test]
async fn what_is_misspelled_is_2_and_says_nothing_to_the_daemon() {
    let daemon = daemon(report(vec![approval("a1")]));
    for bad in [
        &["orders", "resolve", "I1"][..],
        &["orders", "resolve", "I1", "--not-placed", "--placed", "1"],
        &["orders", "resolve", "I1", "--placed", ""],
        &["orders", "resolve", "--not-placed"],
        &["orders", "list"],
        &["approve", ""],
        &["approve", "a1", "a2"],
        &["deny"],
        &["freeze", "--cancel"],
        &["audit", "-n", "0"],
        &["audit", "-n", "3", "verify"],
        &["audit", "--client", "codex", "verify"],
        &["audit", "--day", "soon"],
        &["audit", "--day", "today", "--since", "2h"],
        &["status", "--watch", "--json"],
        &["logs", "--follow", "--json"],
        &["audit", "check"],
    ] {
        let output = ctl(&daemon, bad).await;
        assert_eq!(output.status.code(), Some(2), "{bad:?} {output:?}");
    }
    assert!(daemon.heard().is_empty());
}

pub(crate) fn with_status(change: impl FnOnce(&mut Status)) -> Daemon {
    let mut status = crate::doctor::status(5000);
    status.session.state = states::Session::Ready.into();
    status.trading.state = states::Trading::Open.into();
    status.trading.protection = "live_approval".into();
    status.trading.text = "Orders go through.".into();
    change(&mut status);
    Daemon::start(move |message| match message {
        ToDaemon::Status(id) => vec![ToClient::Status(*id, Box::new(status.clone()))],
        _ => Vec::new(),
    })
}

#[tokio::test]
async fn clients_are_listed_with_what_they_may() {
    let client = ibd_protocol::ClientStatus { name: "codex".into(), read_only: true, calls: 3 };
    let daemon = with_status(move |status| status.clients = vec![client]);
    let told = stdout(&ctl(&daemon, &["clients"]).await);
    assert_eq!(told, "CLIENT  MAY        CALLS\ncodex   read only  3\n");
    let said = json_of(&ctl(&daemon, &["clients", "--json"]).await);
    assert_eq!(said["clients"], json!([{ "name": "codex", "readOnly": true, "calls": 3 }]));
}

#[tokio::test]
async fn the_status_is_4_while_orders_wait_for_a_person() {
    let output = ctl(&with_status(|_| {}), &["status"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = stdout(&output);
    assert!(told.contains("Trading   open (live approval)\n"), "{told}");
    assert!(!told.contains("Orders    "), "{told}");
    let waiting = with_status(|status| status.trading.waiting = 1);
    let in_doubt = with_status(|status| status.trading.in_doubt = 2);
    let frozen = with_status(|status| status.trading.state = states::Trading::Frozen.into());
    for (daemon, says) in [
        (&waiting, "Orders    1 waits for your approval"),
        (&in_doubt, "Orders    2 in doubt"),
        (&frozen, "Trading   frozen"),
    ] {
        let output = ctl(daemon, &["status"]).await;
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        assert!(stdout(&output).contains(says), "{output:?}");
    }
    let output = ctl(&in_doubt, &["status", "--json"]).await;
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(json_of(&output)["trading"]["inDoubt"], 2);
}
