//! Gzipped tar archives.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::links::Links;
use super::{Unpacking, inside};
use crate::error::InstallError;
use crate::progress::Stage;

/// Unpacks all files; links are only collected.
pub(super) fn unpack(
    file: File,
    to: &mut Unpacking<'_>,
    links: &mut Links,
) -> Result<(), InstallError> {
    let total = file.metadata().map(|about| about.len()).ok();
    let read = Arc::new(AtomicU64::new(0));
    let counted = Counted { input: BufReader::new(file), read: read.clone() };
    // What is skipped, and names longer than any, come out of the decoder too: all of it is limited.
    let limit = to.budget.max_bytes.saturating_mul(2).saturating_add(1 << 20);
    let mut archive = Archive::new(MultiGzDecoder::new(counted).take(limit));
    for entry in archive.entries().map_err(damaged)? {
        to.reporter.tell(Stage::Unpacking, read.load(Ordering::Relaxed), total);
        to.budget.take_entry()?;
        one(entry.map_err(damaged)?, to, links)?;
    }
    drain(archive.into_inner())?;
    let done = read.load(Ordering::Relaxed);
    to.reporter.tell(Stage::Unpacking, done, Some(done));
    Ok(())
}

fn one(
    mut entry: Entry<'_, impl Read>,
    to: &mut Unpacking<'_>,
    links: &mut Links,
) -> Result<(), InstallError> {
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let kind = entry.header().entry_type();
    if kind == EntryType::XGlobalHeader {
        return Ok(());
    }
    let Some(path) = inside(&name)? else { return Ok(()) };
    match kind {
        EntryType::Directory => to.folder(&path),
        EntryType::Regular | EntryType::Continuous => {
            let mode = entry.header().mode().map_err(damaged)?;
            to.file(&path, &mut entry, mode).map(drop)
        }
        EntryType::Symlink => {
            let target = entry.link_name_bytes().unwrap_or_default();
            links.add(path, &String::from_utf8_lossy(&target))
        }
        _ => {
            let why = "neither a file nor a folder nor a plain link";
            Err(InstallError::Unsafe { entry: name, why })
        }
    }
}

/// The gzip's own checksum stands behind the last file: an archive that was cut there is noticed.
fn drain(mut rest: impl Read) -> Result<(), InstallError> {
    io::copy(&mut rest, &mut io::sink()).map(drop).map_err(damaged)
}

fn damaged(error: io::Error) -> InstallError {
    InstallError::Damaged(error.to_string())
}

/// Counts the compressed bytes: how many there will be uncompressed, nobody knows.
struct Counted {
    input: BufReader<File>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
