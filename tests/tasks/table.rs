//! The table: printed after each run, and kept in docs/tasks.md.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::eval::Scope;
use super::play::Outcome;
use super::task::areas;
use super::words::worded;

const HEAD: &str = "# Tasks

Written by a test (`make bless`). What a person would set an assistant, each played over the true programs by a caller \
that does what a good assistant does: [tests/tasks](../tests/tasks/README.md) has the words, the calls and the checks. \
Characters are what a model reads of the answers; they and the calls are those of one run. A real model plays the same \
tasks by `make tasks MODEL_CMD=…`.
";

/// The table of a run.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for (area, tasks) in areas() {
        let own: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.area == area).collect();
        if own.is_empty() {
            continue;
        }
        let _ =
            write!(text, "\n## {area}\n\n| task | the person says | calls | characters | right |");
        text.push_str(" first time | sent twice |\n|---|---|---|---|---|---|---|\n");
        for task in &tasks.tasks {
            let Some(one) = own.iter().find(|one| one.name == task.name) else { continue };
            let words = worded(&task.words, &Scope::new());
            let (calls, characters) = (one.calls, one.characters);
            let (right, first) = (yes(one.is_right()), yes(one.is_right_first_time()));
            let _ = writeln!(
                text,
                "| {} | {words} | {calls} | {characters} | {right} | {first} | {} |",
                one.name, one.doubles
            );
        }
    }
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    let _ = writeln!(
        text,
        "\n{} tasks: {} right, {} at the first try; {} calls, {} characters; {} orders sent twice.",
        outcomes.len(),
        sum(|one| one.is_right().into()),
        sum(|one| one.is_right_first_time().into()),
        sum(|one| one.calls),
        sum(|one| one.characters),
        sum(|one| one.doubles),
    );
    text
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/tasks.md")
}

/// Writes the document, or holds it to what does not vary: which tasks there are, and which are right.
pub fn hold(outcomes: &[Outcome]) {
    let now = format!("{HEAD}{}", table(outcomes));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(document(), &now).unwrap();
    }
    let kept = std::fs::read_to_string(document()).unwrap_or_default();
    assert!(steady(&kept) == steady(&now), "docs/tasks.md is out of date: run `make bless`");
}

/// Of each row the task's name and whether it was right.
fn steady(text: &str) -> Vec<(String, String)> {
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| task |"));
    let cells = rows.map(|row| row.split(" | ").map(str::to_owned).collect::<Vec<String>>());
    cells
        .filter(|cells| cells.len() == 7)
        .map(|cells| (cells[0].clone(), cells[4].clone()))
        .collect()
}
