//! How orders stand at the broker: the one that answers for a submission, and the others that came with it.
//! Pure: what newer word of them changes, and what is too old to change anything.

mod part;
mod seen;

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Meaning;
use ibd_protocol::states;
use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use ibd_cpapi::exact;
pub use part::Part;
pub use seen::Seen;

/// How an order stands at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The broker's id.
    pub order_id: OrderId,
    /// The other orders of the same submission.
    #[serde(deserialize_with = "parts")]
    pub others: Vec<Part>,
    /// How it was last seen.
    pub status: Seen,
    /// What is filled.
    #[serde(with = "exact::opt")]
    pub filled: Option<Decimal>,
    /// The average price of that.
    #[serde(with = "exact::opt")]
    pub average: Option<Decimal>,
    /// What the broker says about it: untrusted text, cleaned.
    pub text: Option<String>,
    /// Of several orders in one submission the broker refused some: its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// It was told as not placed before the broker showed it: in which words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risen: Option<String>,
    /// Its kind and price as the broker shows them: `STP 95`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

/// As journals have them: the first ones knew no more than the ids.
fn parts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Part>, D::Error> {
    let written = Vec::<Value>::deserialize(from)?;
    let parts = written.into_iter().map(|written| match written {
        Value::Object(_) => Part::deserialize(written),
        id => OrderId::deserialize(id).map(Part::new),
    });
    parts.collect::<Result<_, _>>().map_err(D::Error::custom)
}

impl Standing {
    /// An order of which no more is known than that the broker has it.
    pub fn new(order_id: OrderId, status: impl Into<Seen>) -> Self {
        Self {
            order_id,
            others: Vec::new(),
            status: status.into(),
            filled: None,
            average: None,
            text: None,
            refused: None,
            risen: None,
            terms: None,
        }
    }

    /// What its status means; our own words for what the lists no longer have mean nothing of the broker's.
    pub fn meaning(&self) -> Meaning {
        self.status.meaning()
    }

    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        self.status.is_over()
    }

    /// How it ended that was not filled.
    pub fn ended(&self) -> states::Order {
        self.status.ended()
    }

    /// The broker holds it and does not work it; most were refused late.
    pub fn is_inactive(&self) -> bool {
        self.meaning() == Meaning::Held && !self.has_fills()
    }

    /// Whether anything of it is filled.
    pub fn has_fills(&self) -> bool {
        self.filled.is_some_and(|filled| !filled.is_zero())
    }

    /// Whether another order of the submission may still become something.
    pub fn has_open_part(&self) -> bool {
        self.others.iter().any(|part| !part.is_over())
    }

    /// Whether anything of the submission is filled.
    pub fn has_any_fill(&self) -> bool {
        let has = |part: &Part| part.filled.is_some_and(|filled| !filled.is_zero());
        self.has_fills()
            || self.status.is_filled()
            || self.others.iter().any(|part| has(part) || part.is_filled())
    }

    /// Whether an order of the submission is missing from the lists.
    pub fn has_missing(&self) -> bool {
        self.status == Seen::Missing || self.others.iter().any(Part::is_missing)
    }

    /// Whether nothing of it may still become something but what is missing.
    pub fn is_only_missing(&self) -> bool {
        let is_main_open = !self.is_over() && self.status != Seen::Missing;
        let is_open = |part: &Part| !part.is_over() && !part.is_missing();
        self.has_missing() && !is_main_open && !self.others.iter().any(is_open)
    }

    /// The same once a person knows that what is missing is gone.
    pub fn without_missing(&self) -> Self {
        let word = |status: &Seen| match status {
            Seen::Missing => Seen::Unlisted,
            other => other.clone(),
        };
        let gone = |part: &Part| Part { status: part.status.as_ref().map(word), ..part.clone() };
        Self {
            status: word(&self.status),
            others: self.others.iter().map(gone).collect(),
            ..self.clone()
        }
    }

    /// Whether an order that came with this one has no more reason to be: another one is filled, or the first
    /// one was cancelled with nothing filled.
    pub fn has_no_use_for(&self, order_id: OrderId) -> bool {
        let is_other_filled = |part: &Part| part.order_id != order_id && part.is_filled();
        self.status.has_ended() && !self.has_fills() || self.others.iter().any(is_other_filled)
    }

    /// Another order of the submission.
    pub fn part(&self, order_id: OrderId) -> Option<&Part> {
        self.others.iter().find(|part| part.order_id == order_id)
    }

    /// Whether an order that stood like this and stands like `now` has come back: from the lists' oblivion, or
    /// from its end.
    pub fn has_come_back(&self, now: &Self) -> bool {
        let was_gone = matches!(self.status, Seen::Unlisted | Seen::Missing);
        was_gone || self.is_over() && !now.is_over()
    }

    /// Lists lag behind what is pushed: what is filled never becomes less.
    pub fn is_older_than(&self, known: &Self) -> bool {
        self.order_id == known.order_id && is_less(self.filled, known.filled)
    }

    /// What is known now, with what a sparse update leaves out. Where another order of the submission turns out
    /// to be the one that answers for it, the one that was taken for it stands among the others.
    pub fn updated(&self, news: Self) -> Self {
        if news.order_id != self.order_id {
            let was_first = Part::from(Self { others: Vec::new(), ..self.clone() });
            let mut others = self.parts_with(&news.others);
            others.push(was_first);
            others.retain(|part| part.order_id != news.order_id);
            others.sort_unstable_by_key(|part| part.order_id);
            others.dedup_by_key(|part| part.order_id);
            let (refused, risen) = (self.refused.clone(), self.risen.clone());
            return Self { others, refused, risen, ..news };
        }
        Self {
            others: self.parts_with(&news.others),
            filled: news.filled.or(self.filled),
            average: news.average.or(self.average),
            refused: self.refused.clone().or(news.refused),
            risen: self.risen.clone().or(news.risen),
            terms: news.terms.or_else(|| self.terms.clone()),
            // Each endpoint words it differently; only another status makes it say something new.
            text: if news.status == self.status {
                self.text.clone().or(news.text)
            } else {
                news.text
            },
            ..news
        }
    }

    /// The same, of which only the others moved.
    pub fn with_parts(&self, news: &[Part]) -> Self {
        Self { others: self.parts_with(news), ..self.clone() }
    }

    /// The same, of which one of the others stands like this, whatever was known of it.
    pub fn with_part(&self, now: Part) -> Self {
        let mut others = self.others.clone();
        others.iter_mut().filter(|part| part.order_id == now.order_id).for_each(|part| {
            part.clone_from(&now);
        });
        Self { others, ..self.clone() }
    }

    fn parts_with(&self, news: &[Part]) -> Vec<Part> {
        let mut parts = self.others.clone();
        for part in news.iter().filter(|part| part.order_id != self.order_id) {
            match parts.iter_mut().find(|known| known.order_id == part.order_id) {
                Some(known) => *known = known.updated(part),
                None => parts.push(part.clone()),
            }
        }
        parts
    }

    /// Parts that somebody should hear of, compared with what was known: filled further, refused late, or
    /// ended although nothing else of the submission explains it.
    pub fn news_since(&self, known: &Self) -> Vec<OrderId> {
        // Of what is partly filled a position is left, whatever becomes of the rest.
        let ends_all =
            self.status.has_ended() && !self.has_fills() || self.others.iter().any(Part::is_filled);
        let is_news = |part: &&Part| {
            let before = known.part(part.order_id);
            let filled = before.and_then(|before| before.filled).unwrap_or_default();
            let has_moved = before.is_none_or(|before| before.status != part.status);
            let was_gone = before.is_some_and(|before| before.is_over() || before.is_missing());
            let is_news = match &part.status {
                Some(Seen::Unlisted) => !ends_all,
                Some(Seen::Missing) => true,
                _ => match part.meaning() {
                    Meaning::Ended => !ends_all,
                    Meaning::Filled | Meaning::Held => true,
                    _ => was_gone,
                },
            };
            part.filled.unwrap_or_default() != filled || has_moved && is_news
        };
        self.others.iter().filter(is_news).map(|part| part.order_id).collect()
    }
}

fn is_less(now: Option<Decimal>, before: Option<Decimal>) -> bool {
    matches!((now, before), (Some(now), Some(before)) if now < before)
}

#[cfg(test)]
#[path = "standing/tests.rs"]
mod tests;
