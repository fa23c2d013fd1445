//! `--set KEY=VALUE`: a setting as it may stand in a client's entry.

use ibd_protocol::settings::{self, Client, Setting};

/// A variable and its value; an empty one takes it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Reads one: the name as a variable or a key of `config.toml`, the value as that setting wants it.
pub(crate) fn parse(given: &str) -> Result<Pair, String> {
    let (name, value) =
        given.split_once('=').ok_or("it is KEY=VALUE, such as IB_READ_ONLY_MODE=true")?;
    let setting = known(name.trim()).ok_or_else(|| format!("there is no setting {name}"))?;
    if setting.kind.is_secret() && !value.is_empty() {
        return Err(format!(
            "a client's file is no place for a secret: `ibctl secrets set {}` keeps it in the keyring",
            setting.name
        ));
    }
    if setting.client == Client::Never {
        return Err(format!(
            "{} does not count from a client: put `{}` into config.toml",
            setting.name,
            setting.file_key()
        ));
    }
    let value = match value {
        "" => String::new(),
        value => setting.kind.check(value)?,
    };
    Ok(Pair { name: setting.name.to_owned(), value })
}

fn known(name: &str) -> Option<&'static Setting> {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    settings::find(&upper).or_else(|| settings::find(&format!("IB_{upper}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_setting_is_checked_before_it_is_written() {
        for (given, name, value) in [
            ("IB_READ_ONLY_MODE=YES", "IB_READ_ONLY_MODE", "true"),
            ("read_only_mode=1", "IB_READ_ONLY_MODE", "true"),
            ("ib_account=DU1=2", "IB_ACCOUNT", "DU1=2"),
            ("IB_ACCOUNT=", "IB_ACCOUNT", ""),
            ("IB_PASSWORD=", "IB_PASSWORD_AUTH", ""),
        ] {
            let pair = parse(given).unwrap();
            assert_eq!((pair.name.as_str(), pair.value.as_str()), (name, value), "{given}");
        }
        for (bad, told) in [
            ("IB_READ_ONLY_MODE", "KEY=VALUE"),
            ("IB_READ_ONLY_MODE=maybe", "maybe"),
            ("IB_READONLY=true", "IB_READONLY"),
            ("IB_PASSWORD_AUTH=canary", "secrets set"),
            ("IB_COMPETE=take", "config.toml"),
            ("IB_AUTH_TIMEOUT=300000", "milliseconds"),
        ] {
            let problem = parse(bad).unwrap_err();
            assert!(problem.contains(told) && !problem.contains("canary"), "{bad}: {problem}");
        }
    }
}
