//! Places in texts, and what is put there: no month is hard-coded.

use ibd_tests::months::option_month;
use jiff::civil::Date;
use jiff::{Span, Zoned};
use serde_json::Value;

use super::eval::{Scope, one, text, value};
use super::expr;

/// A text with its places filled.
pub fn worded(template: &str, scope: &Scope) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) =
            after.split_once('}').unwrap_or_else(|| panic!("no end of {{ in {template}"));
        out.push_str(before);
        out.push_str(&place(name, scope));
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn place(name: &str, scope: &Scope) -> String {
    let (what, ahead) = name.split_once(':').unwrap_or((name, "0"));
    let month = || option_month(ahead.parse().unwrap());
    match what {
        "port" => text(&scope["port"]),
        // Months in which options end, so many after the nearest.
        "month" => month().code(),
        "day" => month().day(),
        "number" => month().number().to_string(),
        // In January a year that has figures is the one before.
        "year" => days_ago(60).strftime("%Y").to_string(),
        "monthago" => days_ago(60).strftime("%Y-%m").to_string(),
        "digitsago" => days_ago(60).strftime("%Y%m").to_string(),
        _ => panic!("nothing is put into {{{name}}}"),
    }
}

fn days_ago(days: i64) -> Date {
    Zoned::now().date().saturating_add(Span::new().days(-days))
}

/// Arguments with their places filled; a text that begins with `=` is computed from earlier answers.
pub fn filled(template: &Value, scope: &Scope) -> Value {
    match template {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), filled(field, scope)))
            .collect::<serde_json::Map<String, Value>>()
            .into(),
        Value::Array(items) => items.iter().map(|item| filled(item, scope)).collect(),
        Value::String(text) => match text.strip_prefix('=') {
            Some(formula) => computed(&worded(formula, scope), scope),
            None => worded(text, scope).into(),
        },
        other => other.clone(),
    }
}

/// A whole number is written without a point.
fn computed(formula: &str, scope: &Scope) -> Value {
    let found = value(&expr::formula(formula), scope, None);
    let found = found.unwrap_or_else(|error| panic!("{formula}: {error}"));
    match one(&found).as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => (number as i64).into(),
        _ => one(&found).clone(),
    }
}
