//! The golden lists of tools and resources: what a shim shows when no daemon answers in time.
//!
//! A test of the daemon writes `catalogue.json` from its tools and `resources.json` from its resources; the shim
//! embeds them. The tools are JSON with the schemas as objects, so that a change of a tool is a readable diff.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Effect, ResourceSpec, ToolSpec};

const GOLDEN: &str = include_str!("../catalogue.json");
const RESOURCES: &str = include_str!("../resources.json");

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Readable {
    name: String,
    title: String,
    description: String,
    effect: Effect,
    input_schema: Value,
    output_schema: Value,
}

/// The tool list of this build. Empty only if the embedded file is broken, which a test forbids.
pub fn golden() -> Vec<ToolSpec> {
    static TOOLS: LazyLock<Vec<ToolSpec>> = LazyLock::new(|| {
        serde_json::from_str::<Vec<Readable>>(GOLDEN)
            .map(|tools| tools.into_iter().map(Readable::into_spec).collect())
            .unwrap_or_default()
    });
    TOOLS.clone()
}

/// The resources of this build that are there without a login, and the kinds of them. Empty only if the embedded
/// file is broken, which a test forbids.
pub fn resources() -> Vec<ResourceSpec> {
    static RESOURCES_READ: LazyLock<Vec<ResourceSpec>> =
        LazyLock::new(|| serde_json::from_str(RESOURCES).unwrap_or_default());
    RESOURCES_READ.clone()
}

/// The readable form of a list of resources, as kept in `resources.json`.
pub fn resources_to_readable(resources: &[ResourceSpec]) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(resources)? + "\n")
}

/// The readable form of a tool list, as kept in `catalogue.json`.
pub fn to_readable(tools: &[ToolSpec]) -> Result<String, serde_json::Error> {
    let tools = tools.iter().map(Readable::from_spec).collect::<Result<Vec<_>, _>>()?;
    Ok(serde_json::to_string_pretty(&tools)? + "\n")
}

impl Readable {
    fn into_spec(self) -> ToolSpec {
        ToolSpec {
            name: self.name,
            title: self.title,
            description: self.description,
            effect: self.effect,
            input_schema: self.input_schema.to_string(),
            output_schema: self.output_schema.to_string(),
        }
    }

    fn from_spec(spec: &ToolSpec) -> Result<Self, serde_json::Error> {
        Ok(Self {
            name: spec.name.clone(),
            title: spec.title.clone(),
            description: spec.description.clone(),
            effect: spec.effect,
            input_schema: serde_json::from_str(&spec.input_schema)?,
            output_schema: serde_json::from_str(&spec.output_schema)?,
        })
    }
}
