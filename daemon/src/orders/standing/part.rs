//! Another order of a submission, and what newer word of it changes. Pure.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{Meaning, OrderType, Tif};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::seen::Seen;
use super::{Standing, is_less};
use crate::orders::life::Sight;
use ibd_cpapi::exact;

/// A bracket's child, or another order of a one-cancels-all group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The broker's id.
    pub order_id: OrderId,
    /// How it was last seen; nothing until it was.
    pub status: Option<Seen>,
    /// What is filled.
    #[serde(with = "exact::opt")]
    pub filled: Option<Decimal>,
    /// The average price of that.
    #[serde(with = "exact::opt")]
    pub average: Option<Decimal>,
    /// The broker's line about it: untrusted text, cleaned.
    pub text: Option<String>,
    /// Its kind and price as the broker shows them: `STP 95`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// For how long its own page says that it is good. `None`: no page was read, and it is as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tif: Option<Tif>,
}

impl Part {
    /// One that has not been seen yet.
    pub fn new(order_id: OrderId) -> Self {
        Self {
            order_id,
            status: None,
            filled: None,
            average: None,
            text: None,
            terms: None,
            tif: None,
        }
    }

    /// Its kind, as far as it was seen.
    pub fn kind(&self) -> Option<OrderType> {
        self.terms.as_deref()?.split(' ').next()?.parse().ok()
    }

    /// What the broker's word means; nothing is known until it was seen.
    pub fn meaning(&self) -> Meaning {
        self.status.as_ref().map_or(Meaning::Unknown, Seen::meaning)
    }

    /// How it was last seen, in a word; empty until it was.
    pub fn word(&self) -> &str {
        self.status.as_ref().map_or("", Seen::as_str)
    }

    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        self.status.as_ref().is_some_and(Seen::is_over)
    }

    /// Whether the broker's lists no longer have it, and it has ended by itself.
    pub fn is_unlisted(&self) -> bool {
        self.status == Some(Seen::Unlisted)
    }

    /// Whether the broker's lists no longer have it, though it does not end by itself.
    pub fn is_missing(&self) -> bool {
        self.status == Some(Seen::Missing)
    }

    /// Less of it is filled than is known.
    pub fn is_older_than(&self, known: &Self) -> bool {
        is_less(self.filled, known.filled)
    }

    /// What its own page makes of it: that may bring it back from its end, and, where it was asked for well after
    /// everything that is known, take a fill back.
    pub fn shown(&self, page: &Self, sight: Sight) -> Self {
        let counts = sight == Sight::Since
            || sight == Sight::Now && !page.is_over() && !page.is_older_than(self);
        if counts { self.replaced(page) } else { self.updated(page) }
    }

    /// Whether all of it is filled.
    pub fn is_filled(&self) -> bool {
        self.meaning() == Meaning::Filled
    }

    pub(super) fn updated(&self, news: &Self) -> Self {
        let is_further = news.filled.unwrap_or_default() > self.filled.unwrap_or_default();
        if news.is_older_than(self) {
            return self.clone();
        }
        // A list that still shows it working after its end is an old one.
        if self.is_over() && !self.is_unlisted() && !news.is_filled() {
            let filled = if is_further { news } else { self };
            return Self { filled: filled.filled, average: filled.average, ..self.clone() };
        }
        self.replaced(news)
    }

    /// Newer word of it, with what that leaves out.
    fn replaced(&self, news: &Self) -> Self {
        Self {
            order_id: self.order_id,
            status: news.status.clone().or_else(|| self.status.clone()),
            filled: news.filled.or(self.filled),
            average: news.average.or(self.average),
            terms: news.terms.clone().or_else(|| self.terms.clone()),
            tif: news.tif.or(self.tif),
            text: if news.status == self.status {
                self.text.clone().or_else(|| news.text.clone())
            } else {
                news.text.clone()
            },
        }
    }
}

impl From<Standing> for Part {
    fn from(standing: Standing) -> Self {
        Self {
            order_id: standing.order_id,
            status: Some(standing.status),
            filled: standing.filled,
            average: standing.average,
            text: standing.text,
            terms: standing.terms,
            tif: None,
        }
    }
}
