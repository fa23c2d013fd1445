//! Tasks that a person sets an assistant, each with the calls of a good one, and what must be so afterwards. README.md
//! beside this file says how one is written.
#![allow(clippy::print_stdout)]

mod eval;
mod expr;
mod facts;
mod model;
mod play;
mod stage;
mod table;
mod task;
mod words;
mod xml;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use eval::Scope;
use futures_util::{FutureExt, StreamExt};
use play::{Outcome, nothing_yet};
use serde_json::json;
use stage::Stage;
use task::{Area, Call, Job, Step, Task};

/// Worlds at once: a task waits for IBKR's windows more than it computes.
const AT_ONCE: usize = 6;

/// Plays the tasks of one world, by the book or by a command.
async fn played(job: &Job, command: Option<&str>) -> Vec<Outcome> {
    let mut stage = Stage::new(&job.world).await;
    let mut outcomes = Vec::new();
    for task in &job.tasks {
        let outcome = match command {
            None => play::by_the_book(&mut stage, task).await,
            Some(command) => model::by_a_model(&mut stage, task, command).await,
        };
        outcomes.push(Outcome { area: job.area.clone(), ..outcome });
    }
    outcomes
}

/// The same, where something may panic: then none of the job's tasks is right.
async fn survived(job: Job, command: Option<String>) -> Vec<Outcome> {
    let played = AssertUnwindSafe(played(&job, command.as_deref())).catch_unwind().await;
    played.unwrap_or_else(|error| {
        let text = error.downcast_ref::<String>().cloned();
        let text = text.unwrap_or_else(|| "it panicked".to_owned());
        let wrong = |task: &Task| Outcome {
            area: job.area.clone(),
            wrong: vec![text.clone()],
            ..nothing_yet(task)
        };
        job.tasks.iter().map(wrong).collect()
    })
}

async fn all(jobs: Vec<Job>, command: Option<String>, at_once: usize) -> Vec<Outcome> {
    let runs = jobs.into_iter().map(|job| survived(job, command.clone()));
    let outcomes: Vec<Vec<Outcome>> =
        futures_util::stream::iter(runs).buffered(at_once).collect().await;
    let outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
    println!("{}", table::table(&outcomes));
    for outcome in outcomes.iter().filter(|outcome| !outcome.is_right()) {
        println!("{} / {}:", outcome.area, outcome.name);
        outcome.wrong.iter().for_each(|wrong| println!("    {wrong}"));
    }
    outcomes
}

#[tokio::test]
async fn every_task_is_done_right_by_the_book_and_no_order_is_sent_twice() {
    let outcomes = all(task::jobs(), None, AT_ONCE).await;
    assert!(outcomes.len() >= 60, "{} tasks", outcomes.len());
    assert_eq!(outcomes.iter().map(|outcome| outcome.doubles).sum::<usize>(), 0);
    let wrong: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.is_right()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    table::hold(&outcomes);
}

/// `make tasks MODEL_CMD='…'`; with TASKS='word,word' only those of these areas or names.
#[tokio::test]
#[ignore = "wants a model: make tasks MODEL_CMD='…'"]
async fn a_model_does_the_tasks() {
    let command = std::env::var("MODEL_CMD").expect("MODEL_CMD names the command");
    let words = std::env::var("TASKS").unwrap_or_default();
    let wanted = |job: &Job| {
        let has = |word: &str| job.area == word || job.tasks[0].name == word;
        words.is_empty() || words.split(',').any(has)
    };
    let jobs: Vec<Job> = task::single_jobs().into_iter().filter(wanted).collect();
    assert!(!jobs.is_empty(), "TASKS={words} names no task");
    let outcomes = all(jobs, Some(command), 2).await;
    assert_eq!(outcomes.iter().map(|outcome| outcome.doubles).sum::<usize>(), 0, "sent twice");
    let right = outcomes.iter().filter(|outcome| outcome.is_right()).count();
    assert_eq!(right, outcomes.len(), "not all are right");
}

/// What is checked of a model's answer cannot name the answers of the book.
#[test]
fn every_task_can_be_read_and_judged_by_the_world_alone() {
    let mut names = BTreeSet::new();
    let scope = Scope::from([("port".to_owned(), json!(1))]);
    let specs = ibd_protocol::catalogue::golden();
    let tools: BTreeSet<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let is_known = |call: &Call| assert!(tools.contains(call.tool.as_str()), "{call:?}");
    for (area, Area { world, tasks, .. }) in task::areas() {
        for one in &tasks {
            assert!(names.insert(one.name.clone()), "two tasks have the name {}", one.name);
            let is_plain = !one.name.contains(['|', ',']) && !one.words.contains('|');
            assert!(is_plain, "{}: a table and TASKS cannot have it", one.name);
            for text in one.checks.iter().chain(&one.after) {
                expr::check(&words::worded(text, &scope));
            }
            for text in one.facts.iter().chain(&one.told) {
                expr::formula(&words::worded(text, &scope));
            }
            let judged = one.after.iter().chain(&one.facts).chain(&one.told);
            for text in judged {
                assert!(!text.contains('$'), "{area}/{}: {text} names a call's answer", one.name);
            }
            let steps = world.before.iter().chain(&one.before);
            let calls = steps.filter_map(|step| match step {
                Step::Call(call) => Some(call),
                _ => None,
            });
            calls.chain(&one.calls).chain(&one.look).for_each(is_known);
        }
    }
}
