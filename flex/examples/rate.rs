//! How fast a statement is read, and in how much memory: `rate FILE`.

#![allow(clippy::print_stdout, missing_docs)]

use std::fs::File;
use std::hint::black_box;
use std::time::Instant;

use ibd_flex::answers;
use ibd_flex::archive::{Archive, Incoming};
use ibd_flex::question::{Given, Question};
use ibd_flex::statement::{Columns, Event, Reader, StatementError};
use ibd_flex::value::{self, Order};
use jiff::Timestamp;

type Rows = Result<u64, StatementError>;
type Way = (&'static str, fn(File) -> Rows);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: rate FILE")?;
    let megabytes = std::fs::metadata(&file)?.len() as f64 / 1e6;
    let before = peak()?;
    let ways: [Way; 4] = [
        ("events", events),
        ("typed columns", typed),
        ("every column", every),
        ("summary", summary),
    ];
    for (name, way) in ways {
        let mut best = f64::MAX;
        let mut rows = 0;
        for _ in 0..3 {
            let began = Instant::now();
            rows = way(File::open(&file)?)?;
            best = best.min(began.elapsed().as_secs_f64());
        }
        println!("{name:14} {rows:9} rows  {:7.1} MB/s", megabytes / best);
    }
    archived(&file, megabytes)?;
    println!("peak memory {} kB, {} kB above the start", peak()?, peak()? - before);
    Ok(())
}

/// Into the archive, out of it, and a question answered from it.
fn archived(file: &str, megabytes: f64) -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("ibd-flex-rate-{}", std::process::id()));
    let archive = Archive::open(&folder)?;
    let incoming = Incoming { query_id: None, name: None, now: Timestamp::now(), known: &[] };
    let show = |name: &str, began: Instant| {
        println!("{name:14} {:15}  {:7.1} MB/s", "", megabytes / began.elapsed().as_secs_f64());
    };
    let began = Instant::now();
    let added = archive.add(File::open(file)?, &incoming)?;
    show("archived", began);
    let began = Instant::now();
    archive.export(&added.entry, &mut std::io::sink())?;
    show("unpacked", began);
    let today = jiff::civil::date(2026, 11, 2);
    let question = Question::parse("realised P&L by symbol", &Given::default(), today)?;
    let began = Instant::now();
    let entries = [added.entry.clone()];
    black_box(answers::answer(&question, &entries, (|entry| archive.read(entry), 100))?);
    show("answered", began);
    println!("packed to a {:.1}th", added.entry.bytes as f64 / added.entry.packed as f64);
    Ok(std::fs::remove_dir_all(&folder)?)
}

fn events(file: File) -> Rows {
    each(file, |_| {})
}

/// Five columns, each as its type.
fn typed(file: File) -> Rows {
    let names = ["symbol", "tradeDate", "quantity", "tradePrice", "fifoPnlRealized"];
    let mut columns = Columns::new(names);
    each(file, |row| {
        let picked = columns.pick(&row);
        let number = |column| picked.get(column).map(|text| value::number(&text));
        black_box(picked.get(0));
        black_box(picked.get(1).map(|text| value::date(&text, Order::Unknown)));
        black_box([number(2), number(3), number(4)]);
    })
}

/// Every value as text of its own.
fn every(file: File) -> Rows {
    each(file, |row| {
        let all: Vec<(String, String)> = row
            .attributes()
            .map(|attribute| (attribute.name.to_owned(), attribute.value().into_owned()))
            .collect();
        black_box(all);
    })
}

fn summary(file: File) -> Rows {
    let summary = ibd_flex::summary::of(std::io::BufReader::with_capacity(1 << 16, file))?;
    Ok(summary.sections.iter().map(|section| section.rows).sum())
}

fn each(file: File, mut take: impl FnMut(ibd_flex::statement::Row<'_>)) -> Rows {
    let (mut reader, mut rows) = (Reader::buffered(file), 0);
    loop {
        match reader.next()? {
            Event::Row(row) => {
                rows += 1;
                take(row);
            }
            Event::End => return Ok(rows),
            _ => {}
        }
    }
}

/// kB.
fn peak() -> Result<i64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM")?;
    let number = line.split_whitespace().nth(1).ok_or("no number")?;
    Ok(number.parse()?)
}
