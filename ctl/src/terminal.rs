//! Asking a person at a terminal, and showing there what others wrote without letting it draw.

use std::io::{IsTerminal, Write};

use ibd_protocol::Secret;

use crate::daemon::Fault;

/// Whether a person can be asked: somebody types into this program and sees what it asks.
pub(crate) fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks; whatever is not yes is no.
pub(crate) fn agrees(question: &str) -> bool {
    eprint!("{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).is_ok() && is_yes(&line)
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// The PIN as it is typed, not shown. Never from arguments, environment or a pipe: what an assistant
/// could put there is no proof of a person.
pub(crate) fn pin() -> Result<Secret, Fault> {
    let typed = rpassword::prompt_password("PIN (not shown): ").map_err(|error| {
        Fault::new(format!("the PIN cannot be read: {error}"), "Nothing was sent.")
    })?;
    if typed.is_empty() {
        Err(Fault::new("no PIN was typed", "Nothing was sent."))
    } else {
        Ok(Secret::new(typed))
    }
}

/// Nobody is there to type the PIN.
pub(crate) fn pin_needs_terminal(verb: &str) -> Fault {
    Fault::needs_person(
        format!("`ibctl {verb}` wants the PIN, which a person types at a terminal"),
        format!("Run `ibctl {verb}` in a terminal of your own."),
    )
}

/// Text that stays where it is put: a client's name or a broker's question must not move the cursor,
/// start a line that looks like ours, or turn the direction of what follows.
pub(crate) fn plain(text: &str) -> String {
    ibd_text::escaped(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for yes in ["y\n", " Yes \n", "Y"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yep\n", "ye s\n", "1\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
