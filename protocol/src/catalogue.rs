//! The golden lists of tools and resources: what a shim shows when no daemon answers in time.
//!
//! A test of the daemon writes `catalogue.json` from its tools and `resources.json` from its resources; the shim
//! embeds them. The tools are JSON with the schemas as objects, so that a change of a tool is a readable diff.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Effect, ResourceSpec, ToolSpec, Toolset};

const GOLDEN: &str = include_str!("../catalogue.json");
const RESOURCES: &str = include_str!("../resources.json");

/// A tool, and the set that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The set.
    pub set: Toolset,
    /// The tool as a client sees it.
    pub spec: ToolSpec,
}

/// What a set of tools costs whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// The set.
    pub set: Toolset,
    /// Its tools.
    pub tools: usize,
    /// What a model reads of them, in bytes.
    pub bytes: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Readable {
    name: String,
    title: String,
    description: String,
    effect: Effect,
    set: Toolset,
    input_schema: Value,
    output_schema: Value,
}

/// The tools of this build with their sets. Empty only if the embedded file is broken, which a test forbids.
pub fn listed() -> &'static [Listed] {
    static TOOLS: LazyLock<Vec<Listed>> = LazyLock::new(|| {
        serde_json::from_str::<Vec<Readable>>(GOLDEN)
            .map(|tools| tools.into_iter().map(Readable::into_listed).collect())
            .unwrap_or_default()
    });
    &TOOLS
}

/// The tool list of this build.
pub fn golden() -> Vec<ToolSpec> {
    listed().iter().map(|one| one.spec.clone()).collect()
}

/// The set of a tool of this build, if it is one.
pub fn set_of(tool: &str) -> Option<Toolset> {
    listed().iter().find(|one| one.spec.name == tool).map(|one| one.set)
}

/// The sets that tools of this build are in, and what each costs.
pub fn sizes(tools: &[Listed]) -> Vec<Size> {
    let sets = std::iter::once(&Toolset::Every).chain(Toolset::NAMED);
    let size = |set: &Toolset| {
        let own: Vec<usize> =
            tools.iter().filter(|one| one.set == *set).map(|one| read_of(&one.spec)).collect();
        Size { set: *set, tools: own.len(), bytes: own.iter().sum() }
    };
    sets.map(size).filter(|size| size.tools > 0).collect()
}

/// What a model reads of a tool, in bytes.
pub fn read_of(tool: &ToolSpec) -> usize {
    tool.name.len() + tool.description.len() + tool.input_schema.len()
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
pub fn to_readable(tools: &[Listed]) -> Result<String, serde_json::Error> {
    let tools = tools.iter().map(Readable::from_listed).collect::<Result<Vec<_>, _>>()?;
    Ok(serde_json::to_string_pretty(&tools)? + "\n")
}

impl Readable {
    fn into_listed(self) -> Listed {
        let spec = ToolSpec {
            name: self.name,
            title: self.title,
            description: self.description,
            effect: self.effect,
            input_schema: self.input_schema.to_string(),
            output_schema: self.output_schema.to_string(),
        };
        Listed { set: self.set, spec }
    }

    fn from_listed(listed: &Listed) -> Result<Self, serde_json::Error> {
        let Listed { set, spec } = listed;
        Ok(Self {
            name: spec.name.clone(),
            title: spec.title.clone(),
            description: spec.description.clone(),
            effect: spec.effect,
            set: *set,
            input_schema: serde_json::from_str(&spec.input_schema)?,
            output_schema: serde_json::from_str(&spec.output_schema)?,
        })
    }
}
