//! The clients, and what each one's file looks like.

/// An MCP client that setup knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Anthropic's desktop program.
    ClaudeDesktop,
    /// Anthropic's command.
    ClaudeCode,
    /// The editor.
    Cursor,
    /// The editor, with Copilot.
    VsCode,
    /// OpenAI's command.
    Codex,
    /// The editor.
    Zed,
    /// The editor.
    Windsurf,
    /// Google's command.
    Gemini,
}

/// In what form a client's file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// JSON and nothing else: the client itself could not read a comment.
    Json,
    /// JSON with comments and trailing commas.
    Jsonc,
    Toml,
}

/// What a new entry has besides the program, its arguments and its variables.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras {
    /// The value of `type`, where a client wants one.
    pub kind: Option<&'static str>,
    /// How long the client waits for a call, in seconds, where its own patience is shorter than ours.
    pub patience: Option<(&'static str, u32)>,
}

impl Client {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::ClaudeDesktop,
        Self::ClaudeCode,
        Self::Cursor,
        Self::VsCode,
        Self::Codex,
        Self::Zed,
        Self::Windsurf,
        Self::Gemini,
    ];

    /// The name on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "claude-desktop",
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::VsCode => "vscode",
            Self::Codex => "codex",
            Self::Zed => "zed",
            Self::Windsurf => "windsurf",
            Self::Gemini => "gemini",
        }
    }

    /// The name as its maker writes it.
    pub fn title(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::VsCode => "VS Code",
            Self::Codex => "Codex",
            Self::Zed => "Zed",
            Self::Windsurf => "Windsurf",
            Self::Gemini => "Gemini CLI",
        }
    }

    /// Whether it is a program with windows of its own: below Windows that is one of Windows, unless it is found here.
    pub fn has_windows(self) -> bool {
        matches!(
            self,
            Self::ClaudeDesktop | Self::Cursor | Self::VsCode | Self::Zed | Self::Windsurf
        )
    }

    /// The client of that name.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|client| client.id().eq_ignore_ascii_case(id))
    }

    /// What a person does so that the client reads its file again.
    pub fn next(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => {
                "Quit Claude Desktop and start it again; closing its window is not enough."
            }
            Self::ClaudeCode => "Start `claude` again; `/mcp` shows the server.",
            Self::Cursor => "Reload Cursor's window (Developer: Reload Window).",
            Self::VsCode => "In VS Code run `MCP: List Servers`, and start the server there.",
            Self::Codex => "Start `codex` again; `/mcp` shows the server.",
            Self::Zed => "Zed reads it by itself; the Agent Panel's settings show the server.",
            Self::Windsurf => "Press Refresh in Windsurf's MCP settings, or start it again.",
            Self::Gemini => "Start `gemini` again; `/mcp` shows the server.",
        }
    }

    pub(crate) fn form(self) -> Form {
        match self {
            Self::ClaudeDesktop | Self::ClaudeCode | Self::Windsurf => Form::Json,
            Self::Cursor | Self::VsCode | Self::Zed | Self::Gemini => Form::Jsonc,
            Self::Codex => Form::Toml,
        }
    }

    /// Under which key of its file the servers stand.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::VsCode => "servers",
            Self::Codex => "mcp_servers",
            Self::Zed => "context_servers",
            _ => "mcpServers",
        }
    }

    pub(crate) fn extras(self) -> Extras {
        match self {
            Self::VsCode => Extras { kind: Some("stdio"), ..Extras::default() },
            Self::Codex => {
                Extras { patience: Some(("tool_timeout_sec", 120)), ..Extras::default() }
            }
            Self::Zed => Extras { patience: Some(("timeout", 120)), ..Extras::default() },
            _ => Extras::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_found_by_its_name_in_any_case() {
        for client in Client::ALL {
            assert_eq!(Client::find(client.id()), Some(client));
            assert_eq!(Client::find(&client.id().to_uppercase()), Some(client));
            assert!(client.next().ends_with('.'), "{client:?}");
        }
        assert_eq!(Client::find("emacs"), None);
    }
}
