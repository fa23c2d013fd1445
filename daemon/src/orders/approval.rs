//! Approval: what a person, or on paper the client, must say yes to. One object; the first valid answer
//! wins; exactly what was shown is what is sent. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::clock::{Boot, Now};
use super::guardrails::{PriceIs, Worth};
use super::intent::Intent;
use super::life::Question;
use super::order::{Order, Purpose};

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
    /// When it was asked, by the time since the machine was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Boot>,
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
    /// Whether it has lapsed: as soon as one of the clocks says so.
    pub fn is_expired(&self, now: &Now) -> bool {
        let life = Duration::try_from(self.expires_at.duration_since(self.asked_at));
        let age = self.boot.as_ref().zip(now.boot.as_ref()).and_then(|(at, now)| at.age(now));
        now.wall >= self.expires_at || age.is_some_and(|age| age >= life.unwrap_or_default())
    }

    /// Whether the order is no longer what it was when it was shown: in its value, or where the market is. What
    /// was known then and is not known now has moved.
    pub fn has_moved(&self, worth: &Worth) -> bool {
        let moved = |shown: Option<Decimal>, now: Option<Decimal>| match (shown, now) {
            (Some(shown), Some(now)) => {
                (shown - now).abs() * Decimal::ONE_HUNDRED > shown.abs() * Decimal::from(MOVED)
            }
            (Some(_), None) => true,
            (None, _) => false,
        };
        moved(self.worth.market, worth.market) || moved(self.worth.value, worth.value)
    }

    /// How long it has waited, in seconds.
    pub fn age(&self, now: Timestamp) -> u64 {
        now.duration_since(self.asked_at).max(SignedDuration::ZERO).as_secs().unsigned_abs()
    }

    /// The whole, a line each, for whoever decides: what a change changes first, and last what should be known.
    pub fn lines(&self, intent: &Intent) -> Vec<String> {
        let head = match (&intent.purpose, &intent.order) {
            (Purpose::Modify { .. }, _) | (_, None) => Some(intent.text.clone()),
            _ => None,
        };
        let order = intent.order.as_ref().map(|order| self.lines_of(order));
        let notes = intent.warnings.iter().map(|warning| format!("note: {warning}"));
        head.into_iter().chain(order.into_iter().flatten()).chain(notes).collect()
    }

    fn lines_of(&self, order: &Order) -> Vec<String> {
        let mut lines = order.lines();
        let base = self.worth.base.as_deref().unwrap_or("");
        if let (Some(value), Some(percent)) = (self.worth.value, self.worth.percent) {
            lines.push(format!("worth about {value} {base}, {percent} % of the account"));
        }
        if let Some(market) = self.worth.market {
            let contract = &order.contract;
            let unit = contract.price_unit().unwrap_or_else(|| contract.currency.clone());
            let what = self.worth.market_is.map_or("market now about", PriceIs::in_words);
            lines.push(format!("{what} {} {unit}", market.normalize()));
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
            boot: Some(Boot { id: "b".into(), millis: 1_000 }),
        }
    }

    #[test]
    fn an_order_that_moved_is_noticed_also_when_it_cannot_be_told() {
        let worth = |market: Option<&str>, value: Option<&str>| Worth {
            market: market.map(|m| m.parse().unwrap()),
            value: value.map(|v| v.parse().unwrap()),
            ..Worth::default()
        };
        let now = |market: &str| worth(Some(market), None);
        let shown = approval(Some("100"));
        assert!(!shown.has_moved(&now("100.9")) && !shown.has_moved(&now("99")));
        assert!(shown.has_moved(&now("101.1")) && shown.has_moved(&now("98.9")));
        assert!(shown.has_moved(&worth(None, None)), "what was known is not known any more");
        assert!(!approval(None).has_moved(&now("5")));
        let valued = Approval { worth: worth(Some("100"), Some("1000")), ..approval(None) };
        assert!(!valued.has_moved(&worth(Some("100"), Some("1005"))));
        assert!(valued.has_moved(&worth(Some("100"), Some("6000"))), "six times the value");
    }

    #[test]
    fn it_lapses_as_soon_as_one_clock_says_so() {
        let approval = approval(None);
        let now = |wall: &str, millis| Now {
            wall: wall.parse().unwrap(),
            steady: std::time::Instant::now(),
            boot: Some(Boot { id: "b".into(), millis }),
        };
        assert!(!approval.is_expired(&now("2026-11-23T15:04:59Z", 2_000)));
        assert!(approval.is_expired(&now("2026-11-23T15:05:00Z", 2_000)));
        assert!(
            approval.is_expired(&now("2026-11-23T14:00:00Z", 301_000)),
            "the wall was set back"
        );
        assert_eq!(approval.age(approval.expires_at), 300);
        assert_eq!(
            approval.age("2026-11-23T14:00:00Z".parse().unwrap()),
            0,
            "a clock that was set back"
        );
    }
}
