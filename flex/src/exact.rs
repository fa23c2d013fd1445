//! Decimals as JSON numbers with exactly their digits, which no float could promise.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

pub(crate) fn one<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(number.normalize().to_string())
        .map_err(serde::ser::Error::custom)?
        .serialize(serializer)
}
