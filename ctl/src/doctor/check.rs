//! What a look came to, and how it is told.

use serde::Serialize;

use crate::screen::{Screen, Tone};
use crate::terminal::plain;

/// How a look came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    Warn,
    Fail,
    NotLookedAt,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warning",
            Self::Fail => "PROBLEM",
            Self::NotLookedAt => "-",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Warn => Tone::Care,
            Self::Fail => Tone::Bad,
            Self::NotLookedAt => Tone::Quiet,
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// In snake_case, stable.
    pub(super) name: String,
    pub(super) state: State,
    /// One sentence.
    pub(super) text: String,
    /// What to do, where no command says it; empty when there is nothing to do.
    pub(super) hint: String,
    /// Commands that a person may run for it.
    pub(super) commands: Vec<String>,
}

impl Check {
    pub(super) fn ok(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: State::Ok,
            text: text.into(),
            hint: String::new(),
            commands: Vec::new(),
        }
    }

    pub(super) fn warn(
        name: impl Into<String>,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { state: State::Warn, hint: hint.into(), ..Self::ok(name, text) }
    }

    pub(super) fn fail(
        name: impl Into<String>,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { state: State::Fail, hint: hint.into(), ..Self::ok(name, text) }
    }

    /// Nothing is known of it, and why.
    pub(super) fn not_looked_at(name: impl Into<String>, why: impl AsRef<str>) -> Self {
        let text = format!("Not looked at: {}.", why.as_ref());
        Self { state: State::NotLookedAt, ..Self::ok(name, text) }
    }

    /// The same, with a command that mends it.
    pub(super) fn mend(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }
}

/// A line a check, and below it what mends it.
pub(super) fn text(checks: &[Check], screen: Screen) -> String {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
    let indent = 9 + width + 2;
    let mut lines = Vec::new();
    for check in checks {
        let word = check.state.word();
        let (name, told) = (&check.name, plain(&check.text));
        let whole = format!("{word:<8} {name:<width$}  {told}");
        let mut parts = screen.fit(&whole, indent).into_iter();
        let first = parts.next().unwrap_or_default();
        // The word stands first, so its colour does, too.
        let rest = first.strip_prefix(word).unwrap_or_default();
        lines.push(format!("{}{rest}", screen.paint(check.state.tone(), word)));
        lines.extend(parts);
        let space = " ".repeat(indent);
        if !check.hint.is_empty() {
            lines.extend(screen.fit(&format!("{space}{}", plain(&check.hint)), indent));
        }
        // A command is to be copied: it is not broken.
        lines.extend(check.commands.iter().map(|command| format!("{space}  {}", plain(command))));
    }
    lines.push(sum(checks));
    lines.join("\n")
}

/// How many there are of each kind.
fn sum(checks: &[Check]) -> String {
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let of = |state, one: &str| match count(state) {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        several => format!("{several} {one}s"),
    };
    format!("\nIn all {} and {}.", of(State::Fail, "problem"), of(State::Warn, "warning"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_one_line_and_what_to_do_about_it() {
        let checks = [
            Check::ok("daemon", "It runs."),
            Check::warn("websocket", "It is open.", "Close it.").mend("sudo true"),
            Check::fail("java", "There is none.", "").mend("ibctl gateway install"),
            Check::not_looked_at("clock", "--offline"),
        ];
        let expected = "ok       daemon     It runs.\n\
            warning  websocket  It is open.\n\
            \x20                   Close it.\n\
            \x20                     sudo true\n\
            PROBLEM  java       There is none.\n\
            \x20                     ibctl gateway install\n\
            -        clock      Not looked at: --offline.\n\
            \n\
            In all 1 problem and 1 warning.";
        assert_eq!(text(&checks, Screen::PLAIN), expected);
        let fine = text(&checks[..1], Screen::PLAIN);
        assert!(fine.ends_with("\n\nIn all no problem and no warning."), "{fine}");
    }

    #[test]
    fn a_narrow_screen_breaks_sentences_and_no_command_and_a_colour_says_what_its_word_says() {
        let command = "sudo iptables -I INPUT -p tcp --dport 5055 ! -i lo -j DROP";
        let long = "One of many words that do not fit on one line of so narrow a screen.";
        let checks = [Check::fail("websocket", long, long).mend(command)];
        let told = text(&checks, Screen::terminal(60, true));
        assert!(told.starts_with("\x1b[31mPROBLEM\x1b[0m  websocket  One of"), "{told}");
        assert!(told.contains(&format!("  {command}")), "{told}");
        let sentences = told.lines().filter(|line| !line.contains("iptables"));
        assert!(sentences.map(|line| line.chars().count()).all(|count| count <= 60 + 9), "{told}");
    }

    #[test]
    fn a_state_has_one_word_for_programs() {
        let words = [State::Ok, State::Warn, State::Fail, State::NotLookedAt]
            .map(|state| serde_json::to_value(state).unwrap_or_default());
        assert_eq!(words, ["ok", "warn", "fail", "not_looked_at"]);
    }
}
