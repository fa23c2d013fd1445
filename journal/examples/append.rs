//! What an append costs, beside what the disk alone costs: `append [FOLDER]`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use ibd_journal::{Journal, SEGMENT_BYTES, verify};

const APPENDS: usize = 2_000;
const PAYLOAD: usize = 600;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let folder = Path::new(&folder).join("journal-example");
    std::fs::create_dir(&folder)?;
    let measured = measure(&folder);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    let journal = folder.join("journal");
    report("a new journal", timed(1, || Journal::open(&journal))?);
    {
        let mut journal = Journal::open(&journal)?.journal;
        let payload = [b'x'; PAYLOAD];
        report("append", timed(APPENDS, || journal.append(&[&payload]))?);
        let four: [&[u8]; 4] = [&payload; 4];
        report("append of four", timed(APPENDS / 4, || journal.append(&four))?);
    }
    report(
        "write + sync alone, over zeros",
        timed_writes(folder, |file| {
            let zeros = vec![0; usize::try_from(SEGMENT_BYTES)?];
            Ok(file.write_all(&zeros)?)
        })?,
    );
    report("write + sync alone, growing", timed_writes(folder, |_| Ok(()))?);
    report("open", timed(20, || Journal::open(&journal))?);
    report("verify", timed(20, || verify(&journal))?);
    Ok(())
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn timed_writes(
    folder: &Path,
    prepare: impl Fn(&mut File) -> Outcome<()>,
) -> Outcome<Vec<Duration>> {
    let mut file = File::create(folder.join("floor"))?;
    prepare(&mut file)?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(512))?;
    let record = [b'x'; PAYLOAD + 64];
    timed(APPENDS, || file.write_all(&record).and_then(|()| file.sync_data()))
}

/// How long `once` took each time.
fn timed<T, E: Error + 'static>(
    times: usize,
    mut once: impl FnMut() -> Result<T, E>,
) -> Outcome<Vec<Duration>> {
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = Instant::now();
        once()?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1_000];
    println!(
        "{what:<32} p50 {:>10.1?}   p99 {:>10.1?}   max {:>10.1?}",
        at(500),
        at(990),
        at(1_000)
    );
}
