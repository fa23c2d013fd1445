//! Puts a statement into the archive in one pass: packed, hashed, parsed and summed up on the way.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use ring::digest::{Context, SHA256};

use super::{Archive, BUFFER, Contents, ENDING, Entry, TEMPORARY, VERSION, foot, hex};
use crate::statement::StatementError;
use crate::summary::{self, Summary};

/// What comes with a statement.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// IBKR's number of the query, if it was asked for by that.
    pub query_id: Option<&'a str>,
    /// The query's name, for statements that do not say.
    pub name: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
    /// What is in the archive already.
    pub known: &'a [Entry],
}

/// A statement that is in the archive, durably.
#[derive(Debug)]
pub struct Added {
    /// It.
    pub entry: Entry,
    /// What is in it.
    pub summary: Summary,
    /// Whether it was there before.
    pub outcome: Outcome,
    /// Older ones of the same query, accounts and days. Their files are gone.
    pub replaced: Vec<Entry>,
    /// Older ones of the same days that have sections which this one lacks. They stay.
    pub richer: Vec<Entry>,
}

/// Whether a statement was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was not.
    New,
    /// It was, byte for byte.
    Same,
    /// It was, damaged. The damaged file is where this says.
    Restored(PathBuf),
}

/// Why a statement was not added. The archive is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// It is no statement, or not a whole one.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The archive could not be written.
    #[error("the statement cannot be stored: {0}")]
    Disk(#[from] io::Error),
}

/// Levels above 3 take twice the time for a tenth of the bytes.
const LEVEL: u32 = 3;

impl Archive {
    /// Reads a statement to its end and stores it.
    pub fn add(&self, source: impl Read, incoming: &Incoming<'_>) -> Result<Added, AddError> {
        let temporary = Temporary::create(self.folder())?;
        let mut tee = Tee::new(source, &temporary)?;
        let summary = match summary::of(BufReader::with_capacity(BUFFER, &mut tee)) {
            Ok(summary) => summary,
            // What stopped the reading may have been the writing.
            Err(error) => {
                return Err(tee.broken.map_or(AddError::Statement(error), AddError::Disk));
            }
        };
        let packed = tee.finish()?;
        let entry = describe(&summary, &packed, incoming);
        let outcome = self.store(temporary, packed, &entry)?;
        let (replaced, richer) = self.replace(&entry, incoming.known)?;
        let entry = match outcome {
            Outcome::New | Outcome::Restored(_) => entry,
            Outcome::Same => foot::read(self.folder(), &entry.file).unwrap_or(entry),
        };
        Ok(Added { entry, summary, outcome, replaced, richer })
    }

    fn store(&self, temporary: Temporary, packed: Packed, entry: &Entry) -> io::Result<Outcome> {
        let path = self.path(&entry.file)?;
        let outcome = match path.exists() {
            true if self.verify(entry).is_ok() => return Ok(Outcome::Same),
            true => Outcome::Restored(self.set_aside(&entry.file)?),
            false => Outcome::New,
        };
        let mut file = packed.file;
        foot::write(entry, &mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        temporary.keep_as(&path)?;
        ibd_disk::sync_folder(self.folder())?;
        Ok(outcome)
    }

    /// Removes what `entry` is the newer edition of.
    fn replace(&self, entry: &Entry, known: &[Entry]) -> io::Result<(Vec<Entry>, Vec<Entry>)> {
        let older = known.iter().filter(|other| entry.is_newer_edition_of(other));
        let (replaced, richer): (Vec<_>, Vec<_>) =
            older.cloned().partition(|old| entry.has_all_of(old));
        for old in &replaced {
            self.remove(old)?;
        }
        Ok((replaced, richer))
    }
}

impl Entry {
    /// Of the same query, accounts and days, and made later.
    pub(super) fn is_newer_edition_of(&self, other: &Self) -> bool {
        self.file != other.file
            && self.query() == other.query()
            && self.kind == other.kind
            && self.period.is_some()
            && self.period == other.period
            && self.accounts == other.accounts
            && self.generated >= other.generated
    }

    /// Whether it has whatever the other has: rows at each level of each section, each column and each type of row.
    /// Of what was added before columns were kept that is not known, so it stays.
    pub(super) fn has_all_of(&self, other: &Self) -> bool {
        other.sections.iter().filter(|section| section.rows > 0).all(|section| {
            let own = self.sections.iter().find(|own| own.name == section.name);
            own.is_some_and(|own| own.has_all_of(section))
        })
    }
}

fn describe(summary: &Summary, packed: &Packed, incoming: &Incoming<'_>) -> Entry {
    let own = Some(summary.query_name.as_str()).filter(|name| !name.is_empty());
    let mut entry = Entry {
        version: VERSION,
        sha256: packed.sha256.clone(),
        file: String::new(),
        query_id: incoming.query_id.map(str::to_owned),
        query_name: own.or(incoming.name).unwrap_or_default().to_owned(),
        kind: summary.kind.clone(),
        accounts: summary.accounts.clone(),
        period: summary.period,
        generated: summary.generated.as_deref().and_then(civil),
        added: incoming.now,
        date_order: summary.date_order,
        bytes: packed.bytes,
        packed: packed.packed,
        sections: summary
            .sections
            .iter()
            .map(|section| Contents {
                name: section.name.clone(),
                rows: section.rows,
                levels: section.levels.clone(),
                columns: section.fields.clone(),
                types: types(section),
            })
            .collect(),
    };
    entry.file = file_name(&entry);
    entry
}

fn types(section: &summary::Section) -> Vec<String> {
    let kinds = section.totals.iter().map(|total| total.kind.clone());
    let mut kinds: Vec<String> = kinds.filter(|kind| !kind.is_empty()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Without its zone; midnight, if there is no time.
fn civil(text: &str) -> Option<jiff::civil::DateTime> {
    match text.split_at_checked("2026-11-02T14:30:03".len()) {
        Some((civil, _)) => civil.parse().ok(),
        None => text.parse::<jiff::civil::Date>().ok().map(Into::into),
    }
}

/// Query, days, hash: for people who look into the folder, and for sorting.
fn file_name(entry: &Entry) -> String {
    const LONGEST: usize = 40;
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let query: String = entry.query().chars().map(plain).take(LONGEST).collect();
    let query = if query.is_empty() { "query" } else { &query };
    let days =
        entry.period.map_or_else(|| "undated".to_owned(), |p| format!("{}_{}", p.from, p.to));
    format!("{query}_{days}_{}{ENDING}", &entry.sha256[..16])
}

/// More than any statement, in bytes: a small file can be packed from an endless one.
pub const MOST_UNPACKED: u64 = 8 << 30;

/// A file to be taken over, unpacked where it is packed.
pub fn unpacked(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut source = BufReader::new(File::open(path)?);
    let start = source.fill_buf()?;
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(source).take(MOST_UNPACKED))
    } else {
        Box::new(source)
    })
}

/// A file under a name of its own, gone when this is dropped.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{TEMPORARY}{}-{number}", std::process::id());
        Ok(Self { path: folder.join(name) })
    }

    fn file(&self) -> io::Result<File> {
        ibd_disk::private().write(true).create(true).truncate(true).open(&self.path)
    }

    fn keep_as(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)
    }
}

impl Drop for Temporary {
    /// After `keep_as` there is nothing left to remove; else what stays is removed at the next start.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A source that packs and hashes all that is read of it.
struct Tee<R> {
    source: R,
    hash: Context,
    encoder: GzEncoder<Counted>,
    bytes: u64,
    /// Why writing failed.
    broken: Option<io::Error>,
}

/// A packed statement, without its foot.
struct Packed {
    file: BufWriter<File>,
    sha256: String,
    bytes: u64,
    packed: u64,
}

/// Counts what is written.
struct Counted {
    file: BufWriter<File>,
    bytes: u64,
}

impl<R: Read> Tee<R> {
    fn new(source: R, temporary: &Temporary) -> io::Result<Self> {
        let file = BufWriter::with_capacity(BUFFER, temporary.file()?);
        let encoder = GzEncoder::new(Counted { file, bytes: 0 }, Compression::new(LEVEL));
        Ok(Self { source, hash: Context::new(&SHA256), encoder, bytes: 0, broken: None })
    }

    fn finish(self) -> io::Result<Packed> {
        let Counted { file, bytes } = self.encoder.finish()?;
        let sha256 = hex(self.hash.finish().as_ref());
        Ok(Packed { file, sha256, bytes: self.bytes, packed: bytes })
    }
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.hash.update(&into[..read]);
        self.bytes += read as u64;
        if let Err(error) = self.encoder.write_all(&into[..read]) {
            let kind = error.kind();
            self.broken = Some(error);
            return Err(kind.into());
        }
        Ok(read)
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
