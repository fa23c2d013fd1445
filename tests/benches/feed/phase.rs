//! Some seconds at one rate, with so many readers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::Bench;
use crate::hundred::HUNDRED;
use crate::process::Used;
use crate::readers::{Reader, Told};
use crate::stats::{Samples, rank};
use crate::table::Table;

/// Updates a second that are the goal's.
pub(crate) const FULL: u64 = 100_000;
/// After a change of rate, before anything is measured.
const SETTLE: Duration = Duration::from_millis(500);

/// What is told and who reads.
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    rate: u64,
    readers: usize,
    /// Who calls and does not read.
    stalled: usize,
}

pub(crate) static PHASES: [Phase; 5] = [
    Phase { name: "1,000 a second, 100 readers", rate: 1_000, readers: HUNDRED, stalled: 0 },
    Phase { name: "10,000 a second, 100 readers", rate: 10_000, readers: HUNDRED, stalled: 0 },
    Phase { name: "100,000 a second, nobody reads", rate: FULL, readers: 0, stalled: 0 },
    Phase { name: "100,000 a second, 100 readers", rate: FULL, readers: HUNDRED, stalled: 0 },
    Phase {
        name: "100,000 a second, 100 readers, and one that calls and does not read",
        rate: FULL,
        readers: HUNDRED,
        stalled: 1,
    },
];
/// The one that the goals are about, and the one with who does not read.
const GOAL: usize = 3;
const STALLED: usize = 4;

/// What came of a phase, in all rounds.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// The daemon's processor time in a second.
    shares: Vec<Duration>,
    /// Messages told in a second.
    rates: Vec<u64>,
    pub(crate) ages: Samples,
    calls: Samples,
    failed: usize,
    /// After how many calls and what time who does not read was cut off, if it was.
    cuts: Vec<Option<(u64, Duration)>>,
}

impl Bench {
    pub(crate) async fn measure(&mut self, phase: &Phase, measured: &mut Measured) {
        let socket = self.world.socket();
        self.flood.set_rate(phase.rate);
        let mut readers = Vec::with_capacity(phase.readers);
        for number in 0..phase.readers {
            readers.push(Reader::open(&socket, number, &self.contracts).await);
        }
        let mut stalled = Vec::with_capacity(phase.stalled);
        for number in 0..phase.stalled {
            stalled.push(Reader::open(&socket, HUNDRED + number, &self.contracts).await);
        }
        sleep(SETTLE).await;
        let over = Arc::new(AtomicBool::new(false));
        let (used, count, begun) = (Used::by(self.daemon), self.flood.count(), Instant::now());
        let readers: Vec<_> = readers
            .into_iter()
            .map(|reader| tokio::spawn(reader.read(self.flood.clone(), over.clone())))
            .collect();
        let stalled: Vec<_> =
            stalled.into_iter().map(|reader| tokio::spawn(reader.stall())).collect();
        sleep(self.length).await;
        for one in stalled {
            measured.cuts.push(one.await.unwrap());
        }
        let (used, count) = (Used::by(self.daemon).since(used), self.flood.count() - count);
        let took = begun.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        let mut told = Told::default();
        for reader in readers {
            told.add(reader.await.unwrap());
        }
        measured.shares.push(used.cpu.div_f64(took));
        measured.rates.push((count as f64 / took) as u64);
        measured.failed += told.failed;
        if phase.readers > 0 {
            measured.ages.add(told.ages);
            measured.calls.add(told.calls);
        }
    }
}

impl Measured {
    /// The daemon's processor time in a second, of the round in the middle.
    pub(crate) fn share(&self) -> Duration {
        rank(self.shares.clone(), 50)
    }

    pub(crate) fn print(&self, phase: &Phase, table: &mut Table) {
        let share = 100.0 * self.share().as_secs_f64();
        let most = 100.0 * rank(self.shares.clone(), 100).as_secs_f64();
        let rate = rank(self.rates.clone(), 50);
        let mut what =
            format!("{share:.1} % of a core (at most {most:.1} %), {rate} told a second");
        if phase.readers > 0 {
            let name = phase.name;
            table.times.push(self.ages.row(&format!("age of a value: {name}"), None));
            table.times.push(self.calls.row(&format!("a call for ten: {name}"), None));
            let oldest = crate::table::time(self.ages.max());
            what += &format!(
                ", the oldest of {} values {oldest}, {} failed",
                self.ages.count(),
                self.failed
            );
        }
        table.other(phase.name, what);
    }
}

/// The phase that the goals are about.
pub(crate) fn goal(all: &[Measured]) -> &Measured {
    &all[GOAL]
}

/// When who does not read was cut off, and whether it was each time and nobody else was disturbed.
pub(crate) fn cut_off_alone(all: &[Measured]) -> (String, bool) {
    let measured = &all[STALLED];
    let cuts: Vec<(u64, Duration)> = measured.cuts.iter().copied().flatten().collect();
    let calls = rank(cuts.iter().map(|cut| cut.0).collect(), 50);
    let after = rank(cuts.iter().map(|cut| cut.1).collect(), 50);
    let text = format!(
        "{} of {} times, after {calls} calls and {} (median); {} calls or values of the others failed",
        cuts.len(),
        measured.cuts.len(),
        crate::table::time(after),
        measured.failed
    );
    (text, cuts.len() == measured.cuts.len() && measured.failed == 0)
}
