//! `ibctl gateway`.

use ibd_protocol::states;
use ibd_protocol::{GatewayReport, GatewayVerb, Progress, ToClient, ToDaemon};

use crate::daemon::{Daemon, script};
use crate::{ctl, json_of, stderr, stdout};

#[tokio::test]
async fn start_shows_progress_and_status_tells_what_is() {
    let daemon = Daemon::start(|message| match message {
        ToDaemon::Gateway(id, verb) => {
            let ok = *verb != GatewayVerb::Stop;
            let report = GatewayReport {
                ok,
                state: states::Gateway::Up.into(),
                text: "The gateway is up.".into(),
                hint: if ok { String::new() } else { "Wait.".into() },
                address: Some("https://localhost:5000".into()),
                ..Default::default()
            };
            let progress =
                Progress { done: 1, total: Some(2), message: "Installing the gateway".into() };
            vec![ToClient::Progress(*id, progress), ToClient::Gateway(*id, Box::new(report))]
        }
        _ => Vec::new(),
    });
    let output = ctl(&daemon, &["gateway", "start"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(stderr(&output), "Installing the gateway\n");
    assert!(stdout(&output).contains("Address   https://localhost:5000"), "{output:?}");
    let output = ctl(&daemon, &["gateway", "status", "--json"]).await;
    assert_eq!((&json_of(&output)["state"], stderr(&output)), (&"up".into(), String::new()));
    let output = ctl(&daemon, &["gateway", "stop", "--json"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json_of(&output)["hint"], "Wait.");
    assert_eq!(json_of(&output)["state"], "up");
}

#[tokio::test]
async fn its_log_is_shown_without_a_daemon() {
    let daemon = Daemon::absent();
    let output = ctl(&daemon, &["gateway", "logs"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("state/ibd/default/gateway/logs/gateway.log"), "{output:?}");
    let folder = daemon.path("state/ibd/default/gateway/logs");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("gateway.log"), "one\ntwo\nthree\n").unwrap();
    let output = ctl(&daemon, &["gateway", "logs", "-n", "2"]).await;
    assert_eq!(stdout(&output), "two\nthree\n");
}

/// A folder that looks like IBKR's distribution.
fn distribution(daemon: &Daemon) -> String {
    let root = daemon.path("given");
    for file in [
        "dist/ibgroup.web.core.iblink.router.clientportal.gw.jar",
        "build/lib/runtime/vertx.jar",
        "root/conf.yaml",
    ] {
        let file = root.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        // An archive with nothing in it.
        std::fs::write(file, [b"PK\x05\x06".as_slice(), &[0; 18]].concat()).unwrap();
    }
    root.display().to_string()
}

#[tokio::test]
async fn install_needs_no_daemon_and_tells_what_it_brought() {
    let daemon = Daemon::absent();
    let from = distribution(&daemon);
    let java = daemon.path("jdk");
    script(&java.join("bin"), "java", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2");
    let install = |arguments: &[&str]| {
        let mut command = daemon.command(env!("CARGO_BIN_EXE_ibctl"));
        command.args(["gateway", "install", "--from", &from]).args(arguments);
        command.env("JAVA_HOME", &java);
        command
    };
    let output = install(&["--json"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = json_of(&output);
    assert_eq!(said["gateway"]["source"], from);
    assert_eq!(said["gateway"]["isNew"], true);
    assert_eq!(said["gateway"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(
        (&said["java"]["version"], &said["java"]["origin"]),
        (&"17.0.15".into(), &"JAVA_HOME".into())
    );
    assert_eq!(stderr(&output), "");
    let again = install(&[]).output().await.unwrap();
    assert!(stdout(&again).contains("was there already"), "{again:?}");
    assert!(stdout(&again).contains("Java      17.0.15"), "{again:?}");
    std::fs::write(daemon.path("given/root/conf.yaml"), "another one").unwrap();
    let changed = install(&[]).output().await.unwrap();
    assert!(stdout(&changed).contains("Changed   the same source gave"), "{changed:?}");
    assert!(!daemon.path("state/ibd/default/ibd.lock").exists(), "nothing was started");
}

#[tokio::test]
async fn what_cannot_be_installed_says_why() {
    let daemon = Daemon::absent();
    let output =
        ctl(&daemon, &["gateway", "install", "--from", "/nonexistent.zip", "--json"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(json_of(&output)["error"].as_str().unwrap().contains("/nonexistent.zip"));
    for bad in [["--from", "ftp://example.com/x.zip"], ["--sha256", "abc"]] {
        let output = ctl(&daemon, &["gateway", "install", bad[0], bad[1]]).await;
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
    }
}
