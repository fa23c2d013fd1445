//! What is to be done to one file, and doing it.

use std::path::Path;

use ibd_clients::{Backup, Client, Entry, Plan, Problem, Undo};

use super::file::File;
use super::shown::Outcome;
use crate::daemon::Fault;

/// One step.
#[derive(Debug)]
pub(super) enum Step {
    /// The file is as it should be; the plan has what is to be said of it.
    Stay(Plan),
    /// There is nothing of ours to be taken back.
    Nothing,
    /// A text of ours takes the place of what is there.
    Write(Plan, Backup),
    /// A backup takes its place.
    Restore {
        /// Its name.
        backup: String,
        /// What that changes.
        plan: Plan,
    },
    /// Our entries are taken out of it.
    TakeOut(Plan),
    /// It goes: it was made by setup, and nothing would be left in it.
    Delete(Plan),
}

impl Step {
    /// Towards an entry of ours.
    pub(super) fn forth(client: Client, file: &File, entry: &Entry) -> Result<Self, Problem> {
        let plan = ibd_clients::plan(client, file.text.as_deref(), entry)?;
        if !plan.is_change() {
            return Ok(Self::Stay(plan));
        }
        let backup = ibd_clients::backup(&file.name(), &file.beside, &plan);
        Ok(Self::Write(plan, backup))
    }

    /// Back to what was before it.
    pub(super) fn back(client: Client, file: &File, only: Option<&str>) -> Result<Self, Problem> {
        let name = file.name();
        let way = (name.as_str(), file.beside.as_slice());
        Ok(match ibd_clients::undo(client, way, file.text.as_deref(), only)? {
            Undo::Nothing => Self::Nothing,
            Undo::Restore(backup) => restore(client, file, backup)?,
            Undo::Write(plan) => Self::TakeOut(plan),
            Undo::Delete(plan) => Self::Delete(plan),
        })
    }

    /// Whether nothing is to be done.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Stay(_) | Self::Nothing)
    }

    /// What came of it, once it is performed.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Stay(_) => Outcome::Unchanged,
            Self::Nothing => Outcome::NothingToUndo,
            Self::Write(..) => Outcome::Written,
            Self::Restore { .. } => Outcome::Restored,
            Self::TakeOut(_) => Outcome::TakenOut,
            Self::Delete(_) => Outcome::Deleted,
        }
    }

    /// Does it, and says which backup there is afterwards. The way back is durable before anything is written over.
    pub(super) fn perform(&self, file: &File) -> Result<Option<String>, Fault> {
        match self {
            Self::Stay(_) | Self::Nothing => Ok(None),
            Self::Write(plan, backup) => write(file, plan, backup),
            Self::Restore { backup, plan } => {
                file.replace(&plan.after)?;
                file.forget(backup);
                Ok(None)
            }
            Self::TakeOut(plan) => file.replace(&plan.after).map(|()| None),
            Self::Delete(_) => file.remove().map(|()| None),
        }
    }
}

fn restore(client: Client, file: &File, backup: String) -> Result<Step, Problem> {
    let now = file.text.as_deref().unwrap_or_default();
    Ok(match file.read_sibling(&backup) {
        Ok(File { text: Some(text), .. }) => {
            Step::Restore { plan: ibd_clients::restored(client, now, &text), backup }
        }
        // It cannot be read: taking our entry out is what is left.
        _ => Step::TakeOut(ibd_clients::remove(client, now, None)?),
    })
}

fn write(file: &File, plan: &Plan, backup: &Backup) -> Result<Option<String>, Fault> {
    match backup {
        Backup::Nothing => file.replace(&plan.after).map(|()| None),
        Backup::Keep(name) => {
            file.keep(name, plan.before.as_deref().unwrap_or_default())?;
            file.replace(&plan.after).inspect_err(|_| file.forget(name))?;
            Ok(Some(name.clone()))
        }
        Backup::Rename { from, to } => {
            let earlier = file.read_sibling(from)?.text.unwrap_or_default();
            file.keep(to, &earlier)?;
            file.replace(&plan.after).inspect_err(|_| file.forget(to))?;
            file.forget(from);
            Ok(Some(to.clone()))
        }
    }
}

/// Why a file is left as it is.
pub(super) fn fault(file: &Path, problem: &Problem) -> Fault {
    let text = match problem {
        Problem::BadName(_) => problem.to_string(),
        _ => format!("{}: {problem}", file.display()),
    };
    Fault::new(text, problem.hint())
}
