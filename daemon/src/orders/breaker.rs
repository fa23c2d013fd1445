//! The journal of the desk, and what freezes trading: a person, or too many rejects.

use ibd_protocol::Level;

use super::State;
use super::intent::IntentId;
use super::record::Record;

impl State {
    /// Writes steps of an intent: durable, then known.
    pub(super) async fn write(&mut self, id: IntentId, steps: Vec<Record>) -> Result<(), String> {
        let written = self.ledger.write(id, steps).await;
        self.publish_if_closed(written)
    }

    /// Writes records together.
    pub(super) async fn write_all(&mut self, records: Vec<Record>) -> Result<(), String> {
        let written = self.ledger.write_all(records).await;
        self.publish_if_closed(written)
    }

    /// Trading closes with the journal, and everybody sees that.
    fn publish_if_closed(&self, written: Result<(), String>) -> Result<(), String> {
        if written.is_err() {
            self.publish();
        }
        written
    }

    /// Why nothing new is sent, if a person or the breaker has frozen trading. The files count by themselves.
    pub(super) fn frozen(&self) -> Option<String> {
        if let Some(by) = self.ledger.book.frozen() {
            return Some(format!("frozen by {by}"));
        }
        if self.controls.flags.is_own_up() {
            return Some("frozen by a person".to_owned());
        }
        let shared = self.controls.flags.shared_up()?;
        Some(format!("frozen for every profile (by {})", shared.display()))
    }

    /// Raises the flags beside what the journal says. What cannot be raised is told: another profile would not
    /// know that trading is frozen, nor a daemon whose journal is lost. `Some`: why.
    pub(super) fn raise_flags(&self) -> Option<String> {
        let error = self.controls.flags.raise().err().map(|error| error.to_string());
        match &error {
            None => self.board.clear("freeze_not_shared"),
            Some(error) => {
                tracing::error!(error, "a flag that freezes trading could not be written");
                self.board.note(
                    "freeze_not_shared",
                    format!("Trading is frozen here, and a file that says so to others could not be written: {error}."),
                    "Make room, then `ibctl freeze`; or stop the daemons of other profiles.",
                );
            }
        }
        error
    }

    /// Too many rejects in a row are no accident: a person looks before anything more is sent.
    pub(super) async fn look_for_breaker(&mut self) {
        let rejects = self.ledger.book.rejects();
        let limit = self.breaker(rejects);
        if rejects < limit || self.ledger.book.frozen().is_some() {
            return;
        }
        let by = format!(
            "the breaker: {rejects} orders in a row were rejected (IB_BREAKER_REJECTS={limit})"
        );
        self.raise_flags();
        if self.write_all(vec![Record::Frozen { by: by.clone() }]).await.is_ok() {
            self.say(
                Level::Warning,
                "trading_frozen",
                format!("Trading is frozen by {by}."),
                "`ibctl orders` shows why; `ibctl unfreeze` lets orders through again.",
            );
        }
    }

    /// Rejects in a row that are too many for whoever asked for one of these last orders.
    fn breaker(&self, rejects: u64) -> u64 {
        let latest = usize::try_from(rejects).unwrap_or(usize::MAX).saturating_add(1);
        let asked = self.ledger.book.iter().rev().filter(|intent| intent.is_order()).take(latest);
        let own = self.controls.limits.strictest(&[], false).breaker;
        asked.map(|intent| self.controls.rules_of(intent).breaker).fold(own, u64::min)
    }
}
