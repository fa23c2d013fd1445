//! Files in TOML.

use super::{after, entry, made, named, problem, with};
use crate::{Client, Problem, remove};

const OURS: &str =
    "[mcp_servers.ib]\ncommand = \"/opt/ib-mcp\"\nargs = []\ntool_timeout_sec = 120\n";

#[test]
fn an_entry_comes_after_those_that_are_there() {
    let before = "# mine
model = \"gpt-6\" # the best
notify = [
  \"a\", # first
]

[mcp_servers.other] # theirs
command = 'x'

[mcp_servers.other.env]
\"A B\" = \"1\"
";
    let rest = "
# how it looks
[tui]
theme = \"dark\"
# the end
";
    let expected = format!("{before}\n{OURS}");
    assert_eq!(after(Client::Codex, before, &entry()), expected);
    assert_eq!(remove(Client::Codex, &expected, None).unwrap().after, before);
    let longer = format!("{before}{rest}");
    let expected = format!("{before}\n{OURS}{rest}");
    assert_eq!(after(Client::Codex, &longer, &entry()), expected);
    assert_eq!(remove(Client::Codex, &expected, None).unwrap().after, longer);
}

#[test]
fn ends_of_lines_and_the_mark_before_the_first_stay() {
    let before = "\u{feff}model = \"x\"\r\n\r\n[tui]\r\ntheme = \"dark\"\r\n";
    let text = after(Client::Codex, before, &entry());
    assert_eq!(text, format!("{before}\r\n{}", OURS.replace('\n', "\r\n")));
    let mixed = "model = \"x\"\r\n[tui]\ntheme = \"dark\"\r\n";
    assert!(after(Client::Codex, mixed, &entry()).starts_with(mixed));
}

#[test]
fn an_entry_of_ours_keeps_what_a_person_put_into_it() {
    let before = "[mcp_servers.broker]
command = \"ib-mcp\" # on PATH
startup_timeout_sec = 30
env = { IB_PAPER_TRADING = \"true\" } # paper only
";
    let expected = before.replace("\"ib-mcp\"", "\"/opt/ib-mcp\"");
    assert_eq!(after(Client::Codex, before, &entry()), expected);
    assert!(!made(Client::Codex, &expected, &entry()).is_change());
    let set = after(Client::Codex, &expected, &with(&[("IB_ACCOUNT", "DU1")]));
    let both = "env = { IB_PAPER_TRADING = \"true\", IB_ACCOUNT = \"DU1\" } # paper only";
    assert!(set.contains(both), "{set}");
}

#[test]
fn a_file_without_a_last_end_of_line_is_left_alone_if_nothing_is_to_be_done() {
    let text = OURS.trim_end();
    assert!(!made(Client::Codex, text, &entry()).is_change());
}

#[test]
fn servers_on_one_line_are_added_to_on_that_line() {
    let before = "mcp_servers = { other = { command = \"x\" } }\nmodel = \"y\"\n";
    let text = after(Client::Codex, before, &entry());
    assert!(text.contains("ib = {") && text.ends_with("model = \"y\"\n"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn a_comment_above_an_entry_that_goes_stays() {
    let before = format!("# about this file\n{OURS}\n# about the looks\n[tui]\ntheme = \"dark\"\n");
    let gone = remove(Client::Codex, &before, None).unwrap().after;
    assert_eq!(gone, "# about this file\n\n# about the looks\n[tui]\ntheme = \"dark\"\n");
    let last = format!("model = \"x\"\n\n# brokers\n{OURS}");
    let gone = remove(Client::Codex, &last, None).unwrap().after;
    assert_eq!(gone, "model = \"x\"\n\n# brokers\n");
}

#[test]
fn what_cannot_be_read_is_named_with_its_place_and_what_is_no_place_is_left_alone() {
    match problem(Client::Codex, "model = \"x\"\nkey = = 1\n", &entry()) {
        Problem::Syntax { line, column, what } => {
            assert_eq!(line, 2, "{what}");
            assert!((5..=8).contains(&column), "{column} {what}");
        }
        other => panic!("{other:?}"),
    }
    for text in ["mcp_servers = 1\n", "[[mcp_servers]]\nx = 1\n"] {
        let found = problem(Client::Codex, text, &entry());
        assert!(matches!(found, Problem::Shape { .. }), "{text}: {found:?}");
    }
    let taken = "[mcp_servers.ib]\nurl = \"https://example.com\"\n";
    assert_eq!(problem(Client::Codex, taken, &entry()), Problem::Taken("ib".into()));
    assert!(after(Client::Codex, taken, &named("ibd")).contains("[mcp_servers.ibd]"));
}
