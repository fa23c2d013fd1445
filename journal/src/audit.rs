//! Reading without writing: for the audit trail, also while the daemon appends.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use jiff::Timestamp;

use crate::disk::{Disk, RealDisk};
use crate::recover::{Recovered, Recovery};
use crate::segment;
use crate::{Broken, Entry, Hash, Head, Torn, Why, head};

/// How often a reader looks again before it calls damage what may be an append under way.
const LOOKS: usize = 5;

/// What a sound journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many; also the sequence number of the last.
    pub records: u64,
    /// How many files.
    pub segments: u32,
    /// When the first record was appended; `None`: there is none.
    pub first: Option<Timestamp>,
    /// When the last one was.
    pub last: Option<Timestamp>,
    /// Hash of the last record, which vouches for all of them.
    pub head: Hash,
    /// An unfinished append at the end: interrupted, or under way just now.
    pub torn: Option<Torn>,
}

/// Reads all of the journal in `folder` and checks every checksum, number and hash. Changes
/// nothing. A folder without segments is a journal without records.
pub fn verify(folder: &Path) -> Result<Verified, Broken> {
    verify_after(folder, &[])
}

/// The same for a journal that has come as far as each of `heads`, by what is known elsewhere: one that
/// ends before them, or has another record there, is broken.
pub fn verify_after(folder: &Path, heads: &[Head]) -> Result<Verified, Broken> {
    steadily(|| {
        let (disk, mut recovery, mut records) = (RealDisk::reader(folder), Recovery::new(), 0);
        let mut there = vec![None; heads.len()];
        let numbers = numbers(&disk)?;
        for number in &numbers {
            recovery.add(*number, &content(&disk, *number)?, |entry| {
                records += 1;
                for (head, there) in heads.iter().zip(&mut there) {
                    if head.seq == entry.seq {
                        *there = Some(entry.hash);
                    }
                }
            })?;
        }
        let Recovered { link, torn, oldest, newest, .. } = recovery.finish();
        let newest_file = numbers.last().copied().unwrap_or(0);
        for (head, there) in heads.iter().zip(there) {
            let checked = head.check(records, there);
            checked.map_err(|why| head::broken(newest_file, head.seq, why))?;
        }
        Ok(Verified {
            records,
            segments: u32::try_from(numbers.len()).unwrap_or(u32::MAX),
            first: oldest,
            last: newest,
            head: link.prev,
            torn,
        })
    })
}

/// The newest `most` records in `folder`, oldest of them first. Reads, and checks, only the segments
/// they are in: [`verify`] checks all.
pub fn read(folder: &Path, most: usize) -> Result<Vec<Entry>, Broken> {
    steadily(|| {
        let disk = RealDisk::reader(folder);
        let numbers = numbers(&disk)?;
        let mut segments = 1;
        loop {
            let newest = &numbers[numbers.len().saturating_sub(segments)..];
            let entries = newest_of(&disk, newest, most)?;
            if entries.len() == most || newest.len() == numbers.len() {
                return Ok(entries.into());
            }
            segments *= 2;
        }
    })
}

fn newest_of(disk: &RealDisk, numbers: &[u32], most: usize) -> Result<VecDeque<Entry>, Broken> {
    let mut entries = VecDeque::new();
    let mut recovery = None;
    for number in numbers {
        let bytes = content(disk, *number)?;
        let recovery = match &mut recovery {
            Some(recovery) => recovery,
            None if *number == 1 => recovery.insert(Recovery::new()),
            None => recovery.insert(Recovery::starting_at(*number, &bytes)?),
        };
        recovery.add(*number, &bytes, |entry| {
            entries.push_back(entry);
            if entries.len() > most {
                entries.pop_front();
            }
        })?;
    }
    Ok(entries)
}

/// A read is no snapshot: of two appends that happen meanwhile it may see the second and not the
/// first. Damage stays where it is; what an append looked like is gone at the next look.
fn steadily<T>(mut look: impl FnMut() -> Result<T, Broken>) -> Result<T, Broken> {
    let mut seen = None;
    for _ in 0..LOOKS {
        match look() {
            Err(broken) if seen.as_ref() != Some(&broken) => seen = Some(broken),
            settled => return settled,
        }
    }
    look()
}

fn numbers(disk: &RealDisk) -> Result<Vec<u32>, Broken> {
    match segment::numbers(disk) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| unreadable(0, &error)),
    }
}

fn content(disk: &RealDisk, number: u32) -> Result<Vec<u8>, Broken> {
    disk.read(&segment::name(number)).map_err(|error| unreadable(number, &error))
}

fn unreadable(segment: u32, error: &io::Error) -> Broken {
    Broken { segment, seq: 0, at_byte: 0, why: Why::Unreadable(error.kind()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_seen_twice_is_damage() {
        let broken = |seq| Broken { segment: 1, seq, at_byte: 0, why: Why::Changed };
        let mut looks = [Err(broken(1)), Err(broken(2)), Ok(3)].into_iter();
        assert_eq!(steadily(|| looks.next().unwrap_or(Ok(0))), Ok(3));
        let mut looks = [Err(broken(1)), Err(broken(2)), Err(broken(2))].into_iter();
        assert_eq!(steadily(|| looks.next().unwrap_or(Ok(0))), Err(broken(2)));
    }
}
