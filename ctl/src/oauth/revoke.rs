//! `ibctl oauth revoke`: everything here is deleted. What IBKR knows only a person can take back there.

use std::path::{Path, PathBuf};

use ibd_protocol::settings::OAUTH_SECRETS;
use ibd_protocol::{
    Connection, GatewayMode, KeyFiles, Report, SecretsVerb, Status, ToClient, ToDaemon,
};

use super::steps::PAGE;
use super::{of_file, reread};
use crate::daemon::{Fault, ask, ask_patiently, started};
use crate::{Context, Ended, own, report, terminal};

pub(super) async fn run(context: &Context, is_agreed: bool) -> Result<Ended, Fault> {
    let question =
        "Delete the keys, the token and its secret here? Nothing can log in with them any more.";
    if !is_agreed && !terminal::is_there() {
        return Err(Fault::needs_person(
            "deleting keys wants a yes",
            "Run it in a terminal, or with --yes.",
        ));
    }
    if !is_agreed && !terminal::agrees(question) {
        return Err(Fault::new("nothing was deleted", ""));
    }
    let mut connection = started(&context.places).await?;
    let mut said = Vec::new();
    if status(&mut connection).await?.gateway.mode == GatewayMode::Direct {
        said.push(log_out(&mut connection).await?);
    }
    for key in OAUTH_SECRETS {
        let forget = ToDaemon::Secrets(1, SecretsVerb::Forget(key.name().to_owned()));
        // Where there is no keyring there is nothing to forget in it.
        let _: Report = ask_patiently(&mut connection, &forget, report_of).await?;
    }
    let removed = remove(context)?;
    said.push(format!("Deleted here: {removed} files, and what the keyring had of it."));
    let left = left(context)?;
    if !left.is_empty() {
        said.push(format!("Not deleted, because settings name them: {}.", left.join(", ")));
    }
    reread(context).await?;
    let hint = format!(
        "At IBKR they are still known: log in at {PAGE} and delete the consumer key there, or upload other keys. Until \
         then whoever has a copy of the keys can log in with them."
    );
    report(context, &Report { ok: true, text: said.join(" "), hint })
}

fn report_of(answer: ToClient) -> Option<Report> {
    match answer {
        ToClient::Report(_, report) => Some(report),
        _ => None,
    }
}

async fn status(connection: &mut Connection) -> Result<Status, Fault> {
    let status = ask(connection, &ToDaemon::Status(1), |answer| match answer {
        ToClient::Status(_, status) => Some(*status),
        _ => None,
    });
    status.await
}

async fn log_out(connection: &mut Connection) -> Result<String, Fault> {
    let report = ask_patiently(connection, &ToDaemon::Logout(1), |answer| match answer {
        ToClient::LoggedOut(_, report) => Some(report),
        _ => None,
    });
    Ok(report.await?.text)
}

/// What `ibctl oauth` wrote; how many files that were.
fn remove(context: &Context) -> Result<usize, Fault> {
    let files = KeyFiles::made(&context.places);
    let public = [&files.signing, &files.encryption].map(|path| KeyFiles::public(path));
    let secrets = OAUTH_SECRETS.iter().map(|key| KeyFiles::secret(&context.places, *key));
    let all: Vec<PathBuf> =
        files.all().map(Path::to_owned).into_iter().chain(public).chain(secrets).collect();
    let mut removed = 0;
    for path in all {
        match std::fs::remove_file(&path) {
            Ok(()) => removed += 1,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(of_file(&path, &error)),
        }
    }
    Ok(removed)
}

/// Files that are a person's own, and settings that hold a secret themselves.
fn left(context: &Context) -> Result<Vec<String>, Fault> {
    let settings = own::settings(&context.places)?;
    let (made, named) = (KeyFiles::made(&context.places), KeyFiles::of(&context.places, &settings));
    let files = named.all().into_iter().zip(made.all());
    let others = files.filter(|(named, made)| named != made && named.exists());
    let others = others.map(|(named, _)| named.display().to_string());
    let held = OAUTH_SECRETS.iter().filter(|key| settings.text(**key).is_some());
    Ok(others.chain(held.map(|key| key.name().to_owned())).collect())
}
