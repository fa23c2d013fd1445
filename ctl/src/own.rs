//! The settings of this shell and of `config.toml`, for what is done without a daemon.

use ibd_protocol::Places;
use ibd_protocol::settings::{self, Settings};

use crate::daemon::Fault;

/// `config.toml`, and over it the environment.
pub(crate) fn settings(places: &Places) -> Result<Settings, Fault> {
    let mut all = from_file(places)?;
    all.overlay(settings::from_environment(std::env::vars_os()));
    match all.bad.first() {
        Some(bad) => Err(Fault::new(bad.to_string(), format!("Correct {}.", bad.field))),
        None => Ok(all),
    }
}

fn from_file(places: &Places) -> Result<Settings, Fault> {
    let path = places.config_file();
    let bad = |problem: String| {
        Fault::new(format!("{}: {problem}", path.display()), "Correct the file, then try again.")
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Settings::default());
        }
        Err(error) => return Err(bad(error.to_string())),
    };
    pairs(&text).map(settings::from_toml_pairs).map_err(bad)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_read_and_others_named() {
        let read = pairs("paper_trading = true\ngateway_port = 5001\naccount = \"DU1\"");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected =
            [pair("paper_trading", "true"), pair("gateway_port", "5001"), pair("account", "DU1")];
        let mut read = read.unwrap_or_default();
        read.sort();
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(read, expected);
        assert!(pairs("limits = [1]").is_err_and(|error| error.contains("limits")));
        assert!(pairs("x").is_err());
    }
}
