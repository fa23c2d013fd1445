//! Whether a page can be shown to the person at this program, and showing it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::settings::SETTINGS;

/// A command that opens pages and cannot, ends within this time; a browser in the foreground stays.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longest address that is opened, in bytes.
const MAX_ADDRESS: usize = 2_048;

/// Whether this program runs where a browser would be seen by whoever started it.
pub fn has_display() -> bool {
    shows(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Over SSH the screen is somebody else's, even where there is one.
fn shows(is_set: impl Fn(&str) -> bool) -> bool {
    let is_remote = is_set("SSH_CONNECTION") || is_set("SSH_TTY");
    let has_screen = cfg!(any(target_os = "macos", windows))
        || is_set("DISPLAY")
        || is_set("WAYLAND_DISPLAY")
        // A Linux below Windows: the browser is that of Windows.
        || is_set(WSL);
    has_screen && !is_remote
}

/// Set in a Linux below Windows (WSL 2).
const WSL: &str = "WSL_DISTRO_NAME";
/// What opens an address on Windows and takes no character of it for its own, where Linux has the drive of Windows.
const OPENS: (&str, &str) = ("/mnt/c/Windows/System32/rundll32.exe", "url.dll,FileProtocolHandler");

/// In a Linux below Windows: what opens a page in the browser of Windows, to be tried before what opens one here.
pub fn above(address: &str) -> Vec<Command> {
    let is_below = std::env::var_os(WSL).is_some_and(|name| !name.is_empty());
    if is_below { of_windows(address, |program| Path::new(program).is_file()) } else { Vec::new() }
}

fn of_windows(address: &str, is_there: impl Fn(&str) -> bool) -> Vec<Command> {
    let mut wslview = Command::new("wslview");
    wslview.arg(address);
    let (program, opens) = OPENS;
    let mut rundll = Command::new(program);
    rundll.args([opens, address]);
    // In a folder of Linux it would complain.
    rundll.current_dir("/mnt/c");
    std::iter::once(wslview).chain(is_there(program).then_some(rundll)).collect()
}

/// Whether this is an address that may be given to a browser: https, and nothing odd in it.
pub fn is_page(address: &str) -> bool {
    let host = address.strip_prefix("https://").unwrap_or_default();
    address.len() <= MAX_ADDRESS
        && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && address
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`' | b'\\'))
}

/// Runs the first of these commands that opens its page; whether one did. Takes up to a second each.
///
/// They get none of our stdin, stdout and stderr, because those belong to an MCP client, and none of
/// our secrets. They live on when we end.
pub fn open_with(commands: impl IntoIterator<Item = Command>) -> bool {
    commands.into_iter().any(|mut command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for setting in SETTINGS.iter().filter(|setting| setting.kind.is_secret()) {
            std::iter::once(&setting.name).chain(setting.aliases).for_each(|name| {
                command.env_remove(name);
            });
        }
        apart(&mut command);
        command.spawn().is_ok_and(has_opened)
    })
}

/// Out of reach of our terminal's signals.
#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(windows)]
fn apart(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

fn has_opened(mut child: Child) -> bool {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return false,
        }
    }
    // Reaped when it ends, so that it does not stay a zombie for our lifetime.
    std::thread::spawn(move || child.wait());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_https_address_is_a_page() {
        assert!(is_page("https://localhost:5000/"));
        assert!(is_page("https://[::1]:5000/sso/Login?forwardTo=22&RL=1"));
        for bad in [
            "http://localhost:5000/",
            "file:///etc/passwd",
            "https://",
            "https:// x",
            "https://x/\n",
            "https://x/\"&calc",
            "-x",
        ] {
            assert!(!is_page(bad), "{bad}");
        }
        assert!(!is_page(&format!("https://x/{}", "a".repeat(MAX_ADDRESS))));
    }

    #[cfg(unix)]
    #[test]
    fn a_screen_counts_unless_it_is_far_away() {
        let here = |set: &'static [&str]| shows(|name| set.contains(&name));
        assert!(here(&["DISPLAY"]) && here(&["WAYLAND_DISPLAY"]));
        assert!(!here(&["DISPLAY", "SSH_TTY"]) && !here(&["WAYLAND_DISPLAY", "SSH_CONNECTION"]));
        assert!(here(&["WSL_DISTRO_NAME"]) && !here(&["WSL_DISTRO_NAME", "SSH_CONNECTION"]));
        assert_eq!(here(&[]), cfg!(target_os = "macos"));
    }

    #[test]
    fn below_windows_its_browser_is_tried_first_and_gets_the_address_as_one_word() {
        let address = "https://localhost:5000/sso/Login?forwardTo=22&RL=1";
        let lines = |is_there: bool| -> Vec<Vec<String>> {
            let all = of_windows(address, |_| is_there);
            let words = |command: &Command| -> Vec<String> {
                let words = std::iter::once(command.get_program()).chain(command.get_args());
                words.map(|word| word.to_string_lossy().into_owned()).collect()
            };
            all.iter().map(words).collect()
        };
        assert_eq!(lines(false), [["wslview", address]]);
        assert_eq!(lines(true)[1], [OPENS.0, OPENS.1, address]);
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_fails_makes_room_for_the_next() {
        let command = |program: &str| Command::new(program);
        assert!(open_with([command("/nonexistent/xdg-open"), command("false"), command("true")]));
        assert!(!open_with([command("false")]));
        assert!(!open_with([]));
    }

    #[cfg(unix)]
    #[test]
    fn one_that_stays_has_opened_and_sees_no_secret() {
        let mut command = Command::new("sh");
        command.args(["-c", "test -z \"$IB_PASSWORD$IB_TOTP_SECRET\" && sleep 2"]);
        command.env("IB_PASSWORD", "canary").env("IB_TOTP_SECRET", "canary");
        let started = Instant::now();
        assert!(open_with([command]));
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
