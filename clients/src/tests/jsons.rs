//! Files in JSON, with and without comments.

use super::{after, assert_kept, entry, made, named, problem};
use crate::{Client, Problem, remove};

#[test]
fn an_entry_comes_after_those_that_are_there_and_looks_like_them() {
    for (indent, end) in
        [("  ", "\n"), ("    ", "\n"), ("\t", "\n"), ("  ", "\r\n"), ("\t", "\r\n")]
    {
        let text = |lines: &[&str]| {
            let lines: Vec<String> = lines
                .iter()
                .map(|line| {
                    let bare = line.trim_start_matches('>');
                    format!("{}{bare}", indent.repeat(line.len() - bare.len()))
                })
                .collect();
            lines.join(end) + end
        };
        let before = text(&[
            "{",
            ">\"theme\": \"dark\",",
            ">\"mcpServers\": {",
            ">>\"other\": {",
            ">>>\"command\": \"x\"",
            ">>}",
            ">},",
            ">\"zoom\": 1.50",
            "}",
        ]);
        let expected = text(&[
            "{",
            ">\"theme\": \"dark\",",
            ">\"mcpServers\": {",
            ">>\"other\": {",
            ">>>\"command\": \"x\"",
            ">>},",
            ">>\"ib\": {",
            ">>>\"command\": \"/opt/ib-mcp\",",
            ">>>\"args\": []",
            ">>}",
            ">},",
            ">\"zoom\": 1.50",
            "}",
        ]);
        for client in [Client::ClaudeDesktop, Client::ClaudeCode, Client::Cursor, Client::Gemini] {
            assert_eq!(after(client, &before, &entry()), expected, "{client:?} {indent:?} {end:?}");
        }
        let back = remove(Client::Cursor, &expected, None).unwrap();
        assert_eq!(back.after, before, "{indent:?} {end:?}");
    }
}

#[test]
fn comments_before_after_and_inside_stay_where_they_are() {
    let before = "// my settings
{
  // the first
  \"context_servers\": {
    // off for now
    /* \"ib\": {}, */
    \"other\": { \"command\": \"x\", \"args\": [\"a\" /* why */] } // after it
    // and below
  },
  \"theme\": \"One Dark\", // trailing comma follows
}
// the end
";
    let text = after(Client::Zed, before, &entry());
    assert_kept(before, &text.replace("}, // after it", "} // after it"));
    assert!(text.contains("\"ib\": {\n      \"command\": \"/opt/ib-mcp\""), "{text}");
}

#[test]
fn what_is_unknown_and_nested_is_not_touched() {
    let before = r#"{
  "deep": {"a": [1, {"b": [null, true, -1.5e3, "A\/"]}], "mcpServers": {"ib": 1}},
  "mcpServers": {
    "remote": {"url": "https://example.com/mcp", "headers": {"x": "y"}},
    "odd": true
  }
}"#;
    let text = after(Client::Windsurf, before, &entry());
    assert_kept(before, &text.replace("\"odd\": true,", "\"odd\": true"));
}

#[test]
fn an_entry_of_ours_gets_our_program_and_keeps_what_a_person_put_into_it() {
    let before = r#"{
  "mcpServers": {
    "broker": { // mine
      "command": "ib-mcp", // on PATH
      "args": ["--ib-account", "DU1"],
      "env": {
        // paper only
        "IB_PAPER_TRADING": "true"
      },
      "alwaysAllow": ["get_positions"],
    },
  },
}
"#;
    let expected = before.replace("\"ib-mcp\"", "\"/opt/ib-mcp\"");
    assert_eq!(after(Client::Cursor, before, &entry()), expected);
    // Said again, nothing is to be done.
    assert!(!made(Client::Cursor, &expected, &entry()).is_change());
    // Another name is another entry.
    let second = after(Client::Cursor, &expected, &named("paper"));
    assert!(second.contains("\"broker\"") && second.contains("\"paper\""), "{second}");
}

#[test]
fn what_its_client_could_not_read_is_named_with_its_place() {
    for (client, text, line, column) in [
        (Client::ClaudeDesktop, "{\n  \"a\": 1,\n}", 2, 9),
        (Client::ClaudeDesktop, "{\n  // no\n}", 2, 3),
        (Client::Cursor, "{\n  \"a\": 1\n  \"b\": 2\n}", 2, 9),
        (Client::VsCode, "{\n  'a': 1\n}", 2, 3),
        (Client::Zed, "{\n  \"a\": nope\n}", 2, 8),
    ] {
        match problem(client, text, &entry()) {
            Problem::Syntax { line: found, column: at, .. } => {
                assert_eq!(found, line, "{client:?} {text}");
                // Whether the place before or after a blank is meant is the parser's to say.
                assert!(at.abs_diff(column) <= 2, "{client:?} {text}: {at}");
            }
            other => panic!("{other:?} {text}"),
        }
    }
}

#[test]
fn what_is_no_place_for_servers_is_left_alone() {
    for text in ["[]", "1", "{\"mcpServers\": []}", "{\"mcpServers\": null}"] {
        let found = problem(Client::Cursor, text, &entry());
        assert!(matches!(found, Problem::Shape { .. }), "{text}: {found:?}");
    }
    for text in
        ["{\"mcpServers\": {}, \"mcpServers\": {}}", "{\"mcpServers\": {\"a\": {}, \"a\": {}}}"]
    {
        let found = problem(Client::Cursor, text, &entry());
        assert!(matches!(found, Problem::Twice(_)), "{text}: {found:?}");
    }
    let taken = "{\"mcpServers\": {\"ib\": {\"command\": \"other\"}}}";
    assert_eq!(problem(Client::Cursor, taken, &entry()), Problem::Taken("ib".into()));
    let text = after(Client::Cursor, taken, &named("ibd"));
    assert!(text.contains("other") && text.contains("\"ibd\""), "{text}");
}

#[test]
fn taking_out_leaves_every_comment_that_is_not_on_our_lines() {
    let before = "{
  \"mcpServers\": {
    // above
    \"ib\": { \"command\": \"/opt/ib-mcp\", \"args\": [] }, // ours
    // between
    \"other\": { \"command\": \"x\" },
  }, // after
}
";
    let gone = remove(Client::Cursor, before, None).unwrap().after;
    for kept in ["// above", "// between", "\"other\": { \"command\": \"x\" },", "}, // after"] {
        assert!(gone.contains(kept), "{kept}: {gone}");
    }
    assert!(!gone.contains("\"ib\""), "{gone}");
}
