//! Which browser.

use std::path::{Path, PathBuf};

use crate::failed::Failed;

const NAMES: [&str; 8] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "brave-browser",
];

/// Where the names may be besides `PATH`, which a service's environment often lacks.
const FOLDERS: [&str; 5] =
    ["/usr/bin", "/usr/local/bin", "/opt/google/chrome", "/opt/homebrew/bin", "/snap/bin"];

const MAC: [&str; 3] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
];

/// The browser at the given path, or else the first that is found.
pub(crate) fn find(given: Option<&Path>) -> Result<PathBuf, Failed> {
    match given {
        Some(path) if is_program(path) => Ok(path.to_owned()),
        Some(path) => {
            Err(Failed::NoBrowser { looked: format!("there is no program at {}", path.display()) })
        }
        None => candidates().find(|path| is_program(path)).ok_or_else(|| Failed::NoBrowser {
            looked: format!("none of {} on PATH or in {}", NAMES.join(", "), FOLDERS.join(", ")),
        }),
    }
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from)).collect();
    let named = NAMES
        .iter()
        .flat_map(move |name| folders.iter().map(|folder| folder.join(name)).collect::<Vec<_>>());
    // A relative entry of PATH would mean whatever folder the daemon happens to be in.
    named.filter(|path| path.is_absolute()).chain(MAC.iter().map(PathBuf::from))
}

fn is_program(path: &Path) -> bool {
    #[cfg(unix)]
    let may_run = rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    #[cfg(not(unix))]
    let may_run = true;
    may_run && path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_browser_must_exist() {
        let failed = find(Some(Path::new("/no/such/browser"))).unwrap_err().to_string();
        assert!(failed.contains("/no/such/browser") && failed.contains("IB_BROWSER"), "{failed}");
    }

    #[cfg(unix)]
    #[test]
    fn a_given_browser_is_taken_as_it_is() {
        assert_eq!(find(Some(Path::new("/bin/sh"))).unwrap(), Path::new("/bin/sh"));
    }

    #[test]
    fn only_absolute_paths_are_looked_at() {
        assert!(candidates().all(|path| path.is_absolute()));
    }
}
