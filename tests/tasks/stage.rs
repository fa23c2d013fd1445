//! A world in which a task is played: the simulator, a home, and what happened before.

use ibd_tests::{PATIENCE, Shim, Sim, World};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::eval::{Scope, holds};
use super::expr;
use super::task::{Call, Setting, Step, Task};
use super::words::{filled, worded};

/// Dropped in this order: a client that outlived its daemon might start another one.
pub struct Stage {
    helper: Option<Shim>,
    /// The home.
    pub world: World,
    /// The broker.
    pub sim: Sim,
    /// What happened before all tasks: `made1`, …
    made: Scope,
}

/// What a call came to.
pub struct Said {
    pub answer: Value,
    /// The code of an error.
    pub error: Option<String>,
    /// How often it was called until its condition held.
    pub calls: usize,
    /// What a model reads of it.
    pub characters: usize,
    /// Pictures beside it.
    pub images: usize,
}

impl Stage {
    /// A world as the setting wants it.
    pub async fn new(setting: &Setting) -> Self {
        let scenario =
            if setting.scenario.is_null() { json!({}) } else { setting.scenario.clone() };
        let sim = Sim::scenario(scenario).await;
        let mut world = World::attached(&sim);
        let scope = Scope::from([("port".to_owned(), json!(sim.port()))]);
        for (name, text) in &setting.env {
            world = world.with(name, &worded(text, &scope));
        }
        if !setting.config.is_empty() {
            world.configure(&setting.config);
        }
        let mut stage = Self { helper: None, world, sim, made: scope.clone() };
        stage.made = stage.happened(&setting.before, "made", scope).await;
        stage
    }

    /// The world as the person of this task finds it, and what formulas can name of it.
    pub async fn set(&mut self, task: &Task) -> Scope {
        let made = self.made.clone();
        let mut scope = self.happened(&task.before, "before", made).await;
        scope.insert("was".into(), self.broker().await);
        scope
    }

    async fn happened(&mut self, steps: &[Step], name: &str, mut scope: Scope) -> Scope {
        for (at, step) in steps.iter().enumerate() {
            let result = self.step(step, &scope).await;
            scope.insert(format!("{name}{}", at + 1), result);
        }
        scope
    }

    async fn step(&mut self, step: &Step, scope: &Scope) -> Value {
        match step {
            Step::Sim { at, body } => self.sim.tell(at, filled(body, scope)).await,
            Step::Ctl { ctl } => {
                let words: Vec<&str> = ctl.iter().map(String::as_str).collect();
                let output = self.world.ctl(&words).await;
                assert!(output.status.success(), "{words:?}: {output:?}");
                Value::Null
            }
            Step::Call(call) => {
                let said = self.help(call, scope).await;
                if let Some(then) = &call.then {
                    let found = holds(&expr::check(then), &with_it(scope, &said.answer));
                    assert!(found.is_ok(), "before: {then}: {}", said.answer);
                }
                said.answer
            }
        }
    }

    /// A call of another client than the assistant's.
    pub async fn help(&mut self, call: &Call, scope: &Scope) -> Said {
        if self.helper.is_none() {
            self.helper = Some(self.world.client().await);
        }
        said(self.helper.as_mut().unwrap(), call, scope).await
    }

    /// What the simulator's control API says.
    pub async fn broker(&self) -> Value {
        let part = async |path: &str, name: &str| self.sim.control_get(path).await[name].take();
        json!({
            "orders": part("/orders", "orders").await,
            "placements": part("/placements", "placements").await,
            "alerts": part("/alerts", "alerts").await,
            "requests": part("/requests", "requests").await,
        })
    }
}

/// Calls a tool as often as the task wants it.
pub async fn said(client: &mut Shim, call: &Call, scope: &Scope) -> Said {
    let arguments = filled(&call.args, scope);
    let params = json!({ "name": call.tool, "arguments": arguments });
    let until = call.until.as_deref().map(expr::check);
    let deadline = Instant::now() + PATIENCE;
    let (mut calls, mut characters) = (0, 0);
    loop {
        let answer = client.request("tools/call", params.clone()).await;
        let mut one = heard(&answer);
        calls += 1;
        characters += one.characters;
        let is_so =
            until.as_ref().is_none_or(|until| holds(until, &with_it(scope, &one.answer)).is_ok());
        if is_so {
            one.calls = calls;
            one.characters = characters;
            return one;
        }
        assert!(Instant::now() < deadline, "awaited in vain: {:?}: {}", call.until, one.answer);
    }
}

/// What an answer on the wire says.
pub fn heard(answer: &Value) -> Said {
    if let Some(error) = answer.get("error") {
        return Said {
            answer: error.clone(),
            error: Some("refused by the protocol".into()),
            calls: 1,
            characters: error.to_string().len(),
            images: 0,
        };
    }
    let blocks = answer["result"]["content"].as_array().cloned().unwrap_or_default();
    let texts: Vec<&str> = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
    let json = texts.first().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let json = json.unwrap_or(Value::Null);
    let code = json["error"].as_str().unwrap_or("without a code").to_owned();
    Said {
        error: (answer["result"]["isError"] == true).then_some(code),
        calls: 1,
        characters: texts.iter().map(|text| text.chars().count()).sum(),
        images: blocks.iter().filter(|block| block["type"] == "image").count(),
        answer: json,
    }
}

fn with_it(scope: &Scope, answer: &Value) -> Scope {
    let mut scope = scope.clone();
    scope.insert("it".into(), answer.clone());
    scope
}
