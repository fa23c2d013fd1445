//! What of the npm package's entry means something to ours, and what has to be said differently.
//!
//! Its variables and `--ib-*` flags are ours too. Its `IB_AUTH_TIMEOUT` is in milliseconds, ours in seconds; what only
//! its HTTP mode or its log had is left out.

use crate::entry::Server;
use crate::flags::{Flag, flags, variable};
use crate::plan::Note;

/// Below this a time-out is in seconds already.
const LEAST_MILLISECONDS: u64 = 10_000;

const TIMEOUT: &str = "IB_AUTH_TIMEOUT";

const OF_HTTP: &[&str] = &["MCP_HTTP_SERVER", "MCP_HTTP_PORT", "MCP_PORT", "MCP_HOST"];

const NO_HTTP: &str =
    "this client launches ib-mcp itself, over stdio; HTTP is for those that cannot";
const NO_LOG: &str = "the log of ib-mcp is on stderr anyway";
const NO_FLAG: &str = "ib-mcp has no such argument";

/// What is taken over of one entry.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// What a person should know of it.
    pub notes: Vec<Note>,
}

/// What is taken over of an entry whose program gets these arguments.
pub(crate) fn take_over(server: &Server, args: &[String]) -> Taken {
    let mut taken = Taken::default();
    for (name, value) in &server.env {
        taken.variable(&server.name, name, value);
    }
    for flag in flags(args) {
        taken.flag(&server.name, &flag);
    }
    taken
}

impl Taken {
    fn variable(&mut self, entry: &str, name: &str, value: &str) {
        if OF_HTTP.contains(&name) {
            self.leave_out(entry, name, NO_HTTP);
        } else {
            let value = self.in_seconds(entry, name, value);
            self.env.push((name.to_owned(), value));
        }
    }

    fn flag(&mut self, entry: &str, flag: &Flag) {
        match flag.name {
            "--http" => self.leave_out(entry, flag.name, NO_HTTP),
            "--console-logging" | "--log-console" => self.leave_out(entry, flag.name, NO_LOG),
            name if name.starts_with("--ib-") && variable(name) == TIMEOUT => {
                let value = flag.value().map(|value| self.in_seconds(entry, name, value));
                self.args.push(match value {
                    Some(value) => format!("{name}={value}"),
                    None => name.to_owned(),
                });
            }
            name if name.starts_with("--ib-") => self.args.extend_from_slice(flag.words),
            // It may be the value of a flag before it, and so anything.
            name if !name.starts_with('-') => self.leave_out(entry, "an argument", NO_FLAG),
            name => self.leave_out(entry, name, NO_FLAG),
        }
    }

    /// A value in our unit.
    fn in_seconds(&mut self, entry: &str, name: &str, value: &str) -> String {
        let is_timeout = variable(name) == TIMEOUT;
        let given = value.trim().parse::<u64>().ok();
        match given.filter(|given| is_timeout && *given >= LEAST_MILLISECONDS) {
            Some(given) => {
                let seconds = given.div_ceil(1000).to_string();
                self.notes.push(Note::Translated {
                    entry: entry.to_owned(),
                    name: name.to_owned(),
                    from: value.to_owned(),
                    to: seconds.clone(),
                });
                seconds
            }
            None => value.to_owned(),
        }
    }

    fn leave_out(&mut self, entry: &str, what: &str, why: &'static str) {
        self.notes.push(Note::LeftOut { entry: entry.to_owned(), what: what.to_owned(), why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(env: &[(&str, &str)], args: &str) -> Taken {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let server = Server { name: "x".into(), env: env.collect(), ..Server::default() };
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        take_over(&server, &args)
    }

    #[test]
    fn variables_and_flags_of_ours_are_taken_over_as_they_are() {
        let taken = taken(
            &[("IB_USERNAME", "u"), ("PLAYWRIGHT_BROWSERS_PATH", "/b"), ("IB_AUTH_TIMEOUT", "300")],
            "--ib-password secret --ib-paper-trading --ib-read-only-mode=true",
        );
        assert_eq!(taken.env.len(), 3);
        assert_eq!(
            taken.args.join(" "),
            "--ib-password secret --ib-paper-trading --ib-read-only-mode=true"
        );
        assert!(taken.notes.is_empty(), "{:?}", taken.notes);
    }

    #[test]
    fn milliseconds_become_seconds_and_that_is_said() {
        let taken = taken(&[("IB_AUTH_TIMEOUT", "300000")], "--ib-auth-timeout 90500");
        assert_eq!(taken.env, [("IB_AUTH_TIMEOUT".to_owned(), "300".to_owned())]);
        assert_eq!(taken.args, ["--ib-auth-timeout=91"]);
        assert_eq!(taken.notes.len(), 2);
    }

    #[test]
    fn what_would_keep_ours_from_starting_is_left_out_and_named() {
        let taken = taken(
            &[("MCP_HTTP_SERVER", "true"), ("IB_GATEWAY_PORT", "5000")],
            "--http --port 8000 --log-console --ib-headless-mode",
        );
        assert_eq!(taken.env, [("IB_GATEWAY_PORT".to_owned(), "5000".to_owned())]);
        assert_eq!(taken.args, ["--ib-headless-mode"]);
        let left: Vec<&str> = taken
            .notes
            .iter()
            .filter_map(|note| match note {
                Note::LeftOut { what, .. } => Some(what.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(left, ["MCP_HTTP_SERVER", "--http", "--port", "an argument", "--log-console"]);
    }
}
