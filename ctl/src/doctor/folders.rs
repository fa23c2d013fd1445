//! Folders and files: whose they are, who may read and write them, and how much room there is.

use std::path::{Path, PathBuf};

use ibd_protocol::settings::{KEYRING, Key};
use ibd_protocol::{Places, files};

use super::check::Check;

/// Less than this and nothing is kept any more, in bytes.
const NO_ROOM: u64 = 50 << 20;
/// Less than this and an install or a Flex statement may not fit.
const LITTLE_ROOM: u64 = 500 << 20;

/// Whether nobody else can look into our folders, and we can. One that is not there yet will be made right.
pub(super) fn folders(places: &Places) -> Check {
    const NAME: &str = "folders";
    const HINT: &str = "Until then no daemon starts, and nothing is installed.";
    let logs = places.logs();
    // The same look that the daemon takes when it starts.
    if let Err(error) = places.check() {
        let own = [places.state.as_path(), logs.as_path(), places.runtime.as_path()];
        let all = own.into_iter().chain(places.state.parent());
        return mended(Check::fail(NAME, format!("{error}."), HINT), all);
    }
    if let Some(why) = places.why_data_foreign() {
        return Check::fail(NAME, format!("{why}."), HINT);
    }
    let gateway = places.gateway();
    if let Some(why) = why_open(&gateway) {
        let text = format!("{}: {why}.", gateway.display());
        return mended(Check::fail(NAME, text, ""), [gateway.as_path()]);
    }
    for folder in [&places.state, &logs, &places.runtime].map(|folder| nearest(folder)) {
        if let Some(why) = why_shut(&folder) {
            let text = format!("Nothing can be written to {}: {why}.", folder.display());
            return Check::fail(NAME, text, HINT).mend(format!("chmod u+rwx {}", quoted(&folder)));
        }
    }
    let state = places.state.display();
    if places.state.exists() {
        Check::ok(NAME, format!("Nobody else can enter {state}."))
    } else {
        Check::ok(NAME, format!("{state} is not there yet; the first daemon makes it."))
    }
}

/// With the command for the first of these folders that others can enter or change.
fn mended<'a>(check: Check, folders: impl IntoIterator<Item = &'a Path>) -> Check {
    let open = folders.into_iter().find(|folder| {
        why_open(folder).is_some_and(|why| why.contains("mode"))
            || files::why_foreign(folder).is_some_and(|why| why.contains("mode"))
    });
    match open {
        Some(folder) => check.mend(format!("chmod 700 {}", quoted(folder))),
        None => check,
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Whether secrets in `config.toml` can be read by others.
pub(super) fn config_file(places: &Places) -> Check {
    const NAME: &str = "config_file";
    let file = places.config_file();
    let shown = file.display();
    let text = match files::read_text(&file, 1 << 20) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return match files::broken_link(&file) {
                Some(link) => Check::fail(
                    NAME,
                    format!("{} is a link to what is not there.", link.display()),
                    "Correct it, or remove it. Until then no daemon starts.",
                ),
                None => Check::ok(NAME, format!("There is no {shown}; defaults are used.")),
            };
        }
        Err(error) => {
            return Check::fail(NAME, format!("{shown}: {error}."), "Correct it, or remove it.");
        }
    };
    match (holds_secret(&text), why_open(&file)) {
        (true, Some(why)) => Check::fail(
            NAME,
            format!("{shown} holds a secret, and {why}."),
            "Or keep the secret with `ibctl secrets set`. Until then no daemon starts.",
        )
        .mend(format!("chmod 600 {}", quoted(&file))),
        _ => Check::ok(NAME, format!("{shown} shows no secret to others.")),
    }
}

fn holds_secret(text: &str) -> bool {
    let keys: Vec<String> = KEYRING.iter().map(|key| key.setting().file_key()).collect();
    text.lines().any(|line| keys.iter().any(|secret| value_of(line, secret).is_some()))
}

/// What a line of `config.toml` gives to this key.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (name, value) = line.split_once('=')?;
    (name.trim().trim_matches('"') == key).then(|| value.trim().trim_matches(['"', '\'']))
}

/// Whether others may read files that hold a secret each.
pub(super) fn secrets(places: &Places) -> Check {
    const NAME: &str = "secret_files";
    let files = secret_files(places, |name| std::env::var(name).ok());
    for (field, path) in &files {
        let shown = path.display();
        if let Some(why) = why_readable(path) {
            let text = format!("{field} names {shown}, and {why}: others may read it.");
            return Check::fail(NAME, text, "").mend(format!("chmod 600 {}", quoted(path)));
        }
        if !path.is_file() {
            let text = format!("{field} names {shown}, and there is no such file.");
            return Check::fail(NAME, text, format!("Correct {field}, or leave it out."));
        }
    }
    match files.len() {
        0 => Check::ok(NAME, "No secret is kept in a file of its own."),
        1 => Check::ok(NAME, "The file that holds a secret is closed to others."),
        count => {
            Check::ok(NAME, format!("The {count} files that hold secrets are closed to others."))
        }
    }
}

/// The files of secrets that this shell and `config.toml` name, and where each is named.
fn secret_files(
    places: &Places,
    lookup: impl Fn(&str) -> Option<String>,
) -> Vec<(String, PathBuf)> {
    let config = files::read_text(&places.config_file(), 1 << 20).unwrap_or_default();
    let mut found = Vec::new();
    for key in KEYRING.iter().filter(|key| **key != Key::ApprovalPin) {
        let variable = format!("{key}_FILE");
        let field = format!("{}_file", key.setting().file_key());
        let in_file = config.lines().find_map(|line| value_of(line, &field)).map(str::to_owned);
        let given = lookup(&variable).filter(|path| !path.is_empty()).map(|path| (variable, path));
        let named = given.or_else(|| in_file.map(|path| (field, path)));
        found.extend(named.map(|(field, path)| (field, PathBuf::from(path))));
    }
    found
}

/// Whether there is room for what is written.
pub(super) fn room(places: &Places) -> Check {
    const NAME: &str = "disk";
    let folders = [nearest(&places.state), nearest(&places.data)];
    let free = folders.iter().filter_map(|folder| Some((free(folder)?, folder)));
    match free.min_by_key(|(free, _)| *free) {
        Some((free, folder)) => room_of(NAME, free, folder),
        None => Check::not_looked_at(NAME, "this system does not tell how much room there is"),
    }
}

fn room_of(name: &'static str, free: u64, folder: &Path) -> Check {
    let text = format!("{} MB are free at {}.", free / 1_000_000, folder.display());
    match free {
        0..NO_ROOM => Check::fail(
            name,
            text,
            "Make room: an order whose step cannot be written down is not sent. `ibctl flex prune` removes statements.",
        ),
        NO_ROOM..LITTLE_ROOM => Check::warn(name, text, "Make room before it is full."),
        _ => Check::ok(name, text),
    }
}

#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

/// A folder, or the one above it that is there.
fn nearest(path: &Path) -> PathBuf {
    path.ancestors().find(|one| one.exists()).unwrap_or(path).to_owned()
}

/// Why others may enter or read this. `None`: they may not, or it is not there.
#[cfg(unix)]
fn why_open(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    let found = std::fs::symlink_metadata(path).ok()?;
    if found.is_symlink() {
        return Some("it is a link".to_owned());
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Some(format!("it belongs to user {}", found.uid()));
    }
    let mode = found.mode() & 0o7777;
    (mode & 0o077 != 0).then(|| format!("its mode is {mode:04o}"))
}

/// Windows keeps a user's folders to that user.
#[cfg(not(unix))]
fn why_open(_: &Path) -> Option<String> {
    None
}

/// The same of where a link leads: a secret may lie behind one.
fn why_readable(path: &Path) -> Option<String> {
    let real = std::fs::canonicalize(path).ok()?;
    why_open(&real).filter(|why| why.contains("mode"))
}

/// Why nothing can be made in a folder.
#[cfg(unix)]
fn why_shut(folder: &Path) -> Option<String> {
    use rustix::fs::Access;
    use std::os::unix::fs::MetadataExt;

    let found = std::fs::metadata(folder).ok()?;
    let is_ours = found.uid() == rustix::process::geteuid().as_raw();
    let mode = found.mode() & 0o7777;
    if is_ours && mode & 0o300 != 0o300 {
        return Some(format!("its mode is {mode:04o}"));
    }
    let may = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK);
    may.err().map(|error| ibd_disk::plainly(&error.into()))
}

#[cfg(not(unix))]
fn why_shut(_: &Path) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests;
