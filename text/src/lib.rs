//! Others' text, made harmless: names, descriptions, questions and errors that a broker, a statement, a page or a
//! client wrote, on their way to a model, a terminal, a log, a dialog or a table.
//!
//! Such text must not start a line that looks like ours, move a cursor, turn the direction of what follows, hide
//! words from people that models read, or become a formula.

use std::borrow::Cow;
use std::fmt::Write;

/// What is not seen and changes what is seen or read: Unicode's default-ignorable characters, marks of direction,
/// separators of lines, tags, variation selectors, fillers, controls of hieroglyphs; and what has no meaning that two
/// programs share: private characters, and those that are none.
fn is_invisible(c: char) -> bool {
    let is_none = u32::from(c) & 0xfffe == 0xfffe;
    is_none
        || matches!(
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
                | '\u{e000}'..='\u{f8ff}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{fff0}'..='\u{fffc}'
                | '\u{13430}'..='\u{13440}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{10ffff}'
        )
}

fn is_odd(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// A control, or a space that is none of the usual ones: shown as a blank.
fn is_blank(c: char) -> bool {
    c.is_control() || c != ' ' && c.is_whitespace()
}

/// Whether nothing in it is odd, so that [`plain`] would change nothing.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| is_blank(c) || is_invisible(c))
}

/// The same text without what is odd: controls and odd spaces become blanks, what is invisible goes. The rest stays
/// as it is.
pub fn plain(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter(|c| !is_invisible(*c));
    Cow::Owned(kept.map(|c| if is_blank(c) { ' ' } else { c }).collect())
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

/// JSON as one line that nothing in it can draw on: what is odd is written by its number, so that whoever reads it
/// gets the same text.
pub fn json(written: &str) -> Cow<'_, str> {
    if is_plain(written) {
        return Cow::Borrowed(written);
    }
    let mut shown = String::with_capacity(written.len() + 16);
    for c in written.chars() {
        if is_blank(c) || is_invisible(c) {
            // JSON has such characters only in texts, and takes them so there.
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A text as one cell of a CSV file that a spreadsheet may open: what would be a formula there becomes a text.
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let text = plain(text);
    let mut chars = text.trim_start().chars();
    // Some spreadsheets read the wide forms of these, too.
    let is_formula = match (chars.next(), chars.as_str()) {
        (_, "") => false,
        (Some('=' | '@' | '+' | '\u{ff1d}' | '\u{ff20}' | '\u{ff0b}'), _) => true,
        // A minus before a number is none.
        (Some('-' | '\u{ff0d}'), rest) => !rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'),
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
            ("a\u{a0}b\u{3000}c\u{2009}d", "a b c d"),
            ("a\u{13430}\u{e000}\u{fdd0}\u{fffc}\u{ffff}\u{1fffe}\u{f0000}\u{10ffff}b", "ab"),
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
    fn json_that_is_shown_means_the_same() {
        assert_eq!(json("{\"a\":\"\u{9b}2J\u{e0041}ü\"}"), r#"{"a":"\u009b2J\udb40\udc41ü"}"#);
        assert!(matches!(json(r#"{"a":"b\n"}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn a_cell_is_no_formula() {
        for (given, expected) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("@SUM(1)", "'@SUM(1)"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-1+cmd", "'-1+cmd"),
            ("\t=1", "' =1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("\u{ff0d}A1", "'\u{ff0d}A1"),
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
