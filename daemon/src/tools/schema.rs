//! JSON Schemas that every client understands.

use std::borrow::Cow;

use ibd_protocol::Effect;
pub use schemars::generate::Contract;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The schema of a type, as text.
///
/// What clients stumble over is taken out: number formats, `null` as one of several types, null
/// defaults, and the `$schema` and `title` that only cost tokens.
pub fn of<T: JsonSchema>(contract: Contract) -> String {
    value::<T>(contract).to_string()
}

/// The schema of a tool's arguments. One that reads takes others, too, and says that it left them out of account.
pub fn of_arguments<T: JsonSchema>(effect: Effect) -> String {
    let mut schema = value::<T>(Contract::Deserialize);
    if let (Value::Object(root), true) = (&mut schema, effect.is_for_readers()) {
        root.remove("additionalProperties");
    }
    schema.to_string()
}

/// The same as a value. Every result may have `warnings`.
pub fn value<T: JsonSchema>(contract: Contract) -> Value {
    let is_result = matches!(contract, Contract::Serialize);
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
        let properties = root.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(properties), true) = (properties, is_result) {
            properties.entry("warnings").or_insert_with(warnings);
        }
        root.insert("additionalProperties".into(), Value::Bool(false));
    }
    value
}

/// Arguments that another tool has, too, and describes: here they are only named, and lists of objects are only that.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(transparent)]
pub struct Bare<T>(pub T);

impl<T: JsonSchema> JsonSchema for Bare<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator).to_value();
        undescribe(&mut schema);
        schema.try_into().unwrap_or_default()
    }
}

/// A property may be called `description`, too: only texts are descriptions.
fn undescribe(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("description").is_some_and(Value::is_string) {
                map.remove("description");
            }
            if let Some(items) = map.get_mut("items")
                && (items.get("$ref").is_some() || items.get("properties").is_some())
            {
                *items = json!({ "type": "object" });
            }
            map.values_mut().for_each(undescribe);
        }
        Value::Array(items) => items.iter_mut().for_each(undescribe),
        _ => {}
    }
}

fn warnings() -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": "To be read first." })
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
            // What a list is of, the list says.
            if map.contains_key("description")
                && let Some(Value::Object(items)) = map.get_mut("items")
            {
                items.remove("description");
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
