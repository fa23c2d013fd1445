//! The journal as a person reads it.

use ibd_protocol::{AuditLine, OrdersReport};

use super::State;
use super::record::Record;

impl State {
    /// The newest entries of the journal.
    pub(super) fn audit(&self, count: u32) -> OrdersReport {
        match self.ledger.newest(count as usize) {
            Ok(entries) if count > 0 && self.ledger.is_cut(&entries) => self.report(
                false,
                "The trail ends before what this daemon wrote last: its files were removed, moved or replaced.",
                "`ibctl audit verify` says more.",
            ),
            Ok(entries) => {
                let mut report = self.report(true, "", "");
                report.audit = entries.iter().map(line).collect();
                report
            }
            Err(broken) => self.report(
                false,
                format!("The trail cannot be read: {broken}."),
                "`ibctl audit verify` says where.",
            ),
        }
    }

    /// Whether the journal is whole.
    pub(super) fn verify(&self) -> OrdersReport {
        match self.ledger.verify() {
            Ok(verified) => {
                let text = format!(
                    "The audit trail is whole: {} records; the last hash is {}.",
                    verified.records, verified.head
                );
                self.report(
                    true,
                    text,
                    "Keep that hash elsewhere: it shows later that nothing before it was changed.",
                )
            }
            Err(broken) => self.report(
                false,
                format!("The audit trail is broken: {broken}."),
                "Trading stays closed. Keep the folder as it is and look for a backup.",
            ),
        }
    }
}

fn line(entry: &ibd_journal::Entry) -> AuditLine {
    let (what, intent, client, text) = match Record::from_bytes(&entry.payload) {
        Ok(record) => (
            record.what(),
            record.intent().map(|id| id.to_string()),
            record.client().map(str::to_owned),
            record.text(),
        ),
        Err(error) => ("unreadable".to_owned(), None, None, error.to_string()),
    };
    AuditLine {
        seq: entry.seq,
        at: entry.at.to_string(),
        what,
        intent_id: intent,
        client,
        text,
        hash: entry.hash.to_string(),
    }
}
