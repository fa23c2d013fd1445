//! Where a journal ends, kept in a file elsewhere: it shows a journal that was emptied, put back or
//! replaced, which no look at the journal alone can.
//!
//! The file is written after each append is durable and without a sync of its own, so it may lag behind
//! the journal and is never ahead of it. One that a crash tore is recognised, and says nothing.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Broken, Hash, Why};

/// What the line begins with: what it is, and the version of its format.
const MARK: &str = "ibd-journal-head 1";
/// Bytes of the line: the mark, 20 digits, 64 hex digits, 8 hex digits, three blanks, its end.
const LENGTH: u64 = 18 + 20 + 64 + 8 + 3 + 1;

/// The last record of a journal at some time. It vouches for every record up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its sequence number; 0: there is none yet.
    pub seq: u64,
    /// Its hash; [`Hash::GENESIS`] before the first.
    pub hash: Hash,
}

impl Head {
    /// Of a journal without records.
    pub const NONE: Self = Self { seq: 0, hash: Hash::GENESIS };

    /// Whether a journal whose last record has the number `last`, and whose record of our number has the
    /// hash `there`, goes on from here.
    pub(crate) fn check(self, last: u64, there: Option<Hash>) -> Result<(), Why> {
        match there {
            _ if self.seq == 0 => Ok(()),
            Some(hash) if hash == self.hash => Ok(()),
            Some(_) => Err(Why::Another),
            None => Err(Why::Behind(last)),
        }
    }

    fn to_line(self) -> String {
        let said = format!("{MARK} {:020} {}", self.seq, self.hash);
        format!("{said} {:08x}\n", crc32fast::hash(said.as_bytes()))
    }

    fn of_line(line: &str) -> Option<Self> {
        let (said, sum) = line.strip_suffix('\n')?.rsplit_once(' ')?;
        let (seq, hash) = said.strip_prefix(MARK)?.strip_prefix(' ')?.split_once(' ')?;
        let head = Self { seq: seq.parse().ok()?, hash: Hash::of_hex(hash)? };
        (format!("{:08x}", crc32fast::hash(said.as_bytes())) == sum && head.to_line() == line)
            .then_some(head)
    }
}

/// The file that keeps a head.
#[derive(Debug, Clone)]
pub struct HeadFile(PathBuf);

/// What a head's file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// There is none: no journal was ever begun beside it, or by an earlier version.
    Nothing,
    /// A crash tore it, or it is none.
    Torn,
    /// This.
    Head(Head),
}

impl Kept {
    /// The head, where there is one.
    pub fn head(self) -> Option<Head> {
        match self {
            Self::Head(head) => Some(head),
            Self::Nothing | Self::Torn => None,
        }
    }
}

impl HeadFile {
    /// The file at `path`, which must not lie in the journal's folder.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// What it says. An error: it is there and cannot be read.
    pub fn read(&self) -> io::Result<Kept> {
        match std::fs::read(&self.0) {
            Ok(bytes) => {
                let head = std::str::from_utf8(&bytes).ok().and_then(Head::of_line);
                Ok(head.map_or(Kept::Torn, Kept::Head))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Keeps `head`, by one write of always as many bytes: what is left of a torn one has a wrong sum.
    pub fn write(&self, head: Head) -> io::Result<()> {
        let mut file =
            ibd_disk::private().create(true).truncate(false).write(true).open(&self.0)?;
        if file.metadata()?.len() > LENGTH {
            file.set_len(LENGTH)?;
        }
        file.write_all(head.to_line().as_bytes())
    }
}

/// Damage that only a head shows; `segment` is the newest one.
pub(crate) fn broken(segment: u32, seq: u64, why: Why) -> Broken {
    Broken { segment, seq, at_byte: 0, why }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn head(seq: u64) -> Head {
        Head { seq, hash: Hash::from([u8::try_from(seq % 256).unwrap(); 32]) }
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_every_cut_or_change_is_seen() {
        for head in [Head::NONE, head(1), head(u64::MAX)] {
            let line = head.to_line();
            assert_eq!(line.len() as u64, LENGTH);
            assert_eq!(Head::of_line(&line), Some(head));
            for cut in 0..line.len() {
                assert_eq!(Head::of_line(&line[..cut]), None, "{cut}");
            }
            for at in 0..line.len() {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= 1;
                let changed = String::from_utf8(bytes).unwrap();
                assert_eq!(Head::of_line(&changed), None, "{changed}");
            }
        }
    }

    #[test]
    fn a_file_that_is_missing_torn_or_long_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.head");
        let file = HeadFile::at(&path);
        assert_eq!(file.read().unwrap(), Kept::Nothing);
        for before in [&b""[..], b"ibd-journal-head 1 0000", &[0; 114], &[b'x'; 4096]] {
            std::fs::write(&path, before).unwrap();
            assert_eq!(file.read().unwrap(), Kept::Torn);
            file.write(head(7)).unwrap();
            assert_eq!(file.read().unwrap(), Kept::Head(head(7)));
        }
    }

    #[test]
    fn a_head_is_met_by_a_journal_that_goes_on_from_it_and_by_no_other() {
        let (ours, other) = (head(5).hash, head(6).hash);
        for (last, there, expected) in [
            (5, Some(ours), Ok(())),
            (9, Some(ours), Ok(())),
            (9, Some(other), Err(Why::Another)),
            (4, None, Err(Why::Behind(4))),
            (0, None, Err(Why::Behind(0))),
        ] {
            assert_eq!(head(5).check(last, there), expected, "{last} {there:?}");
        }
        assert_eq!(Head::NONE.check(0, None), Ok(()), "nothing was promised");
    }
}
