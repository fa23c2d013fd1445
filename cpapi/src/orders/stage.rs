//! Where an order stands, in the broker's words: the one table of what each of them means.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient;

/// The broker's word for how an order stands.
///
/// Source: the Client Portal API's list of order statuses, and the words that TWS and its gateways use
/// for the same (`ApiCancelled`, `Rejected`, `Expired`), which come through now and then. Words are read
/// in any letter case and with blanks or `_` between their parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Begun, held, or refused late: which, its text says.
    Inactive,
    /// On its way to the exchange.
    PendingSubmit,
    /// With the broker: waits for its trigger, its parent, or its hour.
    PreSubmitted,
    /// At the exchange.
    Submitted,
    /// At the exchange, and partly filled.
    PartiallyFilled,
    /// All of it is filled.
    Filled,
    /// Its end was asked for; until then it can still be filled.
    PendingCancel,
    /// The same, before the exchange was asked.
    PreCancelled,
    /// It has ended; a part may be filled.
    Cancelled,
    /// Ended by the client's own request.
    ApiCancelled,
    /// The broker or the exchange refused it.
    Rejected,
    /// Its time was over.
    Expired,
    /// A warning waits for somebody at a screen: it may go on to work.
    WarnState,
    /// A word that is not in the table: shown as it is, and never taken for working or over.
    Other(String),
}

/// What a stage means for whoever asks whether an order can still be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It can be filled.
    Works,
    /// It can be filled, and its end was asked for.
    Ending,
    /// The broker holds it and does not work it.
    Held,
    /// All of it is filled.
    Filled,
    /// It has ended; a part may be filled.
    Ended,
    /// Not known.
    Unknown,
}

const TABLE: [(Stage, &str, Meaning); 13] = [
    (Stage::Inactive, "Inactive", Meaning::Held),
    (Stage::PendingSubmit, "PendingSubmit", Meaning::Works),
    (Stage::PreSubmitted, "PreSubmitted", Meaning::Works),
    (Stage::Submitted, "Submitted", Meaning::Works),
    (Stage::PartiallyFilled, "PartiallyFilled", Meaning::Works),
    (Stage::Filled, "Filled", Meaning::Filled),
    (Stage::PendingCancel, "PendingCancel", Meaning::Ending),
    (Stage::PreCancelled, "PreCancelled", Meaning::Ending),
    (Stage::Cancelled, "Cancelled", Meaning::Ended),
    (Stage::ApiCancelled, "ApiCancelled", Meaning::Ended),
    (Stage::Rejected, "Rejected", Meaning::Ended),
    (Stage::Expired, "Expired", Meaning::Ended),
    (Stage::WarnState, "WarnState", Meaning::Unknown),
];

/// Of a word that is not in the table so much is kept, in characters.
const LONGEST: usize = 40;

/// Other spellings of the same.
const ALSO: [(&str, &str); 5] = [
    ("canceled", "Cancelled"),
    ("apicanceled", "ApiCancelled"),
    ("precanceled", "PreCancelled"),
    ("partialfilled", "PartiallyFilled"),
    ("failed", "Rejected"),
];

impl Stage {
    /// Reads the broker's word.
    pub fn of(word: &str) -> Self {
        let plain: String = word.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect();
        let plain = plain.to_ascii_lowercase();
        let known =
            ALSO.iter().find(|(other, _)| *other == plain).map_or(plain.as_str(), |(_, w)| w);
        let found = TABLE.iter().find(|(_, word, _)| word.eq_ignore_ascii_case(known));
        found.map_or_else(
            || Self::Other(ibd_text::clean(word, LONGEST)),
            |(stage, ..)| stage.clone(),
        )
    }

    /// What it means.
    pub fn meaning(&self) -> Meaning {
        self.row().map_or(Meaning::Unknown, |(.., meaning)| *meaning)
    }

    /// The word in its one spelling; one that is not in the table as it came.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => known.row().map_or("", |(_, word, _)| word),
        }
    }

    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        matches!(self.meaning(), Meaning::Filled | Meaning::Ended)
    }

    /// Whether it can still be filled. `None`: nobody knows.
    pub fn can_fill(&self) -> Option<bool> {
        match self.meaning() {
            Meaning::Works | Meaning::Ending => Some(true),
            Meaning::Held | Meaning::Filled | Meaning::Ended => Some(false),
            Meaning::Unknown => None,
        }
    }

    fn row(&self) -> Option<&'static (Stage, &'static str, Meaning)> {
        TABLE.iter().find(|(stage, ..)| stage == self)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|word| Self::of(&word))
    }
}

/// For `#[serde(default, deserialize_with = "stage::opt")]`: what is no text is not known.
pub fn opt<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Stage>, D::Error> {
    Ok(lenient::opt::<D, String>(from)?.map(|word| Stage::of(&word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_the_same_in_every_spelling_and_an_unknown_one_means_nothing() {
        for (word, canonical, meaning) in [
            ("Submitted", "Submitted", Meaning::Works),
            ("SUBMITTED", "Submitted", Meaning::Works),
            ("pre_submitted", "PreSubmitted", Meaning::Works),
            ("Pre Submitted", "PreSubmitted", Meaning::Works),
            ("pendingcancel", "PendingCancel", Meaning::Ending),
            ("filled", "Filled", Meaning::Filled),
            ("Canceled", "Cancelled", Meaning::Ended),
            ("apicancelled", "ApiCancelled", Meaning::Ended),
            ("Rejected", "Rejected", Meaning::Ended),
            ("Failed", "Rejected", Meaning::Ended),
            ("Expired", "Expired", Meaning::Ended),
            ("inactive", "Inactive", Meaning::Held),
            ("WarnState", "WarnState", Meaning::Unknown),
            ("Sleeping", "Sleeping", Meaning::Unknown),
            ("", "", Meaning::Unknown),
        ] {
            let stage = Stage::of(word);
            assert_eq!((stage.as_str(), stage.meaning()), (canonical, meaning), "{word}");
        }
        assert_eq!(Stage::of("Sleeping").can_fill(), None);
        assert!(!Stage::of("Sleeping").is_over());
    }
}
