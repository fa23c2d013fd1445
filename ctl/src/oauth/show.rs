//! `ibctl oauth show`: what there is and where, and what to do with it. No secret is shown, and no daemon is started.

use std::path::Path;

use ibd_protocol::settings::{Key, OAUTH_SECRETS, Settings};
use ibd_protocol::{KeyFiles, SecretReport, SecretsVerb, ToClient, ToDaemon, files};
use serde_json::{Value, json};

use super::steps;
use crate::daemon::{Fault, ask_patiently, running};
use crate::{Context, Ended, answer, own};

/// More than any file of these has, in bytes.
const LONGEST: u64 = 64 << 10;

pub(super) async fn run(context: &Context) -> Result<Ended, Fault> {
    let settings = own::settings(&context.places)?;
    let key_files = KeyFiles::of(&context.places, &settings);
    let named = [
        ("signing key", &key_files.signing),
        ("encryption key", &key_files.encryption),
        ("Diffie-Hellman parameters", &key_files.dh),
    ];
    let of_daemon = of_daemon(context).await?;
    let mut lines = Vec::new();
    let mut found = Vec::new();
    for (what, path) in named {
        let is = state(path, what != "Diffie-Hellman parameters");
        lines.push(format!("{what:<26} {is:<10} {}", path.display()));
        found.push(json!({ "what": what, "path": path, "state": is }));
    }
    let mut secrets = Vec::new();
    for key in OAUTH_SECRETS {
        let origin = origin(context, &settings, *key, of_daemon.as_deref());
        lines.push(format!("{:<26} {}", key.name(), origin.as_deref().unwrap_or("not known here")));
        secrets.push(json!({ "name": key.name(), "set": origin.is_some(), "origin": origin }));
    }
    let steps = steps::all(&key_files);
    let json: Value = json!({ "files": found, "secrets": secrets, "steps": steps });
    let note = match of_daemon {
        Some(_) => "",
        None => "\nNo daemon is running, so the keyring was not looked at.",
    };
    let text = format!("{}{note}\n\n{}", lines.join("\n"), steps::numbered(&steps));
    answer(context, &json, &text)?;
    Ok(Ended::Fine)
}

/// Whether a file can be used, as far as its place tells.
fn state(path: &Path, is_private: bool) -> String {
    let read = if is_private {
        files::read_private(path, LONGEST).map(drop)
    } else {
        files::read_text(path, LONGEST).map(drop)
    };
    match read {
        Ok(()) => "there".to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "missing".to_owned(),
        Err(error) => format!("unusable ({error})"),
    }
}

/// Where a secret comes from.
fn origin(
    context: &Context,
    settings: &Settings,
    key: Key,
    of_daemon: Option<&[SecretReport]>,
) -> Option<String> {
    let told = of_daemon.unwrap_or_default().iter().find(|report| report.name == key.name());
    let own = || settings.origin(key).map(|origin| origin.as_str().to_owned());
    let path = KeyFiles::secret(&context.places, key);
    let file = || path.exists().then(|| path.display().to_string());
    told.and_then(|report| report.origin.clone()).or_else(own).or_else(file)
}

/// What the daemon that runs has, which alone can look into the keyring.
async fn of_daemon(context: &Context) -> Result<Option<Vec<SecretReport>>, Fault> {
    let Some(mut connection) = running(&context.places).await? else { return Ok(None) };
    let question = ToDaemon::Secrets(1, SecretsVerb::List);
    let told = ask_patiently(&mut connection, &question, |answer| match answer {
        ToClient::Secrets(_, secrets) => Some(secrets),
        ToClient::Report(..) => Some(Vec::new()),
        _ => None,
    });
    told.await.map(Some)
}
