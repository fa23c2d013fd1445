//! Statements are read, and files for other programs written, off the daemon's threads.

use ibd_protocol::ErrorCode;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ibd_flex::archive::{AddError, Added, Archive, Entry, Incoming, MOST_UNPACKED, unpacked};
use ibd_flex::section::{self, Ask, Format, SectionError};
use jiff::Timestamp;
use jiff::civil::Date;
use zip::ZipArchive;

use super::words;
use crate::refusal::Refusal;

/// Files of a zip archive that are looked at.
const MOST_MEMBERS: usize = 1_000;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The statement as it came.
    Xml,
    /// Rows of one section.
    Csv,
    /// Rows of one section, an object a line.
    Json,
}

impl Form {
    /// By its name in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "xml" => Some(Self::Xml),
            "csv" => Some(Self::Csv),
            "json" | "jsonl" => Some(Self::Json),
            _ => None,
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Csv => "csv",
            Self::Json => "jsonl",
        }
    }
}

/// Does something with a disk.
pub async fn off<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(words::away()))
}

/// What cannot be read in an archived statement.
pub fn unreadable(error: &dyn std::error::Error) -> Refusal {
    Refusal::new(
        ErrorCode::FlexUnreadable,
        format!("{error}."),
        "Call get_flex_query with refresh:true to have the statement again.",
    )
}

/// Why there are no rows.
pub fn no_rows(error: &SectionError) -> Refusal {
    let argument = |field| Refusal::argument(field, format!("{error}."), "Give one of those.");
    match error {
        SectionError::NoSection { .. } => argument("section"),
        SectionError::NoColumn { .. } => argument("columns"),
        SectionError::NoDate(_) => {
            Refusal::argument("from", format!("{error}."), "Leave from and to out.")
        }
        other => unreadable(other),
    }
}

/// A day in an argument.
pub fn day(field: &str, text: Option<&str>) -> Result<Option<Date>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        Refusal::argument(field, format!("{text:?} is no day."), "Give it as 2026-11-02.")
    })
}

/// Writes a file for other programs: its path and its size in bytes.
pub fn export(
    archive: &Archive,
    entry: &Entry,
    folder: &Path,
    form: Form,
    ask: &Ask,
) -> Result<(PathBuf, u64), Refusal> {
    let failed = |error: &std::io::Error| words::not_stored(&error.to_string());
    ibd_disk::make_folder(folder).map_err(|error| failed(&error))?;
    let base = entry.file.trim_end_matches(".xml.gz");
    let plain: String = ask.section.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let part = if form == Form::Xml { String::new() } else { format!("_{plain}") };
    let path = folder.join(format!("{base}{part}.{}", form.ending()));
    let beside = path.with_extension(format!("{}.part", form.ending()));
    let file = ibd_disk::private().write(true).create(true).truncate(true).open(&beside);
    let mut file = BufWriter::new(file.map_err(|error| failed(&error))?);
    let open = || archive.read(entry);
    let written = match form {
        Form::Xml => archive.export(entry, &mut file).map(drop).map_err(|error| failed(&error)),
        Form::Csv => section::export(open, ask, (Format::Csv, &mut file))
            .map(drop)
            .map_err(|error| no_rows(&error)),
        Form::Json => section::export(open, ask, (Format::JsonLines, &mut file))
            .map(drop)
            .map_err(|error| no_rows(&error)),
    };
    let done = written.and_then(|()| {
        file.flush().map_err(|error| failed(&error))?;
        std::fs::rename(&beside, &path).map_err(|error| failed(&error))?;
        std::fs::metadata(&path).map(|meta| meta.len()).map_err(|error| failed(&error))
    });
    match done {
        Ok(bytes) => Ok((path, bytes)),
        Err(refusal) => {
            let _ = std::fs::remove_file(&beside);
            Err(refusal)
        }
    }
}

/// One statement, by the name that it has in a zip archive.
pub type Member = (Option<String>, Result<Box<Added>, AddError>);

/// What came of a file that was handed over.
#[derive(Debug)]
pub enum Imported {
    /// Statements: one, or those of a zip archive with the names that they have in it.
    Statements(Vec<Member>),
    /// The text of the original's memory of queries.
    Queries(io::Result<String>),
}

/// Reads a file that was handed over, whatever it is.
pub fn import(path: &Path, archive: &Archive, known: &[Entry]) -> Imported {
    if is_json(path) {
        return Imported::Queries(std::fs::read_to_string(path));
    }
    let incoming = Incoming { query_id: None, name: None, now: Timestamp::now(), known };
    let add = |source: io::Result<Box<dyn Read>>| {
        let source = source.map_err(AddError::from)?;
        archive.add(source, &incoming).map(Box::new)
    };
    if !is_zip(path) {
        return Imported::Statements(vec![(None, add(unpacked(path)))]);
    }
    let bad = |error: zip::result::ZipError| AddError::from(io::Error::other(error));
    let opened = File::open(path).map_err(AddError::from);
    let opened = opened.and_then(|file| ZipArchive::new(BufReader::new(file)).map_err(bad));
    let mut zip = match opened {
        Ok(zip) => zip,
        Err(error) => return Imported::Statements(vec![(None, Err(error))]),
    };
    let members = (0..zip.len().min(MOST_MEMBERS)).filter_map(|at| match zip.by_index(at) {
        Ok(member) if member.is_dir() => None,
        Ok(member) => {
            let name = member.name().ok().map(Cow::into_owned);
            let added = archive.add(member.take(MOST_UNPACKED), &incoming).map(Box::new);
            Some((name, added))
        }
        Err(error) => Some((None, Err(bad(error)))),
    });
    Imported::Statements(members.collect())
}

fn is_zip(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"PK\x03\x04"
}

/// Whether a file's text is JSON: the original's memory of queries, and no statement.
fn is_json(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
    read.is_ok() && matches!(first, Some(b'{' | b'['))
}

/// What commands that were killed have left in the inbox.
pub fn clear(inbox: &Path) {
    let files = std::fs::read_dir(inbox).into_iter().flatten().flatten();
    for file in files {
        if let Err(error) = std::fs::remove_file(file.path()) {
            tracing::warn!(%error, file = %file.path().display(), "a left file stays");
        }
    }
}
