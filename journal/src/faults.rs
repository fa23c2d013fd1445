//! Faults on demand: `IBD_DISK_FAULT`, read once per process, makes one append of it fail.
//!
//! `enospc:N`, `eio:N` and `short:N` hit the write of the N-th append of this process, counted from
//! 1; `fsync:N` hits its sync. `short` writes half of the bytes before it fails, `eio` and
//! `enospc` none. A `+` at the end, as in `enospc:3+`, hits that one and all after it. Anything else
//! is no fault.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::points::point;

const VARIABLE: &str = "IBD_DISK_FAULT";

static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
static WRITES: AtomicU64 = AtomicU64::new(0);
static SYNCS: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Full,
    Failing,
    Short,
    Sync,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    kind: Kind,
    /// Counted from 1.
    first: u64,
    /// The first only, or all from there.
    last: u64,
}

impl Plan {
    fn parse(text: &str) -> Option<Plan> {
        let (kind, which) = text.split_once(':')?;
        let kind = match kind {
            "enospc" => Kind::Full,
            "eio" => Kind::Failing,
            "short" => Kind::Short,
            "fsync" => Kind::Sync,
            _ => return None,
        };
        let first = which.strip_suffix('+').unwrap_or(which).parse().ok()?;
        Some(Plan { kind, first, last: if which.ends_with('+') { u64::MAX } else { first } })
    }

    fn hits(self, count: u64) -> bool {
        (self.first..=self.last).contains(&count)
    }
}

/// Writes an append through `write(offset, bytes)`, or not, by the plan.
pub(crate) fn append(
    bytes: &[u8],
    mut write: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let count = WRITES.fetch_add(1, Ordering::Relaxed) + 1;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    match plan().filter(|plan| plan.hits(count)).map(|plan| plan.kind) {
        Some(Kind::Full) => return Err(io::ErrorKind::StorageFull.into()),
        Some(Kind::Failing) => return Err(failing()),
        Some(Kind::Short) => {
            write(0, first)?;
            return Err(io::ErrorKind::WriteZero.into());
        }
        Some(Kind::Sync) | None => {}
    }
    write(0, first)?;
    point("journal.half_written");
    write(first.len() as u64, second)
}

/// Before the sync of an append.
pub(crate) fn sync() -> io::Result<()> {
    let count = SYNCS.fetch_add(1, Ordering::Relaxed) + 1;
    match plan().filter(|plan| plan.kind == Kind::Sync && plan.hits(count)) {
        Some(_) => Err(failing()),
        None => Ok(()),
    }
}

fn plan() -> Option<Plan> {
    *PLAN.get_or_init(|| Plan::parse(&std::env::var(VARIABLE).ok()?))
}

fn failing() -> io::Error {
    io::Error::other("input/output error (injected)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_text_and_nonsense_is_none() {
        let plan = |kind, first, last| Some(Plan { kind, first, last });
        assert_eq!(Plan::parse("enospc:3"), plan(Kind::Full, 3, 3));
        assert_eq!(Plan::parse("eio:2"), plan(Kind::Failing, 2, 2));
        assert_eq!(Plan::parse("short:1"), plan(Kind::Short, 1, 1));
        assert_eq!(Plan::parse("fsync:4+"), plan(Kind::Sync, 4, u64::MAX));
        for text in ["", "eio", "eio:", "eio:x", "eio:-1", "fire:1", "eio:1:2"] {
            assert_eq!(Plan::parse(text), None, "{text}");
        }
    }
}
