//! From the daemon's words to MCP's.

use std::sync::Arc;

use ibd_protocol::{Effect, ToolSpec};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use serde_json::json;

/// A tool as MCP lists it.
pub(crate) fn tool(spec: ToolSpec) -> Tool {
    let reads = spec.effect == Effect::Reads;
    let annotations = ToolAnnotations::with_title(spec.title.clone())
        .read_only(reads)
        .destructive(!spec.effect.is_for_readers())
        .idempotent(spec.effect != Effect::Trades)
        .open_world(spec.effect != Effect::Forgets);
    Tool::new(spec.name, spec.description, schema(&spec.input_schema))
        .with_title(spec.title)
        .with_raw_output_schema(schema(&spec.output_schema))
        .with_annotations(annotations)
}

fn schema(text: &str) -> Arc<JsonObject> {
    Arc::new(serde_json::from_str(text).unwrap_or_default())
}

/// A result: `structuredContent` is complete by itself; the text is the same JSON, for clients that
/// show only text.
pub(crate) fn result(json: String) -> CallToolResult {
    let structured = serde_json::from_str(&json).ok();
    let mut result = CallToolResult::success(vec![ContentBlock::text(json)]);
    result.structured_content = structured;
    result
}

/// A refusal: clients show the model only the text of an error.
pub(crate) fn refusal(json: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(json)])
}

/// A refusal that the shim itself has to give.
pub(crate) fn own_refusal(error: &str, message: &str, next: &str) -> String {
    json!({ "error": error, "message": message, "next": next }).to_string()
}
