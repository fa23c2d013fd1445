//! Compares the shape of a live reply with that of a fixture: same keys, same JSON types.

use std::collections::BTreeMap;

use serde_json::Value;

/// The shape of a value; what several examples disagree about becomes optional or nullable.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shape {
    kinds: Vec<&'static str>,
    fields: BTreeMap<String, (Shape, usize)>,
    objects: usize,
    items: Option<Box<Shape>>,
}

/// Objects below these paths have data for keys: all their values have one shape.
pub(crate) type Maps<'a> = &'a [&'a str];

impl Shape {
    /// The shape of one value; `maps` names the paths (`.` between keys, `[]` for items) of maps.
    pub(crate) fn of(value: &Value, maps: Maps<'_>) -> Self {
        let mut shape = Self::default();
        shape.add(value, "", maps);
        shape
    }

    fn add(&mut self, value: &Value, path: &str, maps: Maps<'_>) {
        let kind = kind(value);
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        match value {
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                items.iter().for_each(|item| shape.add(item, &format!("{path}[]"), maps));
            }
            Value::Object(object) => {
                self.objects += 1;
                for (key, value) in object {
                    let key = if maps.contains(&path) { "*" } else { key };
                    let field = self.fields.entry(key.to_owned()).or_default();
                    field.0.add(value, &format!("{path}.{key}"), maps);
                    field.1 += 1;
                }
            }
            _ => {}
        }
    }

    /// Everything in which `live` differs from this shape.
    pub(crate) fn differences(&self, live: &Self, path: &str) -> Vec<String> {
        let mut found = Vec::new();
        // A null in the fixture says that the key may be null; what it is otherwise stays open.
        let open = self.kinds == ["null"];
        let odd = live.kinds.iter().filter(|kind| !open && !self.kinds.contains(kind));
        found
            .extend(odd.map(|kind| format!("{path}: is {kind}, the fixture has {:?}", self.kinds)));
        for (key, (shape, _)) in &live.fields {
            match self.fields.get(key) {
                Some((known, _)) => {
                    found.extend(known.differences(shape, &format!("{path}.{key}")))
                }
                None if open => {}
                None => found.push(format!("{path}.{key}: not in the fixture")),
            }
        }
        for (key, (_, times)) in &self.fields {
            let always = *times >= self.objects;
            if always
                && live.objects > 0
                && live.fields.get(key).is_none_or(|(_, n)| *n < live.objects)
            {
                found.push(format!("{path}.{key}: missing"));
            }
        }
        if let (Some(known), Some(items)) = (&self.items, &live.items) {
            // An empty list in the fixture says nothing about items.
            if !known.kinds.is_empty() {
                found.extend(known.differences(items, &format!("{path}[]")));
            }
        }
        found
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Reads a fixture.
pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Fails unless `live` has the shape of the fixture.
pub(crate) fn assert_shape(name: &str, live: &Value, maps: Maps<'_>) {
    let differences = Shape::of(&fixture(name), maps).differences(&Shape::of(live, maps), "");
    assert!(differences.is_empty(), "{name}: {differences:#?}");
}
