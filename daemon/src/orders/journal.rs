//! The journal on its disk, behind a thread of its own. What was written is durable when
//! `write` returns.

use std::path::Path;

use ibd_cpapi::faults;
use ibd_journal::{AppendError, Journal};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::head::Heads;
use super::record::Record;

type Written = Result<Timestamp, String>;

/// A handle to the journal's thread, which ends with it.
#[derive(Debug)]
pub struct JournalWriter(mpsc::UnboundedSender<(Vec<Vec<u8>>, oneshot::Sender<Written>)>);

impl JournalWriter {
    /// Opens the journal in `folder`, and everything that it says, with the time of each record. It must
    /// go on from what `heads` knows of it.
    pub fn open(folder: &Path, heads: &Heads) -> Result<(Self, Vec<(Record, Timestamp)>), String> {
        #[cfg(feature = "faults")]
        ibd_journal::set_point_hook(faults::point);
        let closed =
            |why: String| format!("the journal in {} cannot be opened: {why}", folder.display());
        let kept = heads.kept().map_err(closed)?;
        let opened = Journal::open_after(folder, kept)
            .map_err(|error| closed(format!("{error}{}", heads.way_out(&error))))?;
        if let Some(torn) = &opened.torn {
            tracing::warn!(?torn, "an unfinished end of the journal was cut off");
        }
        let mut records = Vec::with_capacity(opened.entries.len());
        for entry in &opened.entries {
            let record = Record::from_bytes(&entry.payload)
                .map_err(|error| closed(format!("record {}: {error}", entry.seq)))?;
            records.push((record, entry.at));
        }
        let (to, from) = mpsc::unbounded_channel();
        let (journal, heads) = (opened.journal, heads.clone());
        heads.advance(journal.head());
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || serve(journal, &heads, from))
            .map_err(|error| closed(error.to_string()))?;
        Ok((Self(to), records))
    }

    /// Writes records together: durable when this returns. After an error nothing more is written. No
    /// records at all: whether the journal is still the one on the disk.
    pub async fn write(&self, records: &[Record]) -> Written {
        let bytes = records.iter().map(Record::to_bytes).collect::<Result<Vec<_>, _>>();
        let bytes = bytes.map_err(|error| error.to_string())?;
        let (reply, written) = oneshot::channel();
        let gone = || "the journal's thread is gone".to_owned();
        self.0.send((bytes, reply)).map_err(|_| gone())?;
        written.await.map_err(|_| gone())?
    }
}

fn serve(
    mut journal: Journal,
    heads: &Heads,
    mut from: mpsc::UnboundedReceiver<(Vec<Vec<u8>>, oneshot::Sender<Written>)>,
) {
    #[cfg(feature = "faults")]
    let mut held = Vec::new();
    while let Some((records, reply)) = from.blocking_recv() {
        if records.is_empty() {
            let _ = reply.send(append(&mut journal, &[]));
            continue;
        }
        #[cfg(feature = "faults")]
        let Some(records) = super::mutant::held_back(&mut held, records) else {
            let _ = reply.send(Ok(Timestamp::now()));
            continue;
        };
        faults::point("journal.before");
        let payloads: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let written = append(&mut journal, &payloads);
        if written.is_ok() {
            heads.advance(journal.head());
        }
        faults::point("journal.after");
        let _ = reply.send(written);
    }
}

fn append(journal: &mut Journal, payloads: &[&[u8]]) -> Written {
    let written = journal.append(payloads).map_err(|error: AppendError| error.to_string());
    written.map(|_| Timestamp::now())
}
