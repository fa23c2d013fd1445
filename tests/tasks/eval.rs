//! What a formula comes to, and whether a check holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::expr::{Check, Expr, Filter};
use super::xml;

/// What formulas can name: `$1`, `look1`, `sim`, …
pub type Scope = BTreeMap<String, Value>;

/// What a formula comes to; `row` is the one that a sum looks at.
pub fn value(expr: &Expr, scope: &Scope, row: Option<&Value>) -> Result<Value, String> {
    let below = |expr: &Expr| value(expr, scope, row);
    match expr {
        Expr::Number(found) => Ok(json!(found)),
        Expr::Text(text) => Ok(json!(text)),
        Expr::Root(name) if name == "true" || name == "false" => Ok(json!(name == "true")),
        Expr::Root(name) => scope.get(name).cloned().ok_or_else(|| format!("there is no {name}")),
        Expr::Row(name) => Ok(field(row.unwrap_or(&Value::Null), name)),
        Expr::Field(of, name) => Ok(field(&below(of)?, name)),
        Expr::At(of, place) => Ok(at(&below(of)?, *place)),
        Expr::Where(of, filters) => {
            let all = listed(below(of)?);
            let mut kept = Vec::new();
            for one in all {
                if fits(&one, filters, &below)? {
                    kept.push(one);
                }
            }
            Ok(Value::Array(kept))
        }
        Expr::Minus(of) => Ok(json!(-needed(&below(of)?)?)),
        Expr::Joined(left, sign, right) => {
            let (left, right) = (needed(&below(left)?)?, needed(&below(right)?)?);
            Ok(json!(match sign {
                '+' => left + right,
                '-' => left - right,
                '*' => left * right,
                _ => left / right,
            }))
        }
        Expr::Function(name, arguments) => {
            function((name.as_str(), arguments.as_slice()), scope, row)
        }
    }
}

fn function(
    (name, arguments): (&str, &[Expr]),
    scope: &Scope,
    row: Option<&Value>,
) -> Result<Value, String> {
    let first = value(&arguments[0], scope, row)?;
    match name {
        "abs" => return Ok(json!(needed(&first)?.abs())),
        "round" => return Ok(json!((needed(&first)? * 100.0).round() / 100.0)),
        "count" => return Ok(json!(listed(first).len())),
        "elements" => {
            let element = value(&arguments[1], scope, row)?;
            return Ok(Value::Array(xml::elements(&text(&first), &text(&element))));
        }
        _ => {}
    }
    let mut numbers = Vec::new();
    for one in listed(first) {
        let found = match arguments.get(1) {
            Some(of_row) => value(of_row, scope, Some(&one))?,
            None => one,
        };
        numbers.extend(number(&found));
    }
    match name {
        "sum" => Some(json!(numbers.iter().sum::<f64>())),
        "max" => numbers.into_iter().reduce(f64::max).map(|found| json!(found)),
        "min" => numbers.into_iter().reduce(f64::min).map(|found| json!(found)),
        _ => return Err(format!("there is no function {name}")),
    }
    .ok_or_else(|| format!("{name} of nothing"))
}

/// Whether it holds, and what was compared.
pub fn holds(check: &Check, scope: &Scope) -> Result<(), String> {
    let left = value(&check.left, scope, None)?;
    let is_there = !matches!(&left, Value::Null | Value::Bool(false))
        && left.as_array().is_none_or(|all| !all.is_empty());
    let Some(right) = &check.right else {
        let wanted = check.sign == "is";
        return if is_there == wanted { Ok(()) } else { Err(format!("it is {}", short(&left))) };
    };
    let right = value(right, scope, None)?;
    let is_so = match check.sign.as_str() {
        "==" => same(&left, &right),
        "!=" => !same(&left, &right),
        "has" => has(&left, &right),
        "lacks" => !has(&left, &right),
        sign => compared(&left, sign, &right)?,
    };
    let said = || format!("{} {} {}", short(&left), check.sign, short(&right));
    if is_so { Ok(()) } else { Err(said()) }
}

fn compared(left: &Value, sign: &str, right: &Value) -> Result<bool, String> {
    let (left, right) = (needed(left)?, needed(right)?);
    Ok(match sign {
        // A cent, or half a per cent: rates are rounded, and prices are of moments.
        "~" => (left - right).abs() <= (right.abs() * 0.005).max(0.0101),
        "<" => left < right,
        ">" => left > right,
        "<=" => left <= right + 1e-9,
        _ => left >= right - 1e-9,
    })
}

fn has(all: &Value, wanted: &Value) -> bool {
    match all {
        Value::Array(items) if items.len() != 1 => items.iter().any(|item| same(item, wanted)),
        other => text(other).to_lowercase().contains(&text(wanted).to_lowercase()),
    }
}

fn fits(
    row: &Value,
    filters: &[Filter],
    wanted: &dyn Fn(&Expr) -> Result<Value, String>,
) -> Result<bool, String> {
    for filter in filters {
        let (found, wanted) = (field(row, &filter.field), wanted(&filter.value)?);
        let fits = match filter.sign.as_str() {
            "=" => same(&found, &wanted),
            "!=" => !same(&found, &wanted),
            "^" => text(&found).starts_with(&text(&wanted)),
            "~" => text(&found).to_lowercase().contains(&text(&wanted).to_lowercase()),
            "<" => number(&found).unwrap_or(0.0) < needed(&wanted)?,
            _ => number(&found).unwrap_or(0.0) > needed(&wanted)?,
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A field; of a list those of all its rows. Rows of a table are objects.
fn field(of: &Value, name: &str) -> Value {
    if let Value::Array(rows) = of {
        let all = rows.iter().map(|row| field(row, name));
        return all
            .flat_map(|found| if found.is_null() { vec![] } else { listed(found) })
            .collect();
    }
    let found = of.get(name).cloned().unwrap_or(Value::Null);
    match (name, of.get("cols").and_then(Value::as_array)) {
        ("rows", Some(cols)) => listed(found).iter().map(|row| named(cols, row)).collect(),
        _ => found,
    }
}

fn named(cols: &[Value], row: &Value) -> Value {
    let Value::Array(cells) = row else { return row.clone() };
    let fields = cols.iter().zip(cells).map(|(col, cell)| (text(col), cell.clone()));
    Value::Object(fields.collect())
}

fn at(of: &Value, place: i64) -> Value {
    let all = listed(of.clone());
    let place = if place < 0 { place + all.len() as i64 } else { place };
    usize::try_from(place).ok().and_then(|place| all.get(place).cloned()).unwrap_or(Value::Null)
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(all) => all,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// The one of a list of one.
pub fn one(value: &Value) -> &Value {
    match value {
        Value::Array(all) if all.len() == 1 => &all[0],
        other => other,
    }
}

/// A number, also one that is written as text.
pub fn number(value: &Value) -> Option<f64> {
    match one(value) {
        Value::Number(found) => found.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn needed(value: &Value) -> Result<f64, String> {
    number(value).ok_or_else(|| format!("{} is no number", short(value)))
}

fn same(left: &Value, right: &Value) -> bool {
    match (number(left), number(right)) {
        (Some(left), Some(right)) => (left - right).abs() < 1e-9,
        _ => text(left) == text(right),
    }
}

/// As text; a whole number without a point.
pub fn text(value: &Value) -> String {
    match one(value) {
        Value::String(text) => text.clone(),
        Value::Number(found) => match found.as_f64() {
            Some(number) if number.fract() == 0.0 => format!("{number:.0}"),
            _ => found.to_string(),
        },
        other => other.to_string(),
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}
