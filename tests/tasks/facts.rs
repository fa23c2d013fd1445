//! What must stand in an answer.

use serde_json::Value;

use super::eval::{number, text};

/// Whether a fact stands in a text: a number nearly (signs are a matter of words), one of the words between bars.
pub fn stands(fact: &Value, answer: &str, tolerance: f64) -> bool {
    let Some(wanted) = number(fact) else {
        let answer = answer.to_lowercase();
        return text(fact).to_lowercase().split('|').any(|word| answer.contains(word.trim()));
    };
    let wanted = wanted.abs();
    // A contract's or an order's number is exact.
    let is_name = wanted.fract() == 0.0 && wanted >= 1e6;
    let near = if is_name { 0.0 } else { (wanted * 0.002).max(0.006).max(tolerance) };
    numbers(answer).into_iter().any(|found| (found - wanted).abs() <= near)
}

/// All numbers of a text; thousands may be set apart by commas.
fn numbers(text: &str) -> Vec<f64> {
    let runs = text.split(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.'));
    let read = |run: &str| run.trim_matches([',', '.']).replace(',', "").parse().ok();
    runs.filter_map(read).collect()
}

/// An answer as a text: names and values, each apart from the next.
pub fn spoken(answer: &Value, out: &mut String) {
    match answer {
        Value::Object(fields) => {
            for (name, field) in fields {
                out.push_str(name);
                out.push_str(": ");
                spoken(field, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| spoken(item, out)),
        Value::String(text) => {
            out.push_str(text);
            out.push('\n');
        }
        other => {
            out.push_str(&other.to_string());
            out.push('\n');
        }
    }
}

#[test]
fn facts_are_found_however_they_are_written() {
    for (fact, answer) in [
        (serde_json::json!(1234.5), "It is 1,234.50 dollars."),
        (serde_json::json!(-12), "a loss of 12."),
        (serde_json::json!("up|gain"), "You gained."),
        (serde_json::json!(1_234_567_890), "order 1234567890"),
    ] {
        assert!(stands(&fact, answer, 0.0), "{fact} in {answer}");
    }
    for (fact, answer) in [
        (serde_json::json!(1234.5), "It is 1,284.50 dollars."),
        (serde_json::json!(1_234_567_890), "order 1234567891"),
        (serde_json::json!("Sanofi"), "Santander"),
    ] {
        assert!(!stands(&fact, answer, 0.0), "{fact} in {answer}");
    }
}
