//! Zip archives.

use std::fs::File;
use std::io::{BufReader, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::links::Links;
use super::{Unpacking, inside};
use crate::error::InstallError;
use crate::progress::Stage;

/// A link's target is a path, not a file.
const MAX_TARGET: u64 = 4096;

/// Unpacks all files; links are only collected.
pub(super) fn unpack(
    file: File,
    to: &mut Unpacking<'_>,
    links: &mut Links,
) -> Result<(), InstallError> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let total = archive.decompressed_size().and_then(|size| u64::try_from(size).ok());
    let mut done = 0;
    for index in 0..archive.len() {
        to.reporter.tell(Stage::Unpacking, done, total);
        to.budget.take_entry()?;
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let Some(path) = inside(&name)? else { continue };
        if entry.is_dir() {
            to.folder(&path)?;
        } else if entry.is_symlink() {
            let mut target = String::new();
            let read = entry.by_ref().take(MAX_TARGET).read_to_string(&mut target);
            read.map_err(|why| InstallError::Damaged(format!("{name}: {why}")))?;
            links.add(path, &target)?;
        } else {
            let mode = entry.unix_mode().unwrap_or_default();
            done += to.file(&path, &mut entry, mode)?;
        }
    }
    to.reporter.tell(Stage::Unpacking, done, Some(done));
    Ok(())
}

fn damaged(error: ZipError) -> InstallError {
    InstallError::Damaged(error.to_string())
}
