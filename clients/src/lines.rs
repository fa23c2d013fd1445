//! The ends of lines, and the mark that some editors put before the first.

use similar::{ChangeTag, TextDiff};

const MARK: char = '\u{feff}';

/// A text without the mark before it.
pub(crate) fn unmarked(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// With the mark, if the text before had it.
pub(crate) fn marked_like(before: &str, text: String) -> String {
    if before.starts_with(MARK) { format!("{MARK}{text}") } else { text }
}

/// With the ends of lines of Unix.
pub(crate) fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// Gives each line of a changed text the end that it had; new ones get the end that most have.
pub(crate) fn ended_like(before: &str, text: String) -> String {
    if !before.contains("\r\n") {
        return text;
    }
    let ends: Vec<bool> = before.split_inclusive('\n').map(|one| one.ends_with("\r\n")).collect();
    let most = ends.iter().filter(|is_long| **is_long).count() * 2 >= ends.len();
    let old = plain(before);
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = text.split_inclusive('\n').collect();
    let diff = TextDiff::from_slices(&old, &new);
    let mut ended = String::with_capacity(text.len() + new.len());
    for change in diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Delete) {
        let known = change.old_index().and_then(|line| ends.get(line)).copied();
        match change.value().strip_suffix('\n') {
            Some(line) if known.unwrap_or(most) => {
                ended.push_str(line);
                ended.push_str("\r\n");
            }
            _ => ended.push_str(change.value()),
        }
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_keeps_its_end_and_a_new_one_gets_the_usual() {
        for (before, changed, expected) in [
            ("a\nb\n", "a\nc\nb\n", "a\nc\nb\n"),
            ("a\r\nb\r\n", "a\nc\nb\n", "a\r\nc\r\nb\r\n"),
            ("a\r\nb\nc\r\n", "a\nb\nx\nc\n", "a\r\nb\nx\r\nc\r\n"),
            ("a\nb\nc\r\n", "a\nb\nx\nc\n", "a\nb\nx\nc\r\n"),
            ("a\r\nb", "a\nb\nc\n", "a\r\nb\r\nc\r\n"),
        ] {
            assert_eq!(ended_like(before, changed.to_owned()), expected, "{before:?}");
        }
    }
}
