//! What is written down about an install: `installed.json`.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::checksum::{Checksum, is_short};
use crate::error::{Doing, InstallError};

/// Its name, beside the folders it tells of.
pub(crate) const RECORD: &str = "installed.json";
/// The form of this version's records.
const FORMAT: u32 = 1;
/// Sources whose last checksum is remembered.
const SEEN: usize = 20;

/// An install, and what came before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record<D> {
    format: u32,
    /// Name of the folder beside the record.
    pub folder: String,
    /// Of the archive, or of the folder it was copied from.
    pub sha256: Checksum,
    /// Where it was taken from.
    pub source: String,
    /// Size of the archive, or of the files of a folder, in bytes.
    pub bytes: u64,
    /// When.
    pub installed_at: Timestamp,
    /// The folder before this one, which a running gateway may still use.
    pub previous: Option<String>,
    /// What each source gave the last time.
    pub seen: Vec<Earlier>,
    /// What was found in it.
    pub details: D,
}

/// What a source gave at an earlier time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The source.
    pub source: String,
    /// What it gave.
    pub sha256: Checksum,
    /// When.
    pub installed_at: Timestamp,
}

/// A fresh install, for the record.
pub(crate) struct Fresh<D> {
    /// As in [`Record`].
    pub folder: String,
    /// As in [`Record`].
    pub sha256: Checksum,
    /// As in [`Record`].
    pub source: String,
    /// As in [`Record`].
    pub bytes: u64,
    /// As in [`Record`].
    pub details: D,
}

impl<D> Record<D> {
    /// The record after `before`.
    pub fn after(before: Option<&Self>, fresh: Fresh<D>, now: Timestamp) -> Self {
        let Fresh { folder, sha256, source, bytes, details } = fresh;
        let previous = before.and_then(|before| {
            if before.folder == folder {
                // The same again: what was before it stays so.
                before.previous.clone()
            } else {
                Some(before.folder.clone())
            }
        });
        let mut seen = before.map(|before| before.seen.clone()).unwrap_or_default();
        seen.retain(|earlier| earlier.source != source);
        seen.push(Earlier { source: source.clone(), sha256, installed_at: now });
        seen.drain(..seen.len().saturating_sub(SEEN));
        Self {
            format: FORMAT,
            folder,
            sha256,
            source,
            bytes,
            installed_at: now,
            previous,
            seen,
            details,
        }
    }

    /// What `source` gave before, if that was something else than `sha256`.
    pub fn changed(&self, source: &str, sha256: Checksum) -> Option<Earlier> {
        let earlier = self.seen.iter().find(|earlier| earlier.source == source)?;
        (earlier.sha256 != sha256).then(|| earlier.clone())
    }
}

impl<D: Serialize + DeserializeOwned> Record<D> {
    /// Reads the record in `folder`. `Ok(None)`: there is none. `Err`: why it cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, String> {
        let text = match fs::read(folder.join(RECORD)) {
            Ok(text) => text,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(why.to_string()),
        };
        let record: Self = serde_json::from_slice(&text).map_err(|why| why.to_string())?;
        // The names become paths that are run and removed.
        let names = [Some(&record.folder), record.previous.as_ref()];
        let are_ours = names.into_iter().flatten().all(|name| is_short(name));
        if are_ours {
            Ok(Some(record))
        } else {
            Err("it names a folder that is none of ours".to_owned())
        }
    }

    /// Replaces the record in `folder`: at any moment there is the old one or the new one.
    pub fn write(&self, folder: &Path) -> Result<(), InstallError> {
        let file = folder.join(RECORD);
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from);
        let text = text.doing("writing", &file)?;
        ibd_disk::replace(&file, &text).doing("writing", &file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(folder: &str, source: &str) -> Fresh<()> {
        let sha256 = Checksum::of_text(folder);
        Fresh { folder: folder.into(), sha256, source: source.into(), bytes: 1, details: () }
    }

    fn record(before: Option<&Record<()>>, folder: &str, source: &str) -> Record<()> {
        Record::after(before, fresh(folder, source), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_source_that_gives_something_else_is_noticed_even_after_another_source() {
        let first = record(None, "0000000000000001", "published");
        let other = record(Some(&first), "0000000000000002", "/tmp/x.zip");
        let same = Checksum::of_text("0000000000000001");
        assert_eq!(other.changed("published", same), None);
        let changed = other.changed("published", Checksum::of_text("new")).unwrap();
        assert_eq!(changed.sha256, same);
        assert_eq!(other.changed("/never/seen", Checksum::of_text("new")), None);
    }

    #[test]
    fn installing_the_same_again_keeps_what_was_before_it() {
        let first = record(None, "0000000000000001", "published");
        let second = record(Some(&first), "0000000000000002", "published");
        let again = record(Some(&second), "0000000000000002", "published");
        assert_eq!(again.previous.as_deref(), Some("0000000000000001"));
        assert_eq!(again.seen.len(), 1);
    }

    #[test]
    fn the_memory_of_sources_is_limited() {
        let mut last = record(None, "0000000000000001", "0");
        for number in 1..100 {
            last = record(Some(&last), "0000000000000001", &number.to_string());
        }
        assert_eq!((last.seen.len(), last.seen[SEEN - 1].source.as_str()), (SEEN, "99"));
    }

    #[test]
    fn a_record_is_read_as_written_and_one_that_points_elsewhere_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Record::<()>::read(folder.path()), Ok(None));
        let written = record(None, "0000000000000001", "published");
        written.write(folder.path()).unwrap();
        assert_eq!(Record::read(folder.path()), Ok(Some(written.clone())));
        for evil in ["../../home", "/etc", ""] {
            Record { folder: evil.into(), ..written.clone() }.write(folder.path()).unwrap();
            assert!(Record::<()>::read(folder.path()).is_err(), "{evil}");
        }
        fs::write(folder.path().join(RECORD), "{").unwrap();
        assert!(Record::<()>::read(folder.path()).is_err());
    }
}
