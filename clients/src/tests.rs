//! Whole files, before and after.
#![allow(clippy::unwrap_used, clippy::panic)]

mod jsons;
mod switching;
mod tomls;

use crate::{Client, Entry, Plan, Problem, plan, remove};

/// Where our program lies in these tests.
const MCP: &str = "/opt/ib-mcp";

fn entry() -> Entry {
    Entry { command: MCP.to_owned(), ..Entry::default() }
}

/// The entry of that name.
fn named(name: &str) -> Entry {
    Entry { name: Some(name.to_owned()), ..entry() }
}

/// With these variables.
fn with(set: &[(&str, &str)]) -> Entry {
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Entry { set: set.collect(), ..entry() }
}

/// The text that setup writes, which must be one that it leaves alone afterwards.
fn after(client: Client, text: &str, entry: &Entry) -> String {
    let made = made(client, text, entry);
    let again = plan(client, Some(&made.after), entry).unwrap();
    assert!(!again.is_change(), "{}\n{}", made.after, again.after);
    made.after
}

fn made(client: Client, text: &str, entry: &Entry) -> Plan {
    plan(client, Some(text), entry).unwrap_or_else(|problem| panic!("{problem}: {text}"))
}

fn problem(client: Client, text: &str, entry: &Entry) -> Problem {
    match plan(client, Some(text), entry) {
        Err(problem) => problem,
        Ok(made) => panic!("{client:?} takes {text:?}: {}", made.after),
    }
}

/// All lines of a text are in another one, in their order: nothing of a person's was lost or moved.
fn assert_kept(before: &str, after: &str) {
    let mut rest = after.split_inclusive('\n');
    for line in before.split_inclusive('\n') {
        // A comma may have come to the end of a line.
        let bare = |line: &str| line.trim_end().trim_end_matches(',').to_owned();
        assert!(rest.any(|one| bare(one) == bare(line)), "{line:?} of {before} is not in {after}");
    }
}

#[test]
fn a_new_file_has_our_entry_as_each_client_wants_it() {
    let json = |key: &str, first: &str, last: &str| {
        format!(
            "{{\n  \"{key}\": {{\n    \"ib\": {{\n{first}      \"command\": \"/opt/ib-mcp\",\n      \
             \"args\": []{last}\n    }}\n  }}\n}}\n"
        )
    };
    for (client, expected) in [
        (Client::ClaudeDesktop, json("mcpServers", "", "")),
        (Client::ClaudeCode, json("mcpServers", "", "")),
        (Client::Cursor, json("mcpServers", "", "")),
        (Client::VsCode, json("servers", "      \"type\": \"stdio\",\n", "")),
        (
            Client::Codex,
            "[mcp_servers.ib]\ncommand = \"/opt/ib-mcp\"\nargs = []\ntool_timeout_sec = 120\n"
                .into(),
        ),
        (Client::Zed, json("context_servers", "", ",\n      \"timeout\": 120")),
        (Client::Windsurf, json("mcpServers", "", "")),
        (Client::Gemini, json("mcpServers", "", "")),
    ] {
        let made = plan(client, None, &entry()).unwrap();
        assert_eq!(made.after, expected, "{client:?}");
        assert!(made.is_change() && made.before.is_none(), "{client:?}");
        // An empty file is one that somebody made.
        for empty in ["", "\n", "\u{feff}"] {
            let text = after(client, empty, &entry());
            assert_eq!(text.trim_start_matches('\u{feff}').trim(), expected.trim(), "{client:?}");
            assert_eq!(text.starts_with('\u{feff}'), empty.starts_with('\u{feff}'), "{client:?}");
        }
    }
}

#[test]
fn what_was_added_can_be_taken_out_again() {
    for client in Client::ALL {
        let made = plan(client, None, &entry()).unwrap();
        let gone = remove(client, &made.after, None).unwrap();
        assert_eq!(gone.removed, ["ib"], "{client:?}");
        assert!(!gone.after.contains("ib-mcp"), "{client:?}: {}", gone.after);
        let other = remove(client, &made.after, Some("other")).unwrap();
        assert!(!other.is_change(), "{client:?}");
    }
}

#[test]
fn a_windows_path_is_written_so_that_it_reads_as_itself() {
    let command = r"C:\Users\Jörg Ö\ibd\ib-mcp.exe";
    let entry = Entry { command: command.to_owned(), ..Entry::default() };
    for client in Client::ALL {
        let text = after(client, "", &entry);
        let again = plan(client, Some(&text), &entry).unwrap();
        assert_eq!(again.entries[0].server.command, command, "{client:?}: {text}");
    }
}

#[test]
fn names_and_settings_are_checked_before_anything_is_planned() {
    for bad in ["", "a b", "a\"b", "ä", "0123456789012345678901234567890123"] {
        let found = problem(Client::Cursor, "{}", &named(bad));
        assert_eq!(found, Problem::BadName(bad.to_owned()));
    }
    let text = after(Client::Cursor, "{}", &with(&[("IB_PAPER_TRADING", "true")]));
    assert!(text.contains("\"env\": {\n        \"IB_PAPER_TRADING\": \"true\"\n      }"), "{text}");
    let text = after(Client::Cursor, &text, &with(&[("IB_PAPER_TRADING", "")]));
    assert!(!text.contains("IB_PAPER_TRADING"), "{text}");
}

#[test]
fn a_difference_is_shown_without_secrets() {
    let text = r#"{"mcpServers": {
  "ib": {"command": "ib-mcp", "env": {"IB_PASSWORD_AUTH": "hush"}, "args": ["--ib-totp-secret", "quiet"]},
  "github": {"command": "gh", "env": {"GITHUB_TOKEN": "ghp_hush"}}
}}"#;
    let made = made(Client::Cursor, text, &entry());
    let diff = made.diff("mcp.json");
    assert!(diff.starts_with("--- mcp.json\n+++ mcp.json\n@@"), "{diff}");
    assert!(diff.contains("/opt/ib-mcp") && diff.contains("GITHUB_TOKEN"), "{diff}");
    assert!(!diff.contains("hush") && !diff.contains("quiet"), "{diff}");
    assert!(made.after.contains("hush") && made.after.contains("quiet"), "it is only not shown");
    assert!(!format!("{made:?}").contains("hush"));
}
