//! A task played by the book, and what is checked afterwards, whoever played it.

use std::time::Duration;

use ibd_tests::{Shim, World};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::eval::{Scope, holds, value};
use super::expr;
use super::facts::{spoken, stands};
use super::stage::{Stage, said};
use super::task::Task;
use super::words::worded;

/// How long the world may take to become as it should be.
const SOON: Duration = Duration::from_secs(15);

/// How a task went.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub area: String,
    pub name: String,
    pub calls: usize,
    pub characters: usize,
    /// What is wrong; empty is right.
    pub wrong: Vec<String>,
    /// Errors of tools that the task does not ask for.
    pub stumbles: usize,
    /// Orders sent twice.
    pub doubles: usize,
}

impl Outcome {
    pub fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }

    pub fn is_right_first_time(&self) -> bool {
        self.is_right() && self.stumbles == 0
    }
}

/// Plays a task as it is written.
pub async fn by_the_book(stage: &mut Stage, task: &Task) -> Outcome {
    let mut scope = stage.set(task).await;
    let mut client = assistant(&stage.world, task, &scope).await;
    let tools = client.tools().await;
    scope.insert("tools".into(), tools.iter().map(|tool| tool["name"].clone()).collect());
    let mut outcome = nothing_yet(task);
    let (mut answer, mut images) = (String::new(), 0);
    for (at, call) in task.calls.iter().enumerate() {
        let one = said(&mut client, call, &scope).await;
        outcome.calls += one.calls;
        outcome.characters += one.characters;
        images += one.images;
        spoken(&one.answer, &mut answer);
        if one.error != call.error {
            outcome.stumbles += 1;
            let (found, wanted) = (&one.error, &call.error);
            let text = format!("{}: {found:?}, not {wanted:?}: {}", call.tool, one.answer);
            outcome.wrong.push(text);
        }
        scope.insert(format!("${}", at + 1), one.answer);
    }
    scope.insert("images".into(), json!(images));
    let mut wrong = afterwards(stage, task, &mut scope).await;
    wrong.extend(broken(&task.checks, &scope));
    wrong.extend(unsaid(&task.facts, &scope, (answer.as_str(), task.tolerance)));
    outcome.doubles = doubles(&scope["mine"]);
    outcome.wrong.extend(wrong);
    outcome
}

async fn assistant(world: &World, task: &Task, scope: &Scope) -> Shim {
    let mut command = world.command("ib-mcp");
    for (name, text) in &task.env {
        command.env(name, worded(text, scope));
    }
    let mut client = Shim::spawn(command);
    client.initialize().await;
    client
}

/// Before anything was called.
pub fn nothing_yet(task: &Task) -> Outcome {
    Outcome {
        area: String::new(),
        name: task.name.clone(),
        calls: 0,
        characters: 0,
        wrong: Vec::new(),
        stumbles: 0,
        doubles: 0,
    }
}

/// Looks at what came of it, as another client and at IBKR; what is wrong with that.
pub async fn afterwards(stage: &mut Stage, task: &Task, scope: &mut Scope) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, look) in task.look.iter().enumerate() {
        let one = stage.help(look, scope).await;
        if let Some(error) = &one.error {
            wrong.push(format!("a look at {}: {error}: {}", look.tool, one.answer));
        }
        scope.insert(format!("look{}", at + 1), one.answer);
    }
    let mut wanted = task.after.clone();
    wanted.push(format!("count(sent) == {}", task.sends));
    let deadline = Instant::now() + SOON;
    loop {
        at_broker(stage, scope).await;
        let missing = broken(&wanted, scope);
        if missing.is_empty() || Instant::now() > deadline {
            wrong.extend(missing);
            return wrong;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// `sim`: as it is now. `sent`: what was accepted from clients since the task began; `mine`: their orders.
async fn at_broker(stage: &Stage, scope: &mut Scope) {
    let now = stage.broker().await;
    let of_clients = |broker: &Value| -> Vec<Value> {
        let all = broker["placements"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|placement| placement["by"] == "api").collect()
    };
    let before = of_clients(&scope["was"]).len();
    let sent: Vec<Value> = of_clients(&now).into_iter().skip(before).collect();
    let orders = now["orders"].as_array().cloned().unwrap_or_default();
    let order = |placement: &Value| {
        orders.iter().find(|order| order["orderId"] == placement["orderId"]).cloned()
    };
    let mine: Vec<Value> = sent.iter().filter_map(order).collect();
    scope.insert("sent".into(), sent.into());
    scope.insert("mine".into(), mine.into());
    scope.insert("sim".into(), now);
}

/// How many orders are like one before them in everything.
pub fn doubles(orders: &Value) -> usize {
    let alike = ["account", "conid", "side", "quantity", "type", "price", "stopPrice"];
    let terms = |order: &Value| alike.map(|name| order[name].to_string());
    let all: Vec<_> = orders.as_array().into_iter().flatten().map(terms).collect();
    (0..all.len()).filter(|at| all[..*at].contains(&all[*at])).count()
}

/// What does not hold.
pub fn broken(checks: &[String], scope: &Scope) -> Vec<String> {
    let found = checks.iter().map(|text| {
        let text = worded(text, scope);
        holds(&expr::check(&text), scope).map_err(|found| format!("{text}: {found}"))
    });
    found.filter_map(Result::err).collect()
}

/// What does not stand in an answer, whose numbers may be so far off.
pub fn unsaid(facts: &[String], scope: &Scope, (answer, tolerance): (&str, f64)) -> Vec<String> {
    let missing = |text: &String| {
        let text = worded(text, scope);
        match value(&expr::formula(&text), scope, None) {
            Ok(fact) if stands(&fact, answer, tolerance) => None,
            Ok(fact) => Some(format!("the answer does not say {fact} ({text})")),
            Err(error) => Some(format!("{text}: {error}")),
        }
    };
    facts.iter().filter_map(missing).collect()
}
