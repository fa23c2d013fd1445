//! Rows to a file, for other programs.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

use serde::ser::{SerializeMap, Serializer};

use super::{Ask, SectionError, each};
use crate::cell::{Cell, whole_cell};
use crate::statement::{Columns, Row};
use crate::value::Order;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a header. Dates are ISO 8601; what a spreadsheet would take for a formula is a text.
    Csv,
    /// One JSON object per line; what is missing has no key.
    JsonLines,
}

/// Writes all matching rows and says how many. `ask.skip` and `ask.limit` do not count. The source is
/// opened twice for CSV: which columns there are shows only in the end.
pub fn export<B: BufRead>(
    open: impl Fn() -> io::Result<B>,
    ask: &Ask,
    (format, to): (Format, &mut impl Write),
) -> Result<u64, SectionError> {
    let open = || open().map_err(|error| SectionError::Statement(error.into()));
    match format {
        Format::Csv => {
            let fields = each(open()?, ask, |_, _| Ok(()))?;
            let names =
                if ask.columns.is_empty() { fields.names } else { fields.chosen(&ask.columns)? };
            csv(open()?, ask, (&names, to))
        }
        Format::JsonLines => json_lines(open()?, ask, to),
    }
}

fn csv(
    source: impl BufRead,
    ask: &Ask,
    (names, to): (&[String], &mut impl Write),
) -> Result<u64, SectionError> {
    let mut columns = Columns::new(names.iter().map(String::as_str));
    let mut rows = 0;
    let mut line = String::new();
    names.iter().for_each(|name| field(&mut line, name));
    end_line(&mut line, to)?;
    each(source, ask, |row, _| {
        let picked = columns.pick(row);
        for (column, name) in names.iter().enumerate() {
            match whole_cell(name, &picked.get(column).unwrap_or_default(), ask.order) {
                Cell::Missing => field(&mut line, ""),
                Cell::Number(number) => field(&mut line, &number.to_string()),
                Cell::Text(text) => field(&mut line, &ibd_text::csv_cell(&text)),
            }
        }
        rows += 1;
        end_line(&mut line, to)
    })?;
    Ok(rows)
}

fn field(line: &mut String, text: &str) {
    if text.contains(['"', ',', '\n', '\r']) {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
    line.push(',');
}

/// The line, without its last comma.
fn end_line(line: &mut String, to: &mut impl Write) -> Result<(), SectionError> {
    line.pop();
    line.push_str("\r\n");
    to.write_all(line.as_bytes()).map_err(SectionError::Write)?;
    line.clear();
    Ok(())
}

fn json_lines(source: impl BufRead, ask: &Ask, to: &mut impl Write) -> Result<u64, SectionError> {
    let mut rows = 0;
    each(source, ask, |row, _| {
        rows += 1;
        let object = Object { row, ask };
        let text =
            serde_json::to_string(&object).map_err(|error| SectionError::Write(error.into()))?;
        writeln!(to, "{text}").map_err(SectionError::Write)
    })?;
    Ok(rows)
}

struct Object<'a> {
    row: &'a Row<'a>,
    ask: &'a Ask,
}

impl serde::Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = &self.ask.columns;
        let is_wanted = |name: &str| {
            columns.is_empty() || columns.iter().any(|column| column.eq_ignore_ascii_case(name))
        };
        let mut seen = BTreeSet::new();
        let mut map = serializer.serialize_map(None)?;
        for attribute in self.row.attributes() {
            let value = attribute.value();
            if !value.is_empty() && is_wanted(attribute.name) && seen.insert(attribute.name) {
                map.serialize_entry(
                    attribute.name,
                    &Shown(attribute.name, &value, self.ask.order),
                )?;
            }
        }
        map.end()
    }
}

struct Shown<'a>(&'a str, &'a str, Order);

impl serde::Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        whole_cell(self.0, self.1, self.2).serialize(serializer)
    }
}
