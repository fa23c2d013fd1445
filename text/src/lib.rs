//! Others' text, made harmless: names, descriptions, questions and errors that a broker, a statement, a page or a
//! client wrote, on their way to a model, a terminal, a log, a dialog or a table.
//!
//! Such text must not start a line that looks like ours, move a cursor, turn the direction of what follows, hide
//! words from people that models read, or become a formula.

use std::borrow::Cow;

/// What is not seen and changes what is seen or read: Unicode's default-ignorable characters, marks of direction,
/// separators of lines, tags, variation selectors, and fillers.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

fn is_odd(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// The same text without what is odd: controls become blanks, what is invisible goes. The rest stays as it is.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_odd) {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter(|c| !is_invisible(*c));
    Cow::Owned(kept.map(|c| if c.is_control() { ' ' } else { c }).collect())
}

/// On one line, in single blanks, without markup, and not longer than `most` characters.
pub fn clean(text: &str, most: usize) -> String {
    let mut in_markup = false;
    let mut shown = String::with_capacity(text.len().min(4 * most));
    let mut chars = text.chars().filter(|c| !is_invisible(*c)).peekable();
    while let Some(c) = chars.next() {
        match c {
            '>' if in_markup => {
                in_markup = false;
                shown.push(' ');
            }
            _ if in_markup => {}
            // `size < 100` is no markup, and what follows it must be read.
            '<' if chars.peek().is_some_and(|c| c.is_ascii_alphabetic() || "/!".contains(*c)) => {
                in_markup = true;
            }
            c if c.is_control() => shown.push(' '),
            c => shown.push(c),
        }
    }
    let words: Vec<&str> = shown.split_whitespace().collect();
    words.join(" ").chars().take(most).collect()
}

/// For a terminal: what is odd is shown as what it is.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if is_odd(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// A text as one cell of a CSV file that a spreadsheet may open: what would be a formula there becomes a text.
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let text = plain(text);
    let is_formula = match text.trim_start().as_bytes() {
        [b'=' | b'@' | b'+', _, ..] => true,
        // A minus alone, or before a number, is none.
        [b'-', rest @ ..] => {
            !rest.is_empty() && !rest.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        }
        _ => false,
    };
    if is_formula { Cow::Owned(format!("'{text}")) } else { text }
}

/// A short name as IBKR's endpoints have them (`AAPL`, `BRK B`, `NASDAQ.NMS`, `USD`), or nothing: only such a one
/// may stand among our own words without quotation marks.
pub fn name(text: &str, most: usize) -> Option<&str> {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | '_' | '&' | '\'');
    let words: Vec<&str> = text.split(' ').collect();
    let is_name = text.len() <= most
        && words.len() <= 2
        && words.iter().all(|word| !word.is_empty() && word.chars().all(is_plain));
    is_name.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_goes_and_the_rest_stays() {
        for (given, expected) in [
            ("Zürich 1’000 € 株", "Zürich 1’000 € 株"),
            ("a\nb\tc\x1b[2J", "a b c [2J"),
            ("\u{202e}YUB\u{200b} \u{ad}x\u{fe0f}", "YUB x"),
            ("hi\u{e0041}\u{e0042}\u{e0100}\u{3164}", "hi"),
            ("a\u{2028}b", "ab"),
        ] {
            assert_eq!(plain(given), expected, "{given:?}");
        }
    }

    #[test]
    fn text_of_others_is_one_line_without_markup() {
        assert_eq!(clean("<h4>Hi</h4>\u{202e}\n  there\u{7}", 300), "Hi there");
        assert_eq!(clean(&"x".repeat(1000), 300).len(), 300);
        assert_eq!(clean("size < 100 and > 5", 300), "size < 100 and > 5");
        assert_eq!(clean("<<b>x</b>>", 300), "< x >");
        assert_eq!(clean("<\u{200b}b>x", 300), "x", "what is invisible does not hide markup");
    }

    #[test]
    fn text_of_others_cannot_draw_on_the_terminal() {
        assert_eq!(escaped("a\x1b[2Jb\nAccount  DU1"), "a\\u{1b}[2Jb Account  DU1");
        assert_eq!(escaped("\u{202e}YUB\u{200b}"), "\\u{202e}YUB\\u{200b}");
        assert_eq!(escaped("Zürich 1’000 €"), "Zürich 1’000 €");
    }

    #[test]
    fn a_cell_is_no_formula() {
        for (given, expected) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("@SUM(1)", "'@SUM(1)"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-1+cmd", "'-1+cmd"),
            ("\t=1", "' =1"),
            ("-", "-"),
            ("-12.5", "-12.5"),
            ("AAPL", "AAPL"),
        ] {
            assert_eq!(csv_cell(given), expected, "{given:?}");
        }
    }

    #[test]
    fn a_name_is_short_and_has_nothing_to_forge_with() {
        for good in ["AAPL", "BRK B", "EUR.USD", "NASDAQ.NMS", "S&P"] {
            assert_eq!(name(good, 20), Some(good));
        }
        for bad in ["", "a b c", "X, DAY", "X\nY", "LMT  1", "(USD)", &"A".repeat(21)] {
            assert_eq!(name(bad, 20), None, "{bad:?}");
        }
    }
}
