//! `config.toml`: read alike by the daemon and the command.

use std::path::Path;

use super::sources::from_toml_pairs;
use super::{SETTINGS, Setting, Settings};
use crate::files;

/// More than any configuration.
const MOST: u64 = 1 << 20;

/// Reads it; one that is not there has no settings. The error says what is wrong, without the path.
pub fn from_file(path: &Path) -> Result<Settings, String> {
    let text = match files::read_text(path, MOST) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // A link that leads nowhere is a file that somebody believes in: what it protects would be gone unsaid.
            return match files::broken_link(path) {
                Some(link) => Err(format!("{} is a link to what is not there", link.display())),
                None => Ok(Settings::default()),
            };
        }
        Err(error) => return Err(error.to_string()),
    };
    let folder = path.parent().and_then(files::why_foreign);
    if let Some(why) = files::why_foreign(path).or(folder) {
        return Err(format!("it is not heeded: {why}"));
    }
    let pairs = pairs(&text)?;
    // What is in a file of its own is not in this one.
    let holds = |setting: &&Setting| {
        setting.kind.is_secret() && pairs.iter().any(|(key, _)| *key == setting.file_key())
    };
    let secret = SETTINGS.iter().find(holds);
    let settings = from_toml_pairs(pairs);
    if let Some(bad) = settings.bad.first() {
        return Err(bad.to_string());
    }
    match secret.filter(|_| is_open_to_others(path)) {
        Some(secret) => Err(format!(
            "it holds {} and others can read it: `chmod 600` it, or keep the secret in the keyring \
             (`ibctl secrets set`)",
            secret.file_key()
        )),
        None => Ok(settings),
    }
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let pairs = table.into_iter().map(|(key, value)| match value {
        toml::Value::String(text) => Ok((key, text)),
        toml::Value::Boolean(yes) => Ok((key, yes.to_string())),
        toml::Value::Integer(number) => Ok((key, number.to_string())),
        _ => Err(format!("{key}: a plain value was expected")),
    });
    pairs.collect()
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// Elsewhere a user's own folders are closed to others.
#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_no_file_that_is_not_there() {
        let home = tempfile::tempdir().unwrap();
        let (folder, file) = (home.path().join("ibd"), home.path().join("ibd/config.toml"));
        assert!(from_file(&file).is_ok(), "no folder");
        std::os::unix::fs::symlink(home.path().join("gone"), &folder).unwrap();
        assert!(from_file(&file).unwrap_err().contains("link"), "a folder that is none");
        std::fs::remove_file(&folder).unwrap();
        std::fs::create_dir(&folder).unwrap();
        assert!(from_file(&file).is_ok(), "no file");
        std::os::unix::fs::symlink(home.path().join("gone"), &file).unwrap();
        assert!(from_file(&file).unwrap_err().contains("link"), "a file that is none");
    }

    #[test]
    fn plain_values_are_read_and_others_named() {
        let read = pairs("paper_trading = true\ngateway_port = 5001\naccount = \"DU1\"");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected =
            [pair("account", "DU1"), pair("gateway_port", "5001"), pair("paper_trading", "true")];
        let mut read = read.unwrap();
        read.sort();
        assert_eq!(read, expected);
        assert!(pairs("limits = [1]").is_err_and(|error| error.contains("limits")));
        assert!(pairs("x").is_err());
    }

    #[test]
    fn a_key_that_would_do_nothing_or_harm_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        for (text, needle) in [
            ("profile = \"x\"", "IB_PROFILE"),
            ("log = \"verbose\"", "log"),
            ("papertrading = true", "paper_trading"),
            ("flex_token_file = \"/nonexistent\"", "flex_token_file"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = from_file(&path).unwrap_err();
            assert!(error.contains(needle), "{text}: {error}");
        }
        let secret = folder.path().join("token");
        std::fs::write(&secret, "12345\n").unwrap();
        std::fs::write(&path, format!("flex_token_file = {:?}", secret.display().to_string()))
            .unwrap();
        let token = crate::settings::Key::FlexToken;
        assert_eq!(from_file(&path).unwrap().text(token), Some("12345"));
        assert!(from_file(&folder.path().join("none.toml")).unwrap().bad.is_empty());
    }
}
