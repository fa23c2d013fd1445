//! Orders that were entered elsewhere (in TWS, on a phone, by another program), as the broker's lists last showed them.
//! A person sees them beside ours without a request. Nothing is decided by them.

use std::collections::BTreeMap;

use ibd_cpapi::failure::clean;
use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{OrderRow, Stage};
use ibd_protocol::{OrderReport, OrdersReport, states};
use jiff::{SignedDuration, Timestamp, Unit};

use super::State;
use super::evidence::Evidence;
use super::intent::Through;

/// What nobody has seen for so long is not told any more.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    rows: BTreeMap<OrderId, Seen>,
    /// Through which gateway and login: another one has other orders.
    through: Option<Through>,
    /// When a list was given last; `None`: none was read.
    listed_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Seen {
    row: OrderRow,
    at: Timestamp,
}

impl Elsewhere {
    /// Keeps what somebody has seen, ours among it: which are ours is known better when they are told.
    pub(super) fn see(&mut self, evidence: &Evidence) {
        if evidence.through.is_some() && evidence.through != self.through {
            *self = Self { through: evidence.through.clone(), ..Self::default() };
        }
        let Some(at) = evidence.listed_at else {
            return self.pushed(evidence);
        };
        // A list has all orders of its account: what it leaves out is over.
        let of_list = |seen: &Seen| {
            let account = seen.row.account.as_ref();
            let is_read = account.is_some_and(|account| evidence.accounts.contains(account));
            is_read || evidence.rows.iter().any(|row| row.account.as_ref() == account)
        };
        if evidence.is_whole {
            self.rows.retain(|_, seen| seen.at > at || !of_list(seen));
        }
        for row in &evidence.rows {
            self.rows.insert(row.order_id, Seen { row: row.clone(), at });
        }
        self.listed_at = self.listed_at.max(Some(at));
    }

    /// What is pushed has only what changed; of an order that no list has shown yet that says too little.
    fn pushed(&mut self, evidence: &Evidence) {
        for row in &evidence.rows {
            if let Some(seen) = self.rows.get_mut(&row.order_id)
                && row.status.is_some()
            {
                seen.row.status.clone_from(&row.status);
                seen.row.filled = row.filled.or(seen.row.filled);
                seen.at = evidence.began;
            }
        }
    }

    /// Those that may still be filled, as far as is known.
    fn open(&self, now: Timestamp) -> impl Iterator<Item = &Seen> {
        self.rows.values().filter(move |seen| {
            let can_fill = seen.row.status.as_ref().and_then(Stage::can_fill);
            can_fill != Some(false) && now.duration_since(seen.at) < KEPT
        })
    }
}

impl State {
    /// What was not sent from here, as it was last seen. Not `ok`: nothing is known of it.
    pub(super) fn elsewhere(&self) -> OrdersReport {
        let seen = &self.watch.elsewhere;
        if seen.listed_at.is_none() {
            let text =
                "IBKR's list of orders was not read yet: what was entered elsewhere is not known.";
            return self.report(false, text, "An assistant's get_live_orders reads it.");
        }
        let is_ours =
            |row: &OrderRow| self.of_row(row).is_some_and(|id| self.ledger.book.get(id).is_some());
        let foreign = seen.open(Timestamp::now()).filter(|seen| !is_ours(&seen.row));
        let mut report = self.report(true, "", "");
        report.orders = foreign.map(told).collect();
        report
    }
}

fn told(seen: &Seen) -> OrderReport {
    let Seen { row, at } = seen;
    let works = row.status.as_ref().and_then(Stage::can_fill) == Some(true);
    let state = if works { states::Order::Working } else { states::Order::AtBroker };
    let status = row.status.as_ref().map(|status| clean(status.as_str()));
    let filled = row.filled.map(|filled| format!("filled {}", filled.get()));
    let reason = [status, filled].into_iter().flatten().collect::<Vec<_>>().join(", ");
    OrderReport {
        client_order_id: row.order_ref.as_deref().map(clean).unwrap_or_default(),
        order_id: Some(row.order_id.to_string()),
        account: row.account.as_ref().map(ToString::to_string).unwrap_or_default(),
        state: state.into(),
        text: row.description.as_deref().map_or_else(|| in_parts(row), clean),
        since: at.round(Unit::Second).unwrap_or(*at).to_string(),
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        open: true,
        ..OrderReport::default()
    }
}

/// Where IBKR has no line about it.
fn in_parts(row: &OrderRow) -> String {
    let parts = [
        row.side.as_ref().map(ToString::to_string),
        row.quantity.map(|quantity| quantity.get().to_string()),
        row.ticker.clone(),
        row.order_type.as_ref().map(ToString::to_string),
        row.price.map(|price| price.get().to_string()),
        row.tif.as_ref().map(ToString::to_string),
    ];
    clean(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(id: u32, status: &str) -> OrderRow {
        let json = format!(
            r#"{{"orderId":{id},"account":"DU1","ticker":"AAPL","side":"SELL","totalSize":5,"status":"{status}"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn list(at: &str, rows: Vec<OrderRow>) -> Evidence {
        let listed_at = Some(at.parse().unwrap());
        Evidence { rows, listed_at, ..Evidence::begin(0, None) }
    }

    fn ids(seen: &Elsewhere) -> Vec<String> {
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        seen.open(now).map(|seen| seen.row.order_id.to_string()).collect()
    }

    #[test]
    fn a_list_replaces_the_one_before_and_a_push_only_says_what_changed() {
        let mut seen = Elsewhere::default();
        seen.see(&list("2026-11-23T07:30:00Z", vec![row(1, "Submitted"), row(2, "PreSubmitted")]));
        assert_eq!(ids(&seen), ["1", "2"]);
        // Nobody has listed it: a push alone says too little.
        let push = Evidence {
            rows: vec![row(3, "Submitted"), row(1, "Filled")],
            ..list("2026-11-23T07:30:00Z", Vec::new())
        };
        seen.see(&Evidence { listed_at: None, ..push });
        assert_eq!(ids(&seen), ["2"]);
        seen.see(&list("2100-01-01T00:00:00Z", vec![row(4, "Submitted")]));
        assert_eq!(ids(&seen), ["4"], "what a later list leaves out is over");
    }

    #[test]
    fn another_login_has_other_orders_and_what_is_old_is_not_told() {
        let mut seen = Elsewhere::default();
        seen.see(&list("2026-11-23T07:30:00Z", vec![row(1, "Submitted")]));
        let through = Some(Through { gateway: "another".into(), login: None });
        seen.see(&Evidence { through, ..list("2026-11-23T07:31:00Z", vec![row(2, "Submitted")]) });
        assert_eq!(ids(&seen), ["2"]);
        let late = "2026-11-25T08:00:00Z".parse().unwrap();
        assert_eq!(seen.open(late).count(), 0);
    }

    #[test]
    fn it_is_told_in_ibkrs_words_and_is_no_intent_of_ours() {
        let seen = Seen { row: row(7, "Submitted"), at: "2026-11-23T07:30:00.5Z".parse().unwrap() };
        let told = told(&seen);
        assert_eq!((told.intent_id.as_str(), told.text.as_str()), ("", "SELL 5 AAPL"));
        assert_eq!(told.order_id.as_deref(), Some("7"));
        assert!(told.state.is(states::Order::Working) && told.open);
        assert_eq!(told.reason.as_deref(), Some("Submitted"));
    }
}
