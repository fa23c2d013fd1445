//! A person tells their clients of us with one command, and takes it back with another.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use ibd_tests::World;
use serde_json::Value;

const ORIGINAL: &str = r#"{
  // my own servers
  "mcpServers": {
    "interactive-brokers": {
      "command": "npx",
      "args": ["-y", "interactive-brokers-mcp"],
      "env": { "IB_USERNAME": "me", "IB_PASSWORD_AUTH": "canary-7f", "IB_AUTH_TIMEOUT": "300000" }
    },
    "github": { "command": "gh-mcp", "env": { "GITHUB_TOKEN": "canary-9a" } }, // theirs
  }
}
"#;

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json_of(output: &Output) -> Value {
    let text = stdout(output);
    assert_eq!(text.lines().count(), 1, "one object and nothing else: {text} {output:?}");
    serde_json::from_str(&text).unwrap()
}

fn write(world: &World, file: &str, text: &str) {
    let path = world.path(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(world: &World, file: &str) -> String {
    std::fs::read_to_string(world.path(file)).unwrap()
}

/// The names of the backups in a folder.
fn backups(world: &World, folder: &str) -> Vec<String> {
    let all = std::fs::read_dir(world.path(folder)).unwrap().flatten();
    let names = all.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.contains(".ibd-backup-")).collect()
}

#[tokio::test]
async fn without_a_client_nothing_is_made_and_the_known_ones_are_named() {
    let world = World::empty();
    let output = world.ctl(&["setup"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("claude-desktop"), "{output:?}");
    let output = world.ctl(&["setup", "emacs"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!world.path(".config").exists() && !world.state().exists());
}

#[tokio::test]
async fn the_clients_that_are_here_are_found_shown_and_set_up_and_all_of_it_undone() {
    let world = World::empty();
    write(&world, ".cursor/mcp.json", "{}\n");
    write(&world, ".codex/config.toml", "model = \"x\" # mine\n");
    // Nobody is asked where nobody is: it is shown, and left.
    let output = world.ctl(&["setup"]).await;
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(stdout(&output).contains("+    \"ib\": {"), "{output:?}");
    assert!(stdout(&output).contains("+[mcp_servers.ib]"), "{output:?}");
    let output = world.ctl(&["setup", "--dry-run"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(read(&world, ".cursor/mcp.json"), "{}\n");

    let output = world.ctl(&["setup", "--yes"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).contains("Reload Cursor's window"), "{output:?}");
    let cursor: Value = serde_json::from_str(&read(&world, ".cursor/mcp.json")).unwrap();
    let program = cursor["mcpServers"]["ib"]["command"].as_str().unwrap();
    let version = std::process::Command::new(program).arg("--version").output().unwrap();
    assert!(stdout(&version).starts_with("ib-mcp "), "{version:?}");
    let codex = read(&world, ".codex/config.toml");
    assert!(codex.starts_with("model = \"x\" # mine\n\n[mcp_servers.ib]\n"), "{codex}");

    let again = json_of(&world.ctl(&["setup", "--yes", "--json"]).await);
    for client in again["clients"].as_array().unwrap() {
        assert_eq!(client["state"], "unchanged", "{again}");
    }
    assert_eq!(again["clients"].as_array().unwrap().len(), 2, "{again}");

    let undone = json_of(&world.ctl(&["setup", "--undo", "--yes", "--json"]).await);
    for client in undone["clients"].as_array().unwrap() {
        assert_eq!(client["state"], "restored", "{undone}");
    }
    assert_eq!(read(&world, ".cursor/mcp.json"), "{}\n");
    assert_eq!(read(&world, ".codex/config.toml"), "model = \"x\" # mine\n");
    assert!(backups(&world, ".cursor").is_empty() && backups(&world, ".codex").is_empty());
    assert!(!world.state().exists(), "no daemon was needed");
}

#[tokio::test]
async fn who_comes_from_the_original_keeps_name_and_variables_and_is_told_of_the_secret() {
    let world = World::empty();
    write(&world, ".cursor/mcp.json", ORIGINAL);
    let output = world.ctl(&["setup", "cursor", "--yes"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = stdout(&output);
    assert!(!told.contains("canary"), "{told}");
    for part in ["secrets set IB_PASSWORD_AUTH", "300000 milliseconds", "with IB_USERNAME"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let text = read(&world, ".cursor/mcp.json");
    assert!(text.contains("// my own servers") && text.contains("}, // theirs"), "{text}");
    assert!(text.contains("canary-7f") && text.contains("\"IB_AUTH_TIMEOUT\": \"300\""), "{text}");
    assert!(!text.contains("npx") && text.contains("\"interactive-brokers\""), "{text}");
    // A second one later leads back to the same place.
    let output =
        world.ctl(&["setup", "cursor", "--yes", "--set", "read_only_mode=yes", "--json"]).await;
    assert_eq!(json_of(&output)["clients"][0]["state"], "written", "{output:?}");
    assert!(read(&world, ".cursor/mcp.json").contains("\"IB_READ_ONLY_MODE\": \"true\""));
    assert_eq!(backups(&world, ".cursor").len(), 1);
    assert!(world.ctl(&["setup", "cursor", "--undo", "-y"]).await.status.success());
    assert_eq!(read(&world, ".cursor/mcp.json"), ORIGINAL);
}

#[tokio::test]
async fn what_was_changed_since_stays_and_only_our_entry_goes() {
    let world = World::empty();
    write(&world, ".config/Claude/claude_desktop_config.json", "{\n  \"theme\": \"dark\"\n}\n");
    let file = ".config/Claude/claude_desktop_config.json";
    assert!(world.ctl(&["setup", "claude-desktop", "-y"]).await.status.success());
    let changed = read(&world, file).replace("\"dark\"", "\"light\"");
    write(&world, file, &changed);
    let output = world.ctl(&["setup", "--undo", "-y"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).contains(".ibd-backup-"), "it says where it was: {output:?}");
    let left: Value = serde_json::from_str(&read(&world, file)).unwrap();
    assert_eq!(left, serde_json::json!({ "theme": "light", "mcpServers": {} }));
    // A file that setup made goes with it.
    assert!(world.ctl(&["setup", "zed", "-y"]).await.status.success());
    assert!(world.path(".config/zed/settings.json").exists());
    assert!(world.ctl(&["setup", "zed", "--undo", "-y"]).await.status.success());
    assert!(!world.path(".config/zed/settings.json").exists());
    let output = world.ctl(&["setup", "zed", "--undo", "-y"]).await;
    assert!(stdout(&output).contains("Nothing of ours"), "{output:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_left_and_the_others_are_set_up_all_the_same() {
    let world = World::empty();
    let broken = "{\n  \"mcpServers\": {\n";
    write(&world, ".cursor/mcp.json", broken);
    write(&world, ".gemini/settings.json", "{}");
    let output = world.ctl(&["setup", "--yes"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = stderr(&output);
    assert!(
        told.contains("line ") && told.contains("column ") && told.contains("mcp.json"),
        "{told}"
    );
    assert_eq!(read(&world, ".cursor/mcp.json"), broken);
    assert!(read(&world, ".gemini/settings.json").contains("ib-mcp"));
    let output = world.ctl(&["setup", "--yes", "--json"]).await;
    let report = json_of(&output);
    assert_eq!(report["clients"][0]["state"], "failed", "{report}");
    assert_eq!(report["clients"][1]["state"], "unchanged", "{report}");
    assert!(report["error"].as_str().unwrap().contains("line "), "{report}");
    // Somebody else's server is not ours to replace.
    write(&world, ".cursor/mcp.json", "{\"mcpServers\": {\"ib\": {\"command\": \"other\"}}}");
    let output = world.ctl(&["setup", "cursor", "--yes"]).await;
    assert!(stderr(&output).contains("--name"), "{output:?}");
    let output = world.ctl(&["setup", "cursor", "--yes", "--name", "ibd"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[tokio::test]
async fn rights_and_links_stay_as_they_are() {
    let world = World::empty();
    write(&world, "dotfiles/mcp.json", "{}");
    std::fs::create_dir(world.path(".cursor")).unwrap();
    let link = world.path(".cursor/mcp.json");
    std::os::unix::fs::symlink("../dotfiles/mcp.json", &link).unwrap();
    let real = world.path("dotfiles/mcp.json");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(world.ctl(&["setup", "cursor", "-y"]).await.status.success());
    assert!(link.is_symlink());
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert!(read(&world, "dotfiles/mcp.json").contains("ib-mcp"));
    assert_eq!(backups(&world, "dotfiles").len(), 1);
    // What others can change is not to say what a client launches.
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o666)).unwrap();
    let output = world.ctl(&["setup", "cursor", "-y", "--set", "IB_ACCOUNT=DU1"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("0666"), "{output:?}");
}

#[tokio::test]
async fn wrong_usage_is_2_and_a_profile_comes_with_its_entry() {
    let world = World::empty();
    write(&world, ".cursor/mcp.json", "{}");
    for arguments in [
        &["setup", "--json"][..],
        &["setup", "--yes", "--dry-run"],
        &["setup", "--undo", "--set", "IB_ACCOUNT=U1"],
        &["setup", "--set", "IB_PASSWORD_AUTH=canary-7f"],
        &["setup", "--set", "IB_COMPETE=take"],
        &["setup", "--set", "IB_READONLY=true"],
    ] {
        let output = world.ctl(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
    assert_eq!(read(&world, ".cursor/mcp.json"), "{}");
    let paper = ["setup", "cursor", "-y", "--name", "ib-paper", "--profile", "paper"];
    assert!(world.ctl(&["setup", "cursor", "-y"]).await.status.success());
    assert!(world.ctl(&paper).await.status.success());
    let cursor: Value = serde_json::from_str(&read(&world, ".cursor/mcp.json")).unwrap();
    assert_eq!(cursor["mcpServers"]["ib-paper"]["env"]["IB_PROFILE"], "paper", "{cursor}");
    assert_eq!(cursor["mcpServers"]["ib"]["env"], Value::Null, "{cursor}");
}
