//! The archive of statements, as the actor has it: opened, added to, taken from, and files taken over into it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use ibd_flex::archive::{Added, Archive, Entry, Keep, Why, prune};
use ibd_protocol::{ErrorCode, places};
use jiff::Timestamp;
use ractor::{ActorRef, RpcReplyPort};
use ulid::Ulid;

use super::files::{self, Imported};
use super::memory::QueryId;
use super::{Msg, Pruning, State, words};
use crate::board::Board;
use crate::refusal::Refusal;

/// Opens the archive; what is damaged is set aside and reported.
pub(super) fn open(folder: &Path, board: &Board) -> io::Result<(Archive, Vec<Entry>)> {
    files::clear(&folder.with_file_name(places::INBOX));
    let archive = Archive::open(folder)?;
    let scan = archive.scan()?;
    for damaged in scan.damaged {
        tracing::error!(%damaged, "a Flex statement is damaged");
        let what = match damaged.why {
            Why::Version(_) => "is left alone",
            _ => match archive.set_aside(&damaged.file) {
                Ok(_) => "was set aside in the folder `damaged`",
                Err(_) => "could not be set aside",
            },
        };
        board.note(
            "flex_statement_damaged",
            format!("A Flex statement cannot be read and {what}: {damaged}."),
            "Run the query again to have the statement again.",
        );
    }
    Ok((archive, scan.entries))
}

/// Whether a statement is of that query.
pub fn is_of(entry: &Entry, query: &QueryId) -> bool {
    entry.query_id.as_deref() == Some(query.as_str())
}

impl State {
    /// The list of statements as it is now that one came.
    pub(super) fn enter(&mut self, added: &Added) {
        let mut entries = Vec::clone(&self.entries);
        let is_gone = |entry: &Entry| added.replaced.iter().any(|old| old.file == entry.file);
        entries.retain(|entry| entry.file != added.entry.file && !is_gone(entry));
        // It was the same as one that was removed in this moment.
        let is_there = |archive: &Archive| archive.folder().join(&added.entry.file).is_file();
        if !self.archive.as_ref().is_ok_and(is_there) {
            self.entries = Arc::new(entries);
            return;
        }
        // The same as before, byte for byte, was fetched now all the same.
        entries.push(Entry { added: Timestamp::now(), ..added.entry.clone() });
        self.entries = Arc::new(entries);
    }

    /// Removes what need not be kept, oldest first, or only says what that is.
    pub(super) fn prune(&mut self, keep: &Keep, how: Pruning) -> Result<Vec<Entry>, Refusal> {
        let archive = self.archive.as_ref().map_err(|why| words::not_stored(why))?;
        let gone = prune(&self.entries, keep);
        if how == Pruning::Trial {
            return Ok(gone);
        }
        for entry in &gone {
            archive.remove(entry).map_err(|error| words::not_stored(&error.to_string()))?;
            let mut entries = Vec::clone(&self.entries);
            entries.retain(|one| one.file != entry.file);
            self.entries = Arc::new(entries);
        }
        Ok(gone)
    }

    /// Removes statements from disk; how many.
    pub(super) fn remove(&mut self, is_meant: impl Fn(&Entry) -> bool) -> Result<usize, Refusal> {
        let Ok(archive) = &self.archive else { return Ok(0) };
        let (own, others): (Vec<Entry>, Vec<Entry>) =
            self.entries.iter().cloned().partition(|entry| is_meant(entry));
        for entry in &own {
            archive.remove(entry).map_err(|error| words::not_stored(&error.to_string()))?;
        }
        self.entries = Arc::new(others);
        Ok(own.len())
    }

    pub(super) fn import(
        &mut self,
        me: &ActorRef<Msg>,
        name: Ulid,
        reply: RpcReplyPort<Result<String, Refusal>>,
    ) {
        let archive = match &self.archive {
            Ok(archive) => archive.clone(),
            Err(why) => {
                let _ = reply.send(Err(words::not_stored(why)));
                return;
            }
        };
        let path = archive.folder().with_file_name(places::INBOX).join(name.to_string());
        let (me, known) = (me.clone(), self.entries.clone());
        tokio::task::spawn_blocking(move || {
            let imported = files::import(&path, &archive, &known);
            let _ = me.cast(Msg::Imported(Box::new(imported), reply));
        });
    }

    pub(super) fn imported(&mut self, imported: Imported) -> Result<String, Refusal> {
        let bad = |why: String| {
            Refusal::new(
                ErrorCode::FlexImport,
                why,
                "Nothing was changed. Give a statement's XML, or the original's flex-queries.json.",
            )
        };
        match imported {
            Imported::Statements(all) => {
                let mut told = Vec::new();
                for (member, added) in all {
                    match added {
                        Ok(added) => {
                            self.enter(&added);
                            told.push(Ok(words::imported(&added)));
                        }
                        Err(error) => told.push(Err(words::in_member(member.as_deref(), &error))),
                    }
                }
                if told.iter().any(Result::is_ok) {
                    Ok(told
                        .into_iter()
                        .map(|one| one.unwrap_or_else(|bad| bad))
                        .collect::<Vec<_>>()
                        .join(" "))
                } else {
                    let why: Vec<String> = told.into_iter().filter_map(Result::err).collect();
                    Err(bad(why.join(" ")))
                }
            }
            Imported::Queries(text) => {
                let text = text.map_err(|error| bad(error.to_string()))?;
                let new = self
                    .memory
                    .import(&text, Timestamp::now())
                    .ok_or_else(|| bad("This is no flex-queries.json.".to_owned()))?;
                let saved = self.memory.save(&self.store);
                saved.map_err(|error| words::not_stored(&error.to_string()))?;
                Ok(format!("{new} queries were taken over."))
            }
        }
    }
}
