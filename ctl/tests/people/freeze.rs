//! `ibctl freeze`.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use ibd_protocol::socket::Listener;
use ibd_protocol::{OrdersReport, OrdersVerb, ToClient, ToDaemon};
use serde_json::json;

use crate::daemon::Daemon;
use crate::orders::verbs;
use crate::{ctl, json_of, stderr, stdout};

const FLAG: &str = "state/ibd/default/FROZEN";

fn is_frozen(daemon: &Daemon) -> bool {
    daemon.path(FLAG).is_file()
}

fn obeying(ok: bool) -> Daemon {
    Daemon::start(move |message| match message {
        ToDaemon::Orders(id, _) => {
            let (text, hint) = ("So it went.".to_owned(), "Do this.".to_owned());
            let report = OrdersReport { ok, text, hint, ..Default::default() };
            vec![ToClient::Orders(*id, Box::new(report))]
        }
        _ => Vec::new(),
    })
}

#[tokio::test]
async fn without_a_daemon_the_next_one_stays_frozen() {
    let daemon = Daemon::absent();
    std::fs::remove_dir_all(daemon.path("state")).unwrap();
    let output = ctl(&daemon, &["freeze"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).contains("No daemon runs; the next one stays frozen"), "{output:?}");
    let flag = daemon.path(FLAG);
    let text = std::fs::read_to_string(&flag).unwrap();
    let (moment, by) = text.trim_end().split_once(' ').unwrap();
    assert!(moment.parse::<jiff::Timestamp>().is_ok() && by == "ibctl freeze", "{text}");
    assert_eq!(text.lines().count(), 1);
    assert_eq!(flag.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(!daemon.path("state/ibd/default/ibd.lock").exists(), "nothing was started");
    let output = ctl(&daemon, &["freeze", "--json"]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let said = json_of(&output);
    assert_eq!(
        (&said["frozen"], &said["told"], &said["daemon"], &said["durable"]),
        (&json!(true), &json!(false), &json!("absent"), &json!(true))
    );
    let status = ctl(&daemon, &["status"]).await;
    assert_eq!(status.status.code(), Some(3));
    assert!(stdout(&status).contains("Trading is frozen"), "{status:?}");
    assert_eq!(json_of(&ctl(&daemon, &["status", "--json"]).await)["trading"]["state"], "frozen");
}

#[tokio::test]
async fn each_profile_has_its_own_flag_and_one_above_them_is_for_all() {
    let daemon = Daemon::absent();
    ctl(&daemon, &["freeze", "--profile", "paper"]).await;
    assert!(daemon.path("state/ibd/paper/FROZEN").exists() && !is_frozen(&daemon));
    assert!(daemon.path("state/ibd/FROZEN").exists(), "the account is the same");
    let status = ctl(&daemon, &["status"]).await;
    assert!(stdout(&status).contains("Trading is frozen"), "{status:?}");
}

#[tokio::test]
async fn nobody_cancels_without_a_daemon_and_that_is_said() {
    let daemon = Daemon::absent();
    let output = ctl(&daemon, &["freeze", "--cancel-all", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = json_of(&output);
    assert_eq!((&said["frozen"], &said["told"]), (&json!(true), &json!(false)));
    assert!(said["error"].as_str().unwrap().contains("nothing was cancelled"), "{said}");
    let hint = said["hint"].as_str().unwrap();
    assert!(hint.contains("ibctl restart") && hint.contains("TWS"), "{hint}");
    assert!(is_frozen(&daemon));
}

#[tokio::test]
async fn a_daemon_that_runs_is_told_after_the_flag_is_up() {
    for cancel_all in [false, true] {
        let daemon = obeying(true);
        let arguments: &[&str] = if cancel_all { &["freeze", "--cancel-all"] } else { &["freeze"] };
        let output = ctl(&daemon, arguments).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(stdout(&output).contains("the daemon knows. So it went."), "{output:?}");
        assert_eq!(verbs(&daemon), [OrdersVerb::Freeze { cancel_all }]);
        assert!(is_frozen(&daemon));
    }
    let daemon = obeying(false);
    let output = ctl(&daemon, &["freeze", "--cancel-all", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = json_of(&output);
    assert_eq!(
        (&said["frozen"], &said["told"], &said["hint"]),
        (&json!(true), &json!(true), &json!("Do this."))
    );
    assert!(said["error"].as_str().unwrap().contains("So it went."), "{said}");
}

#[tokio::test]
async fn a_daemon_that_hangs_is_left_and_trading_is_frozen_all_the_same() {
    let daemon = Daemon::start(|_| Vec::new());
    let began = Instant::now();
    let output = ctl(&daemon, &["freeze", "--json"]).await;
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = json_of(&output);
    assert_eq!(
        (&said["frozen"], &said["told"], &said["daemon"]),
        (&json!(true), &json!(false), &json!("silent"))
    );
    assert!(said["hint"].as_str().unwrap().contains("kill -9 4711"), "{said}");
    assert!(is_frozen(&daemon));
}

#[tokio::test]
async fn a_daemon_that_does_not_even_greet_changes_nothing() {
    let daemon = Daemon::absent();
    // Accepted by the system, and by nobody else.
    let _listener = Listener::publish(&daemon.path("run/ibd/default.sock")).unwrap();
    let output = ctl(&daemon, &["freeze", "--cancel-all"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("does not answer"), "{output:?}");
    assert!(stderr(&output).contains("Whether anything was cancelled is not known"), "{output:?}");
    assert!(is_frozen(&daemon));
}

#[tokio::test]
async fn a_daemon_without_a_socket_is_not_taken_for_none() {
    let daemon = Daemon::absent();
    let lock = std::fs::File::create(daemon.path("state/ibd/default/ibd.lock")).unwrap();
    lock.lock().unwrap();
    let output = ctl(&daemon, &["freeze", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(json_of(&output)["daemon"], "silent");
    assert!(is_frozen(&daemon));
}

#[tokio::test]
async fn where_the_flag_cannot_be_written_the_daemon_is_told_and_the_person_too() {
    let daemon = obeying(true);
    std::os::unix::fs::symlink("nowhere", daemon.path(FLAG)).unwrap();
    let output = ctl(&daemon, &["freeze", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = json_of(&output);
    assert_eq!(
        (&said["frozen"], &said["told"], &said["durable"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert!(said["error"].as_str().unwrap().contains("the next one may not be"), "{said}");
}

#[tokio::test]
async fn settings_that_are_wrong_stop_no_freeze() {
    let daemon = Daemon::absent();
    std::fs::create_dir_all(daemon.path("config/ibd")).unwrap();
    std::fs::write(daemon.path("config/ibd/config.toml"), "what = is this").unwrap();
    let mut command = daemon.command(env!("CARGO_BIN_EXE_ibctl"));
    command.arg("freeze").env("IB_GATEWAY", "nonsense");
    assert_eq!(command.output().await.unwrap().status.code(), Some(0));
    assert!(is_frozen(&daemon));
}
