//! The MCP clients of this machine: whether each launches ib-mcp, whether that is there, and whether the npm package
//! is still launched beside it.

use std::path::{Path, PathBuf};

use ibd_clients::{Client, Folders, Launches, Platform, Problem, Standing};
use ibd_protocol::files;

use super::check::Check;

/// More than any client's file, in bytes. Claude Code keeps histories in its own.
const LONGEST: u64 = 256 << 20;

/// A line for each client that is here.
pub(super) fn checks() -> Vec<Check> {
    const NAME: &str = "clients";
    let platform = Platform::here();
    let Some(folders) = Folders::of(platform, |name| std::env::var_os(name)) else {
        return vec![Check::not_looked_at(NAME, "the home folder is not known: set HOME")];
    };
    let is_here = |client: &Client| {
        ibd_clients::signs(*client, platform, &folders).iter().any(|sign| sign.exists())
    };
    let here: Vec<Client> = Client::ALL.into_iter().filter(is_here).collect();
    if here.is_empty() {
        let text =
            "No MCP client that `ibctl setup` knows is here; docs/install.md has lines for others.";
        return vec![Check::ok(NAME, text)];
    }
    here.into_iter()
        .map(|client| look(client, &ibd_clients::file(client, platform, &folders)))
        .collect()
}

fn look(client: Client, path: &Path) -> Check {
    let text = match files::read_text(path, LONGEST) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let text = format!("{}: {}.", path.display(), ibd_disk::plainly(&error));
            return Check::fail(
                name(client),
                text,
                "Correct it; until then nothing is known of it.",
            );
        }
    };
    match ibd_clients::standing(client, text.as_deref().unwrap_or_default()) {
        Ok(entries) => verdict(client, &entries, is_there),
        Err(problem) => unreadable(client, path, &problem),
    }
}

/// In snake_case.
fn name(client: Client) -> String {
    format!("client_{}", client.id().replace('-', "_"))
}

fn unreadable(client: Client, path: &Path, problem: &Problem) -> Check {
    let text = format!("{}: {}: {problem}.", client.title(), path.display());
    Check::fail(name(client), text, "Correct the file: its client may not read it either.")
}

/// Whether a program is where its client looks for it. `None`: that cannot be said from here.
fn is_there(program: &str) -> Option<bool> {
    let path = PathBuf::from(program);
    if path.is_absolute() {
        return Some(path.is_file());
    }
    // A client that was not started from a shell has another PATH than this one.
    None
}

fn verdict(client: Client, entries: &[Standing], is_there: impl Fn(&str) -> Option<bool>) -> Check {
    let (name, title) = (name(client), client.title());
    let setup = format!("ibctl setup {}", client.id());
    let of = |launches| entries.iter().filter(move |one| one.launches == launches);
    let (ours, original) = (of(Launches::Ours).next(), of(Launches::Original).next());
    if let Some(gone) = of(Launches::Ours).find(|one| is_there(&one.program) == Some(false)) {
        let text =
            format!("{title}: `{}` launches {}, and it is not there.", gone.name, gone.program);
        return Check::fail(name, text, "").mend(setup);
    }
    match (ours, original) {
        (_, Some(original)) => still(client, original, ours.is_some()),
        (None, None) => {
            Check::warn(name, format!("{title} is here, and ibd is not set up in it."), "")
                .mend(setup)
        }
        (Some(ours), None) => settled(client, ours, is_there(&ours.program)),
    }
}

/// Both would want the one session that IBKR gives.
fn still(client: Client, original: &Standing, has_ours: bool) -> Check {
    let (title, entry) = (client.title(), &original.name);
    let beside = if has_ours { " beside ours" } else { "" };
    let text = format!("{title}: `{entry}` still launches interactive-brokers-mcp{beside}.");
    let check =
        Check::warn(name(client), text, "IBKR gives one session: the two take it from each other.");
    match &original.project {
        None => check.mend(format!("ibctl setup {}", client.id())),
        Some(project) => Check {
            hint: format!("It belongs to the project {project}; there:"),
            ..check.mend(format!("claude mcp remove -s local {entry}"))
        },
    }
}

fn settled(client: Client, ours: &Standing, is_there: Option<bool>) -> Check {
    let (name, title, entry) = (name(client), client.title(), &ours.name);
    if let Some(secret) = ours.secrets.first() {
        let text = format!("{title}: {secret} stands in its file in clear (`{entry}`).");
        let hint = "Keep it in the keyring, then take it out of the file:";
        let variable = secret.trim_start_matches("--").to_ascii_uppercase().replace('-', "_");
        let kept = ibd_protocol::settings::find(&variable);
        let kept = kept.map_or(variable.as_str(), |setting| setting.name);
        return Check::warn(name, text, hint).mend(format!("ibctl secrets set {kept}"));
    }
    let program = &ours.program;
    if ours.is_off {
        return Check::ok(name, format!("{title}: `{entry}` is set up, and switched off there."));
    }
    match is_there {
        Some(_) => Check::ok(name, format!("{title}: `{entry}` launches {program}.")),
        None => Check::ok(
            name,
            format!(
                "{title}: `{entry}` launches {program}; whether that is found is not known here."
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn entry(name: &str, launches: Launches, program: &str) -> Standing {
        Standing {
            name: name.into(),
            launches,
            program: program.into(),
            is_off: false,
            secrets: Vec::new(),
            project: None,
        }
    }

    fn told(entries: &[Standing]) -> Check {
        verdict(Client::ClaudeDesktop, entries, |program| match program {
            "/opt/ib-mcp" => Some(true),
            "/gone/ib-mcp" => Some(false),
            _ => None,
        })
    }

    #[test]
    fn a_client_is_set_up_or_it_is_said_what_is_missing() {
        let setup = "ibctl setup claude-desktop";
        let ours = || entry("ib", Launches::Ours, "/opt/ib-mcp");
        let original = || entry("interactive-brokers", Launches::Original, "npx");
        for (entries, state, names, command) in [
            (vec![ours()], State::Ok, "launches /opt/ib-mcp", None),
            (vec![], State::Warn, "not set up", Some(setup)),
            (
                vec![entry("ib", Launches::Ours, "/gone/ib-mcp")],
                State::Fail,
                "not there",
                Some(setup),
            ),
            (vec![original()], State::Warn, "still launches", Some(setup)),
            (vec![ours(), original()], State::Warn, "beside ours", Some(setup)),
            (vec![entry("ib", Launches::Ours, "ib-mcp")], State::Ok, "not known here", None),
            (vec![Standing { is_off: true, ..ours() }], State::Ok, "switched off", None),
            (
                vec![Standing { secrets: vec!["--ib-password".into()], ..ours() }],
                State::Warn,
                "in clear",
                Some("ibctl secrets set IB_PASSWORD_AUTH"),
            ),
            (
                vec![ours(), Standing { project: Some("/src/x".into()), ..original() }],
                State::Warn,
                "still launches",
                Some("claude mcp remove -s local interactive-brokers"),
            ),
        ] {
            let check = told(&entries);
            assert_eq!(check.state, state, "{check:?}");
            assert!(check.text.contains(names), "{names}: {check:?}");
            assert_eq!(check.commands.first().map(String::as_str), command, "{check:?}");
            assert_eq!(check.name, "client_claude_desktop");
        }
    }
}
