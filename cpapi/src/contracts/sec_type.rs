//! What kind of contract one is.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient::FromBroker;

/// Of a word that is not in the table so much is kept, in characters.
const LONGEST: usize = 20;

/// The kind of a contract (`secType`, `assetClass`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecType {
    /// A stock, or a fund that trades like one.
    Stock,
    /// An option on anything but a future.
    Option,
    /// An option on a future.
    FutureOption,
    /// A future.
    Future,
    /// A currency pair.
    Cash,
    /// An index, which cannot be traded itself.
    Index,
    /// A warrant.
    Warrant,
    /// A structured product of an exchange in Europe or Asia.
    Structured,
    /// A bond.
    Bond,
    /// A fund that is bought from its issuer.
    Fund,
    /// A crypto currency.
    Crypto,
    /// A contract for difference.
    Cfd,
    /// A commodity, for instance spot gold.
    Commodity,
    /// A combination of several contracts.
    Bag,
    /// A kind that is not in this table, in IBKR's word.
    Other(String),
}

impl SecType {
    /// Reads IBKR's word, or one that people use for the same.
    pub fn of(text: &str) -> Self {
        let plain = text.trim().to_ascii_uppercase();
        match plain.as_str() {
            // IBKR calls an exchange-traded fund a stock.
            "STK" | "STOCK" | "ETF" | "EQUITY" => Self::Stock,
            "OPT" | "OPTION" => Self::Option,
            "FOP" => Self::FutureOption,
            "FUT" | "FUTURE" => Self::Future,
            "CASH" | "FX" | "FOREX" => Self::Cash,
            "IND" | "INDEX" => Self::Index,
            "WAR" | "WARRANT" => Self::Warrant,
            "IOPT" => Self::Structured,
            "BOND" => Self::Bond,
            "FUND" => Self::Fund,
            "CRYPTO" => Self::Crypto,
            "CFD" => Self::Cfd,
            "CMDTY" => Self::Commodity,
            "BAG" => Self::Bag,
            _ => Self::Other(ibd_text::clean(&plain, LONGEST)),
        }
    }

    /// IBKR's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stock => "STK",
            Self::Option => "OPT",
            Self::FutureOption => "FOP",
            Self::Future => "FUT",
            Self::Cash => "CASH",
            Self::Index => "IND",
            Self::Warrant => "WAR",
            Self::Structured => "IOPT",
            Self::Bond => "BOND",
            Self::Fund => "FUND",
            Self::Crypto => "CRYPTO",
            Self::Cfd => "CFD",
            Self::Commodity => "CMDTY",
            Self::Bag => "BAG",
            Self::Other(text) => text,
        }
    }

    /// Whether it has greeks.
    pub fn is_option(&self) -> bool {
        matches!(self, Self::Option | Self::FutureOption)
    }

    /// Whether it has a strike and a right.
    pub fn has_strike(&self) -> bool {
        matches!(self, Self::Option | Self::FutureOption | Self::Warrant | Self::Structured)
    }

    /// Whether it is written on something else, and stands for a number of units of it.
    pub fn is_derivative(&self) -> bool {
        self.has_strike() || *self == Self::Future
    }
}

impl fmt::Display for SecType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SecType {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::of(text))
    }
}

impl FromBroker for SecType {
    fn from_broker(text: &str) -> Option<Self> {
        Some(Self::of(text)).filter(|kind| !kind.as_str().is_empty())
    }
}

impl Serialize for SecType {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SecType {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self::of(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_in_ibkrs_word_and_in_those_of_people() {
        for (text, kind, shown) in [
            ("STK", SecType::Stock, "STK"),
            ("etf", SecType::Stock, "STK"),
            (" fx ", SecType::Cash, "CASH"),
            ("FOP", SecType::FutureOption, "FOP"),
            ("CMDTY", SecType::Commodity, "CMDTY"),
            ("physs", SecType::Other("PHYSS".to_owned()), "PHYSS"),
        ] {
            assert_eq!(SecType::of(text), kind, "{text}");
            assert_eq!(kind.as_str(), shown);
        }
        assert_eq!(SecType::from_broker(" "), None);
    }
}
