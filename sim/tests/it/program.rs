//! The program itself: its ready line and its ways to end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ib-sim");

#[test]
fn it_says_where_it_is_and_ends_with_its_input() {
    let mut child = Command::new(PROGRAM)
        .args(["--until-stdin-closes", "--http", "--seed", "7"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["ready"], true);
    assert!(ready["gateway"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert!(ready["control"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn wrong_usage_is_2_and_a_taken_port_is_1() {
    let code = |args: &[&str]| Command::new(PROGRAM).args(args).output().unwrap().status.code();
    assert_eq!(code(&["--no-such-flag"]), Some(2));
    assert_eq!(code(&["--version"]), Some(0));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let output = Command::new(PROGRAM).args(["--listen", &at]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot listen on"));
    assert_eq!(code(&["--scenario", "/no/such/file"]), Some(1));
}

#[test]
fn flags_reach_the_scenario() {
    let output = Command::new(PROGRAM).args(["--clock-rate", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("clockRate 0"));
    let output = Command::new(PROGRAM).args(["--market-hours", "never"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for word in [
        "--behind-gateway",
        "--market-hours",
        "POST /flex",
        "GET  /logins",
        "POST /approve",
        "giveBackSeconds",
        "simtotp",
    ] {
        assert!(help.contains(word), "{word}");
    }
}
