//! What happened in all runs, and the table that says so.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use crate::plan::POINTS;

/// Counts of one run, or of many.
#[derive(Debug, Default)]
pub struct Tally {
    pub runs: u64,
    pub failed: Vec<u64>,
    /// Ends by crash point; `kill -9` at a random time under its own name.
    pub kills: BTreeMap<String, u64>,
    /// Crash points that were planned and not passed before the daemon was ended otherwise.
    pub missed: u64,
    pub starts: u64,
    /// What went wrong at the broker.
    pub faults: BTreeMap<String, u64>,
    /// What went wrong elsewhere.
    pub troubles: BTreeMap<String, u64>,
    pub calls: u64,
    pub answers: BTreeMap<String, u64>,
    pub intents: u64,
    pub orders: u64,
    pub zombies: u64,
    pub duplicates: u64,
    pub lost: u64,
    pub wrong: u64,
    /// Answers that contradict what the broker had.
    pub untrue: u64,
    /// Answers that were held against what the broker had.
    pub held: u64,
    /// What was done beside the clients.
    pub deeds: BTreeMap<String, u64>,
    pub parked: u64,
    pub unwritten: u64,
    pub unknown_settled: u64,
    /// Milliseconds from a daemon without faults until everything was settled.
    pub settling: Vec<u64>,
    /// Milliseconds of the daemon's time from unknown to settled.
    pub unknown: Vec<u64>,
    pub states: BTreeMap<String, u64>,
}

/// One more of it.
pub fn more(map: &mut BTreeMap<String, u64>, name: impl Into<String>, count: u64) {
    if count > 0 {
        *map.entry(name.into()).or_default() += count;
    }
}

impl Tally {
    /// Both together.
    pub fn add(&mut self, other: Tally) {
        self.runs += other.runs;
        self.failed.extend(other.failed);
        for (to, from) in [
            (&mut self.kills, other.kills),
            (&mut self.faults, other.faults),
            (&mut self.troubles, other.troubles),
            (&mut self.deeds, other.deeds),
            (&mut self.answers, other.answers),
            (&mut self.states, other.states),
        ] {
            for (name, count) in from {
                more(to, name, count);
            }
        }
        for (to, from) in [
            (&mut self.missed, other.missed),
            (&mut self.starts, other.starts),
            (&mut self.calls, other.calls),
            (&mut self.intents, other.intents),
            (&mut self.orders, other.orders),
            (&mut self.zombies, other.zombies),
            (&mut self.duplicates, other.duplicates),
            (&mut self.lost, other.lost),
            (&mut self.wrong, other.wrong),
            (&mut self.untrue, other.untrue),
            (&mut self.held, other.held),
            (&mut self.parked, other.parked),
            (&mut self.unwritten, other.unwritten),
            (&mut self.unknown_settled, other.unknown_settled),
        ] {
            *to += from;
        }
        self.settling.extend(other.settling);
        self.unknown.extend(other.unknown);
    }

    /// Crash points at which no daemon has died.
    pub fn unhit(&self) -> Vec<&'static str> {
        POINTS.into_iter().filter(|point| !self.kills.contains_key(*point)).collect()
    }

    /// The table.
    pub fn table(&self, seeds: (u64, u64), took: Duration) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<34} {value}");
        };
        let kills: u64 = self.kills.values().sum();
        let rate = self.runs as f64 / took.as_secs_f64().max(0.001);
        line("runs", format!("{}", self.runs));
        line("seeds", format!("{} … {}", seeds.0, seeds.1));
        line("wall time", format!("{:.0} s, {rate:.1} runs a second", took.as_secs_f64()));
        line("daemons started", format!("{}", self.starts));
        line("daemons killed", format!("{kills}"));
        for (point, count) in &self.kills {
            line(&format!("  at {point}"), format!("{count}"));
        }
        line("  point not reached, killed later", format!("{}", self.missed));
        line("faults at the broker", format!("{}", self.faults.values().sum::<u64>()));
        for (name, count) in &self.faults {
            line(&format!("  {name}"), format!("{count}"));
        }
        line("other troubles", String::new());
        for (name, count) in &self.troubles {
            line(&format!("  {name}"), format!("{count}"));
        }
        line("a person at TWS, and the broker", String::new());
        for (name, count) in &self.deeds {
            line(&format!("  {name}"), format!("{count}"));
        }
        line("calls", format!("{}", self.calls));
        for (name, count) in &self.answers {
            line(&format!("  {name}"), format!("{count}"));
        }
        line("intents", format!("{}", self.intents));
        for (name, count) in &self.states {
            line(&format!("  {name}"), format!("{count}"));
        }
        line("orders accepted by the broker", format!("{}", self.orders));
        line("  of these from the dead", format!("{}", self.zombies));
        line("unknown, later settled", format!("{}", self.unknown_settled));
        line("  after, of the daemon's time", times(&self.unknown));
        line("all settled after the faults", times(&self.settling));
        line("parked, and not at the broker", format!("{}", self.parked));
        line("told, and not journalled: disk", format!("{}", self.unwritten));
        line("DUPLICATES", format!("{}", self.duplicates));
        line("LOST", format!("{}", self.lost));
        line("WRONG", format!("{}", self.wrong));
        line("UNTRUE", format!("{}, of {} answers that were held", self.untrue, self.held));
        line("failed runs", format!("{}", self.failed.len()));
        text
    }
}

fn times(millis: &[u64]) -> String {
    let mut sorted = millis.to_vec();
    sorted.sort_unstable();
    let at =
        |part: usize| sorted.get((sorted.len() * part / 100).min(sorted.len().saturating_sub(1)));
    match (at(50), at(99), sorted.last()) {
        (Some(half), Some(most), Some(last)) => {
            format!("median {half} ms, 99 % {most} ms, longest {last} ms")
        }
        _ => "-".to_owned(),
    }
}
