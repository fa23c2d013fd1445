//! Windows, seen from a Linux that runs below it (WSL 2): its folders as Linux has them, and an entry by which a client of
//! Windows launches a program of that Linux.

use std::path::PathBuf;

use crate::entry::{Entry, Server};
use crate::launch::{Program, is_wsl, launched};
use crate::places::Folders;

/// Which variables reach a program that Windows starts in a Linux: their names, each with `/u`.
const PASSED: &str = "WSLENV";

/// What asks Windows for the two folders below, as the arguments of its `cmd.exe`: its answer is in UTF-16.
pub const ASK_FOR_FOLDERS: &[&str] = &["/u", "/d", "/c", "echo %USERPROFILE%& echo %APPDATA%"];

/// The Linux that this environment belongs to. `None`: it is none below Windows, or a container in one.
pub fn distribution(name: Option<&str>, kernel: &str) -> Option<String> {
    let is_below = kernel.to_ascii_lowercase().contains("microsoft");
    name.filter(|name| is_below && !name.is_empty()).map(str::to_owned)
}

/// An entry that launches this program of this Linux. Without the shell of Linux in between, which would take some
/// characters for its own, and whose own files may print something.
pub fn entry(distribution: &str, entry: Entry) -> Entry {
    let words = ["-d", distribution, "--exec", &entry.command].map(str::to_owned);
    let args = words.into_iter().chain(entry.args).collect();
    Entry { command: "wsl.exe".to_owned(), args, ..entry }
}

/// The folders of a user of Windows, from the answer to [`ASK_FOR_FOLDERS`] and this Linux's table of mounts. `None`: it is
/// no such answer, or their drive is not mounted here.
pub fn folders(answer: &[u8], mounts: &str) -> Option<Folders> {
    let units: Vec<u16> =
        answer.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
    let text = String::from_utf16(&units).ok()?;
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let home = path(lines.next()?, mounts)?;
    let appdata = lines.next().and_then(|line| path(line, mounts));
    Some(Folders { home, appdata, ..Folders::default() })
}

/// Where a path of Windows is found in this Linux.
pub fn path(windows: &str, mounts: &str) -> Option<PathBuf> {
    let (drive, rest) = windows.split_once(":\\")?;
    let [letter] = drive.as_bytes() else { return None };
    let parts = rest.split('\\').filter(|part| !part.is_empty());
    Some(
        root(letter.is_ascii_alphabetic().then_some(*letter as char)?, mounts)?
            .join(parts.collect::<PathBuf>()),
    )
}

/// Where a drive is mounted: `C:\134 /mnt/c 9p rw,…aname=drvfs;path=C:\;uid=1000…`.
pub fn root(letter: char, mounts: &str) -> Option<PathBuf> {
    let is_drive = |text: &str| {
        let text = text.strip_suffix('\\').unwrap_or(text);
        text.strip_suffix(':').is_some_and(|drive| drive.eq_ignore_ascii_case(&letter.to_string()))
    };
    mounts.lines().find_map(|line| {
        let words: Vec<String> = line.split(' ').map(unescaped).collect();
        let [source, at, kind, options, ..] = words.as_slice() else { return None };
        let mut named = options.split([',', ';']).filter_map(|one| one.strip_prefix("path="));
        let is_windows = matches!(kind.as_str(), "9p" | "drvfs" | "virtiofs");
        (is_windows && (is_drive(source) || named.any(is_drive))).then(|| PathBuf::from(at))
    })
}

/// The table of mounts writes blanks, and what else would be misread, in octal.
fn unescaped(word: &str) -> String {
    let mut out = word.to_owned();
    for (octal, plain) in [("\\040", " "), ("\\011", "\t"), ("\\134", "\\")] {
        out = out.replace(octal, plain);
    }
    out
}

impl Server {
    /// What its program is given, without whoever launches it.
    pub fn own_args(&self) -> Vec<String> {
        match launched(&self.command, &self.args) {
            (Program::Other, _) => self.args.clone(),
            (_, own) => own,
        }
    }

    /// Has the variables of its entry passed on, if it is Windows that starts it in a Linux: it would keep them back.
    /// What else is passed on stays.
    pub(crate) fn pass_variables(&mut self) {
        if !is_wsl(&self.command) {
            return;
        }
        // Only ours: a PATH of Windows would be none for Linux.
        let is_ours = |name: &str| name.starts_with("IB_");
        let names = self.env.iter().map(|(name, _)| name).filter(|name| is_ours(name));
        let ours: Vec<String> = names.map(|name| format!("{name}/u")).collect();
        let before = self.env.iter().find(|(name, _)| name == PASSED);
        let before = before.map(|(_, value)| value.clone()).unwrap_or_default();
        // What was passed on for a setting that has gone, goes.
        let others = before.split(':').filter(|one| !one.is_empty() && !is_ours(one));
        let all: Vec<String> = others.map(str::to_owned).chain(ours).collect();
        self.env.retain(|(name, _)| name != PASSED);
        if !all.is_empty() {
            self.env.push((PASSED.to_owned(), all.join(":")));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Client, plan};
    use std::path::Path;

    const MOUNTS: &str = "none / ext4 rw 0 0\n\
        C:\\134 /mnt/c 9p rw,noatime,aname=drvfs;path=C:\\;uid=1000;gid=1000;symlinkroot=/mnt/,trans=fd 0 0\n\
        drvfs /mnt/other\\040disk drvfs rw,path=D:\\134 0 0\n\
        E: /e virtiofs rw 0 0\n\
        F:\\134 /media/usb vfat rw 0 0\n";

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_linux_below_windows_is_known_by_its_name_and_its_kernel() {
        let kernel = "5.15.153.1-microsoft-standard-WSL2";
        assert_eq!(distribution(Some("Ubuntu"), kernel).as_deref(), Some("Ubuntu"));
        for (name, kernel) in [
            (Some("Ubuntu"), "6.1.0-18-amd64"),
            // A container: it has the kernel and no name.
            (None, kernel),
            (Some(""), kernel),
        ] {
            assert_eq!(distribution(name, kernel), None, "{name:?} {kernel}");
        }
    }

    #[test]
    fn a_path_of_windows_is_found_where_its_drive_is_mounted() {
        for (windows, expected) in [
            ("C:\\Users\\Jörg Müller", Some("/mnt/c/Users/Jörg Müller")),
            ("c:\\", Some("/mnt/c")),
            ("D:\\x", Some("/mnt/other disk/x")),
            ("E:\\x\\", Some("/e/x")),
            ("F:\\x", None),
            ("Z:\\x", None),
            ("\\\\server\\share", None),
            ("%USERPROFILE%", None),
            ("", None),
        ] {
            assert_eq!(path(windows, MOUNTS).as_deref(), expected.map(Path::new), "{windows}");
        }
    }

    #[test]
    fn the_folders_of_windows_are_read_from_its_answer() {
        let answer = utf16("C:\\Users\\Jörg\r\nC:\\Users\\Jörg\\AppData\\Roaming\r\n");
        let expected = Folders {
            home: "/mnt/c/Users/Jörg".into(),
            appdata: Some("/mnt/c/Users/Jörg/AppData/Roaming".into()),
            ..Folders::default()
        };
        assert_eq!(folders(&answer, MOUNTS), Some(expected));
        // Without the second one it is below the first.
        let found = folders(&utf16("C:\\Users\\J\r\n%APPDATA%\r\n"), MOUNTS).unwrap();
        assert_eq!(found.appdata, None);
        for odd in ["", "%USERPROFILE%\r\n", "'\\\\wsl$\\x' is not recognized\r\n"] {
            assert_eq!(folders(&utf16(odd), MOUNTS), None, "{odd}");
        }
        assert_eq!(folders(b"C:\\Users\\plain", MOUNTS), None, "another encoding");
    }

    fn ours(set: &[(&str, &str)]) -> Entry {
        let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let command = "/home/u/.local/bin/ib-mcp".to_owned();
        entry("Ubuntu-24.04", Entry { command, set: set.collect(), ..Entry::default() })
    }

    /// The entry that stands in a file afterwards, which a second time leaves alone.
    fn made(before: &str, entry: &Entry) -> Server {
        let made = plan(Client::ClaudeDesktop, Some(before), entry).unwrap();
        let again = plan(Client::ClaudeDesktop, Some(&made.after), entry).unwrap();
        assert!(!again.is_change(), "{}\n{}", made.after, again.after);
        made.entries[0].server.clone()
    }

    #[test]
    fn an_entry_of_windows_launches_the_program_of_this_linux() {
        let server = made("", &ours(&[]));
        assert_eq!(server.command, "wsl.exe");
        let expected = ["-d", "Ubuntu-24.04", "--exec", "/home/u/.local/bin/ib-mcp"];
        assert_eq!(server.args, expected);
        assert!(server.env.is_empty() && server.own_args().is_empty());
    }

    #[test]
    fn what_the_entry_sets_is_passed_on_and_what_it_no_longer_sets_is_not() {
        let passed = |server: &Server| {
            let found = server.env.iter().find(|(name, _)| name == PASSED);
            found.map(|(_, value)| value.clone())
        };
        let server = made("", &ours(&[("IB_READ_ONLY_MODE", "true")]));
        assert_eq!(passed(&server).as_deref(), Some("IB_READ_ONLY_MODE/u"));
        let before = r#"{ "mcpServers": { "ib": { "command": "wsl.exe",
            "args": ["-d", "Old", "--", "/opt/ib-mcp", "--ib-account=DU1"],
            "env": { "IB_READ_ONLY_MODE": "true", "WSLENV": "GOPATH/l:IB_READ_ONLY_MODE/u" } } } }"#;
        let server = made(before, &ours(&[("IB_READ_ONLY_MODE", "")]));
        assert_eq!(passed(&server).as_deref(), Some("GOPATH/l"));
        assert_eq!(server.own_args(), ["--ib-account=DU1"]);
    }

    #[test]
    fn an_entry_of_the_npm_package_brings_its_variables_along() {
        let before = r#"{ "mcpServers": { "ibkr": { "command": "npx.cmd",
            "args": ["-y", "interactive-brokers-mcp"], "env": { "IB_PAPER_TRADING": "true" } } } }"#;
        let server = made(before, &ours(&[]));
        assert_eq!(server.command, "wsl.exe");
        let passed = ("WSLENV".to_owned(), "IB_PAPER_TRADING/u".to_owned());
        assert!(server.env.contains(&passed), "{:?}", server.env);
    }
}
