//! Elements with attributes, which is all that statements consist of.

use std::borrow::Cow;
use std::fmt::Display;

use jiff::civil::Date;

use super::dec::Dec;
use super::form::Form;

/// Text that may stand between quotes or tags.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'', '\n']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// One element while its attributes are written.
#[derive(Debug)]
pub(super) struct Row<'a> {
    line: String,
    form: &'a Form,
}

impl<'a> Row<'a> {
    pub(super) fn new(tag: &str, form: &'a Form) -> Self {
        let mut line = String::with_capacity(1600);
        line.push('<');
        line.push_str(tag);
        Self { line, form }
    }

    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.line.push(' ');
        self.line.push_str(name);
        self.line.push_str("=\"");
        self.line.push_str(&escape(value));
        self.line.push('"');
        self
    }

    pub(super) fn show(self, name: &str, value: impl Display) -> Self {
        self.text(name, &value.to_string())
    }

    pub(super) fn num(self, name: &str, value: Dec) -> Self {
        self.show(name, value)
    }

    /// Several numbers.
    pub(super) fn nums(self, all: &[(&str, Dec)]) -> Self {
        all.iter().fold(self, |row, (name, value)| row.num(name, *value))
    }

    pub(super) fn date(self, name: &str, day: Date) -> Self {
        let text = self.form.date(day);
        self.text(name, &text)
    }

    /// Date and time of epoch milliseconds.
    pub(super) fn moment(self, name: &str, ms: i64) -> Self {
        let text = self.form.moment(ms);
        self.text(name, &text)
    }

    /// Attributes that are there and say nothing.
    pub(super) fn blank(self, names: &[&str]) -> Self {
        names.iter().fold(self, |row, name| row.text(name, ""))
    }

    /// Attributes that are there and are zero.
    pub(super) fn zero(self, names: &[&str]) -> Self {
        names.iter().fold(self, |row, name| row.text(name, "0"))
    }

    /// The element, which has no content.
    pub(super) fn done(mut self) -> String {
        self.line.push_str(" />\n");
        self.line
    }

    /// The opening tag.
    pub(super) fn open(mut self) -> String {
        self.line.push_str(">\n");
        self.line
    }
}
