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

/// Nobody starts a daemon, a gateway or an installation by looking.
#[tokio::test]
async fn what_reads_starts_no_daemon_and_ends_with_3() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    for verb in [
        &["orders"][..],
        &["audit"],
        &["audit", "verify"],
        &["config"],
        &["secrets", "list"],
        &["clients"],
        &["flex", "list"],
        &["alerts"],
        &["gateway", "status"],
        &["deny", "a1"],
        &["logout"],
        &["resume"],
    ] {
        let output = world.ctl(verb).await;
        assert_eq!(output.status.code(), Some(3), "{verb:?}: {output:?}");
        assert_eq!(world.daemon_pid().await, None, "{verb:?}");
        let output = world.ctl(&[verb, &["--json"]].concat()).await;
        assert!(json_of(&output).is_object(), "{verb:?}");
    }
    assert_eq!(sim.requests().await["count"], 0);
    let told = world.ctl(&["logout"]).await;
    assert!(String::from_utf8_lossy(&told.stderr).contains("gateway stop"), "{told:?}");
}

/// What the next daemon could not read does not cost the one that runs.
#[tokio::test]
async fn a_restart_reads_the_configuration_first_and_says_what_does_not_count() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let before = world.daemon_pid().await;
    for bad in ["papertrading = true\n", "log = \"verbose\"\n", "profile = \"x\"\n"] {
        world.configure(bad);
        let output = world.ctl(&["restart"]).await;
        assert_eq!(output.status.code(), Some(1), "{bad}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("left alone"), "{output:?}");
        assert_eq!(world.daemon_pid().await, before, "{bad}");
    }
    world.configure("");
    let output = world
        .command("ibctl")
        .arg("restart")
        .env("IB_CONFIRM_ORDERS", "never")
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("IB_CONFIRM_ORDERS") && told.contains("config.toml"), "{output:?}");
}

/// Nor does a folder that the next daemon would refuse.
#[cfg(unix)]
#[tokio::test]
async fn a_restart_looks_at_the_folders_before_it_ends_what_runs() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::simulated();
    world.client().await.call("get_positions", json!({})).await.ok();
    let before = world.daemon_pid().await;
    let above = world.state().parent().unwrap().to_owned();
    let mode = |mode| {
        std::fs::set_permissions(&above, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o777);
    let output = world.ctl(&["restart"]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("left alone") && told.contains(above.to_str().unwrap()), "{told}");
    assert_eq!(world.daemon_pid().await, before);
    mode(0o700);
    assert!(world.ctl(&["restart"]).await.status.success());
}

/// Where no daemon could start, status and doctor say so and why.
#[cfg(unix)]
#[tokio::test]
async fn what_keeps_a_daemon_from_starting_is_said_before_one_is_tried() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = World::simulated();
    let above = world.state().parent().unwrap().to_owned();
    std::fs::create_dir_all(&above).unwrap();
    std::fs::set_permissions(&above, std::fs::Permissions::from_mode(0o777)).unwrap();
    let told = async |verb: &str| {
        let output = world.ctl(&[verb]).await;
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for verb in ["status", "doctor"] {
        let told = told(verb).await;
        assert!(told.contains("0777") && told.contains(above.to_str().unwrap()), "{verb}: {told}");
    }
    std::fs::set_permissions(&above, std::fs::Permissions::from_mode(0o700)).unwrap();
    // A configuration that somebody believes in.
    world.configure("");
    let file = world.path(".config/ibd/config.toml");
    std::fs::remove_file(&file).unwrap();
    symlink(world.path("gone"), &file).unwrap();
    for verb in ["status", "doctor"] {
        let told = told(verb).await;
        assert!(told.contains("is a link to what is not there"), "{verb}: {told}");
    }
    let mut client = world.client().await;
    let refused = client.call("get_positions", json!({})).await;
    assert!(refused.json["message"].as_str().unwrap().contains("link"), "{}", refused.json);
}

/// What another user can change is not relied on.
#[cfg(unix)]
#[tokio::test]
async fn a_configuration_that_others_can_change_is_refused_in_words() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::simulated();
    world.configure("read_only_mode = true\n");
    let file = world.path(".config/ibd/config.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let output = world.ctl(&["restart"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("0666"), "{output:?}");
    let mut client = world.client().await;
    let refused = client.call("get_positions", json!({})).await;
    assert_eq!(refused.error(), "daemon_unavailable");
    assert!(refused.json["message"].as_str().unwrap().contains("0666"), "{}", refused.json);
    // A pipe that nobody writes to is waited for by nobody.
    std::fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    for verb in ["restart", "doctor"] {
        let output = world.ctl(&[verb]).await;
        let told = [output.stdout.clone(), output.stderr.clone()].concat();
        assert!(String::from_utf8_lossy(&told).contains("no regular file"), "{output:?}");
    }
}

/// A freeze stands above the profiles: nobody else may take it away. And a daemon whose socket was removed is found by
/// its lock.
#[cfg(unix)]
#[tokio::test]
async fn a_folder_above_the_profiles_is_ours_and_a_lost_socket_is_gone_round() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::simulated();
    world.client().await.call("get_positions", json!({})).await.ok();
    let before = world.daemon_pid().await.unwrap();
    std::fs::remove_file(world.socket()).unwrap();
    let output = world.ctl(&["restart", "--json"]).await;
    assert!(output.status.success(), "{output:?}");
    assert_ne!(json_of(&output)["pid"], before, "it is another process");
    world.ctl(&["stop"]).await;
    let above = world.path("state/ibd");
    std::fs::set_permissions(&above, std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = world.client().await.call("get_positions", json!({})).await;
    assert!(refused.json["message"].as_str().unwrap().contains("0777"), "{}", refused.json);
}

/// A path that no socket can have, and a runtime folder of somebody else: the socket lies elsewhere.
#[cfg(unix)]
#[tokio::test]
async fn a_long_place_for_the_socket_costs_nothing_and_a_relative_home_is_named() {
    let long = World::simulated();
    let deep = long.path(&"d".repeat(110));
    std::fs::create_dir_all(&deep).unwrap();
    let world = long.with("XDG_RUNTIME_DIR", deep.to_str().unwrap());
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let output = world.ctl(&["stop"]).await;
    // The command finds what the client started.
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("has ended (pid"), "{output:?}");
    let relative = World::simulated().with("HOME", "relative").with("XDG_STATE_HOME", "");
    let mut client = relative.client().await;
    let refused = client.call("get_positions", json!({})).await;
    assert!(refused.json["message"].as_str().unwrap().contains("HOME"), "{}", refused.json);
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
    let refused = world.client().await.call("get_positions", json!({})).await;
    assert_eq!(refused.error(), "daemon_unavailable");
    let output = world.ctl(&["logs"]).await;
    assert!(String::from_utf8_lossy(&output.stdout).contains("nonsense"), "{output:?}");
    assert_eq!(world.daemon_pid().await, None, "nothing is started by looking");
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
