//! A download that is not whole yet, and the note that tells what it is a part of.

use std::path::{Path, PathBuf};

use reqwest::header::{self, HeaderMap};
use serde::{Deserialize, Serialize};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncSeekExt;
use url::Url;

use crate::checksum::Checksum;
use crate::error::{Doing, InstallError};

/// `<name>.part` and `<name>.json` in the folder of downloads.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The bytes so far.
    pub file: PathBuf,
    note: PathBuf,
}

/// Which file at which address it is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// A hash of the address: the address itself may hold a token.
    url: Checksum,
    etag: Option<String>,
    last_modified: Option<String>,
    /// Size of the whole file, in bytes.
    pub length: Option<u64>,
}

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resume {
    /// Bytes that are here.
    pub from: u64,
    /// What they are part of.
    pub note: Note,
}

impl Note {
    /// What a server says of the file; `length` is that of the whole.
    pub fn of(url: &Url, headers: &HeaderMap, length: Option<u64>) -> Self {
        let text = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
        Self {
            url: Checksum::of_text(url.as_str()),
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED),
            length,
        }
    }

    /// What `If-Range` may hold: by a weak tag a server cannot tell two files apart byte for byte.
    pub fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }

    /// Whether the rest that a server sends is the rest of this one. Servers exist that send a range
    /// whatever `If-Range` says.
    pub fn is_of_same(&self, other: &Self) -> bool {
        let contradicts =
            |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        self.url == other.url
            && !contradicts(&self.etag, &other.etag)
            && !contradicts(&self.last_modified, &other.last_modified)
            && (self.length.is_none() || other.length.is_none() || self.length == other.length)
    }
}

impl Part {
    /// The download of `url` in `folder`; `kind` keeps the kinds apart.
    pub fn new(folder: &Path, kind: &str, url: &Url) -> Self {
        let name = format!("{kind}-{}", Checksum::of_text(url.as_str()).short());
        Self {
            file: folder.join(format!("{name}.part")),
            note: folder.join(format!("{name}.json")),
        }
    }

    /// Where an earlier attempt ended, if it can be gone on with.
    pub(super) async fn resume(&self, url: &Url) -> Option<Resume> {
        let note: Note = serde_json::from_slice(&fs::read(&self.note).await.ok()?).ok()?;
        let from = fs::metadata(&self.file).await.ok()?.len();
        let is_rest = from > 0 && note.length.is_none_or(|length| from < length);
        let is_known = note.url == Checksum::of_text(url.as_str()) && note.validator().is_some();
        (is_rest && is_known).then_some(Resume { from, note })
    }

    /// Opens it for what comes after `from` bytes of what `note` describes.
    pub(super) async fn open(&self, from: u64, note: &Note) -> Result<File, InstallError> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.file)
            .await
            .doing("writing", &self.file)?;
        // Before the note: a new note must never describe an old file.
        file.set_len(from).await.doing("writing", &self.file)?;
        file.seek(std::io::SeekFrom::Start(from)).await.doing("writing", &self.file)?;
        let text = serde_json::to_vec(note).unwrap_or_default();
        fs::write(&self.note, text).await.doing("writing", &self.note)?;
        Ok(file)
    }

    /// What is here, in bytes.
    pub(super) async fn size(&self) -> u64 {
        fs::metadata(&self.file).await.map_or(0, |about| about.len())
    }

    /// Forgets it. What is gone already is no error.
    pub async fn discard(&self) {
        // The note first: a part without one is never gone on with.
        for file in [&self.note, &self.file] {
            let _ = fs::remove_file(file).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(etag: Option<&str>, modified: Option<&str>, length: Option<u64>) -> Note {
        Note {
            url: Checksum::of_text("https://example.com/x"),
            etag: etag.map(str::to_owned),
            last_modified: modified.map(str::to_owned),
            length,
        }
    }

    #[test]
    fn a_weak_tag_proves_nothing_but_a_date_beside_it_does() {
        assert_eq!(note(Some("\"a\""), Some("Mon"), None).validator(), Some("\"a\""));
        assert_eq!(note(Some("W/\"a\""), Some("Mon"), None).validator(), Some("Mon"));
        assert_eq!(note(Some("W/\"a\""), None, None).validator(), None);
    }

    #[test]
    fn another_tag_date_or_length_is_another_file() {
        let ours = note(Some("\"a\""), Some("Mon"), Some(9));
        assert!(ours.is_of_same(&note(None, None, None)));
        assert!(ours.is_of_same(&ours.clone()));
        assert!(!ours.is_of_same(&note(Some("\"b\""), None, None)));
        assert!(!ours.is_of_same(&note(None, Some("Tue"), None)));
        assert!(!ours.is_of_same(&note(None, None, Some(8))));
    }

    #[tokio::test]
    async fn only_an_unfinished_part_of_the_same_address_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::parse("https://example.com/x").unwrap();
        let part = Part::new(folder.path(), "gateway", &url);
        assert_eq!(part.resume(&url).await, None);
        let unproved = note(None, None, Some(9));
        let note = note(Some("\"a\""), None, Some(9));
        part.open(0, &note).await.unwrap();
        assert_eq!(part.resume(&url).await, None);
        fs::write(&part.file, "12345").await.unwrap();
        assert_eq!(part.resume(&url).await, Some(Resume { from: 5, note: note.clone() }));
        assert_eq!(part.resume(&Url::parse("https://example.com/y").unwrap()).await, None);
        part.open(5, &unproved).await.unwrap();
        assert_eq!(part.resume(&url).await, None);
        part.open(5, &note).await.unwrap();
        fs::write(&part.file, "123456789").await.unwrap();
        assert_eq!(part.resume(&url).await, None);
        fs::write(&part.file, "12345").await.unwrap();
        part.discard().await;
        assert_eq!((part.resume(&url).await, part.size().await), (None, 0));
    }
}
