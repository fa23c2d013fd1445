//! What is known of every intent, and the journal that says so. What is not durable is not known; only what goes on
//! at once is written together with its next step.

use std::collections::HashMap;
use std::path::PathBuf;

use ibd_journal::{Broken, Entry, Verified};
use jiff::Timestamp;

use super::book::Book;
use super::head::Heads;
use super::intent::{Intent, IntentId};
use super::journal::JournalWriter;
use super::life;
use super::record::Record;

/// The book and its journal.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Every intent.
    pub(super) book: Book,
    /// Where every step is written before it is acted on. An error: why trading is closed.
    pub(super) journal: Result<JournalWriter, String>,
    /// Intents whose first state stands in no journal yet, because nothing of it was told to anybody.
    unwritten: Vec<IntentId>,
    /// The question that was answered, by its secret token.
    tokens: HashMap<String, IntentId>,
    folder: PathBuf,
    /// What the journal must hold, known besides it.
    heads: Heads,
}

impl Ledger {
    /// Reads the journal in `folder`. Without it trading is closed; what can be looked at still can.
    pub(super) fn open(folder: PathBuf) -> Self {
        let heads = Heads::of(&folder);
        let opened = JournalWriter::open(&folder, &heads);
        let mut ledger = Self {
            book: Book::default(),
            journal: Err("the journal is being read".to_owned()),
            unwritten: Vec::new(),
            tokens: HashMap::new(),
            folder,
            heads,
        };
        ledger.journal = opened.map(|(writer, records)| {
            for (record, at) in records {
                ledger.apply(record, at);
            }
            ledger.book.tidy(Timestamp::now());
            writer
        });
        if let Err(why) = &ledger.journal {
            tracing::error!(why, "the journal cannot be used; trading is closed");
        }
        ledger
    }

    /// Takes a step that the journal has, or that could not be written and is so all the same.
    pub(super) fn apply(&mut self, record: Record, at: Timestamp) {
        self.remember_token(&record);
        self.book.apply(record, at);
    }

    /// Enters an intent that goes on at once: its beginning is written together with its next step.
    pub(super) fn enter_unwritten(&mut self, intent: Intent) {
        self.unwritten.push(intent.id);
        self.apply(Record::Intent(Box::new(intent)), Timestamp::now());
    }

    /// Writes steps of an intent, together with its beginning if that is not written yet.
    pub(super) async fn write(&mut self, id: IntentId, steps: Vec<Record>) -> Result<(), String> {
        let beginning = self
            .unwritten
            .contains(&id)
            .then(|| self.book.get(id))
            .flatten()
            .map(|intent| Record::Intent(Box::new(intent.clone())));
        self.write_all(beginning.into_iter().chain(steps).collect()).await?;
        self.unwritten.retain(|one| *one != id);
        Ok(())
    }

    /// Durable, then known. If it cannot be made durable, trading is closed from then on. No records at all: whether
    /// the journal is still the one on the disk.
    pub(super) async fn write_all(&mut self, records: Vec<Record>) -> Result<(), String> {
        let writer = self.journal.as_ref().map_err(Clone::clone)?;
        let at = match writer.write(&records).await {
            Ok(at) => at,
            Err(why) => {
                let why = format!("the journal cannot be written ({why})");
                self.journal = Err(why.clone());
                return Err(why);
            }
        };
        for record in records {
            self.apply(record, at);
        }
        Ok(())
    }

    /// What a request came to that was made before, by its key, or by the question that was answered.
    pub(super) fn known(&self, key: &str, token: Option<&str>) -> Option<Intent> {
        let by_token = token.and_then(|token| self.tokens.get(token)).copied();
        let first = by_token.or_else(|| self.book.by_key(key).map(|intent| intent.id))?;
        self.book.latest(first).cloned()
    }

    /// The newest entries of the journal on the disk, `most` at most.
    pub(super) fn newest(&self, most: usize) -> Result<Vec<Entry>, Broken> {
        ibd_journal::read(&self.folder, most)
    }

    /// Whether the newest entries end before what this daemon wrote last.
    pub(super) fn is_cut(&self, newest: &[Entry]) -> bool {
        let wrote = self.heads.held().map_or(0, |head| head.seq);
        newest.last().map_or(0, |entry| entry.seq) < wrote
    }

    /// Reads all of the journal, and whether it is whole.
    pub(super) fn verify(&self) -> Result<Verified, Broken> {
        ibd_journal::verify_after(&self.folder, &self.heads.all())
    }

    /// Approvals are found by their secret token also after they were answered.
    fn remember_token(&mut self, record: &Record) {
        let (id, state) = match record {
            Record::Intent(intent) => (intent.id, &intent.state),
            Record::Became { id, state, .. } => (*id, &**state),
            _ => return,
        };
        if let life::State::Awaiting(approval) = state {
            self.tokens.insert(approval.token.clone(), id);
        }
    }
}
