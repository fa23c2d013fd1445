//! A contract that somebody follows: told of every value that moves, on a line that it shares with whoever asks.

use std::sync::Arc;

use ibd_cpapi::id::Conid;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{MarketHandle, Shared};

/// A contract that somebody follows, until it is dropped.
#[derive(Debug)]
pub struct Followed {
    shared: Arc<Shared>,
    conid: Conid,
    moved: watch::Receiver<u64>,
    is_live: bool,
}

impl MarketHandle {
    /// Follows a contract. `None`: as many as can be are followed already.
    pub fn follow(&self, conid: Conid) -> Option<Followed> {
        let shared = self.shared.clone();
        let mut moves = shared.moves();
        if !shared.lines().followers.join(conid) {
            return None;
        }
        let moved = moves.entry(conid).or_default().subscribe();
        drop(moves);
        Some(Followed { shared, conid, moved, is_live: false })
    }
}

impl Followed {
    /// Takes a line for it while that is so; it has none at first.
    pub fn set_live(&mut self, is_live: bool) {
        if std::mem::replace(&mut self.is_live, is_live) == is_live {
            return;
        }
        let now = Instant::now().into_std();
        let mut lines = self.shared.lines();
        lines.followers.turn(self.conid, is_live);
        let is_more = is_live && lines.want(&[self.conid], now);
        drop(lines);
        if is_more {
            self.shared.follow();
        }
    }

    /// Until any value of it has moved, or may have.
    pub async fn moved(&mut self) {
        // Who tells is there as long as anybody follows.
        let _ = self.moved.changed().await;
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.set_live(false);
        let mut moves = self.shared.moves();
        let mut lines = self.shared.lines();
        lines.followers.leave(self.conid);
        if !lines.followers.has(self.conid) {
            moves.remove(&self.conid);
        }
    }
}
