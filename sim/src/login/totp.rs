//! Time-based codes (RFC 6238: SHA-1, six digits, thirty seconds), written here rather than taken
//! from the library that the tested programs use.

use ring::hmac;

/// Seconds for which one code is shown.
const STEP_S: i64 = 30;
/// Windows before and after the present one that are accepted too.
const TOLERANCE: i64 = 1;

/// The window around `epoch_s` in which `code` is right.
pub(super) fn window_of(secret: &str, code: &str, epoch_s: i64) -> Option<i64> {
    let present = epoch_s.div_euclid(STEP_S);
    (present - TOLERANCE..=present + TOLERANCE).find(|window| code_at(secret, *window) == code)
}

fn code_at(secret: &str, window: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(secret));
    let tag = hmac::sign(&key, &window.to_be_bytes());
    format!("{:06}", truncated(tag.as_ref()) % 1_000_000)
}

/// Four bytes from where the last half byte points, without the sign.
fn truncated(tag: &[u8]) -> u32 {
    let at = usize::from(tag.last().map_or(0, |byte| byte & 0x0f));
    let four = tag.iter().skip(at).take(4);
    four.fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte)) & 0x7fff_ffff
}

/// Decodes base32; what is no digit of it is skipped, as authenticator apps do.
fn base32(text: &str) -> Vec<u8> {
    let digits = text.bytes().filter_map(|byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    });
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in digits {
        held = (held << 5) | u32::from(digit);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            let [.., low] = (held >> bits).to_be_bytes();
            bytes.push(low);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// RFC 6238's own key ("12345678901234567890") and the last six digits of its table.
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_codes_are_those_of_the_standard() {
        for (second, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
        {
            assert_eq!(code_at(RFC, second / STEP_S), code);
        }
    }

    #[test]
    fn a_code_is_right_one_window_early_and_late_and_no_more() {
        let code = code_at(RFC, 100);
        for (second, found) in [(2969, None), (2970, Some(100)), (3059, Some(100)), (3060, None)] {
            assert_eq!(window_of(RFC, &code, second), found, "{second}");
        }
    }
}
