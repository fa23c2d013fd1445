//! `ibctl doctor`.

use std::sync::Arc;

use ibd_protocol::states;
use ibd_protocol::version::Greeting;
use ibd_protocol::{
    Budgets, DaemonStatus, GatewayMode, GatewayReport, GatewayStatus, OrdersReport, OrdersVerb,
    SessionStatus, Status, ToClient, ToDaemon, TradingStatus,
};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::daemon::{Daemon, script};
use crate::{ctl, json_of, stdout};

/// The command, which does not try to reach IBKR. Programs that are not built beside it are stand-ins.
async fn doctor(daemon: &Daemon, more: &[&str]) -> std::process::Output {
    let bin = daemon.path("bin");
    for program in ["ibd", "ib-mcp", "ib-sim"] {
        script(&bin, program, &format!("echo {program} {}", ibd_protocol::BUILD));
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = daemon.command(env!("CARGO_BIN_EXE_ibctl"));
    command.args(["doctor", "--offline"]).args(more).env("TZ", "UTC");
    command.env("PATH", format!("{}:{path}", bin.display())).output().await.unwrap()
}

/// The check of this name.
fn check(output: &std::process::Output, name: &str) -> Value {
    let checks = json_of(output)["checks"].clone();
    let all = checks.as_array().unwrap();
    all.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{checks}")).clone()
}

#[tokio::test]
async fn it_starts_nothing_and_lists_what_it_saw() {
    let daemon = Daemon::absent();
    let output = doctor(&daemon, &["--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(check(&output, "folders")["state"], "ok");
    assert_eq!(check(&output, "daemon")["state"], "warn");
    let installed = check(&output, "installed");
    assert_eq!(installed["state"], "warn");
    assert_eq!(installed["commands"], json!(["ibctl gateway install"]));
    // Not known is not "no".
    for name in ["journal", "port", "certificate", "upstream", "clock", "login", "session"] {
        assert_eq!(check(&output, name)["state"], "not_looked_at", "{name}: {output:?}");
    }
    assert!(!daemon.path("state/ibd/default/ibd.lock").exists(), "nothing was started");
}

#[tokio::test]
async fn it_fails_where_others_can_look_in() {
    use std::os::unix::fs::PermissionsExt;
    let daemon = Daemon::absent();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(daemon.path("state/ibd/default"), open).unwrap();
    let output = doctor(&daemon, &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stdout(&output).contains("PROBLEM  folders"), "{output:?}");
    let output = doctor(&daemon, &["--json"]).await;
    assert_eq!(json_of(&output)["error"], "1 check failed");
    let folders = check(&output, "folders");
    assert_eq!(folders["state"], "fail");
    let command = format!("chmod 700 {}", daemon.path("state/ibd/default").display());
    assert_eq!(folders["commands"], json!([command]));
}

/// Listens on every address as IBKR's gateway does, and answers pages and websockets with these.
async fn gateway(page: &'static str, websocket: &'static str) -> u16 {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let is_websocket = request[..length].starts_with(b"GET /v1/api/ws ");
            let status = if is_websocket { websocket } else { page };
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await;
        }
    });
    port
}

fn with_gateway_at(port: u16) -> Daemon {
    telling(status(port), None)
}

/// A daemon that tells this, with this certificate pinned.
fn telling(status: Status, certificate: Option<String>) -> Daemon {
    let gateway = GatewayReport { ok: true, certificate, ..Default::default() };
    Daemon::start(move |message| match message {
        ToDaemon::Status(id) => vec![ToClient::Status(*id, Box::new(status.clone()))],
        ToDaemon::Gateway(id, _) => vec![ToClient::Gateway(*id, Box::new(gateway.clone()))],
        ToDaemon::Orders(id, OrdersVerb::AuditVerify) => {
            let text = "The audit trail is whole: 5 records; the last hash is x.".to_owned();
            let report = OrdersReport { ok: true, text, ..Default::default() };
            vec![ToClient::Orders(*id, Box::new(report))]
        }
        _ => Vec::new(),
    })
}

/// Nobody is logged in at the gateway of this port.
pub(crate) fn status(port: u16) -> Status {
    Status {
        daemon: DaemonStatus { running: true, version: "0".into(), pid: 1, uptime_seconds: 1 },
        gateway: GatewayStatus {
            mode: GatewayMode::Managed,
            state: states::Gateway::Up.into(),
            pid: Some(std::process::id()),
            address: Some(format!("https://localhost:{port}")),
        },
        session: SessionStatus {
            state: states::Session::NeedLogin.into(),
            text: "Not logged in.".into(),
            paper: None,
            accounts: Vec::new(),
            age_seconds: None,
            username: Some("jdoe".into()),
            login_at: Some("2026-11-22T07:30:00Z".into()),
            next_login_at: Some("2026-11-23T07:30:00Z".into()),
        },
        budgets: Budgets { per_second: 10, in_flight: 0, queued: 0, penalty_until: None },
        clients: Vec::new(),
        trading: TradingStatus {
            state: states::Trading::Closed.into(),
            protection: "read_only".into(),
            text: "Trading is closed.".into(),
            waiting: 0,
            in_doubt: 0,
        },
        conditions: Vec::new(),
    }
}

/// Whether this machine has an address that others could use; in a bare container it has none.
fn has_address() -> bool {
    if_addrs::get_if_addrs().unwrap().iter().any(|i| !i.is_loopback() && !i.is_link_local())
}

#[tokio::test]
async fn a_websocket_that_others_can_reach_is_told_with_the_rules_that_close_it() {
    let port = gateway("404 Not Found", "101 Switching Protocols").await;
    let output = doctor(&with_gateway_at(port), &["--json"]).await;
    assert_eq!(output.status.code(), Some(0), "a warning is no failure: {output:?}");
    let found = check(&output, "websocket");
    if has_address() {
        assert_eq!(found["state"], "warn", "{found}");
        let commands = found["commands"].as_array().unwrap();
        assert!(!commands.is_empty());
        assert!(commands.iter().all(|c| c.as_str().unwrap().contains(&port.to_string())));
    }
}

#[tokio::test]
async fn a_gateway_that_serves_others_is_a_failure_and_one_that_does_not_is_fine() {
    let port = gateway("302 Found", "101 Switching Protocols").await;
    let output = doctor(&with_gateway_at(port), &["--json"]).await;
    if has_address() {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(check(&output, "websocket")["state"], "fail");
    }
    let port = gateway("404 Not Found", "404 Not Found").await;
    let output = doctor(&with_gateway_at(port), &["--json"]).await;
    assert_eq!(check(&output, "websocket")["state"], "ok", "{output:?}");
}

#[tokio::test]
async fn what_a_running_daemon_tells_is_held_against_what_is_seen() {
    let port = gateway("302 Found\r\nDate: Mon, 23 Nov 2020 07:30:00 GMT", "404 Not Found").await;
    let mut told = status(port);
    told.session.state = states::Session::Ready.into();
    told.trading.state = states::Trading::Frozen.into();
    let daemon = telling(told.clone(), Some("00".repeat(32)));
    let output = doctor(&daemon, &["--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for (name, state, command) in [
        ("daemon", "ok", None),
        ("journal", "ok", None),
        ("gateway", "ok", None),
        ("port", "ok", None),
        ("certificate", "fail", Some("ibctl restart")),
        ("clock", "fail", None),
        ("session", "ok", None),
        ("trading", "warn", Some("ibctl unfreeze")),
        ("upstream", "not_looked_at", None),
    ] {
        let found = check(&output, name);
        assert_eq!(found["state"], state, "{found}");
        if let Some(command) = command {
            assert_eq!(found["commands"], json!([command]), "{found}");
        }
    }
    // Another program has the port that the daemon takes for its gateway's.
    told.gateway.pid = Some(1);
    let output = doctor(&telling(told, None), &["--json"]).await;
    assert_eq!(check(&output, "port")["state"], "fail", "{output:?}");
}

#[tokio::test]
async fn a_daemon_of_another_version_is_named_with_what_replaces_it() {
    let welcome = |protocol| Greeting::Welcome { protocol, build: "0.0.1".into(), pid: 4711 };
    let status = status(1);
    let older = Daemon::greeting(welcome(ibd_protocol::PROTOCOL), move |message| match message {
        ToDaemon::Status(id) => vec![ToClient::Status(*id, Box::new(status.clone()))],
        ToDaemon::Gateway(id, _) => vec![ToClient::Gateway(*id, Box::default())],
        ToDaemon::Orders(id, _) => vec![ToClient::Orders(*id, Box::default())],
        _ => Vec::new(),
    });
    let output = doctor(&older, &["--json"]).await;
    let found = check(&output, "daemon");
    assert_eq!((&found["state"], &found["commands"]), (&json!("warn"), &json!(["ibctl restart"])));
    assert!(found["text"].as_str().unwrap().contains("0.0.1"), "{found}");
    // One that does not even understand us.
    let stranger = Daemon::greeting(welcome(ibd_protocol::PROTOCOL - 1), |_| Vec::new());
    let output = doctor(&stranger, &["--json"]).await;
    let found = check(&output, "daemon");
    assert_eq!(found["state"], "fail", "{found}");
    assert!(found["text"].as_str().unwrap().contains("0.0.1"), "{found}");
    assert_eq!(check(&output, "session")["state"], "not_looked_at");
}

#[tokio::test]
async fn the_status_tells_when_the_next_login_is_needed() {
    let daemon = with_gateway_at(1);
    let output = ctl(&daemon, &["status"]).await;
    assert_eq!(output.status.code(), Some(4));
    let text = stdout(&output);
    let login = "Login     jdoe, since Sun 22 Nov 2026, 07:30 UTC, \
        next login needed about Mon 23 Nov 2026, 07:30 UTC";
    assert!(text.contains(login), "{text}");
    let said = json_of(&ctl(&daemon, &["status", "--json"]).await);
    assert_eq!(said["session"]["nextLoginAt"], "2026-11-23T07:30:00Z");
}
