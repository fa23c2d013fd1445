//! `ibctl secrets`: what the system's keyring keeps for the daemon. A value is never an argument, and
//! never shown.

use std::fmt::Write;
use std::io::{IsTerminal, Read};

use clap::Subcommand;
use ibd_protocol::settings::{self, KEYRING, Key, Setting};
use ibd_protocol::{Report, Secret, SecretReport, SecretsVerb, ToClient, ToDaemon};
use serde_json::json;

use crate::daemon::{Fault, ask_patiently, present, started};
use crate::{Context, Ended, answer, report};

/// Longest secret that is read, in bytes.
const MAX: u64 = 4_096;

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Keep one; its value is asked for, or read from stdin
    Set {
        /// IB_PASSWORD_AUTH, IB_TOTP_SECRET, IB_FLEX_TOKEN, IB_APPROVAL_PIN, or one of IB_OAUTH_*.
        #[arg(value_parser = kept)]
        name: &'static Setting,
    },
    /// Which are known, and where each comes from
    List,
    /// Forget one
    Forget {
        /// IB_PASSWORD_AUTH, IB_TOTP_SECRET, IB_FLEX_TOKEN, IB_APPROVAL_PIN, or one of IB_OAUTH_*.
        #[arg(value_parser = kept)]
        name: &'static Setting,
    },
}

/// A secret by the name of its variable or its key, in any case.
fn kept(name: &str) -> Result<&'static Setting, String> {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    settings::find(&upper)
        .or_else(|| settings::find(&format!("IB_{upper}")))
        .filter(|setting| KEYRING.contains(&setting.key))
        .ok_or_else(|| format!("the keyring keeps {}", Key::list(KEYRING)))
}

pub(crate) async fn run(context: &Context, verb: &Verb) -> Result<Ended, Fault> {
    match verb {
        Verb::Set { name } => set(context, name).await,
        Verb::Forget { name } => change(context, SecretsVerb::Forget(name.name.to_owned())).await,
        Verb::List => list(context).await,
    }
}

async fn set(context: &Context, setting: &Setting) -> Result<Ended, Fault> {
    let value = checked(setting, &read(setting)?)?;
    change(context, SecretsVerb::Set(setting.name.to_owned(), value)).await
}

/// Asks on a terminal without showing what is typed; else takes all of stdin.
fn read(setting: &Setting) -> Result<Secret, Fault> {
    let unread = |error: std::io::Error| {
        Fault::new(format!("the value cannot be read: {error}"), "Type it, or give it on stdin.")
    };
    if std::io::stdin().is_terminal() {
        let prompt = format!("{} (not shown): ", setting.name);
        return rpassword::prompt_password(prompt).map(Secret::new).map_err(unread);
    }
    let mut text = String::new();
    std::io::stdin().take(MAX + 1).read_to_string(&mut text).map_err(unread)?;
    Ok(Secret::new(text))
}

/// The value as its setting wants it. A line's end belongs to the line.
fn checked(setting: &Setting, given: &Secret) -> Result<Secret, Fault> {
    let value = given.expose().trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err(Fault::new(
            "there is no value",
            format!("`ibctl secrets forget {}` forgets what is kept.", setting.name),
        ));
    }
    if value.len() as u64 > MAX {
        return Err(Fault::new(format!("the value is longer than {MAX} bytes"), ""));
    }
    match setting.kind.check(value) {
        Ok(value) => Ok(Secret::new(value)),
        Err(problem) => {
            Err(Fault::new(format!("{}: {problem}", setting.name), "Nothing was kept."))
        }
    }
}

async fn change(context: &Context, verb: SecretsVerb) -> Result<Ended, Fault> {
    let mut connection = started(&context.places).await?;
    let done: Report =
        ask_patiently(&mut connection, &ToDaemon::Secrets(1, verb), |answer| match answer {
            ToClient::Report(_, report) => Some(report),
            _ => None,
        })
        .await?;
    report(context, &done)
}

async fn list(context: &Context) -> Result<Ended, Fault> {
    let mut connection = present(&context.places).await?;
    let question = ToDaemon::Secrets(1, SecretsVerb::List);
    // The daemon may have nothing to list, for instance without a keyring: then it says why.
    let found = ask_patiently(&mut connection, &question, |answer| match answer {
        ToClient::Secrets(_, secrets) => Some(Ok(secrets)),
        ToClient::Report(_, report) => Some(Err(report)),
        _ => None,
    })
    .await?;
    match found {
        Ok(secrets) => {
            answer(context, &json!({ "secrets": secrets }), &text(&secrets))?;
            Ok(Ended::Fine)
        }
        Err(why) => report(context, &why),
    }
}

fn text(secrets: &[SecretReport]) -> String {
    let mut text = String::new();
    for secret in secrets {
        let state = if secret.set { "set" } else { "-" };
        let origin = secret.origin.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{:<22} {state:<4} {origin}", secret.name);
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_has_several_spellings_and_nothing_else_is_one() {
        for name in ["IB_PASSWORD_AUTH", "ib_password_auth", "password_auth", "IB_PASSWORD"] {
            assert_eq!(kept(name).unwrap().name, "IB_PASSWORD_AUTH", "{name}");
        }
        assert_eq!(kept("totp-secret").unwrap().name, "IB_TOTP_SECRET");
        for name in ["IB_USERNAME", "", "IB_", "path", "IB_IB_FLEX_TOKEN"] {
            assert!(kept(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_value_is_checked_before_it_is_sent() {
        let totp = kept("totp_secret").unwrap();
        let value = |text: &str| checked(totp, &Secret::new(text));
        assert_eq!(value("jbsw y3dp ehpk 3pxp\r\n").unwrap().expose(), "JBSWY3DPEHPK3PXP");
        for bad in ["", "\n", "too short", "JBSWY3DPEHPK3PX!"] {
            let fault = value(bad).unwrap_err();
            assert!(bad.trim().is_empty() || !fault.text.contains(bad), "{}", fault.text);
        }
        assert!(checked(kept("flex_token").unwrap(), &Secret::new("x".repeat(5_000))).is_err());
    }
}
