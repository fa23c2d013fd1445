//! Statements on disk: one compressed file each, in one folder.
//!
//! A file is plain gzip, so that `zcat` gives the XML back; what it holds is told by a second, empty
//! gzip member at its end (`foot`). So the folder alone is the truth, and an index over it can be
//! built again by [`scan`] without unpacking anything.
//!
//! A statement is there, whole and synced, under its name, or it is not there: it is written under
//! a temporary name. Its name holds the hash of its content: the same statement is stored once. A
//! newer one of the same query, accounts and days replaces the older, unless it lacks a section that
//! the older has. What is damaged is reported, never repaired and never passed over.
//!
//! gzip, because anybody can read it, it is in the tree already, and zlib-rs is Rust throughout:
//! measured on one core (AMD EPYC, `examples/generate.rs` 100 MB) it packs 500 MB/s to an eighth of
//! 100 MB at level 3, and unpacks 1,800 MB/s, more than twice what the parser takes. lz4_flex unpacks
//! faster still, which nobody would see, and needs half as much again of the disk.

mod add;
mod coverage;
mod foot;
mod keep;
mod names;

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use ibd_disk::{make_folder, sync_folder};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::summary::{Account, Count, Period};
use crate::value::Order;

pub use add::{AddError, Added, Incoming, MOST_UNPACKED, Outcome, unpacked};
pub use coverage::{Coverage, coverage, describe};
pub(crate) use coverage::{covered, name as coverage_name};
pub use keep::{Keep, prune, superseded};
pub use names::QueryNames;

/// The format that this program writes. It reads this and all before it.
pub const VERSION: u32 = 1;

const BUFFER: usize = 64 << 10;
const TEMPORARY: &str = ".incoming-";
const ENDING: &str = ".xml.gz";
const ASIDE: &str = "damaged";

/// A folder of statements. One process has it.
#[derive(Debug, Clone)]
pub struct Archive {
    folder: PathBuf,
}

/// What is known of one archived statement without unpacking it. It is made from the file alone, so
/// an index of these can be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Of the format.
    pub version: u32,
    /// SHA-256 of the XML, in hexadecimal.
    pub sha256: String,
    /// Name of the file in its folder.
    pub file: String,
    /// IBKR's number of the query; missing in what was imported from a file.
    pub query_id: Option<String>,
    /// The query's name, as the statement gives it.
    pub query_name: String,
    /// `AF` (activity) or `TCF` (trade confirmations).
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose, and the days covered of each.
    pub accounts: Vec<Account>,
    /// The days covered.
    pub period: Option<Period>,
    /// When IBKR made it, in the zone that the template says, US/Eastern as a rule.
    pub generated: Option<DateTime>,
    /// When it came here.
    pub added: Timestamp,
    /// How its dates with slashes are to be read.
    pub date_order: Order,
    /// Bytes of the XML.
    pub bytes: u64,
    /// Bytes of it, compressed. The file is a little longer.
    pub packed: u64,
    /// What is in it.
    pub sections: Vec<Contents>,
}

/// A section of an archived statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Its path.
    pub name: String,
    /// Rows of all levels.
    pub rows: u64,
    /// Rows of each level of detail.
    pub levels: Vec<Count>,
    /// Names of its columns; files of before do not say them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Types of its rows, where they have one: `Dividends`, `Deposits`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Scan {
    /// The sound ones, oldest first.
    pub entries: Vec<Entry>,
    /// The others, which are left where they are.
    pub damaged: Vec<Damaged>,
}

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct Damaged {
    /// Its name.
    pub file: String,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The end is missing, or none of ours.
    #[error("its end is missing or was changed")]
    Foot,
    /// A later version of this program wrote it. It should be left where it is.
    #[error("version {0} of the format is newer than this program")]
    Version(u32),
    /// It is sound, but not what its name says.
    #[error("it was renamed")]
    Name,
    /// What unpacks is not what was packed.
    #[error("its content was changed")]
    Content,
    /// The system could not read it.
    #[error("it cannot be read ({0})")]
    Unreadable(io::ErrorKind),
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Statements.
    pub files: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Files that were set aside.
    pub damaged_files: u64,
    /// Bytes of those.
    pub damaged_bytes: u64,
}

/// An archived statement's XML.
pub type Content = BufReader<GzDecoder<BufReader<File>>>;

impl Archive {
    /// Makes the folder if there is none, readable by this user only, and removes what interrupted
    /// additions left.
    pub fn open(folder: &Path) -> io::Result<Self> {
        make_folder(folder)?;
        let archive = Self { folder: folder.to_owned() };
        for file in archive.files()?.iter().filter(|file| file.starts_with(TEMPORARY)) {
            fs::remove_file(folder.join(file))?;
        }
        Ok(archive)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that is there, by its files' ends; nothing is unpacked.
    pub fn scan(&self) -> io::Result<Scan> {
        scan(&self.folder)
    }

    /// The XML. Reading to its end finds any damage: see [`verify`](Self::verify) for which.
    pub fn read(&self, entry: &Entry) -> io::Result<Content> {
        let file = BufReader::with_capacity(BUFFER, File::open(self.path(&entry.file)?)?);
        Ok(BufReader::with_capacity(BUFFER, GzDecoder::new(file)))
    }

    /// Writes the XML, byte for byte as it came.
    pub fn export(&self, entry: &Entry, to: &mut impl Write) -> io::Result<u64> {
        io::copy(&mut self.read(entry)?, to)
    }

    /// Unpacks all of it and compares.
    pub fn verify(&self, entry: &Entry) -> Result<(), Damaged> {
        let bad = |why| Damaged { file: entry.file.clone(), why };
        let found = foot::read(&self.folder, &entry.file)?;
        let mut content = self.read(entry).map_err(|error| bad(Why::Unreadable(error.kind())))?;
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        let mut part = vec![0; BUFFER];
        loop {
            match content.read(&mut part) {
                Ok(0) => break,
                Ok(read) => hash.update(&part[..read]),
                Err(_) => return Err(bad(Why::Content)),
            }
        }
        let is_same = hex(hash.finish().as_ref()) == found.sha256 && found.sha256 == entry.sha256;
        is_same.then_some(()).ok_or_else(|| bad(Why::Content))
    }

    /// Moves a file that is damaged out of the way, to `damaged/`, for a person to look at. Says where
    /// it is.
    pub fn set_aside(&self, file: &str) -> io::Result<PathBuf> {
        let from = self.path(file)?;
        let aside = self.folder.join(ASIDE);
        make_folder(&aside)?;
        let to = (0..u32::MAX)
            .map(|n| aside.join(if n == 0 { file.to_owned() } else { format!("{file}.{n}") }))
            .find(|path| !path.exists())
            .ok_or(io::ErrorKind::AlreadyExists)?;
        fs::rename(from, &to)?;
        sync_folder(&aside)?;
        sync_folder(&self.folder)?;
        Ok(to)
    }

    /// Removes a statement for good. That it is gone already is fine.
    pub fn remove(&self, entry: &Entry) -> io::Result<()> {
        match fs::remove_file(self.path(&entry.file)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(&self.folder),
        }
    }

    /// Disk use, by the files as they are.
    pub fn usage(&self) -> io::Result<Usage> {
        let (files, bytes) = measure(&self.folder)?;
        let aside = self.folder.join(ASIDE);
        let (damaged_files, damaged_bytes) = if aside.exists() { measure(&aside)? } else { (0, 0) };
        Ok(Usage { files, bytes, damaged_files, damaged_bytes })
    }

    fn files(&self) -> io::Result<Vec<String>> {
        files(&self.folder)
    }

    /// Of a file in this folder, and in no other.
    fn path(&self, file: &str) -> io::Result<PathBuf> {
        let is_name = !file.contains(['/', '\\', ':']) && !matches!(file, "" | "." | "..");
        is_name.then(|| self.folder.join(file)).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

impl Entry {
    /// Rows of a section, by its name in any case or the last part of its path.
    pub fn section(&self, name: &str) -> Option<&Contents> {
        self.sections.iter().find(|section| crate::summary::is_named(&section.name, name))
    }

    /// Whether it is of the query of that number or name, in any case.
    pub fn is_of(&self, query: &str) -> bool {
        let query = query.trim();
        let is_same = self.query_name.to_lowercase() == query.to_lowercase();
        is_same || self.query_id.as_deref() == Some(query)
    }

    /// What one query is told from another by: its number, or for imported ones the name.
    pub fn query(&self) -> &str {
        self.query_id.as_deref().unwrap_or(&self.query_name)
    }

    /// For ordering: when IBKR made it, and when it came.
    pub(crate) fn age(&self) -> (Option<DateTime>, Timestamp) {
        (self.generated, self.added)
    }
}

impl Contents {
    /// Whether it has rows at each level, each column and each type of row that the other has. Of what was kept
    /// before columns were that is not known.
    pub fn has_all_of(&self, other: &Self) -> bool {
        let has_all = |own: &[String], old: &[String]| old.iter().all(|one| own.contains(one));
        other.rows == 0
            || self.rows > 0
                && !other.columns.is_empty()
                && other.levels.iter().all(|level| self.of_level(&level.name) > 0)
                && has_all(&self.columns, &other.columns)
                && has_all(&self.types, &other.types)
    }

    /// Rows of one level.
    pub fn of_level(&self, level: &str) -> u64 {
        self.levels.iter().find(|count| count.name == level).map_or(0, |count| count.rows)
    }
}

/// Everything that a folder holds, by its files' ends. Files that are none of ours are not looked at.
pub fn scan(folder: &Path) -> io::Result<Scan> {
    let mut scan = Scan::default();
    for file in files(folder)?.iter().filter(|file| is_ours(file)) {
        match foot::read(folder, file) {
            Ok(entry) => scan.entries.push(entry),
            Err(damaged) => scan.damaged.push(damaged),
        }
    }
    scan.entries.sort_by(|a, b| (a.age(), &a.file).cmp(&(b.age(), &b.file)));
    Ok(scan)
}

fn is_ours(file: &str) -> bool {
    file.ends_with(ENDING) && !file.starts_with('.')
}

/// Sorted.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    names.sort();
    Ok(names)
}

fn measure(folder: &Path) -> io::Result<(u64, u64)> {
    let mut sum = (0, 0);
    for file in files(folder)?.iter().filter(|file| file.contains(ENDING)) {
        sum = (sum.0 + 1, sum.1 + fs::metadata(folder.join(file))?.len());
    }
    Ok(sum)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
