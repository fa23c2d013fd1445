//! Asks a question of statement files: `ask QUESTION FILE…`. They are archived in a temporary folder.

#![allow(clippy::print_stdout, missing_docs)]

use std::fs::File;

use ibd_flex::answers;
use ibd_flex::archive::{Archive, Incoming};
use ibd_flex::question::{Given, Question};
use jiff::{Timestamp, Zoned};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().ok_or("usage: ask QUESTION FILE…")?;
    let question = Question::parse(&text, &Given::default(), Zoned::now().date())?;
    let folder = std::env::temp_dir().join(format!("ibd-flex-ask-{}", std::process::id()));
    let archive = Archive::open(&folder)?;
    for file in arguments {
        let known = archive.scan()?.entries;
        let incoming =
            Incoming { query_id: None, name: None, now: Timestamp::now(), known: &known };
        archive.add(File::open(&file)?, &incoming)?;
    }
    let entries = archive.scan()?.entries;
    let answer = answers::answer(&question, &entries, (|entry| archive.read(entry), 30));
    std::fs::remove_dir_all(&folder)?;
    println!("{}", serde_json::to_string_pretty(&answer?)?);
    Ok(())
}
