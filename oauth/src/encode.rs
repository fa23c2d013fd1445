//! The two spellings that OAuth asks for: percent encoding and hexadecimal.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// Everything but the unreserved characters of RFC 3986, as RFC 5849 §3.6 wants it.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes all but letters, digits and `-._~`, in capitals.
pub(crate) fn percent(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// True for what percent encoding leaves as it is.
pub(crate) fn is_unreserved(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~')
}

/// Small letters, two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(HEXLOWER.encode(bytes))
}

/// The bytes of a number written in hexadecimal, of either case, with an odd number of digits as well: IBKR leaves
/// leading zeros out. `None` if it is no such number.
pub(crate) fn number(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits =
        if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    if bytes.is_empty() { None } else { Some(without_zeros(&bytes).to_vec()) }
}

/// The bytes from the first that is not zero.
pub(crate) fn without_zeros(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(first..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(percent("Az09-._~"), "Az09-._~");
        assert_eq!(percent(" +/=&%,"), "%20%2B%2F%3D%26%25%2C");
        assert_eq!(percent("é"), "%C3%A9");
    }

    #[test]
    fn numbers_come_with_odd_digits_and_leading_zeros() {
        assert_eq!(number("abc"), Some(vec![0x0a, 0xbc]));
        assert_eq!(number(" 0x00FF\n"), Some(vec![0xff]));
        assert_eq!(number("00"), Some(vec![]));
        assert_eq!(number(""), None);
        assert_eq!(number("12g4"), None);
    }
}
