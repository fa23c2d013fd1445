//! What is printed. Each benchmark uses its part.
#![allow(dead_code)]

use std::time::Duration;

/// One measurement in time.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) count: usize,
    pub(crate) min: String,
    pub(crate) p50: String,
    pub(crate) p99: String,
    pub(crate) ratio: String,
}

/// Rows of times, then rows of everything else.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) times: Vec<Row>,
    pub(crate) others: Vec<(String, String)>,
}

impl Table {
    pub(crate) fn other(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.others.push((name.into(), value.into()));
    }

    pub(crate) fn print(&self) {
        println!("\n| time | n | min | p50 | p99 | p50 ÷ floor |\n|---|---|---|---|---|---|");
        for Row { name, count, min, p50, p99, ratio } in &self.times {
            println!("| {name} | {count} | {min} | {p50} | {p99} | {ratio} |");
        }
        println!("\n| other | measured |\n|---|---|");
        for (name, value) in &self.others {
            println!("| {name} | {value} |");
        }
    }
}

/// Three digits and a unit.
pub(crate) fn time(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..1_000.0 => format!("{} µs", digits(micros)),
        ..1_000_000.0 => format!("{} ms", digits(micros / 1e3)),
        _ => format!("{} s", digits(micros / 1e6)),
    }
}

/// A difference, which may be negative on a noisy machine.
pub(crate) fn difference(of: Duration, less: Duration) -> String {
    match of.checked_sub(less) {
        Some(left) => time(left),
        None => format!("-{}", time(less - of)),
    }
}

pub(crate) fn ratio(of: Duration, floor: Duration) -> String {
    format!("{:.1}", of.as_secs_f64() / floor.as_secs_f64())
}

/// Mebibytes of kibibytes.
pub(crate) fn mib(kib: u64) -> String {
    format!("{} MiB", digits(kib as f64 / 1024.0))
}

fn digits(number: f64) -> String {
    let places = if number < 10.0 {
        2
    } else if number < 100.0 {
        1
    } else {
        0
    };
    format!("{number:.places$}")
}
