//! `ibctl oauth`: keys of one's own, with which requests go to IBKR without a gateway.

mod make;
mod revoke;
mod set;
mod show;
mod steps;

use std::time::Duration;

use clap::Subcommand;
use ibd_protocol::{OauthVerb, ToClient, ToDaemon};

use crate::daemon::{Fault, ask_patiently, running};
use crate::errand::Errand;
use crate::{Context, Ended, report};

/// Keys are tried, and a trading session is opened with them, within this time.
const SILENCE: Duration = Duration::from_secs(120);

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make keys, and say what to do with them at IBKR, step by step
    New {
        /// Make new ones although there are some: IBKR must be given the new ones then.
        #[arg(long)]
        replace: bool,
    },
    /// Keep consumer key, access token and secret: asked for, or three lines on stdin; an empty line changes nothing
    Set {
        /// In files of the state folder, on a machine without a keyring.
        #[arg(long)]
        file: bool,
    },
    /// Log in with them, and say what is wrong if that fails
    Test,
    /// Which keys there are and where, and what is missing; no secret is shown
    Show,
    /// Log out, delete everything here, and say what to do at IBKR
    Revoke {
        /// Without asking.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(context: &Context, verb: &Verb) -> Result<Ended, Fault> {
    match verb {
        Verb::New { replace } => make::run(context, *replace),
        Verb::Set { file } => set::run(context, *file).await,
        Verb::Test => test(context).await,
        Verb::Show => show::run(context).await,
        Verb::Revoke { yes } => revoke::run(context, *yes).await,
    }
}

async fn test(context: &Context) -> Result<Ended, Fault> {
    let mut errand = Errand::start(context, SILENCE).await?;
    let tested = errand.ask(
        |id| ToDaemon::Oauth(id, OauthVerb::Test),
        |id, answer| match answer {
            ToClient::Report(of, report) if of == id => Some(report),
            _ => None,
        },
    );
    report(context, &tested.await?)
}

/// A daemon that runs reads what has changed; none is started for that.
async fn reread(context: &Context) -> Result<(), Fault> {
    let Some(mut connection) = running(&context.places).await? else { return Ok(()) };
    let question = ToDaemon::Oauth(1, OauthVerb::Reread);
    ask_patiently(&mut connection, &question, |answer| match answer {
        ToClient::Report(_, report) => Some(report),
        _ => None,
    })
    .await?;
    Ok(())
}

/// A file of the state folder could not be written, read or removed.
fn of_file(path: &std::path::Path, error: &std::io::Error) -> Fault {
    Fault::new(format!("{}: {}", path.display(), ibd_disk::plainly(error)), "")
}
