//! What is known of the journal's end besides the journal itself: what this daemon has written last, and
//! the file beside the journal's folder that says it to the next one. A journal that ends before either was
//! emptied, put back or moved away.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ibd_journal::{Head, HeadFile, OpenError, Why};

/// Where the file lies, beside the journal's folder.
const FILE: &str = "journal.head";

/// The journal's end. Clones are the same one: the journal's thread writes it, the actor reads it.
#[derive(Debug, Clone)]
pub struct Heads {
    path: PathBuf,
    file: HeadFile,
    /// Of this daemon's journal; nothing before it was opened.
    held: Arc<Mutex<Option<Head>>>,
}

impl Heads {
    /// Of the journal in `folder`.
    pub fn of(folder: &Path) -> Self {
        let path = folder.with_file_name(FILE);
        Self { file: HeadFile::at(&path), path, held: Arc::default() }
    }

    /// What an earlier daemon kept. One that a crash tore says nothing.
    pub fn kept(&self) -> Result<Option<Head>, String> {
        match self.file.read() {
            Ok(kept) => Ok(kept.head()),
            Err(error) => Err(format!("{} cannot be read: {error}", self.path.display())),
        }
    }

    /// The journal is durable up to here.
    pub fn advance(&self, head: Head) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
        if let Err(error) = self.file.write(head) {
            // It lags behind then, and shows less; it is not wrong.
            tracing::warn!(%error, file = %self.path.display(), "the journal's head could not be kept");
        }
    }

    /// The last record that this daemon wrote or read.
    pub fn held(&self) -> Option<Head> {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that the journal must hold.
    pub fn all(&self) -> Vec<Head> {
        self.held().into_iter().chain(self.kept().ok().flatten()).collect()
    }

    /// What to do about a journal that cannot be opened, where it is not the disk's fault.
    pub fn way_out(&self, error: &OpenError) -> String {
        match error {
            OpenError::Damaged(broken) if matches!(broken.why, Why::Behind(_) | Why::Another) => {
                format!(
                    "; put it back if you moved it; else keep what is there, see in TWS what works, then move \
                     the folder and {} away and `ibctl restart`",
                    self.path.display()
                )
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ibd_journal::verify_after;

    use super::super::journal::JournalWriter;
    use super::super::record::Record;
    use super::*;

    fn note(text: &str) -> Record {
        Record::Note { id: None, text: text.to_owned() }
    }

    fn why_closed(folder: &Path) -> String {
        JournalWriter::open(folder, &Heads::of(folder)).map(|_| ()).unwrap_err()
    }

    #[tokio::test]
    async fn what_was_acknowledged_is_kept_beside_the_journal() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("journal");
        let heads = Heads::of(&folder);
        let (writer, _) = JournalWriter::open(&folder, &heads).unwrap();
        writer.write(&[note("one"), note("two")]).await.unwrap();
        let head = heads.held().unwrap();
        assert_eq!(head.seq, 2);
        assert_eq!(Heads::of(&folder).kept(), Ok(Some(head)));
        assert_eq!(verify_after(&folder, &heads.all()).unwrap().head, head.hash);
    }

    #[tokio::test]
    async fn a_journal_that_vanishes_refuses_the_next_step_and_is_no_fresh_start() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("journal");
        let heads = Heads::of(&folder);
        let (writer, _) = JournalWriter::open(&folder, &heads).unwrap();
        writer.write(&[note("one")]).await.unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let refused = writer.write(&[note("two")]).await.unwrap_err();
        assert!(refused.contains("removed, moved or replaced"), "{refused}");
        assert!(writer.write(&[]).await.is_err(), "seen without a step, too");
        assert!(verify_after(&folder, &heads.all()).is_err(), "not: whole, 0 records");
        drop(writer);
        let closed = why_closed(&folder);
        assert!(closed.contains("journal.head away"), "{closed}");
        assert!(!folder.exists());
        std::fs::create_dir(&folder).unwrap();
        assert!(why_closed(&folder).contains("ends at record 0"));
        // The documented way out.
        std::fs::remove_file(home.path().join(FILE)).unwrap();
        let (_, records) = JournalWriter::open(&folder, &Heads::of(&folder)).unwrap();
        assert!(records.is_empty());
    }

    #[tokio::test]
    async fn a_head_that_is_missing_or_torn_is_taken_from_the_journal() {
        let home = tempfile::tempdir().unwrap();
        let (folder, file) = (home.path().join("journal"), home.path().join(FILE));
        let heads = Heads::of(&folder);
        let (writer, _) = JournalWriter::open(&folder, &heads).unwrap();
        writer.write(&[note("one")]).await.unwrap();
        let whole = std::fs::read(&file).unwrap();
        drop(writer);
        for content in [None, Some(&b""[..]), Some(&whole[..40])] {
            match content {
                Some(content) => std::fs::write(&file, content).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            let opened = loop {
                // The thread of the one before lets go of the folder in a moment.
                match JournalWriter::open(&folder, &Heads::of(&folder)) {
                    Err(why) if why.contains("in use") => std::thread::yield_now(),
                    opened => break opened,
                }
            };
            assert_eq!(opened.unwrap().1.len(), 1);
            assert_eq!(std::fs::read(&file).unwrap(), whole);
        }
    }

    #[test]
    fn a_head_that_cannot_be_read_keeps_trading_closed() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(FILE)).unwrap();
        let closed = why_closed(&home.path().join("journal"));
        assert!(closed.contains("journal.head cannot be read"), "{closed}");
    }
}
