//! Dates, times and numbers in every form that a Flex template's author can choose.
//!
//! The format is the template's, not the file's to tell: `03/04/2026` is in March or in April. What
//! decides is collected as [`Evidence`]; where nothing decides, such a date is
//! [`BadValue::Ambiguous`] and is never guessed.

mod evidence;
mod moment;

use jiff::civil::Date;
use rust_decimal::Decimal;

pub use evidence::{Evidence, Order};
pub use moment::{Moment, Zone};

/// Why a value could not be read. The text is cut if it is long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// Not a number, or one with more than 28 digits.
    #[error("{0:?} is no number")]
    Number(String),
    /// Not a date or time.
    #[error("{0:?} is no date")]
    Date(String),
    /// Day and month may be either way round.
    #[error(
        "{0:?} may be day/month or month/day, and nothing in the statement tells which; set the template's date format to yyyy-MM-dd"
    )]
    Ambiguous(String),
}

/// The words for "no value"; `MULTI` stands where the rows summed up differ.
pub fn is_missing(text: &str) -> bool {
    matches!(text.trim(), "" | "-" | "--" | "N/A" | "MULTI")
}

/// A number, exactly; nothing, if there is none.
pub fn number(text: &str) -> Result<Option<Decimal>, BadValue> {
    let plain = text.trim();
    if let Some(number) = short(plain.as_bytes()) {
        return Ok(Some(number));
    }
    if is_missing(plain) {
        return Ok(None);
    }
    long(plain).map(Some).ok_or_else(|| BadValue::Number(cut(text)))
}

/// A date, also of a date and time; nothing, if there is none.
pub fn date(text: &str, order: Order) -> Result<Option<Date>, BadValue> {
    Ok(moment(text, order)?.map(|moment| moment.date))
}

/// A date and, if there is one, a time; nothing, if there is neither.
pub fn moment(text: &str, order: Order) -> Result<Option<Moment>, BadValue> {
    let plain = text.trim();
    if is_missing(plain) {
        return Ok(None);
    }
    Moment::read(plain, order).map(Some)
}

/// Up to 18 digits, by far the usual.
fn short(bytes: &[u8]) -> Option<Decimal> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let (mut value, mut count, mut scale) = (0_i64, 0, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                count += 1;
            }
            b'.' if scale.is_none() => scale = Some(count),
            _ => return None,
        }
    }
    let scale = scale.map_or(0, |before| count - before);
    (count > 0).then(|| Decimal::new(if negative { -value } else { value }, scale))
}

/// Thousands in groups, exponents, and many digits.
fn long(text: &str) -> Option<Decimal> {
    let plain = if text.contains(',') { ungrouped(text)? } else { text.to_owned() };
    let is_plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E');
    if !plain.bytes().all(is_plain) {
        return None;
    }
    if plain.contains(['e', 'E']) {
        Decimal::from_scientific(&plain).ok()
    } else {
        Decimal::from_str_exact(plain.strip_prefix('+').unwrap_or(&plain)).ok()
    }
}

/// `1,234,567.50` without its commas; nothing for `1,5`, which is somebody's one and a half.
fn ungrouped(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let first = groups.next()?;
    let is_grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    (is_grouped && !fraction.contains(',')).then(|| text.replace(',', ""))
}

fn cut(text: &str) -> String {
    const MOST: usize = 40;
    text.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests;
