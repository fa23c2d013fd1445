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
    settings::from_file(&path).map_err(|problem| {
        Fault::new(format!("{}: {problem}", path.display()), "Correct the file, then try again.")
    })
}

/// Why no daemon would start here, as far as the folders and `config.toml` tell.
pub(crate) fn problem(places: &Places) -> Option<String> {
    let folders = places.check().err().map(|error| error.to_string());
    folders.or_else(|| from_file(places).err().map(|fault| fault.text))
}
