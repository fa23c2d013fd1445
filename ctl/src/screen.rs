//! What whoever reads stdout can show: how wide it is, and whether it has colours.

use std::io::IsTerminal;

/// Of tables, where nobody says how wide it is, in characters.
const USUAL: usize = 100;
/// On something narrower lines break anyway.
const NARROWEST: usize = 40;

/// Where the text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Characters of a line and lines, if it is a terminal that says so.
    size: Option<(usize, usize)>,
    pub(crate) is_terminal: bool,
    has_colours: bool,
}

/// What a colour means. The word beside it says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Care,
    Bad,
    Quiet,
}

impl Screen {
    /// What stdout is.
    pub(crate) fn of_stdout() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let variable = |name| std::env::var(name).unwrap_or_default();
        Self {
            size: if is_terminal { size() } else { None },
            is_terminal,
            has_colours: is_terminal && colours(&variable("NO_COLOR"), &variable("TERM")),
        }
    }

    /// One that is no terminal, as a file or a pipe.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { size: None, is_terminal: false, has_colours: false };

    #[cfg(test)]
    pub(crate) const fn terminal(width: usize, has_colours: bool) -> Self {
        Self { size: Some((width, 24)), is_terminal: true, has_colours }
    }

    /// How wide a table may be.
    pub(crate) fn width(self) -> usize {
        self.size.map_or(USUAL, |(width, _)| width).max(NARROWEST)
    }

    /// How many lines can be seen at once, if that is known.
    pub(crate) fn height(self) -> Option<usize> {
        self.size.map(|(_, height)| height)
    }

    /// A text in lines that fit, those after the first set in by so much. What goes into a file or a pipe stays on one
    /// line, because programs read it.
    pub(crate) fn fit(self, text: &str, indent: usize) -> Vec<String> {
        if self.is_terminal { wrapped(text, self.width(), indent) } else { vec![text.to_owned()] }
    }

    /// A text that can draw nothing itself, in a colour where there are colours.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Care => 33,
            Tone::Bad => 31,
            Tone::Quiet => 2,
        };
        if self.has_colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// See no-color.org: whatever it says, if it says anything, it says no.
fn colours(no_color: &str, term: &str) -> bool {
    no_color.is_empty() && term != "dumb"
}

#[cfg(unix)]
fn size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    let (width, height) = (usize::from(size.ws_col), usize::from(size.ws_row));
    (width > 0 && height > 0).then_some((width, height))
}

/// Elsewhere only the shell's own variables tell.
#[cfg(not(unix))]
fn size() -> Option<(usize, usize)> {
    let of = |name: &str| std::env::var(name).ok()?.parse().ok();
    Some((of("COLUMNS")?, of("LINES").unwrap_or(24)))
}

/// A text broken at blanks. A word that is longer than a line stays whole.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        let length = line.chars().count() + word.trim_end().chars().count();
        if length > width && !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(indent);
        }
        line.push_str(word);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_breaks_between_words_and_its_rest_is_set_in() {
        assert_eq!(wrapped("a short one", 20, 4), ["a short one"]);
        assert_eq!(
            wrapped("Label   one two three four", 17, 8),
            ["Label   one two", "        three", "        four"]
        );
        assert_eq!(
            wrapped("x https://a.very.long.address/ y", 10, 2),
            ["x", "  https://a.very.long.address/", "  y"]
        );
        assert_eq!(wrapped("", 10, 2), [""]);
    }

    #[test]
    fn what_is_no_terminal_gets_whole_lines_and_no_colours() {
        let long = "word ".repeat(60);
        assert_eq!(Screen::PLAIN.fit(long.trim_end(), 4).len(), 1);
        assert_eq!(Screen::PLAIN.paint(Tone::Bad, "PROBLEM"), "PROBLEM");
        assert_eq!(Screen::PLAIN.width(), 100);
        let narrow = Screen::terminal(50, true);
        assert!(narrow.fit(&long, 4).iter().all(|line| line.len() <= 50));
        assert_eq!(narrow.paint(Tone::Good, "ok"), "\x1b[32mok\x1b[0m");
        assert_eq!(Screen::terminal(10, false).width(), NARROWEST);
    }

    #[test]
    fn colours_are_left_out_where_somebody_says_so() {
        assert!(colours("", "xterm-256color"));
        assert!(!colours("1", "xterm") && !colours("0", "xterm") && !colours("", "dumb"));
    }
}
