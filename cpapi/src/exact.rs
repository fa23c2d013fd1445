//! Decimals that are kept, for instance in a journal: as text, so that what is read back is what was written.

use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use crate::money::{Amount, Price, Quantity, Ratio};

/// A decimal with a meaning.
pub trait Exact: Copy {
    /// From the number.
    fn of(number: Decimal) -> Self;
    /// The number.
    fn number(self) -> Decimal;
}

macro_rules! exact {
    ($($type:ty),*) => {$(
        impl Exact for $type {
            fn of(number: Decimal) -> Self {
                Self::new(number)
            }

            fn number(self) -> Decimal {
                self.get()
            }
        }
    )*};
}

exact!(Price, Quantity, Amount, Ratio);

impl Exact for Decimal {
    fn of(number: Decimal) -> Self {
        number
    }

    fn number(self) -> Decimal {
        self
    }
}

/// For `#[serde(with = "exact")]`.
pub fn serialize<S: Serializer, T: Exact>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&value.number().normalize())
}

/// For `#[serde(with = "exact")]`.
pub fn deserialize<'de, D: Deserializer<'de>, T: Exact>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(T::of).map_err(D::Error::custom)
}

/// The same for what may be missing.
pub mod opt {
    use super::{Deserialize, Deserializer, Error, Exact, Serializer};

    /// For `#[serde(with = "exact::opt")]`.
    pub fn serialize<S: Serializer, T: Exact>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(&value.number().normalize()),
            None => to.serialize_none(),
        }
    }

    /// For `#[serde(with = "exact::opt")]`.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Exact>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map(T::of).map_err(D::Error::custom)).transpose()
    }
}
