//! JSON Schemas that every client understands.

pub use schemars::generate::Contract;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// The schema of a type, as text.
///
/// What clients stumble over is taken out: number formats, `null` as one of several types, null
/// defaults, and the `$schema` and `title` that only cost tokens.
pub fn of<T: JsonSchema>(contract: Contract) -> String {
    let mut settings = SchemaSettings::draft2020_12();
    settings.contract = contract;
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
    simplify(&mut value);
    if let Value::Object(root) = &mut value {
        root.remove("title");
        root.remove("description");
        root.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        root.insert("additionalProperties".into(), Value::Bool(false));
    }
    value.to_string()
}

fn simplify(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let is_numeric = |format: &str| format.starts_with("int") || format.starts_with("uint");
            if map.get("format").and_then(Value::as_str).is_some_and(is_numeric) {
                map.remove("format");
                map.remove("minimum");
            }
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            drop_null_type(map);
            drop_null_alternative(map);
            map.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// `"type": ["string", "null"]` becomes `"type": "string"`: a field that may be left out is enough.
/// A table's cell, which may be one of several things or null, stays as it is.
fn drop_null_type(map: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = map.get("type") else { return };
    let real: Vec<&Value> = types.iter().filter(|name| **name != "null").collect();
    if let [only] = real.as_slice() {
        let only = (*only).clone();
        map.insert("type".into(), only);
    }
}

/// `anyOf: [X, null]` becomes X.
fn drop_null_alternative(map: &mut Map<String, Value>) {
    let Some(Value::Array(alternatives)) = map.get_mut("anyOf") else { return };
    alternatives.retain(|alternative| alternative.get("type") != Some(&Value::from("null")));
    if let [Value::Object(only)] = alternatives.as_slice() {
        let only = only.clone();
        map.remove("anyOf");
        for (key, value) in only {
            map.entry(key).or_insert(value);
        }
    }
}
