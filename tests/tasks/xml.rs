//! Just enough of XML for sums over a Flex statement: not the reader that is being tested.

use serde_json::{Map, Value};

/// The attributes of every element of this name in a file.
pub fn elements(file: &str, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let start = format!("<{name} ");
    let found = text.split(start.as_str()).skip(1);
    found.map(|rest| attributes(rest.split('>').next().unwrap_or_default())).collect()
}

fn attributes(tag: &str) -> Value {
    let parts: Vec<&str> = tag.split('"').collect();
    // Name and equals sign, value, name and equals sign, …
    let pairs = parts.chunks_exact(2).map(|pair| {
        let name = pair[0].trim().trim_end_matches('=').to_owned();
        (name, Value::String(pair[1].to_owned()))
    });
    Value::Object(pairs.collect::<Map<String, Value>>())
}
