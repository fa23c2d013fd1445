//! Every tool is held to the limits of the clients and to its own schema.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{TOOLS, listed};
use ibd_protocol::Toolset;
use ibd_protocol::catalogue::{read_of, sizes, to_readable};
use serde_json::Value;

/// The longest description that clients take: see docs/architecture.md.
const MAX_DESCRIPTION: usize = 900;
/// What a model may read of the list of all tools, in bytes.
const MAX_ALL: usize = 32_000;

#[test]
fn the_golden_list_is_up_to_date() {
    let readable = to_readable(listed()).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/catalogue.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &readable).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    assert!(golden == readable, "protocol/catalogue.json is out of date: run `make bless`");
}

#[test]
fn every_example_fits_its_own_schema() {
    for tool in TOOLS {
        let schema: Value = serde_json::from_str(&tool.spec().input_schema).unwrap();
        let example: Value = serde_json::from_str(tool.example).unwrap();
        jsonschema::validate(&schema, &example).unwrap_or_else(|e| panic!("{}: {e}", tool.name));
    }
}

#[test]
fn every_tool_keeps_the_limits_that_clients_set() {
    let mut size = 0;
    for tool in TOOLS {
        let spec = tool.spec();
        size += read_of(&spec);
        let is_plain = spec.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(is_plain && spec.name.len() <= 40, "{}", spec.name);
        assert!(!spec.title.is_empty(), "{}", spec.name);
        assert!(
            spec.description.len() <= MAX_DESCRIPTION,
            "{}: {}",
            spec.name,
            spec.description.len()
        );
        for schema in [&spec.input_schema, &spec.output_schema] {
            let schema: Value = serde_json::from_str(schema).unwrap();
            assert_eq!(schema["type"], "object", "{}", spec.name);
            let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
            let is_open =
                spec.effect.is_for_readers() && schema.get("additionalProperties").is_none();
            assert!(is_closed || is_open, "{}", spec.name);
            for combination in ["oneOf", "anyOf", "allOf"] {
                assert!(
                    schema.get(combination).is_none(),
                    "{}: {combination} at the root",
                    spec.name
                );
            }
            // What another tool describes is only named here.
            if spec.name != "preview_order" || schema["properties"].get("verdict").is_some() {
                assert_described(&spec.name, &schema);
            }
        }
    }
    assert!(size <= MAX_ALL, "tools/list has {size} bytes");
}

#[test]
fn each_set_is_smaller_than_all_and_only_what_is_always_needed_is_in_every_one() {
    let sizes = sizes(listed());
    let whole: usize = listed().iter().map(|one| read_of(&one.spec)).sum();
    assert_eq!(sizes.iter().map(|size| size.bytes).sum::<usize>(), whole);
    assert_eq!(sizes.iter().map(|size| size.tools).sum::<usize>(), TOOLS.len());
    for size in &sizes {
        assert!(size.bytes < whole / 2, "{}: {} of {whole} bytes", size.set, size.bytes);
    }
    let everywhere: Vec<&str> =
        TOOLS.iter().filter(|tool| tool.set == Toolset::Every).map(|tool| tool.name).collect();
    assert_eq!(everywhere, ["authenticate", "get_session_status"]);
}

/// Every field says what it is, and none has a format that clients do not know.
fn assert_described(tool: &str, schema: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, field) in properties {
        let is_described = field.get("description").is_some() || field.get("$ref").is_some();
        assert!(is_described, "{tool}: {name} has no description");
        let format = field.get("format").and_then(Value::as_str).unwrap_or("date-time");
        assert_eq!(format, "date-time", "{tool}: {name}");
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TOOLS.len());
}
