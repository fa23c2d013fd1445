//! `ibctl setup`: tells MCP clients of ib-mcp, and takes that back. Needs no daemon.
//!
//! What a file will be is decided by `ibd-clients`, from its text alone; here it is shown, asked for and written.

mod file;
mod set;
mod shown;
mod sides;
mod step;

use ibd_clients::{Client, Entry};
use ibd_protocol::settings::Key;
use ibd_protocol::start;

use crate::daemon::Fault;
use crate::{Context, Ended, answer, say, terminal};
use shown::{Outcome, Shown};
use sides::Side;
use step::Step;

/// Flags of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// claude-desktop, claude-code, cursor, vscode, codex, zed, windsurf or gemini
    /// [default: those that are on this machine].
    #[arg(value_name = "CLIENT", value_parser = client)]
    clients: Vec<Client>,
    /// Put back what was there before; if the file has changed since, only take our entry out.
    #[arg(long)]
    undo: bool,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    /// Show what would be done, and do nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// The name of the entry [default: the one that it has, else `ib`].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A setting that counts for this client, such as IB_READ_ONLY_MODE=true; without a value it
    /// is taken out. May be given again.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "undo")]
    set: Vec<String>,
}

fn client(id: &str) -> Result<Client, String> {
    let known = || Client::ALL.map(Client::id).join(", ");
    Client::find(id).ok_or_else(|| format!("the clients are {}", known()))
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    if context.json && !args.yes && !args.dry_run {
        return Err(Fault::usage(
            "with --json nobody can be asked",
            "Add --yes, or --dry-run to see what would be done.",
        ));
    }
    let sides = sides::all(context)?;
    let entry = if args.undo { Entry::default() } else { entry(context, args)? };
    let mut outcomes = Vec::new();
    for (client, side) in chosen(args, &sides)? {
        if !context.json && !outcomes.is_empty() {
            say("");
        }
        let entry = if args.undo { entry.clone() } else { side.entry(entry.clone()) };
        outcomes.push(one(context, args, (side.shown(client), &entry)));
    }
    close(context, &outcomes)
}

/// The clients that are named, else those that are here, each where it is.
fn chosen<'a>(args: &Args, sides: &'a [Side]) -> Result<Vec<(Client, &'a Side)>, Fault> {
    if !args.clients.is_empty() {
        let mut named: Vec<Client> = Vec::new();
        for client in &args.clients {
            if !named.contains(client) {
                named.push(*client);
            }
        }
        return Ok(named.into_iter().flat_map(|client| sides::of(client, sides)).collect());
    }
    let here: Vec<(Client, &Side)> =
        Client::ALL.into_iter().flat_map(|client| sides::where_it_is(client, sides)).collect();
    if here.is_empty() {
        let known = Client::ALL.map(Client::id).join(", ");
        return Err(Fault::new(
            "no MCP client that setup knows is on this machine",
            format!("Name one to set it up all the same: {known}. Others: docs/install.md."),
        ));
    }
    Ok(here)
}

/// What is to stand in each file.
fn entry(context: &Context, args: &Args) -> Result<Entry, Fault> {
    let missing = "Install it beside ibctl (`make install`).";
    let program = start::find("ib-mcp").map_err(|error| Fault::new(error.to_string(), missing))?;
    let command = program.to_str().filter(|_| program.is_absolute()).ok_or_else(|| {
        Fault::new(format!("{} is no path for a client's file", program.display()), missing)
    })?;
    // Not while flags are read: what is no setting may be a secret, and clap would show it.
    let parsed: Result<Vec<set::Pair>, String> =
        args.set.iter().map(|one| set::parse(one)).collect();
    let mut set = parsed.map_err(|problem| {
        Fault::usage(problem, "docs/configuration.md has all settings. Nothing was written.")
    })?;
    let profile = &context.places.profile;
    let names_it = set.iter().any(|pair| pair.name == Key::Profile.name());
    if profile != "default" && !names_it {
        set.push(set::Pair { name: Key::Profile.name().to_owned(), value: profile.clone() });
    }
    Ok(Entry {
        name: args.name.clone(),
        command: command.to_owned(),
        args: Vec::new(),
        set: set.into_iter().map(|pair| (pair.name, pair.value)).collect(),
    })
}

/// All that is done about one client. A failure is its own: the others go on.
fn one(context: &Context, args: &Args, (mut shown, entry): (Shown, &Entry)) -> Shown {
    shown.outcome = act(context, args, (&mut shown, entry)).unwrap_or_else(Outcome::Failed);
    if !context.json {
        say(&crate::for_terminal(&shown.end()));
    }
    shown
}

fn act(
    context: &Context,
    args: &Args,
    (shown, entry): (&mut Shown, &Entry),
) -> Result<Outcome, Fault> {
    if !context.json {
        say(&crate::for_terminal(&shown.heading()));
    }
    let file = file::File::read(&shown.path, shown.of)?;
    let step = if args.undo {
        Step::back(shown.client, &file, args.name.as_deref())
    } else {
        Step::forth(shown.client, &file, entry)
    };
    let step = step.map_err(|problem| step::fault(&shown.path, &problem))?;
    shown.about(&step, &file);
    if !context.json && !shown.told().is_empty() {
        say(&crate::for_terminal(&shown.told()));
    }
    if step.is_nothing() {
        return Ok(if args.undo { Outcome::NothingToUndo } else { Outcome::Unchanged });
    }
    if args.dry_run {
        return Ok(Outcome::Planned);
    }
    if !args.yes && !is_wanted(shown)? {
        return Ok(Outcome::Declined);
    }
    shown.backup = step.perform(&file)?;
    Ok(step.outcome())
}

fn is_wanted(shown: &Shown) -> Result<bool, Fault> {
    if !terminal::is_there() {
        return Err(Fault::needs_person(
            format!("nobody is there who could agree to the change of {}", shown.path.display()),
            "Look at it, then add --yes, or run it in a terminal. Nothing was written.",
        ));
    }
    Ok(terminal::agrees("Write this?"))
}

/// One answer for all. What failed is said at the end, and makes the command fail.
fn close(context: &Context, outcomes: &[Shown]) -> Result<Ended, Fault> {
    let report = shown::report(outcomes);
    let failed: Vec<&Fault> = outcomes.iter().filter_map(Shown::fault).collect();
    if let Some(first) = failed.first() {
        let texts: Vec<&str> = failed.iter().map(|fault| fault.text.as_str()).collect();
        let mut hints: Vec<&str> = failed.iter().map(|fault| fault.hint.as_str()).collect();
        hints.dedup();
        let fault = Fault { code: first.code, ..Fault::new(texts.join("\n"), hints.join("\n")) };
        return Err(fault.with(&report));
    }
    if context.json {
        answer(context, &report, "")?;
    }
    Ok(Ended::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_and_others_are_told_which_there_are() {
        assert_eq!(client("Cursor"), Ok(Client::Cursor));
        assert!(client("emacs").is_err_and(|told| told.contains("claude-desktop")));
    }

    /// Which variables are secret is written down twice: the crate of the clients knows no settings.
    #[test]
    fn every_secret_setting_is_known_to_be_one() {
        for setting in ibd_protocol::settings::SETTINGS {
            let is_kept_apart = setting.key == Key::Webhook;
            if setting.kind.is_secret() && !is_kept_apart {
                for name in setting.aliases.iter().chain([&setting.name]) {
                    assert!(ibd_clients::SECRETS.contains(name), "{name}");
                }
            }
        }
    }
}
