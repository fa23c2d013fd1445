//! The person's command.

use ibd_tests::{Sim, World};
use serde_json::{Value, json};

fn json_of(output: &std::process::Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "one object and nothing else: {text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn status_never_starts_a_daemon_and_answers_at_once() {
    let world = World::simulated();
    let output = world.ctl(&["status"]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).contains("not running"));
    let output = world.ctl(&["status", "--json"]).await;
    assert_eq!(json_of(&output)["daemon"]["running"], false);
    assert_eq!(world.ctl(&["stop"]).await.status.code(), Some(0));
    assert_eq!(world.ctl(&["version"]).await.status.code(), Some(0));
    assert!(!world.state().exists(), "nothing was made");
}

#[tokio::test]
async fn status_has_the_promised_shape() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let status = json_of(&world.ctl(&["status", "--json"]).await);
    for pointer in [
        "/daemon/running",
        "/daemon/version",
        "/daemon/pid",
        "/daemon/uptimeSeconds",
        "/gateway/mode",
        "/gateway/state",
        "/gateway/pid",
        "/gateway/address",
        "/session/state",
        "/session/paper",
        "/session/accounts",
        "/session/ageSeconds",
        "/session/username",
        "/budgets/perSecond",
        "/budgets/inFlight",
        "/budgets/penaltyUntil",
        "/clients/0/name",
        "/clients/0/readOnly",
        "/clients/0/calls",
        "/trading/state",
        "/trading/protection",
        "/conditions",
    ] {
        assert!(status.pointer(pointer).is_some(), "{pointer} is missing in {status}");
    }
    assert_eq!(status["gateway"]["mode"], "simulator");
    assert_eq!(status["session"]["state"], "ready");
    assert_eq!(status["clients"], json!([{ "name": "harness", "readOnly": false, "calls": 1 }]));
    let text = String::from_utf8(world.ctl(&["status"]).await.stdout).unwrap();
    assert!(text.contains("Ready. Paper …567.") && text.contains("harness (1 calls)"), "{text}");
}

#[tokio::test]
async fn logout_is_verified_with_the_broker() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let output = world.ctl(&["logout", "--json"]).await;
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(json_of(&output)["loggedOut"], true);
    assert_eq!(sim.count("/logout").await, 1);
    assert_eq!(client.call("get_positions", json!({})).await.error(), "not_logged_in");
    assert_eq!(world.ctl(&["status"]).await.status.code(), Some(4));
}

#[tokio::test]
async fn logout_without_a_daemon_logs_out_all_the_same() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let output = world.ctl(&["logout"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(sim.count("/logout").await, 1);
}

#[tokio::test]
async fn a_logout_where_no_gateway_is_known_is_not_called_one() {
    let world = World::empty();
    let output = world.ctl(&["logout"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("IB_GATEWAY_PORT"), "{output:?}");
}

#[tokio::test]
async fn a_logout_that_the_broker_does_not_confirm_is_no_logout() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    world.client().await.call("get_positions", json!({})).await.ok();
    sim.fault(
        json!({ "match": "/logout", "mode": "status", "status": 200, "body": "{\"status\":true}" }),
    )
    .await;
    let output = world.ctl(&["logout"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[tokio::test]
async fn restart_gives_another_process_and_stop_means_stop() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let before = world.daemon_pid().await;
    let output = world.ctl(&["restart", "--json"]).await;
    assert!(output.status.success(), "{output:?}");
    assert_ne!(json_of(&output)["pid"].as_u64().map(|pid| pid as u32), before);
    client.call("get_positions", json!({})).await.ok();
    assert!(world.ctl(&["stop"]).await.status.success());
    // The client is still there and asks nothing: nothing is started for it.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(world.ctl(&["status"]).await.status.code(), Some(3));
    client.call("get_positions", json!({})).await.ok();
}

#[tokio::test]
async fn config_shows_values_and_where_they_come_from() {
    let world = World::simulated();
    world.configure("paper_trading = true\nflex_token = \"canary-token\"\n");
    let output = world.ctl(&["config", "--json"]).await;
    let config = json_of(&output);
    let setting = |name: &str| {
        let all = config["settings"].as_array().unwrap();
        all.iter().find(|setting| setting["name"] == name).unwrap().clone()
    };
    assert_eq!(setting("IB_PAPER_TRADING")["value"], "true");
    assert_eq!(setting("IB_PAPER_TRADING")["origin"], "config.toml");
    assert_eq!(setting("IB_FLEX_TOKEN")["value"], "(set)");
    assert!(setting("IB_FLEX_TOKEN")["note"].is_null());
    assert!(!String::from_utf8_lossy(&output.stdout).contains("canary-token"));
}

#[tokio::test]
async fn logs_are_shown_and_say_why_a_daemon_does_not_start() {
    let world = World::simulated();
    world.client().await.call("get_positions", json!({})).await.ok();
    let logs = json_of(&world.ctl(&["logs", "--json", "-n", "500"]).await);
    let lines = logs["lines"].to_string();
    assert!(lines.contains("get_positions"), "{lines}");
    assert!(!lines.contains("DU1234567"), "account ids are masked in logs");
    world.ctl(&["stop"]).await;
    world.configure("nonsense = 1\n");
    let output = world.ctl(&["logs"]).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("nonsense"), "{output:?}");
}

#[tokio::test]
async fn wrong_usage_is_2() {
    let world = World::empty();
    for arguments in [&["statu"][..], &["status", "--jso"], &[]] {
        assert_eq!(world.ctl(arguments).await.status.code(), Some(2), "{arguments:?}");
    }
    let output = world.ctl(&["status", "--profile", "../x"]).await;
    assert_eq!(output.status.code(), Some(2));
}

/// A secret that reaches any of our programs is in no log, no command line and no environment.
#[tokio::test]
async fn planted_secrets_are_found_nowhere() {
    let canary = "canary-5f1d7c";
    let world = World::simulated().with("IB_PASSWORD_AUTH", canary).with("IB_LOG", "debug");
    world.configure(&format!("flex_token = \"{canary}\"\nlog = \"debug\"\n"));
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let daemon = world.daemon_pid().await.unwrap();
    let gateway = world.status().await["gateway"]["pid"].as_u64().unwrap();
    for pid in [u64::from(daemon), gateway] {
        for file in ["cmdline", "environ"] {
            let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains(canary), "{pid} {file}");
        }
    }
    let logs = std::fs::read_dir(world.state().join("logs")).unwrap().flatten();
    for log in logs {
        let text = std::fs::read_to_string(log.path()).unwrap();
        assert!(!text.contains(canary), "{}", log.path().display());
    }
}
