//! What a person sees of a daemon that says what a test wants.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
#[path = "../../../shim/tests/people/daemon.rs"]
mod daemon;
mod doctor;
mod freeze;
mod gateway;
mod login;
mod orders;
#[cfg(target_os = "linux")]
mod terminal;

use std::process::{Output, Stdio};

use daemon::Daemon;
use ibd_protocol::{Report, Secret, SecretReport, SecretsVerb, ToClient, ToDaemon};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

async fn ctl(daemon: &Daemon, arguments: &[&str]) -> Output {
    ctl_with(daemon, arguments, "").await
}

/// With this on its stdin, and a PATH without Java and browsers.
async fn ctl_with(daemon: &Daemon, arguments: &[&str], stdin: &str) -> Output {
    let mut command = daemon.command(env!("CARGO_BIN_EXE_ibctl"));
    command.args(arguments).env("TZ", "UTC");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // Whoever was refused before it was asked has not read it.
    let _ = pipe.write_all(stdin.as_bytes()).await;
    drop(pipe);
    child.wait_with_output().await.unwrap()
}

fn json_of(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "one object and nothing else: {text} {output:?}");
    serde_json::from_str(&text).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Answers `Resume` and `Secrets`.
fn obliging(ok: bool) -> Daemon {
    let report = move || Report { ok, text: "It was tried.".into(), hint: "Look.".into() };
    Daemon::start(move |message| match message {
        ToDaemon::Resume(id) => vec![ToClient::Report(*id, report())],
        ToDaemon::Secrets(id, SecretsVerb::List) => {
            let secret = SecretReport {
                name: "IB_PASSWORD_AUTH".into(),
                set: true,
                origin: Some("keyring".into()),
            };
            vec![ToClient::Secrets(*id, vec![secret])]
        }
        ToDaemon::Secrets(id, _) => vec![ToClient::Report(*id, report())],
        _ => Vec::new(),
    })
}

#[tokio::test]
async fn what_was_done_is_0_and_what_was_not_is_1_and_says_what_to_do() {
    for (ok, code) in [(true, 0), (false, 1)] {
        let daemon = obliging(ok);
        let output = ctl(&daemon, &["resume", "--json"]).await;
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let said = json_of(&output);
        assert_eq!(
            (&said["ok"], &said["text"], &said["hint"]),
            (&json!(ok), &json!("It was tried."), &json!("Look."))
        );
        assert_eq!(said.get("error").is_some(), !ok);
        let output = ctl(&daemon, &["resume"]).await;
        let told = format!("{}{}", stdout(&output), stderr(&output));
        assert!(told.contains("It was tried.") && told.contains("Look."), "{told}");
    }
}

#[tokio::test]
async fn a_secret_comes_from_stdin_and_is_checked_before_it_is_sent() {
    let daemon = obliging(true);
    let output = ctl_with(&daemon, &["secrets", "set", "totp_secret"], "jbswy3dpehpk3pxp\n").await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let sent = daemon.hears(|message| matches!(message, ToDaemon::Secrets(..))).await;
    let set = SecretsVerb::Set("IB_TOTP_SECRET".into(), Secret::new("JBSWY3DPEHPK3PXP"));
    assert_eq!(sent, ToDaemon::Secrets(1, set));
    let before = daemon.heard().len();
    for bad in ["", "canary!"] {
        let output = ctl_with(&daemon, &["secrets", "set", "IB_TOTP_SECRET"], bad).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!stderr(&output).contains("canary"), "{output:?}");
    }
    assert_eq!(daemon.heard().len(), before, "nothing was sent");
    assert_eq!(ctl(&daemon, &["secrets", "set", "IB_USERNAME"]).await.status.code(), Some(2));
    // A value is no argument.
    let output = ctl(&daemon, &["secrets", "set", "totp_secret", "x"]).await;
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn secrets_are_listed_and_forgotten() {
    let daemon = obliging(true);
    let list = json_of(&ctl(&daemon, &["secrets", "list", "--json"]).await);
    let expected = json!([{ "name": "IB_PASSWORD_AUTH", "set": true, "origin": "keyring" }]);
    assert_eq!(list["secrets"], expected);
    let output = ctl(&daemon, &["secrets", "forget", "ib_password"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let forget = ToDaemon::Secrets(1, SecretsVerb::Forget("IB_PASSWORD_AUTH".into()));
    daemon.hears(|message| *message == forget).await;
}
