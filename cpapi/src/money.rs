//! Money, prices and quantities: decimals that cannot be taken for one another.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::lenient::{self, FromBroker};

macro_rules! decimal {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Decimal);

        impl $name {
            /// From a number already read.
            pub fn new(value: Decimal) -> Self {
                Self(value)
            }

            /// The number.
            pub fn get(self) -> Decimal {
                self.0
            }
        }

        impl From<Decimal> for $name {
            fn from(value: Decimal) -> Self {
                Self(value)
            }
        }

        impl FromBroker for $name {
            fn from_broker(text: &str) -> Option<Self> {
                Decimal::from_broker(text).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                lenient::req(deserializer)
            }
        }

        /// As a JSON number with exactly these digits; only `serde_json` can write it.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                exact(&self.0, serializer)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.normalize().fmt(f)
            }
        }
    )*};
}

/// An amount and its currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// For instance `USD`.
    pub currency: String,
}

impl FromBroker for Money {
    /// Takes `2,715.50 USD (10 Shares)`: the first two words.
    fn from_broker(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let amount = Amount::from_broker(words.next()?)?;
        let currency = words.next().filter(|word| word.bytes().all(|b| b.is_ascii_alphabetic()))?;
        Some(Self { amount, currency: currency.to_owned() })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// As a JSON number with exactly these digits, which no float could promise.
fn exact<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(number.normalize().to_string())
        .map_err(serde::ser::Error::custom)?
        .serialize(serializer)
}

decimal! {
    /// A price of one unit, in the contract's currency.
    Price;
    /// A number of shares, contracts or units; negative when short.
    Quantity;
    /// An amount of money in the currency that stands beside it.
    Amount;
    /// A pure number: an exchange rate, a percentage, a greek.
    Ratio;
}
