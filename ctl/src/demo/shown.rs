//! An answer as a person reads it: tables as tables, the rest as `name: value`.

use serde_json::Value;

/// Rows and characters of an answer that are shown.
const ROWS: usize = 6;
const WIDTH: usize = 110;
/// The first column has names in it, the others numbers.
const FIRST: usize = 26;
const OTHERS: usize = 11;

/// All of it, in lines of bearable length.
pub(super) fn answer(value: &Value) -> Vec<String> {
    readable(value, 0).iter().flat_map(|line| wrapped(line)).collect()
}

/// A long line cut between words; what follows is set in deeper.
fn wrapped(line: &str) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let mut lines = Vec::new();
    let mut last = " ".repeat(indent);
    for word in line.trim_start().split_inclusive([',', ' ']) {
        let length = last.chars().count() + word.trim_end().chars().count();
        if length > WIDTH && !last.trim().is_empty() {
            lines.push(last.trim_end().to_owned());
            last = " ".repeat(indent + 4);
        }
        last.push_str(word);
    }
    lines.push(last.trim_end().to_owned());
    lines
}

fn readable(value: &Value, depth: usize) -> Vec<String> {
    let Some(object) = value.as_object() else { return vec![cell(value)] };
    let indent = "  ".repeat(depth);
    let mut lines = Vec::new();
    if let (Some(cols), Some(rows)) = (object.get("cols"), object.get("rows")) {
        lines.extend(table(cols, rows));
    }
    for (name, value) in object.iter().filter(|(name, _)| !matches!(name.as_str(), "cols" | "rows"))
    {
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                lines.push(format!("{indent}{name}:"));
                let rows = items.iter().take(ROWS);
                lines.extend(rows.map(|item| format!("{indent}  {}", on_one_line(item))));
                lines.extend(more(items.len()).map(|more| format!("{indent}  {more}")));
            }
            Value::Object(inner) if inner.contains_key("cols") || inner.contains_key("table") => {
                lines.push(format!("{indent}{name}:"));
                lines.extend(readable(value, depth + 1));
            }
            Value::Object(_) => lines.push(format!("{indent}{name}: {}", on_one_line(value))),
            other => lines.push(format!("{indent}{name}: {}", cell(other))),
        }
    }
    lines
}

fn on_one_line(item: &Value) -> String {
    let Some(object) = item.as_object() else { return cell(item) };
    let fields = object.iter().filter(|(_, value)| !value.is_array() && !value.is_object());
    let fields = fields.map(|(name, value)| format!("{name} {}", cell(value)));
    fields.collect::<Vec<_>>().join(", ")
}

fn table(cols: &Value, rows: &Value) -> Vec<String> {
    let of = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let line = |row: &[Value]| {
        let cells = row.iter().enumerate().map(|(at, value)| {
            let width = if at == 0 { FIRST } else { OTHERS };
            format!("{:<width$.width$}", cell(value))
        });
        // Columns that no longer fit are left out as a whole.
        let most = (WIDTH - FIRST) / (OTHERS + 1) + 1;
        cells.take(most).collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    let rows = of(rows);
    let mut lines = vec![line(&of(cols))];
    lines.extend(rows.iter().take(ROWS).map(|row| line(&of(row))));
    lines.extend(more(rows.len()));
    lines
}

fn more(count: usize) -> Option<String> {
    (count > ROWS).then(|| format!("… and {} more", count - ROWS))
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tables_are_tables_and_the_rest_has_its_name() {
        let told = answer(&json!({
            "account": "DU1",
            "cols": ["symbol", "value"],
            "rows": [["AAPL", 1.5], ["MSFT", null]],
            "quotes": [{ "symbol": "AAPL", "last": 2 }],
            "order": { "text": "BUY 1 AAPL", "legs": [] },
        }));
        let expected = [
            "symbol                     value",
            "AAPL                       1.5",
            "MSFT                       -",
            "account: DU1",
            "quotes:",
            "  symbol AAPL, last 2",
            "order: text BUY 1 AAPL",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_long_is_cut_between_words_and_rows_are_counted() {
        let rows: Vec<Value> = (0..9).map(|at| json!([at])).collect();
        let told = answer(&json!({ "cols": ["n"], "rows": rows, "next": "word ".repeat(60) }));
        assert!(told.contains(&"… and 3 more".to_owned()), "{told:#?}");
        assert!(told.iter().all(|line| line.chars().count() <= WIDTH), "{told:#?}");
        let wide = json!({ "cols": vec!["column"; 20], "rows": [vec![1; 20]] });
        assert!(answer(&wide).iter().all(|line| line.chars().count() <= WIDTH));
    }
}
