//! A task given to a real model: the person's words on its stdin, a client's configuration in `MCP_CONFIG`, its answer on
//! its stdout. What it calls is recorded on the way, by `tee`.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use ibd_tests::World;
use ibd_tests::world::binary;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::eval::Scope;
use super::play::{Outcome, afterwards, doubles, nothing_yet, unsaid};
use super::stage::{Stage, heard};
use super::task::{Task, folder};
use super::words::worded;

/// How long a model may think about a task.
const THOUGHT: Duration = Duration::from_secs(600);

/// Plays a task with a command in the assistant's place.
pub async fn by_a_model(stage: &mut Stage, task: &Task, command: &str) -> Outcome {
    let mut scope = stage.set(task).await;
    let mut outcome = nothing_yet(task);
    let record = Record::in_folder(&stage.world.path(""));
    let config = stage.world.path("mcp.json");
    let server = launched(&stage.world, &record);
    let text = configuration(server, task, &scope).to_string();
    std::fs::write(&config, text).unwrap();
    let output = asked(command, &worded(&task.words, &scope), &config).await;
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        outcome.wrong.push(format!("{}: {error}", output.status));
    }
    record.counted(task, &mut outcome);
    outcome.wrong.extend(afterwards(stage, task, &mut scope).await);
    outcome.doubles = doubles(&scope["mine"]);
    for facts in [&task.facts, &task.told] {
        outcome.wrong.extend(unsaid(facts, &scope, (answer.as_str(), task.tolerance)));
    }
    outcome
}

/// How a client launches `ib-mcp` in this world, recorded on both sides.
fn launched(world: &World, record: &Record) -> Value {
    let command = world.command("ib-mcp");
    let set = command.as_std().get_envs();
    let env: Map<String, Value> = set
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.into())))
        .collect();
    let pipe = r#"tee -a "$0" | "$2" | tee -a "$1""#;
    let arguments = json!(["-c", pipe, record.calls, record.answers, binary("ib-mcp")]);
    json!({ "command": "sh", "args": arguments, "env": env })
}

/// What an MCP client's file says, as most of them have it.
fn configuration(mut server: Value, task: &Task, scope: &Scope) -> Value {
    for (name, text) in &task.env {
        server["env"][name] = worded(text, scope).into();
    }
    json!({ "mcpServers": { "ibd": server } })
}

async fn asked(command: &str, words: &str, config: &Path) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env("MCP_CONFIG", config).kill_on_drop(true);
    // The repository's folder, where `make` was called.
    shell.current_dir(folder().join("../.."));
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Whoever does not read what is asked has answered all the same.
    let _ = stdin.write_all(words.as_bytes()).await;
    drop(stdin);
    tokio::time::timeout(THOUGHT, child.wait_with_output())
        .await
        .expect("an answer in time")
        .unwrap()
}

/// What went to and fro between the model's client and `ib-mcp`.
struct Record {
    calls: PathBuf,
    answers: PathBuf,
}

impl Record {
    fn in_folder(folder: &Path) -> Self {
        let fresh = |name: &str| {
            let path = folder.join(name);
            let _ = std::fs::remove_file(&path);
            path
        };
        Self { calls: fresh("calls.jsonl"), answers: fresh("answers.jsonl") }
    }

    fn counted(&self, task: &Task, outcome: &mut Outcome) {
        let sent = messages(&self.calls);
        let calls: Vec<&Value> =
            sent.iter().filter(|message| message["method"] == "tools/call").collect();
        outcome.calls = calls.len();
        let expected: Vec<&str> =
            task.calls.iter().filter_map(|call| call.error.as_deref()).collect();
        for answer in messages(&self.answers) {
            let is_answer = calls.iter().any(|call| call["id"] == answer["id"]);
            if is_answer && answer.get("method").is_none() {
                let one = heard(&answer);
                outcome.characters += one.characters;
                let is_stumble = one.error.is_some_and(|error| !expected.contains(&error.as_str()));
                outcome.stumbles += usize::from(is_stumble);
            }
        }
    }
}

fn messages(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
