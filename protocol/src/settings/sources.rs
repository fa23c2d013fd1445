//! Flags, environment and file: three ways to the same table.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::kind::parse_flag;
use super::{BadSetting, Key, Kind, Origin, SETTINGS, Setting, Settings, find};
use crate::files;

/// Secrets that may also be given as the path of a file.
const FROM_FILES: &[Key] = &[
    Key::PasswordAuth,
    Key::TotpSecret,
    Key::FlexToken,
    Key::OauthConsumerKey,
    Key::OauthToken,
    Key::OauthTokenSecret,
];

const NO_HTTP: &str = "only ib-mcp serves HTTP: `ib-mcp --listen 127.0.0.1:8000`";

/// A command line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FlagError(pub String);

/// A command line that was understood.
#[derive(Debug, Default)]
pub struct Flags {
    /// Values of settings.
    pub settings: Settings,
    /// Which of the program's own plain flags were given.
    pub own: Vec<String>,
}

/// Variables that are no settings of ours, and that the original's people bring along.
const ORIGINAL: &[&str] = &["IB_MCP_DISABLE_LOGGING", "IB_MCP_CONSOLE_LOGGING", "IB_MCP_LOG_DIR"];

/// Reads the environment: `std::env::vars_os` outside tests. A variable that looks like one of ours and is none is
/// an error: it may be meant to protect.
pub fn from_environment<V: Into<OsString>>(
    variables: impl IntoIterator<Item = (V, V)>,
) -> Settings {
    let variables = variables.into_iter();
    let all: HashMap<OsString, OsString> =
        variables.map(|(name, value)| (name.into(), value.into())).collect();
    let lookup = |name: &str| all.get(OsStr::new(name))?.to_str().map(str::to_owned);
    let mut settings = Settings::default();
    let names = all.keys().filter_map(|name| name.to_str());
    settings.bad.extend(names.filter_map(unknown_variable));
    settings.bad.extend(all.iter().filter_map(|(name, value)| not_text(name, value)));
    settings.bad.sort_by(|one, other| one.field.cmp(&other.field));
    read_credentials(&mut settings, &lookup);
    for setting in SETTINGS {
        let names = setting.aliases.iter().rev().chain([&setting.name]);
        for name in names {
            if let Some(value) = lookup(name) {
                settings.put(setting, name, &value, Origin::Environment);
            }
        }
    }
    for key in FROM_FILES {
        read_secret_file(&mut settings, *key, &lookup);
    }
    original_logging(&mut settings, &lookup);
    settings
}

fn known_variables() -> impl Iterator<Item = String> {
    let settings = SETTINGS.iter().flat_map(|one| one.aliases.iter().chain([&one.name]));
    let files = FROM_FILES.iter().map(|key| format!("{key}_FILE"));
    settings.chain(ORIGINAL).map(|name| (*name).to_owned()).chain(files)
}

/// A variable that begins like ours and is not known, or only in other letters.
fn unknown_variable(name: &str) -> Option<BadSetting> {
    let is_like_ours = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("IB_"));
    if !is_like_ours || known_variables().any(|known| known == name) {
        return None;
    }
    let meant = did_you_mean(&name.to_ascii_uppercase(), known_variables());
    let problem = format!("there is no such variable{meant}");
    Some(BadSetting { field: name.to_owned(), problem })
}

/// A value of a setting that is no UTF-8.
fn not_text(name: &OsStr, value: &OsStr) -> Option<BadSetting> {
    let name = name.to_str().filter(|name| known_variables().any(|known| known == *name))?;
    let problem = || "its value is no text in UTF-8".to_owned();
    value.to_str().is_none().then(|| BadSetting { field: name.to_owned(), problem: problem() })
}

fn read_secret_file(settings: &mut Settings, key: Key, lookup: &impl Fn(&str) -> Option<String>) {
    let field = format!("{key}_FILE");
    let Some(path) = lookup(&field).filter(|path| !path.is_empty()) else {
        return;
    };
    put_from_file(settings, (key, &field), &path, Origin::Environment);
}

/// More than any secret, in bytes.
const LONGEST: u64 = 64 << 10;

fn put_from_file(settings: &mut Settings, (key, field): (Key, &str), path: &str, origin: Origin) {
    match files::read_text(Path::new(path), LONGEST) {
        Ok(secret) => {
            settings.put(key.setting(), field, secret.trim_end_matches(['\r', '\n']), origin);
        }
        Err(error) => {
            let problem = format!("{path} cannot be read: {error}");
            settings.bad.push(BadSetting { field: field.to_owned(), problem });
        }
    }
}

/// What systemd's `LoadCredential=` put where only this service can read it.
fn read_credentials(settings: &mut Settings, lookup: &impl Fn(&str) -> Option<String>) {
    let Some(folder) = lookup("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty()) else {
        return;
    };
    for key in FROM_FILES.iter().chain(&[Key::Username]) {
        let name = key.name();
        let path = Path::new(&folder).join(name);
        match files::read_text(&path, LONGEST) {
            Ok(value) => {
                let value = value.trim_end_matches(['\r', '\n']);
                settings.put(key.setting(), name, value, Origin::Credential);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let problem = format!("{} cannot be read: {error}", path.display());
                settings.bad.push(BadSetting { field: name.to_owned(), problem });
            }
        }
    }
}

/// The original's logging variables, where `IB_LOG` does not say.
fn original_logging(settings: &mut Settings, lookup: &impl Fn(&str) -> Option<String>) {
    let is_on = |name| lookup(name).is_some_and(|value| parse_flag(&value) == Some(true));
    if settings.text(Key::Log).is_some() {
        return;
    }
    let setting = Key::Log.setting();
    if is_on("IB_MCP_DISABLE_LOGGING") {
        settings.put(setting, "IB_MCP_DISABLE_LOGGING", "off", Origin::Environment);
    } else if is_on("DEBUG") {
        settings.put(setting, "DEBUG", "debug", Origin::Environment);
    }
    if lookup("IB_MCP_LOG_DIR").is_some_and(|value| !value.is_empty()) {
        settings
            .warnings
            .push("IB_MCP_LOG_DIR is not used: `ibctl logs` shows where logs are".into());
    }
}

/// Reads a command line; `own` are the program's plain flags, such as `--version`.
pub fn from_flags(
    arguments: impl IntoIterator<Item = String>,
    own: &[&str],
) -> Result<Flags, FlagError> {
    let mut flags = Flags::default();
    let mut arguments = arguments.into_iter().peekable();
    while let Some(argument) = arguments.next() {
        let (name, given) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        if given.is_none() && own.contains(&name) {
            flags.own.push(name.to_owned());
            continue;
        }
        if is_original_logging(name) {
            continue;
        }
        let setting = setting_of_flag(name).ok_or_else(|| unknown_flag(name, own))?;
        let value = match given {
            Some(value) => value,
            None if setting.kind == Kind::Flag => bare_flag(&mut arguments),
            None => arguments.next().ok_or_else(|| {
                FlagError(format!("{name} needs a value: {}", setting.kind.wanted()))
            })?,
        };
        take(&mut flags.settings, setting, name, &value)?;
    }
    Ok(flags)
}

fn take(
    settings: &mut Settings,
    setting: &'static Setting,
    name: &str,
    value: &str,
) -> Result<(), FlagError> {
    if setting.kind.is_secret() {
        settings.warnings.push(format!(
            "{name}: other programs can see a secret on the command line; set {} instead",
            setting.name
        ));
    }
    settings.put(setting, name, value, Origin::Flag);
    match settings.bad.pop() {
        Some(bad) => Err(FlagError(bad.to_string())),
        None => Ok(()),
    }
}

/// The value of a yes-or-no flag without `=`: the next word if it is one, else yes.
fn bare_flag(arguments: &mut std::iter::Peekable<impl Iterator<Item = String>>) -> String {
    match arguments.next_if(|next| parse_flag(next).is_some()) {
        Some(value) => value,
        None => "true".to_owned(),
    }
}

fn setting_of_flag(name: &str) -> Option<&'static Setting> {
    let word = name.strip_prefix("--")?;
    if word.contains('_') || word != word.to_ascii_lowercase() {
        return None;
    }
    find(&word.replace('-', "_").to_ascii_uppercase())
}

/// The original's flags for logging to the console: our log is always on stderr.
fn is_original_logging(name: &str) -> bool {
    matches!(name, "--console-logging" | "--log-console")
}

fn unknown_flag(name: &str, own: &[&str]) -> FlagError {
    if name == "--http" {
        return FlagError(format!("--http: {NO_HTTP}"));
    }
    let known = SETTINGS.iter().map(Setting::flag).chain(own.iter().map(|o| (*o).to_owned()));
    FlagError(format!("unknown flag {name}{}", did_you_mean(name, known)))
}

/// Reads the pairs of a `config.toml`, values already as text.
pub fn from_toml_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in pairs {
        let of_file =
            FROM_FILES.iter().find(|one| key_of_file(one.name()).as_deref() == Some(&key));
        match SETTINGS.iter().find(|setting| setting.file_key() == key) {
            Some(setting) if setting.key == Key::Profile => {
                let problem =
                    "the file is of all profiles; choose one with --profile or IB_PROFILE";
                settings.bad.push(BadSetting { field: key, problem: problem.to_owned() });
            }
            Some(setting) => settings.put(setting, &key, &value, Origin::File),
            None if of_file.is_some() => {
                if let Some(secret) = of_file.filter(|_| !value.is_empty()) {
                    put_from_file(&mut settings, (*secret, &key), &value, Origin::File);
                }
            }
            None => {
                let known = SETTINGS.iter().map(Setting::file_key);
                let problem = format!("there is no such setting{}", did_you_mean(&key, known));
                settings.bad.push(BadSetting { field: key, problem });
            }
        }
    }
    settings
}

/// The key that names the file of a secret, where it may be in one: `flex_token_file`.
pub fn key_of_file(name: &str) -> Option<String> {
    let key = || format!("{}_file", name.trim_start_matches("IB_").to_lowercase());
    FROM_FILES.iter().any(|one| one.name() == name).then(key)
}

/// ", did you mean …?" if something known is close enough to be meant.
pub(super) fn did_you_mean(word: &str, known: impl Iterator<Item = String>) -> String {
    known
        .map(|candidate| (strsim::jaro_winkler(word, &candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| format!("; did you mean {candidate}?"))
        .unwrap_or_default()
}
