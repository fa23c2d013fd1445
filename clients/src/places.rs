//! Where each client keeps its file. Everything follows from the folders that are given: nothing is read from the
//! process's environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::Client;

/// The system whose customs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// And every other Unix.
    Linux,
    /// Apple's.
    MacOs,
    /// Microsoft's.
    Windows,
}

impl Platform {
    /// The one that this program was built for.
    pub const fn here() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// The folders of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// `HOME`, on Windows `USERPROFILE`.
    pub home: PathBuf,
    /// `XDG_CONFIG_HOME`; counts on Linux only.
    pub xdg_config: Option<PathBuf>,
    /// `APPDATA`; counts on Windows only.
    pub appdata: Option<PathBuf>,
    /// `CLAUDE_CONFIG_DIR`, where Claude Code keeps its file if it is set.
    pub claude: Option<PathBuf>,
    /// `CODEX_HOME`, the same for Codex.
    pub codex: Option<PathBuf>,
}

impl Folders {
    /// The folders that these variables name. `None`: there is no home, or it is no whole path.
    pub fn of(platform: Platform, lookup: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let folder = |name| lookup(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = match platform {
            Platform::Windows => folder("USERPROFILE"),
            Platform::Linux | Platform::MacOs => folder("HOME"),
        };
        Some(Self {
            home: home?,
            xdg_config: folder("XDG_CONFIG_HOME"),
            appdata: folder("APPDATA"),
            claude: folder("CLAUDE_CONFIG_DIR"),
            codex: folder("CODEX_HOME"),
        })
    }

    /// Where programs with windows keep what is theirs.
    fn programs(&self, platform: Platform) -> PathBuf {
        match platform {
            Platform::Linux => self.dot_config(platform),
            Platform::MacOs => self.home.join("Library/Application Support"),
            Platform::Windows => {
                self.appdata.clone().unwrap_or_else(|| self.home.join("AppData/Roaming"))
            }
        }
    }

    fn dot_config(&self, platform: Platform) -> PathBuf {
        let xdg = self.xdg_config.clone().filter(|_| platform == Platform::Linux);
        xdg.unwrap_or_else(|| self.home.join(".config"))
    }

    fn zed(&self, platform: Platform) -> PathBuf {
        match platform {
            Platform::Windows => self.programs(platform).join("Zed"),
            // Also on macOS it is the folder with the dot.
            Platform::Linux | Platform::MacOs => self.dot_config(platform).join("zed"),
        }
    }

    fn codex(&self) -> PathBuf {
        self.codex.clone().unwrap_or_else(|| self.home.join(".codex"))
    }
}

/// The file of a client that counts for all of this user's projects.
pub fn file(client: Client, platform: Platform, folders: &Folders) -> PathBuf {
    let Folders { home, claude, .. } = folders;
    match client {
        Client::ClaudeDesktop => {
            folders.programs(platform).join("Claude/claude_desktop_config.json")
        }
        Client::ClaudeCode => claude.as_ref().unwrap_or(home).join(".claude.json"),
        Client::Cursor => home.join(".cursor/mcp.json"),
        Client::VsCode => folders.programs(platform).join("Code/User/mcp.json"),
        Client::Codex => folders.codex().join("config.toml"),
        Client::Zed => folders.zed(platform).join("settings.json"),
        Client::Windsurf => home.join(".codeium/windsurf/mcp_config.json"),
        Client::Gemini => home.join(".gemini/settings.json"),
    }
}

/// Files and folders of which one is there where the client is.
pub fn signs(client: Client, platform: Platform, folders: &Folders) -> Vec<PathBuf> {
    let file = file(client, platform, folders);
    match client {
        // Its file lies in the home itself, which is always there.
        Client::ClaudeCode => vec![file, folders.home.join(".claude")],
        _ => file.parent().map(Path::to_owned).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Folders {
        Folders { home: "/home/u".into(), ..Folders::default() }
    }

    #[test]
    fn every_client_has_its_place_on_every_system() {
        let support = "Library/Application Support";
        let mac = |below: &str| format!("{support}/{below}");
        for (client, linux, mac, windows) in [
            (
                Client::ClaudeDesktop,
                ".config/Claude/claude_desktop_config.json",
                mac("Claude/claude_desktop_config.json").as_str(),
                "AppData/Roaming/Claude/claude_desktop_config.json",
            ),
            (Client::ClaudeCode, ".claude.json", ".claude.json", ".claude.json"),
            (Client::Cursor, ".cursor/mcp.json", ".cursor/mcp.json", ".cursor/mcp.json"),
            (
                Client::VsCode,
                ".config/Code/User/mcp.json",
                mac("Code/User/mcp.json").as_str(),
                "AppData/Roaming/Code/User/mcp.json",
            ),
            (Client::Codex, ".codex/config.toml", ".codex/config.toml", ".codex/config.toml"),
            (
                Client::Zed,
                ".config/zed/settings.json",
                ".config/zed/settings.json",
                "AppData/Roaming/Zed/settings.json",
            ),
            (
                Client::Windsurf,
                ".codeium/windsurf/mcp_config.json",
                ".codeium/windsurf/mcp_config.json",
                ".codeium/windsurf/mcp_config.json",
            ),
            (
                Client::Gemini,
                ".gemini/settings.json",
                ".gemini/settings.json",
                ".gemini/settings.json",
            ),
        ] {
            for (platform, below) in
                [(Platform::Linux, linux), (Platform::MacOs, mac), (Platform::Windows, windows)]
            {
                let expected = Path::new("/home/u").join(below);
                assert_eq!(file(client, platform, &folders()), expected, "{client:?} {platform:?}");
                assert!(!signs(client, platform, &folders()).is_empty(), "{client:?}");
            }
        }
    }

    #[test]
    fn a_folder_that_is_named_counts_where_its_client_looks_at_it() {
        let named = Folders {
            xdg_config: Some("/xdg".into()),
            appdata: Some("/appdata".into()),
            claude: Some("/claude".into()),
            codex: Some("/codex".into()),
            ..folders()
        };
        let at = |client, platform| file(client, platform, &named);
        assert_eq!(at(Client::Zed, Platform::Linux), Path::new("/xdg/zed/settings.json"));
        assert_eq!(
            at(Client::Zed, Platform::MacOs),
            Path::new("/home/u/.config/zed/settings.json")
        );
        assert_eq!(at(Client::VsCode, Platform::Windows), Path::new("/appdata/Code/User/mcp.json"));
        assert_eq!(at(Client::ClaudeCode, Platform::Linux), Path::new("/claude/.claude.json"));
        assert_eq!(at(Client::Codex, Platform::MacOs), Path::new("/codex/config.toml"));
    }

    #[test]
    fn folders_are_whole_paths_and_there_must_be_a_home() {
        let of = |home: &'static str| {
            Folders::of(Platform::Linux, move |name| match name {
                "HOME" => Some(home.into()),
                "XDG_CONFIG_HOME" => Some("relative".into()),
                _ => None,
            })
        };
        assert_eq!(of("/home/u"), Some(folders()));
        assert_eq!(of(""), None);
        assert_eq!(of("u"), None);
    }
}
