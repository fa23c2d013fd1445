//! What this machine has: gateway, Java, browser, service manager.

use std::path::PathBuf;

use ibd_install::{find_java, installed_gateway};
use ibd_protocol::Places;
use ibd_protocol::settings::{Key, Settings};

use super::check::Check;

/// Browsers that a headless login can drive, as systems name them.
const BROWSERS: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "brave-browser",
];

/// Where they may be besides `PATH`.
const BROWSER_FOLDERS: &[&str] =
    &["/usr/bin", "/usr/local/bin", "/opt/google/chrome", "/opt/homebrew/bin", "/snap/bin"];

const MAC_BROWSERS: &[&str] = &[
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
];

/// Whether a gateway is installed.
pub(super) fn gateway(places: &Places) -> Check {
    const NAME: &str = "installed";
    match installed_gateway(&places.data) {
        Ok(installed) => {
            let today = jiff::Zoned::now().date();
            let built = installed.build.map(|build| crate::times::day_and_age(build.date, today));
            let built = built.map(|built| format!(", built {built}")).unwrap_or_default();
            Check::ok(NAME, format!("A gateway is in {}{built}.", installed.folder.display()))
        }
        Err(why) => Check::warn(NAME, format!("{why}."), "The first login brings it too.")
            .mend("ibctl gateway install"),
    }
}

/// Whether there is a Java for it.
pub(super) async fn java(places: &Places) -> Check {
    const NAME: &str = "java";
    match find_java(&places.data, None).await {
        Ok(java) => {
            let (version, program) = (&java.version, java.program.display());
            Check::ok(NAME, format!("Java {version} ({}) at {program}.", java.vendor))
        }
        Err(none) => Check::warn(NAME, format!("{none}."), "").mend("ibctl gateway install"),
    }
}

/// Whether a headless login finds a browser. Without one a person logs in.
pub(super) fn browser(settings: &Settings) -> Check {
    const NAME: &str = "browser";
    let is_headless = settings.flag(Key::HeadlessMode) == Some(true);
    let named = settings.text(Key::Browser).map(PathBuf::from);
    let found = match &named {
        Some(path) => Some(path.clone()).filter(|path| path.is_file()),
        None => candidates().find(|path| path.is_file()),
    };
    match (found, named) {
        (Some(path), _) => {
            Check::ok(NAME, format!("A headless login can drive {}.", path.display()))
        }
        (None, Some(path)) => Check::fail(
            NAME,
            format!("IB_BROWSER names {}, and there is no program.", path.display()),
            "Correct IB_BROWSER, or leave it out.",
        ),
        (None, None) if is_headless => Check::fail(
            NAME,
            "IB_HEADLESS_MODE is on, and there is no Chrome or Chromium.",
            "Install Chromium, or name a browser with IB_BROWSER.",
        ),
        (None, None) => {
            Check::ok(NAME, "There is no Chrome or Chromium; only a headless login needs one.")
        }
    }
}

/// Whether a headless login has what it types. Without it it fails, whatever else is fine.
pub(super) fn headless(settings: &Settings) -> Option<Check> {
    const NAME: &str = "headless_login";
    if settings.flag(Key::HeadlessMode) != Some(true) {
        return None;
    }
    let has = |key| settings.text(key).is_some();
    let is_totp = settings.text(Key::TwoFaStrategy) == Some("totp");
    Some(match () {
        () if !has(Key::Username) => Check::fail(
            NAME,
            "IB_HEADLESS_MODE is on, and there is no IB_USERNAME.",
            "Set IB_USERNAME, or leave IB_HEADLESS_MODE out: then a person logs in at a page.",
        ),
        // What the keyring has only the daemon asks it.
        () if !has(Key::PasswordAuth) => Check::warn(
            NAME,
            "IB_PASSWORD_AUTH is in neither config.toml nor this shell: it must be in the keyring.",
            "`ibctl secrets list` tells.",
        )
        .mend("ibctl secrets set IB_PASSWORD_AUTH"),
        () if is_totp && !has(Key::TotpSecret) => Check::warn(
            NAME,
            "IB_TWO_FA_STRATEGY is totp, and IB_TOTP_SECRET is in neither config.toml nor this shell.",
            "`ibctl secrets list` tells.",
        )
        .mend("ibctl secrets set IB_TOTP_SECRET"),
        () => Check::ok(NAME, "A headless login has a username and a password."),
    })
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(BROWSER_FOLDERS.iter().map(PathBuf::from)).collect();
    let named = folders.into_iter().flat_map(|folder| {
        BROWSERS
            .iter()
            .map(move |name| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
    });
    named.filter(|path| path.is_absolute()).chain(MAC_BROWSERS.iter().map(PathBuf::from))
}

/// Where our unit is installed: whether it runs while nobody is logged in to this machine.
#[cfg(target_os = "linux")]
pub(super) async fn lingering(places: &Places) -> Option<Check> {
    const NAME: &str = "lingering";
    if !ibd_protocol::service::is_installed(places) {
        return None;
    }
    let user = rustix::process::geteuid().as_raw().to_string();
    let asked = tokio::process::Command::new("loginctl")
        .args(["show-user", &user, "--property=Linger", "--value"])
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let said = tokio::time::timeout(std::time::Duration::from_secs(3), asked).await.ok()?.ok()?;
    Some(match String::from_utf8_lossy(&said.stdout).trim() {
        "yes" => Check::ok(NAME, "The service runs also while you are not logged in here."),
        _ => Check::warn(
            NAME,
            "The service ends when you log out of this machine, and starts when you log in.",
            "",
        )
        .mend("loginctl enable-linger"),
    })
}

/// Other service managers have no such thing.
#[cfg(not(target_os = "linux"))]
pub(super) async fn lingering(_: &Places) -> Option<Check> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::check::State;
    use super::*;
    use ibd_protocol::settings::from_toml_pairs;

    #[test]
    fn a_headless_login_without_what_it_types_is_not_fine() {
        let state = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            headless(&from_toml_pairs(pairs)).map(|check| check.state)
        };
        assert_eq!(state(&[]), None);
        assert_eq!(state(&[("headless_mode", "true")]), Some(State::Fail));
        let named = [("headless_mode", "true"), ("username", "u")];
        assert_eq!(state(&named), Some(State::Warn), "the keyring may have the password");
        let all = [named[0], named[1], ("password_auth", "p")];
        assert_eq!(state(&all), Some(State::Ok));
        let totp = [all[0], all[1], all[2], ("two_fa_strategy", "totp")];
        assert_eq!(state(&totp), Some(State::Warn));
    }

    #[test]
    fn a_browser_that_is_named_must_be_there() {
        let named =
            |path: &str| browser(&from_toml_pairs([("browser".to_owned(), path.to_owned())])).state;
        assert_eq!(named("/bin/sh"), State::Ok);
        assert_eq!(named("/nonexistent/chrome"), State::Fail);
    }
}
