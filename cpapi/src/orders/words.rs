//! The broker's words on an order ticket.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient::FromBroker;

/// Why a text is none of the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not one of {words}")]
pub struct NotAWord {
    text: String,
    words: &'static str,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$about:meta])* $variant:ident = $word:literal $(| $other:literal)*;)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$about])* $variant,)*
        }

        impl $name {
            /// The word that is sent.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = NotAWord;

            /// In any case, with blanks or `-` for `_`, and in the spellings that people and the
            /// broker's own lists use.
            fn from_str(text: &str) -> Result<Self, NotAWord> {
                let plain = text.trim().to_ascii_uppercase().replace([' ', '-'], "_");
                $(if [$word $(, $other)*].iter().any(|word| word.eq_ignore_ascii_case(&plain)) {
                    return Ok(Self::$variant);
                })*
                let words = concat!($($word, " "),*).trim_end();
                Err(NotAWord { text: text.to_owned(), words })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

/// A word of the broker's: one of those that are known, or another one, cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word<T> {
    /// This.
    Known(T),
    /// One that is not in our tables: shown as it is.
    Other(String),
}

/// Of a word that is not in the tables so much is kept, in characters.
const LONGEST: usize = 40;

impl<T: FromStr + Copy> Word<T> {
    /// Reads it.
    pub fn of(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Other(ibd_text::clean(text, LONGEST)), Self::Known)
    }

    /// What it is, where that is known.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(known) => Some(*known),
            Self::Other(_) => None,
        }
    }
}

impl<T: FromStr + Copy> FromBroker for Word<T> {
    fn from_broker(text: &str) -> Option<Self> {
        Some(Self::of(text))
    }
}

impl<T: fmt::Display> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => known.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

words! {
    /// Which way an order goes.
    Side {
        /// Buys.
        Buy = "BUY" | "B" | "BOT";
        /// Sells, also short.
        Sell = "SELL" | "S" | "SLD";
    }

    /// The kinds of order that are sent.
    OrderType {
        /// At this price or a better one.
        Lmt = "LMT" | "LIMIT";
        /// At any price.
        Mkt = "MKT" | "MARKET";
        /// A market order once the stop price is reached.
        Stp = "STP" | "STOP";
        /// A limit order once the stop price is reached.
        StopLimit = "STOP_LIMIT" | "STP_LMT" | "STPLMT" | "STOPLIMIT" | "STP_LIMIT" | "STOP_LMT";
        /// A stop order whose stop price follows the market.
        Trail = "TRAIL" | "TRAILING" | "TRAILING_STOP" | "TRAIL_STOP";
        /// A stop-limit order whose stop price follows the market.
        TrailLmt = "TRAILLMT" | "TRAIL_LMT" | "TRAIL_LIMIT" | "TRAILING_LIMIT"
            | "TRAILING_STOP_LIMIT" | "TRAILLIMIT";
        /// Between bid and ask.
        MidPrice = "MIDPRICE" | "MID_PRICE" | "MIDPX";
    }

    /// How long an order works.
    Tif {
        /// Until the end of the day.
        Day = "DAY" | "CLOSE";
        /// Until it is cancelled.
        Gtc = "GTC" | "GOOD_TILL_CANCEL" | "GOOD_TILL_CANCELLED";
        /// At once, and what is not filled is cancelled.
        Ioc = "IOC" | "IMMEDIATE_OR_CANCEL";
        /// In the opening auction.
        Opg = "OPG" | "AT_THE_OPENING";
    }

    /// What a trailing distance is counted in.
    TrailingType {
        /// In the contract's currency.
        Amount = "amt" | "AMOUNT";
        /// In percent of the price.
        Percent = "%" | "PERCENT" | "PCT";
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_are_read_as_people_write_them_and_sent_as_the_broker_spells_them() {
        for (text, word) in [
            ("LMT", "LMT"),
            ("limit", "LMT"),
            ("Market", "MKT"),
            ("STOP", "STP"),
            ("stop_limit", "STOP_LIMIT"),
            ("Stop Limit", "STOP_LIMIT"),
            ("STPLMT", "STOP_LIMIT"),
            ("STP LMT", "STOP_LIMIT"),
            ("trailing", "TRAIL"),
            ("trailing_stop", "TRAIL"),
            ("TRAILING_STOP_LIMIT", "TRAILLMT"),
            ("midprice", "MIDPRICE"),
        ] {
            assert_eq!(text.parse::<OrderType>().unwrap().as_str(), word, "{text}");
        }
        assert_eq!("buy".parse::<Side>().unwrap(), Side::Buy);
        assert_eq!("S".parse::<Side>().unwrap(), Side::Sell);
        assert_eq!("close".parse::<Tif>().unwrap(), Tif::Day);
        assert_eq!("Percent".parse::<TrailingType>().unwrap().as_str(), "%");
        assert_eq!("AMT".parse::<TrailingType>().unwrap().as_str(), "amt");
    }

    #[test]
    fn another_word_is_refused_with_the_words_there_are() {
        let refused = "FOK".parse::<Tif>().unwrap_err();
        assert_eq!(refused.to_string(), r#""FOK" is not one of DAY GTC IOC OPG"#);
        assert!("".parse::<Side>().is_err());
    }

    #[test]
    fn words_of_the_broker_are_told_as_our_own_and_others_as_they_are() {
        for (text, own) in
            [("LIMIT", "LMT"), ("Stop", "STP"), ("MARKET", "MKT"), ("PEG\n MID", "PEG MID")]
        {
            assert_eq!(Word::<OrderType>::of(text).to_string(), own, "{text}");
        }
        for (text, own) in [("B", "BUY"), ("sell", "SELL"), ("SSHORT", "SSHORT")] {
            assert_eq!(Word::<Side>::of(text).to_string(), own, "{text}");
        }
        assert_eq!(Word::<Tif>::of("CLOSE").known(), Some(Tif::Day));
        assert_eq!(Word::<Tif>::of("OVT").known(), None);
        assert_eq!(Word::<Tif>::of(&"x".repeat(99)).to_string().len(), LONGEST);
    }

    #[test]
    fn serde_writes_the_brokers_word() {
        assert_eq!(serde_json::to_string(&OrderType::StopLimit).unwrap(), r#""STOP_LIMIT""#);
        assert_eq!(serde_json::from_str::<OrderType>(r#""STP""#).unwrap(), OrderType::Stp);
    }
}
