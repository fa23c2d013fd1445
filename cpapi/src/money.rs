//! Money, prices and quantities: decimals that cannot be taken for one another.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

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

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.normalize().fmt(f)
            }
        }
    )*};
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
