//! What a task is: the files beside this one, as types. README.md says what each key means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

/// One file of tasks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Whether tasks that bring no world of their own share one.
    #[serde(default)]
    pub shared: bool,
    /// The world of all tasks that bring none of their own.
    #[serde(default)]
    pub world: Setting,
    #[serde(rename = "task")]
    pub tasks: Vec<Task>,
}

/// A world before anybody acts in it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setting {
    /// The simulator's scenario; null is the usual one.
    pub scenario: Value,
    /// Variables of every client.
    pub env: BTreeMap<String, String>,
    /// `config.toml`
    pub config: String,
    /// What happens first; its results are `made1`, `made2`, …
    pub before: Vec<Step>,
}

/// Something that happens before the person asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// The simulator's control API is told something.
    Sim { at: String, body: Value },
    /// A person's command.
    Ctl { ctl: Vec<String> },
    /// Another client calls a tool.
    Call(Call),
}

/// A call of a tool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    pub tool: String,
    #[serde(default = "nothing")]
    pub args: Value,
    /// The code of the error that is right here.
    pub error: Option<String>,
    /// Called again until this holds of `it`.
    pub until: Option<String>,
    /// This must hold of `it`.
    pub then: Option<String>,
}

fn nothing() -> Value {
    json!({})
}

/// One task.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    pub name: String,
    /// What the person says.
    pub words: String,
    /// A world of its own, instead of the file's.
    pub world: Option<Setting>,
    /// Whether it has the file's world to itself, where others share one.
    #[serde(default)]
    pub own: bool,
    /// Variables of the assistant's client.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Results are `before1`, `before2`, …
    #[serde(default)]
    pub before: Vec<Step>,
    /// What a good assistant calls; answers are `$1`, `$2`, …
    pub calls: Vec<Call>,
    /// What the checks ask afterwards, as another client; answers are `look1`, `look2`, …
    #[serde(default)]
    pub look: Vec<Call>,
    /// Of the answers.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Of the simulator afterwards; awaited.
    #[serde(default)]
    pub after: Vec<String>,
    /// What must stand in the answer.
    #[serde(default)]
    pub facts: Vec<String>,
    /// What must stand in a model's answer besides.
    #[serde(default)]
    pub told: Vec<String>,
    /// How many tickets the broker accepts.
    #[serde(default)]
    pub sends: usize,
    /// How far a number may be from the fact.
    #[serde(default)]
    pub tolerance: f64,
}

/// Tasks that share a world, one after another.
#[derive(Debug, Clone)]
pub struct Job {
    pub area: String,
    pub world: Setting,
    pub tasks: Vec<Task>,
}

/// The folder of these files.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks")
}

/// All files by their names, in the order of these.
pub fn areas() -> Vec<(String, Area)> {
    let entries = std::fs::read_dir(folder()).unwrap().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
        .iter()
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(path)))
        .collect()
}

fn read(path: &Path) -> Area {
    let text = std::fs::read_to_string(path).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Who shares a world with whom.
pub fn jobs() -> Vec<Job> {
    areas().into_iter().flat_map(|(name, area)| of_area(&name, area)).collect()
}

/// Each task in a world of its own: nobody knows what a model does to it.
pub fn single_jobs() -> Vec<Job> {
    let alone = |(name, area): (String, Area)| of_area(&name, Area { shared: false, ..area });
    areas().into_iter().flat_map(alone).collect()
}

fn of_area(name: &str, area: Area) -> Vec<Job> {
    let usual = area.world;
    let job = |world: Setting, tasks: Vec<Task>| Job { area: name.to_owned(), world, tasks };
    let shares = |task: &Task| area.shared && task.world.is_none() && !task.own && task.sends == 0;
    let (together, alone): (Vec<Task>, Vec<Task>) = area.tasks.into_iter().partition(shares);
    let mut jobs = Vec::new();
    if !together.is_empty() {
        jobs.push(job(usual.clone(), together));
    }
    for task in alone {
        let world = task.world.clone().unwrap_or_else(|| usual.clone());
        jobs.push(job(world, vec![task]));
    }
    jobs
}
