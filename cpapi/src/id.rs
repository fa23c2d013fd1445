//! Names that must not be swapped.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::lenient::{self, FromBroker};

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnId(String);

impl NotAnId {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

/// IBKR's number for a contract; positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Conid(u32);

/// IBKR's number for an order; positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct OrderId(u64);

/// An account, for instance `U1234567`, or `DU1234567` for paper.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AccountId(String);

/// Our name for an order, fixed for its life: `cOID` when it is sent, `order_ref` when it comes back.
/// IBKR takes each one once in 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClientOrderId(String);

/// IBKR's name for a question that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ReplyId(String);

impl ClientOrderId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ReplyId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Conid {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl OrderId {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl AccountId {
    /// As the broker writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last three characters, for logs.
    pub fn masked(&self) -> String {
        let skipped = self.0.chars().count().saturating_sub(3);
        format!("…{}", self.0.chars().skip(skipped).collect::<String>())
    }
}

impl FromStr for Conid {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.parse::<u32>() {
            Ok(number) if number > 0 && number <= i32::MAX as u32 => Ok(Self(number)),
            _ => Err(NotAnId(format!("{text:?} is not a conid (a whole number such as 265598)"))),
        }
    }
}

impl FromStr for OrderId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.parse::<u64>() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(NotAnId(format!("{text:?} is not an order id (a whole number)"))),
        }
    }
}

impl FromStr for AccountId {
    type Err = NotAnId;

    /// Whatever the broker calls it, a group or a model too, as long as it is short and can be printed; where it
    /// becomes part of a path it is encoded.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let fits = (1..=64).contains(&text.chars().count())
            && text.trim() == text
            && !text.chars().any(|c| c.is_control() || c.is_whitespace() && c != ' ');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId(format!("{text:?} is not an account id (such as U1234567)")))
        }
    }
}

impl FromStr for ClientOrderId {
    type Err = NotAnId;

    /// Letters, digits and `-` only, at most 40.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let fits = (1..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId(format!(
                "{text:?} is not a client order id (1 to 40 letters, digits or -)"
            )))
        }
    }
}

impl FromStr for ReplyId {
    type Err = NotAnId;

    /// Whatever the broker made up, as long as it is short and can be printed: it becomes part of a path.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId("that is not the id of a question".to_owned()))
        }
    }
}

macro_rules! shown_and_read {
    ($($id:ident),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromBroker for $id {
            fn from_broker(text: &str) -> Option<Self> {
                text.strip_suffix(".0").unwrap_or(text).parse().ok()
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                lenient::req(deserializer)
            }
        }
    )*};
}

shown_and_read!(Conid, OrderId, AccountId);

/// As the others, but to the letter: a `.0` at the end would be part of the name.
macro_rules! shown_and_read_exactly {
    ($($id:ident),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromBroker for $id {
            fn from_broker(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

shown_and_read_exactly!(ClientOrderId, ReplyId);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_id_leaves_its_place_in_a_path() {
        for bad in ["", " U1", "U1\n", "U1\u{1b}[1m", &"U".repeat(65)] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
        for good in ["U1234567", "My_Group", "DU1234567-C", "All", "../logout", "Größe 1"] {
            let path = crate::Path::new("/portfolio").segment(good.parse::<AccountId>().unwrap());
            let last = path.as_str().strip_prefix("/portfolio/").unwrap();
            assert!(!last.contains(['/', '?', ' ', '#']), "{last}");
        }
        for bad in ["0", "-1", "1e9", "265598.7", "", "../x", "4294967295"] {
            assert!(bad.parse::<Conid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_conid_is_read_from_number_and_string() {
        assert_eq!(serde_json::from_str::<Vec<Conid>>(r#"[265598,"265598"]"#).unwrap().len(), 2);
    }

    #[test]
    fn a_client_order_id_has_forty_characters_at_most_and_none_that_could_mean_something() {
        for good in ["ibd01ARZ3NDEKTSV4RRFFQ69G5FAV", "a", "my-1", &"x".repeat(40)] {
            assert_eq!(good.parse::<ClientOrderId>().unwrap().to_string(), good);
        }
        for bad in ["", "a b", "a_b", "a/b", "é", &"x".repeat(41)] {
            assert!(bad.parse::<ClientOrderId>().is_err(), "{bad}");
            assert!(serde_json::from_str::<ClientOrderId>(&format!("{bad:?}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_log_shows_three_characters_of_an_account() {
        assert_eq!("DU1234567".parse::<AccountId>().unwrap().masked(), "…567");
        assert_eq!("Größe".parse::<AccountId>().unwrap().masked(), "…öße");
    }
}
