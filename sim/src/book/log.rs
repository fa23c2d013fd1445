//! What changed, in order: the websockets read it as it grows, and the orders list, later, too.

use std::collections::VecDeque;

use super::{Order, Trade};

/// Changes kept for those who have not read them yet.
const KEPT: usize = 20_000;

/// One change.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// An order appeared, or is another than before: the whole row.
    Row(Box<Order>),
    /// An order is there: only its ids.
    Mark(Box<Order>),
    /// Its status changed.
    Status(Box<Order>),
    /// Some of it was filled.
    Fill(Box<Order>),
    /// Something changed that only the list, the page and the trades tell.
    Quiet(Box<Order>),
    /// An execution, for the first time without its commission.
    Trade(Box<Trade>),
}

impl News {
    /// The order as it was then; trades have none.
    fn order(&self) -> Option<&Order> {
        match self {
            Self::Row(order)
            | Self::Mark(order)
            | Self::Status(order)
            | Self::Fill(order)
            | Self::Quiet(order) => Some(order),
            Self::Trade(_) => None,
        }
    }
}

/// The changes, numbered without gaps; the oldest are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Log {
    first: u64,
    entries: VecDeque<(i64, News)>,
    /// Number of the next change that the orders list has not seen.
    shown: u64,
}

impl Log {
    /// An empty log whose numbers go on where this one's end.
    pub(crate) fn successor(&self) -> Self {
        let next = self.next();
        Self { first: next, entries: VecDeque::new(), shown: next }
    }

    /// Notes a change. An order that the list will never see again comes back.
    pub(super) fn note(&mut self, at_ms: i64, news: News) -> Option<Order> {
        self.entries.push_back((at_ms, news));
        if self.entries.len() <= KEPT {
            return None;
        }
        self.first += 1;
        let (_, dropped) = self.entries.pop_front()?;
        let was_shown = self.shown >= self.first;
        self.shown = self.shown.max(self.first);
        dropped.order().filter(|_| !was_shown).cloned()
    }

    /// The number that the next change will get.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The changes from this number on.
    pub(crate) fn since(&self, number: u64) -> impl Iterator<Item = &News> {
        let skip = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skip).map(|(_, news)| news)
    }

    /// Orders as they were at this moment (epoch milliseconds) and were not shown before, oldest first.
    pub(super) fn show(&mut self, until_ms: i64) -> Vec<Order> {
        let skip = usize::try_from(self.shown.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let fresh = self.entries.iter().skip(skip).take_while(|(at, _)| *at <= until_ms);
        let fresh: Vec<_> = fresh.map(|(_, news)| news.order().cloned()).collect();
        self.shown += fresh.len() as u64;
        fresh.into_iter().flatten().collect()
    }
}
