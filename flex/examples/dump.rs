//! What this crate reads of a statement, as JSON, for comparison with another parser:
//! `dump FILE [values]`.
//!
//! Sums are of every attribute that is a number, by section, element, level, currency and name; with
//! `values`, every row follows, as one line of JSON: `[written, read]` for each attribute.

#![allow(clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;
use std::fs::File;

use ibd_flex::statement::{Event, Reader, Row};
use ibd_flex::{Cell, cell, value::Order};
use rust_decimal::Decimal;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: dump FILE [values]")?;
    let with_values = arguments.next().is_some_and(|argument| argument == "values");
    let summary = ibd_flex::summary::of(std::io::BufReader::new(File::open(&file)?))?;
    let mut reader = Reader::buffered(File::open(&file)?);
    let mut sums: BTreeMap<[String; 5], (u64, Decimal)> = BTreeMap::new();
    let mut rows = Vec::new();
    loop {
        match reader.next()? {
            Event::Row(row) => {
                add(&row, summary.date_order, &mut sums);
                if with_values {
                    rows.push(values(&row, summary.date_order));
                }
            }
            Event::End => break,
            _ => {}
        }
    }
    let sums: Vec<_> = sums
        .into_iter()
        .map(|([section, element, level, currency, field], (count, sum))| {
            json!({"section": section, "element": element, "level": level, "currency": currency,
                   "field": field, "count": count, "sum": sum.normalize().to_string()})
        })
        .collect();
    println!("{}", json!({"summary": summary, "sums": sums}));
    rows.iter().for_each(|row| println!("{row}"));
    Ok(())
}

fn add(row: &Row<'_>, order: Order, sums: &mut BTreeMap<[String; 5], (u64, Decimal)>) {
    let currency = row.get("currency").unwrap_or_default().into_owned();
    for attribute in row.attributes() {
        if let Cell::Number(number) = cell(attribute.name, &attribute.value(), order) {
            let key = [row.section, row.element, &row.level(), &currency, attribute.name];
            let (count, sum) = sums.entry(key.map(str::to_owned)).or_default();
            *count += 1;
            *sum += number;
        }
    }
}

/// Every attribute with what is written and what is read of it.
fn values(row: &Row<'_>, order: Order) -> serde_json::Value {
    let read = |name: &str, text: &str| match cell(name, text, order) {
        Cell::Missing => serde_json::Value::Null,
        Cell::Number(number) => number.normalize().to_string().into(),
        Cell::Text(text) => text.into(),
    };
    let values: serde_json::Map<_, _> = row
        .attributes()
        .map(|attribute| {
            let text = attribute.value();
            (attribute.name.to_owned(), json!([text, read(attribute.name, &text)]))
        })
        .collect();
    json!({"section": row.section, "element": row.element, "values": values})
}
