//! `ibctl oauth set`: what was chosen at IBKR, and what IBKR showed. Never an argument, and never shown.

use std::io::{IsTerminal, Read};

use ibd_oauth::{AccessToken, ConsumerKey, EncryptionKey, Randomness, TokenSecret};
use ibd_protocol::settings::{Key, OAUTH_SECRETS};
use ibd_protocol::{KeyFiles, Report, Secret, SecretsVerb, ToClient, ToDaemon, files};

use super::{make, of_file, reread};
use crate::daemon::{Fault, ask_patiently, started};
use crate::{Context, Ended, own, report};

/// More than all three together have, in bytes.
const MOST: u64 = 16_384;
/// More than any PEM file of these has, in bytes.
const LONGEST: u64 = 64 << 10;

/// What was given, in the order of [`OAUTH_SECRETS`]. An empty one is left as it is.
type Given = Vec<(Key, Secret)>;

pub(super) async fn run(context: &Context, in_files: bool) -> Result<Ended, Fault> {
    let given = read()?;
    if given.is_empty() {
        return Err(Fault::new("nothing was given, so nothing was changed", ""));
    }
    for (key, value) in &given {
        check(context, *key, value)?;
    }
    if in_files {
        to_files(context, &given)?;
    } else {
        to_keyring(context, &given).await?;
    }
    reread(context).await?;
    let names: Vec<&str> = given.iter().map(|(key, _)| key.name()).collect();
    let place = if in_files {
        context.places.oauth().display().to_string()
    } else {
        "the keyring".to_owned()
    };
    let done = Report {
        ok: true,
        text: format!("Kept in {place}: {}.", names.join(", ")),
        hint: "`ibctl oauth test` tries them, once IB_GATEWAY is direct.".to_owned(),
    };
    report(context, &done)
}

/// Asks on a terminal without showing what is typed; else takes three lines of stdin.
fn read() -> Result<Given, Fault> {
    let unread = |error: std::io::Error| {
        let text = format!("the values cannot be read: {error}");
        Fault::new(text, "Type them, or give three lines on stdin: consumer key, token, secret.")
    };
    let mut given = Vec::new();
    if std::io::stdin().is_terminal() {
        for key in OAUTH_SECRETS {
            let prompt = format!("{} (not shown; empty: as it is): ", key.name());
            given.push((*key, Secret::new(rpassword::prompt_password(prompt).map_err(unread)?)));
        }
    } else {
        let mut text = String::new();
        std::io::stdin().take(MOST).read_to_string(&mut text).map_err(unread)?;
        let text = Secret::new(text);
        let lines = text.expose().lines().map(|line| Secret::new(line.trim()));
        given.extend(OAUTH_SECRETS.iter().copied().zip(lines));
    }
    given.retain(|(_, value)| !value.expose().trim().is_empty());
    Ok(given)
}

/// Whether it is what it should be, as far as that can be told here.
fn check(context: &Context, key: Key, value: &Secret) -> Result<(), Fault> {
    let text = value.expose();
    let wrong = |what: String| Fault::new(format!("{key}: {what}"), "Nothing was kept.");
    match key {
        Key::OauthConsumerKey => {
            ConsumerKey::parse(text).map(drop).map_err(|error| wrong(error.to_string()))
        }
        Key::OauthToken => {
            AccessToken::parse(text).map(drop).map_err(|error| wrong(error.to_string()))
        }
        _ => {
            let secret = TokenSecret::parse(text).map_err(|error| wrong(error.to_string()))?;
            let Some(encryption) = encryption_key(context)? else { return Ok(()) };
            let mut randomness = Randomness::from_seed(&make::seed()?);
            let decrypted = encryption.decrypt(&secret, &mut randomness);
            decrypted.map(drop).map_err(|error| wrong(error.to_string()))
        }
    }
}

/// The key that the secret was encrypted for, if it is there.
fn encryption_key(context: &Context) -> Result<Option<EncryptionKey>, Fault> {
    let settings = own::settings(&context.places)?;
    let path = KeyFiles::of(&context.places, &settings).encryption;
    let pem = match files::read_private(&path, LONGEST) {
        Ok(pem) => pem,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(of_file(&path, &error)),
    };
    let key = EncryptionKey::from_pem(pem.expose());
    key.map(Some).map_err(|error| Fault::new(format!("{}: {error}", path.display()), ""))
}

fn to_files(context: &Context, given: &Given) -> Result<(), Fault> {
    let places = &context.places;
    places.make().map_err(|error| Fault::new(error.to_string(), ""))?;
    ibd_disk::make_folder(&places.oauth()).map_err(|error| of_file(&places.oauth(), &error))?;
    for (key, value) in given {
        let path = KeyFiles::secret(places, *key);
        let written = ibd_disk::replace(&path, value.expose().trim().as_bytes());
        written.map_err(|error| of_file(&path, &error))?;
    }
    Ok(())
}

async fn to_keyring(context: &Context, given: &Given) -> Result<(), Fault> {
    let mut connection = started(&context.places).await?;
    for (key, value) in given {
        let value = Secret::new(value.expose().trim());
        let set = ToDaemon::Secrets(1, SecretsVerb::Set(key.name().to_owned(), value));
        let done: Report = ask_patiently(&mut connection, &set, |answer| match answer {
            ToClient::Report(_, report) => Some(report),
            _ => None,
        })
        .await?;
        if !done.ok {
            let hint = "Without a keyring, `ibctl oauth set --file` keeps them in files that only you can read.";
            return Err(Fault::new(done.text, hint));
        }
        // One from a file would count before it.
        let _ = std::fs::remove_file(KeyFiles::secret(&context.places, *key));
    }
    Ok(())
}
