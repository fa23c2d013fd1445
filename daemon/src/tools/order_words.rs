//! IBKR's words for sides and order types, as our arguments name them.

use ibd_cpapi::failure::clean;
use ibd_cpapi::orders::OrderType;

/// `BUY` or `SELL`; another word as it is.
pub fn action(text: &str) -> String {
    match text.to_ascii_uppercase().as_str() {
        "B" | "BUY" => "BUY".to_owned(),
        "S" | "SELL" => "SELL".to_owned(),
        _ => clean(text),
    }
}

/// `LMT` and the others that orders are sent with; another word as it is.
pub fn order_type(text: &str) -> String {
    match text.parse::<OrderType>() {
        Ok(known) => known.as_str().to_owned(),
        Err(_) => clean(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ibkr_are_told_as_our_own() {
        for (text, own) in
            [("LIMIT", "LMT"), ("Stop", "STP"), ("MARKET", "MKT"), ("PEGMID", "PEGMID")]
        {
            assert_eq!(order_type(text), own, "{text}");
        }
        for (text, own) in [("B", "BUY"), ("sell", "SELL"), ("SSHORT", "SSHORT")] {
            assert_eq!(action(text), own, "{text}");
        }
    }
}
