//! From the daemon's words to MCP's.

use std::sync::Arc;

use base64::Engine;
use ibd_protocol::{Effect, ErrorCode, Outcome, Picture, ResourceSpec, ToolSpec};
use rmcp::model::{
    CacheScope, CallToolResult, ContentBlock, ErrorData, JsonObject, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate, Tool, ToolAnnotations,
};
use serde_json::{Value, json};

/// A tool as MCP lists it.
pub(crate) fn tool(spec: ToolSpec) -> Tool {
    let reads = spec.effect == Effect::Reads;
    let annotations = ToolAnnotations::with_title(spec.title.clone())
        .read_only(reads)
        .destructive(!spec.effect.is_for_readers())
        .idempotent(!matches!(spec.effect, Effect::Trades | Effect::Writes))
        .open_world(spec.effect != Effect::Forgets);
    Tool::new(spec.name, spec.description, Arc::new(schema(&spec.input_schema)))
        .with_title(spec.title)
        .with_raw_output_schema(Arc::new(outline(schema(&spec.output_schema))))
        .with_annotations(annotations)
}

fn schema(text: &str) -> JsonObject {
    serde_json::from_str(text).unwrap_or_default()
}

/// The keys of a result and what each of them is. What is within them, and what it means, stands in
/// docs/tools.md: clients keep every byte of the list in memory, and some show it to the model.
fn outline(mut schema: JsonObject) -> JsonObject {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut() {
            let items = property.get("items").map(|items| kept(items, &["type"]));
            *property = kept(property, &["type", "format", "anyOf"]);
            if let (Value::Object(property), Some(items)) = (property, items) {
                property.insert("items".to_owned(), items);
            }
        }
    }
    schema
}

fn kept(schema: &Value, names: &[&str]) -> Value {
    let kept =
        names.iter().filter_map(|name| Some(((*name).to_owned(), schema.get(name)?.clone())));
    Value::Object(kept.collect())
}

/// A result: `structuredContent` is complete by itself; the text is the same JSON, for clients that
/// show only text.
pub(crate) fn result(json: String) -> CallToolResult {
    let structured = serde_json::from_str(&json).ok();
    let mut result = CallToolResult::success(vec![ContentBlock::text(json)]);
    result.structured_content = structured;
    result
}

/// A result with what a person sees beside it.
pub(crate) fn pictured(json: String, pictures: Vec<Picture>) -> CallToolResult {
    let mut result = result(json);
    let images = pictures.into_iter().map(|Picture { mime_type, bytes }| {
        ContentBlock::image(base64::engine::general_purpose::STANDARD.encode(bytes), mime_type)
    });
    result.content.extend(images);
    result
}

/// A refusal: clients show the model only the text of an error.
pub(crate) fn refusal(json: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(json)])
}

/// What every resource is.
const JSON: &str = "application/json";

/// A resource as MCP lists it.
pub(crate) fn resource(spec: ResourceSpec) -> Resource {
    Resource::new(spec.uri, spec.name)
        .with_title(spec.title)
        .with_description(spec.description)
        .with_mime_type(JSON)
}

/// A kind of resources as MCP lists it.
pub(crate) fn template(spec: ResourceSpec) -> ResourceTemplate {
    ResourceTemplate::new(spec.uri, spec.name)
        .with_title(spec.title)
        .with_description(spec.description)
        .with_mime_type(JSON)
}

/// What a resource says, or why it says nothing.
pub(crate) fn contents(uri: &str, outcome: Outcome) -> Result<ReadResourceResult, ErrorData> {
    match outcome {
        Outcome::Result(json) | Outcome::Pictured(json, _) => {
            let contents = ResourceContents::text(json, uri).with_mime_type(JSON);
            Ok(ReadResourceResult::new(vec![contents])
                .with_ttl_ms(0)
                .with_cache_scope(CacheScope::Private))
        }
        other => Err(no_resource(uri, other)),
    }
}

/// Why there is nothing to be read or followed.
pub(crate) fn no_resource(uri: &str, outcome: Outcome) -> ErrorData {
    match outcome {
        Outcome::UnknownResource(why) => {
            ErrorData::resource_not_found(why, Some(json!({ "uri": uri })))
        }
        Outcome::Refusal(json) => {
            let refusal: Value = serde_json::from_str(&json).unwrap_or_default();
            let part = |name: &str| refusal.get(name).and_then(Value::as_str).unwrap_or_default();
            let words = format!("{} {}", part("message"), part("next"));
            ErrorData::internal_error(words.trim().to_owned(), Some(refusal))
        }
        // No resource waits for a person, and none is a tool.
        Outcome::NeedsInput(_)
        | Outcome::UnknownTool
        | Outcome::Hidden(_)
        | Outcome::Result(_)
        | Outcome::Pictured(..) => {
            ErrorData::internal_error("this cannot be read", Some(json!({ "uri": uri })))
        }
    }
}

/// A refusal that the shim itself has to give.
pub(crate) fn own_refusal(error: ErrorCode, message: &str, next: &str) -> String {
    json!({ "error": error, "message": message, "next": next }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_has_every_key_and_nothing_within() {
        let full = json!({ "type": "object", "required": ["a"], "additionalProperties": false, "properties": {
            "a": { "type": "string", "description": "x" },
            "b": { "type": "array", "items": { "type": "object", "properties": { "c": {} } } },
            "d": { "type": "object", "properties": { "e": {} }, "required": ["e"] },
            "f": { "description": "anything" } } });
        let outline = outline(full.as_object().cloned().unwrap_or_default());
        let expected = json!({ "type": "object", "required": ["a"], "additionalProperties": false, "properties": {
            "a": { "type": "string" },
            "b": { "type": "array", "items": { "type": "object" } },
            "d": { "type": "object" },
            "f": {} } });
        assert_eq!(Value::Object(outline), expected);
    }

    #[test]
    fn what_is_not_there_and_what_cannot_be_read_now_are_two_errors() {
        let uri = "ib://quote/1";
        let error = no_resource(uri, Outcome::UnknownResource("There is none.".to_owned()));
        assert_eq!((error.code.0, error.message.as_ref()), (-32002, "There is none."));
        assert_eq!(error.data, Some(json!({ "uri": uri })));
        let refusal = own_refusal(ErrorCode::NotLoggedIn, "Nobody is logged in.", "Log in.");
        let error = no_resource(uri, Outcome::Refusal(refusal));
        assert_eq!(
            (error.code.0, error.message.as_ref()),
            (-32603, "Nobody is logged in. Log in.")
        );
        assert_eq!(
            error.data.and_then(|data| data.get("error").cloned()),
            Some(json!("not_logged_in"))
        );
        let read = contents(uri, Outcome::Result("{}".to_owned()));
        let read = serde_json::to_value(read.ok()).unwrap_or_default();
        let expected = json!([{ "uri": uri, "mimeType": "application/json", "text": "{}" }]);
        assert_eq!(read.get("contents"), Some(&expected));
    }
}
