//! `ibctl login`.

use std::sync::atomic::{AtomicUsize, Ordering};

use ibd_protocol::states;
use ibd_protocol::{LoginReport, LoginRequest, Progress, Secret, ToClient, ToDaemon};

use crate::daemon::{Daemon, script};
use crate::{ctl, ctl_with, json_of, stderr, stdout};

fn report(state: states::Session) -> LoginReport {
    let next = "Do this.".into();
    LoginReport { state: state.into(), text: format!("It is {state}."), next, ..Default::default() }
}

fn ready() -> LoginReport {
    LoginReport {
        ready: true,
        next: String::new(),
        mode: "browser".into(),
        ..report(states::Session::Ready)
    }
}

/// Answers one request after the other with these, and the last for ever.
fn saying(reports: Vec<LoginReport>) -> Daemon {
    let asked = AtomicUsize::new(0);
    Daemon::start(move |message| match message {
        ToDaemon::Login(id, _) | ToDaemon::CancelLogin(id) => {
            let at = asked.fetch_add(1, Ordering::SeqCst).min(reports.len() - 1);
            let progress = Progress { done: 1, total: None, message: "Waiting for you.".into() };
            let report = Box::new(reports[at].clone());
            vec![ToClient::Progress(*id, progress), ToClient::Login(*id, report)]
        }
        _ => Vec::new(),
    })
}

fn requests(daemon: &Daemon) -> Vec<LoginRequest> {
    let heard = daemon.heard().into_iter();
    heard.filter_map(|m| if let ToDaemon::Login(_, r) = m { Some(r) } else { None }).collect()
}

#[tokio::test]
async fn a_login_is_waited_for_to_its_end() {
    let waiting = LoginReport {
        mode: "browser".into(),
        auth_url: Some("https://localhost:5000/".into()),
        waiting_for: Some("login".into()),
        ..report(states::Session::NeedLogin)
    };
    let daemon = saying(vec![waiting, report(states::Session::Wait2fa), ready()]);
    let output = ctl(&daemon, &["login", "--paper", "--force"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(stdout(&output), "It is ready.\n");
    let told = stderr(&output);
    assert!(told.contains("Waiting for you."), "{told}");
    assert!(told.contains("The login page: https://localhost:5000/"), "{told}");
    let requests = requests(&daemon);
    assert_eq!(requests.len(), 3);
    assert!(requests[0].paper && requests[0].force);
    assert!(requests[1].paper && !requests[1].force, "it only joins");
}

#[tokio::test]
async fn with_json_there_is_one_object_and_no_word_beside_it() {
    let daemon = saying(vec![report(states::Session::Wait2fa), ready()]);
    let output = ctl(&daemon, &["login", "--json"]).await;
    let said = json_of(&output);
    assert_eq!((&said["ready"], &said["state"]), (&true.into(), &"ready".into()));
    assert_eq!(stderr(&output), "");
}

#[tokio::test]
async fn a_failure_is_1_and_what_waits_for_a_person_is_4() {
    let failed =
        LoginReport { failed: Some("wrong password".into()), ..report(states::Session::NeedLogin) };
    let daemon = saying(vec![failed]);
    let output = ctl(&daemon, &["login"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("It is need_login.") && stderr(&output).contains("Do this."));
    let said = json_of(&ctl(&daemon, &["login", "--json"]).await);
    assert_eq!((&said["failed"], &said["hint"]), (&"wrong password".into(), &"Do this.".into()));
    let daemon = saying(vec![report(states::Session::LockoutGuard)]);
    let output = ctl(&daemon, &["login"]).await;
    assert_eq!(output.status.code(), Some(4));
    assert!(stdout(&output).contains("Do this."));
    assert_eq!(requests(&daemon).len(), 1);
}

#[tokio::test]
async fn a_code_is_given_once_also_from_stdin() {
    let wants_more =
        LoginReport { waiting_for: Some("code".into()), ..report(states::Session::Wait2fa) };
    for (argument, stdin) in [("123456", ""), ("-", "123456\n")] {
        let daemon = saying(vec![wants_more.clone()]);
        let output = ctl_with(&daemon, &["login", "--code", argument], stdin).await;
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let requests = requests(&daemon);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].code, Some(Secret::new("123456")));
    }
    let daemon = saying(vec![ready()]);
    assert_eq!(ctl(&daemon, &["login", "--code", ""]).await.status.code(), Some(2));
    assert_eq!(ctl_with(&daemon, &["login", "--code", "-"], "\n").await.status.code(), Some(1));
    assert_eq!(ctl(&daemon, &["login", "--cancel", "--force"]).await.status.code(), Some(2));
    assert_eq!(requests(&daemon).len(), 0);
}

#[tokio::test]
async fn a_login_can_be_called_off() {
    let daemon = saying(vec![report(states::Session::NeedLogin)]);
    let output = ctl(&daemon, &["login", "--cancel"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(daemon.heard().contains(&ToDaemon::CancelLogin(1)));
}

#[tokio::test]
async fn who_leaves_does_not_end_the_login() {
    let daemon = Daemon::start(|_| Vec::new());
    let mut command = daemon.command(env!("CARGO_BIN_EXE_ibctl"));
    let child = command
        .arg("login")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    daemon.hears(|message| matches!(message, ToDaemon::Login(..))).await;
    let pid = rustix::process::Pid::from_raw(child.id().unwrap() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(stdout(&output).contains("goes on"), "{output:?}");
    assert!(!daemon.heard().iter().any(|message| matches!(message, ToDaemon::CancelLogin(_))));
}

#[tokio::test]
async fn the_page_is_opened_in_this_persons_browser() {
    let daemon = Daemon::start(|message| match message {
        ToDaemon::Login(..) => vec![ToClient::OpenPage("https://localhost:5000/".into())],
        ToDaemon::PageOpened(_) => vec![ToClient::Login(1, Box::new(ready()))],
        _ => Vec::new(),
    });
    let opener = daemon.path("bin");
    script(&opener, "xdg-open", "echo noise; echo \"$1\" > \"$HOME/opened\"");
    let path = format!("{}:{}", opener.display(), std::env::var("PATH").unwrap());
    let output = daemon
        .command(env!("CARGO_BIN_EXE_ibctl"))
        .args(["login", "--json"])
        .envs([("DISPLAY", ":9"), ("PATH", path.as_str())])
        .output()
        .await
        .unwrap();
    assert_eq!(json_of(&output)["ready"], true);
    assert!(daemon.heard().contains(&ToDaemon::PageOpened(true)));
    let opened = std::fs::read_to_string(daemon.path("opened")).unwrap();
    assert_eq!(opened.trim(), "https://localhost:5000/");
}
