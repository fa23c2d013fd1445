//! Which error texts are believed to be a refusal, and which are not.
//!
//! A text under `error` alone proves nothing: servers in trouble answer in the same shape after they have
//! taken an order. Believed is only what the order system itself says *before* it takes one. Everything
//! else is held against the lists first ([`Certainty::Claimed`]), or is no refusal at all.

use super::Ambiguity;

/// How much the broker's no is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The order system's own check before it takes an order: nothing of it is there.
    Checked,
    /// Words that nobody has on a list: believed after a look that does not find the order.
    Claimed,
}

/// Parts of texts, in small letters, with which the order system refuses before it takes anything.
///
/// Sources: the Client Portal API's documentation of `/iserver/account/{id}/orders` and of its replies, its
/// error catalogue; TWS API, "Message codes" (103 to 463) and "Considerations for automated systems", which
/// word the same checks.
const CHECKS: &[&str] = &[
    // Client Portal API: the gateway's own check of a request.
    "bad request:",
    // The same: the answer to a no.
    "order not confirmed",
    // Price and size: codes 109, 110, 383; considerations, "price checks" and LGSZ.
    "at the limit price",
    "minimum price variation",
    "order size 0 is not valid",
    "size value cannot be zero",
    "large limit orders",
    // Margin and money: code 201's texts.
    "your order is not accepted",
    "your order has been rejected due to insufficient",
    "available converted to base:",
    // Permissions and contracts: codes 200, 203, 435 and their kind.
    "no trading permission",
    "the contract is not available for trading",
    "no such contract",
    "cannot be traded",
    "only closing orders",
    // Kind and time in force: codes 111, 113, 387, 391.
    "order type is not",
    "tif type) and the order type are incompatible",
    "time-in-force",
];

/// Parts of texts, in small letters, after which the order may be there as well.
const DOUBTS: &[(&str, Ambiguity)] = &[
    ("already registered", Ambiguity::AlreadyRegistered),
    ("local order id=", Ambiguity::AlreadyRegistered),
    ("duplicate order id", Ambiguity::AlreadyRegistered),
    ("reply id not found", Ambiguity::ChainLost),
    ("bad reply id", Ambiguity::ChainLost),
    ("invalid reply id", Ambiguity::ChainLost),
    ("reply id expired", Ambiguity::ChainLost),
    ("no bridge", Ambiguity::NoBrokerage),
    ("not authenticated", Ambiguity::NoBrokerage),
    ("no session", Ambiguity::NotLoggedIn),
    ("not logged in", Ambiguity::NotLoggedIn),
    ("too many requests", Ambiguity::RateLimited),
];

/// Parts of texts of a server in trouble: what it did before it failed is not known.
const TROUBLES: &[&str] = &[
    "timeout",
    "timed out",
    "time out",
    "internal server error",
    "internal error",
    "system error",
    "service unavailable",
    "temporarily unavailable",
    "currently unavailable",
    "gateway error",
    "bad gateway",
    "check order status",
    "unknown error",
    "try again",
    "connection",
];

/// Why a text is no refusal; nothing if it may be one.
pub(super) fn doubt(text: &str) -> Option<Ambiguity> {
    let text = text.to_lowercase();
    if let Some((_, ambiguity)) = DOUBTS.iter().find(|(part, _)| text.contains(part)) {
        return Some(ambiguity.clone());
    }
    let is_checked = CHECKS.iter().any(|part| text.contains(part));
    let is_trouble = !is_checked && TROUBLES.iter().any(|part| text.contains(part));
    is_trouble.then(|| Ambiguity::Trouble { status: 200, text: crate::failure::clean(&text) })
}

/// How much a refusal in these words is worth.
pub(super) fn certainty(text: &str) -> Certainty {
    let text = text.to_lowercase();
    if CHECKS.iter().any(|part| text.contains(part)) {
        Certainty::Checked
    } else {
        Certainty::Claimed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_order_systems_own_checks_are_believed_at_once() {
        let checked = [
            "We cannot accept an order at the limit price you selected. Please submit again.",
            "The price 123.4567 does not conform to the minimum price variation of 0.01.",
            "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION your equity …",
            "Bad Request: accountId is not valid: U1",
            "Order not confirmed ",
            "No trading permissions.",
        ];
        for text in checked {
            assert_eq!((doubt(text), certainty(text)), (None, Certainty::Checked), "{text}");
        }
        for text in ["Order rejected by the risk desk", "parent accepted, child rejected", "no"] {
            assert_eq!((doubt(text), certainty(text)), (None, Certainty::Claimed), "{text}");
        }
        let doubtful = [
            ("Request timeout", "trouble"),
            ("Internal Server Error", "trouble"),
            ("INTERNAL SERVER ERROR", "trouble"),
            ("Unknown error, please check order status", "trouble"),
            ("Bad reply id", "chain_lost"),
            ("reply id not found: 'x'", "chain_lost"),
            ("Local Order ID=ibd1 is ALREADY REGISTERED.", "already_registered"),
            ("Not Authenticated", "no_brokerage"),
        ];
        for (text, code) in doubtful {
            assert_eq!(doubt(text).map(|why| why.code()), Some(code), "{text}");
        }
    }
}
