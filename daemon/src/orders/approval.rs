//! Approval: what a person, or on paper the client, must say yes to. One object; the first valid answer
//! wins; exactly what was shown is what is sent.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::guardrails::Worth;
use super::life::Question;
use super::order::Order;

/// How far the market may move after it was shown, in percent, before a person is asked again.
const MOVED: u32 = 1;

/// What waits for a yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Short; what `ibctl approve` and `confirm_order` take.
    pub id: String,
    /// Long and secret: names the dialog of one client, good for one answer.
    pub token: String,
    /// Who may say yes.
    pub by: By,
    /// SHA-256 of exactly what will be sent.
    pub digest: String,
    /// The broker's questions that a yes answers.
    pub questions: Vec<Question>,
    /// What the order was worth, and where the market was, when it was shown.
    pub worth: Worth,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// Who may say yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// The client that asked for the order.
    Client,
    /// Only a person.
    Person,
}

impl By {
    /// As results name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Person => "person",
        }
    }
}

impl Approval {
    /// Whether it has lapsed.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Whether the market is no longer where it was when the order was shown. What cannot be compared
    /// has not moved.
    pub fn has_moved(&self, worth: &Worth) -> bool {
        let (Some(shown), Some(now)) = (self.worth.market, worth.market) else { return false };
        (shown - now).abs() * rust_decimal::Decimal::ONE_HUNDRED
            > shown.abs() * rust_decimal::Decimal::from(MOVED)
    }

    /// How long it has waited, in seconds.
    pub fn age(&self, now: Timestamp) -> u64 {
        now.duration_since(self.asked_at).max(SignedDuration::ZERO).as_secs().unsigned_abs()
    }

    /// The whole, a line each, for whoever decides.
    pub fn lines(&self, order: &Order) -> Vec<String> {
        let mut lines = order.lines();
        let base = self.worth.base.as_deref().unwrap_or("");
        if let (Some(value), Some(percent)) = (self.worth.value, self.worth.percent) {
            lines.push(format!("worth about {value} {base}, {percent} % of the account"));
        }
        if let Some(market) = self.worth.market {
            let contract = &order.contract;
            let unit = contract.price_unit().unwrap_or_else(|| contract.currency.clone());
            lines.push(format!("market now about {} {unit}", market.normalize()));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn approval(market: Option<&str>) -> Approval {
        let at: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
        Approval {
            id: "7F3K".into(),
            token: "t".into(),
            by: By::Person,
            digest: "d".into(),
            questions: Vec::new(),
            worth: Worth { market: market.map(|m| m.parse().unwrap()), ..Worth::default() },
            asked_at: at,
            expires_at: at + SignedDuration::from_secs(300),
        }
    }

    #[test]
    fn a_market_that_moved_is_noticed() {
        let now =
            |market: &str| Worth { market: Some(market.parse().unwrap()), ..Worth::default() };
        let shown = approval(Some("100"));
        assert!(!shown.has_moved(&now("100.9")) && !shown.has_moved(&now("99")));
        assert!(shown.has_moved(&now("101.1")) && shown.has_moved(&now("98.9")));
        assert!(!approval(None).has_moved(&now("5")));
    }

    #[test]
    fn it_lapses() {
        let approval = approval(None);
        assert!(!approval.is_expired(approval.asked_at));
        assert!(approval.is_expired(approval.expires_at));
        assert_eq!(approval.age(approval.expires_at), 300);
        assert_eq!(
            approval.age("2026-11-23T14:00:00Z".parse().unwrap()),
            0,
            "a clock that was set back"
        );
    }
}
