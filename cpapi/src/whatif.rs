//! What an order would cost: `POST /iserver/account/{account}/orders/whatif`.

use serde::Deserialize;

use crate::endpoint::{Endpoint, Lane, Method, Path, Write};
use crate::failure::clean_to;
use crate::id::AccountId;
use crate::lenient::{self, FromBroker};
use crate::money::{Amount, Money, Quantity};
use crate::orders::{PlaceOrders, Ticket};

/// A warning may be a page of text.
const MAX_WARNING: usize = 1_000;

/// Asks what would happen, and places nothing. The contract's snapshot must have been asked for in
/// this session; the answer takes about a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// Whose.
    pub account: AccountId,
    /// As they would be placed.
    pub tickets: Vec<Ticket>,
}

/// What would happen. With an `error` most of the rest is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Reply")]
pub struct Preview {
    /// The order's value.
    pub amount: Option<Money>,
    /// What the broker takes.
    pub commission: Option<Money>,
    /// Both together.
    pub total: Option<Money>,
    /// Equity with loan value.
    pub equity: Option<Impact<Amount>>,
    /// Initial margin.
    pub initial: Option<Impact<Amount>>,
    /// Maintenance margin.
    pub maintenance: Option<Impact<Amount>>,
    /// The position.
    pub position: Option<Impact<Quantity>>,
    /// Warnings: untrusted text, cleaned.
    pub warnings: Vec<String>,
    /// Why the order would not be accepted: untrusted text, cleaned.
    pub error: Option<String>,
}

/// A number before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(bound = "T: FromBroker")]
pub struct Impact<T> {
    /// Now.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub current: Option<T>,
    /// The difference.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub change: Option<T>,
    /// Then.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub after: Option<T>,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default, deserialize_with = "lenient::part")]
    amount: Option<Costs>,
    #[serde(default, deserialize_with = "lenient::part")]
    equity: Option<Impact<Amount>>,
    #[serde(default, deserialize_with = "lenient::part")]
    initial: Option<Impact<Amount>>,
    #[serde(default, deserialize_with = "lenient::part")]
    maintenance: Option<Impact<Amount>>,
    #[serde(default, deserialize_with = "lenient::part")]
    position: Option<Impact<Quantity>>,
    #[serde(default, deserialize_with = "lenient::opt")]
    warn: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    warns: Vec<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    error: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct Costs {
    #[serde(default, deserialize_with = "lenient::opt")]
    amount: Option<Money>,
    #[serde(default, deserialize_with = "lenient::opt")]
    commission: Option<Money>,
    #[serde(default, deserialize_with = "lenient::opt")]
    total: Option<Money>,
}

impl From<Reply> for Preview {
    fn from(reply: Reply) -> Self {
        let errors = told(reply.error, reply.errors);
        let (amount, commission, total) = match reply.amount {
            Some(costs) => (costs.amount, costs.commission, costs.total),
            None => (None, None, None),
        };
        Self {
            amount,
            commission,
            total,
            equity: reply.equity,
            initial: reply.initial,
            maintenance: reply.maintenance,
            position: reply.position,
            warnings: told(reply.warn, reply.warns),
            error: (!errors.is_empty()).then(|| errors.join(" · ")),
        }
    }
}

/// The one text of older builds and the list of newer ones, each text once.
fn told(one: Option<String>, list: Vec<String>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for text in one.into_iter().chain(list) {
        let text = clean_to(unnumbered(&text), MAX_WARNING);
        if !text.is_empty() && !told.contains(&text) {
            told.push(text);
        }
    }
    told
}

/// Without the `21/` in front.
fn unnumbered(text: &str) -> &str {
    match text.split_once('/') {
        Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => text,
    }
}

impl Endpoint for WhatIf {
    type Reply = Preview;
    const NAME: &'static str = "iserver/account/orders/whatif";
    const METHOD: Method = Method::Post;
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/iserver/account").segment(&self.account).then("/orders/whatif")
    }

    /// The body of the order itself, so that what is previewed is what would be placed.
    fn body(&self) -> Option<String> {
        PlaceOrders { account: self.account.clone(), tickets: self.tickets.clone() }.body()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    const FINE: &str = r#"{"amount":{"amount":"2,715.50 USD (10 Shares)","commission":"1 USD","total":"2,716.50 USD"},
        "equity":{"current":"215,415","change":"-1","after":"215,414"},"initial":{"current":"0","change":"652","after":"652"},
        "maintenance":{"current":"0","change":"592","after":"592"},"position":{"current":"0","change":"10","after":"10"},
        "warn":"21/You are trying to submit an order without having market data","error":null,
        "warns":["21/You are trying to submit an order without having market data","23/<h4>Market Order Confirmation</h4>and/or more"],
        "errors":[],"accruedInterest":null,"action":null,"order_id":"1","cqe":{"query":{}},"data":[{"V":["0"]}]}"#;

    #[test]
    fn costs_and_margins_are_read_exactly() {
        let preview: Preview = serde_json::from_str(FINE).unwrap();
        assert_eq!(preview.amount.unwrap().to_string(), "2715.5 USD");
        assert_eq!(preview.commission.unwrap().to_string(), "1 USD");
        assert_eq!(preview.total.unwrap().to_string(), "2716.5 USD");
        assert_eq!(preview.equity.unwrap().after.unwrap().to_string(), "215414");
        assert_eq!(preview.initial.unwrap().change.unwrap().to_string(), "652");
        assert_eq!(preview.position.unwrap().after.unwrap().to_string(), "10");
        assert_eq!(preview.error, None);
        assert_eq!(
            preview.warnings,
            [
                "You are trying to submit an order without having market data",
                "Market Order Confirmation and/or more"
            ]
        );
    }

    #[test]
    fn what_stands_in_the_way_is_told_and_the_rest_is_missing() {
        let preview: Preview = fixtures::reply("whatif_blocked");
        assert_eq!((preview.commission, preview.total, preview.equity), (None, None, None));
        assert_eq!(preview.amount.unwrap().to_string(), "27000000 USD");
        assert!(preview.error.unwrap().starts_with("Available converted to base"));
        assert!(preview.warnings.is_empty());
    }

    #[test]
    fn the_simulators_previews_are_read() {
        let preview: Preview = fixtures::reply("whatif");
        assert_eq!(preview.total.unwrap().to_string(), "2701 USD");
        assert_eq!((preview.warnings.len(), preview.error), (0, None));
        let blind: Preview = fixtures::reply("whatif_blind");
        assert!(blind.warnings[0].starts_with("You are trying"));
    }
}
