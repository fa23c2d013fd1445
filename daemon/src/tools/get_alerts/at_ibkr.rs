//! One of IBKR's alerts as it is told.

use ibd_cpapi::alerts::{AlertPage, AlertRow, Kind, PageCondition};
use ibd_cpapi::failure::clean;
use ibd_cpapi::id::AccountId;
use ibd_cpapi::lenient::FromBroker;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::tools::cell::Time;

/// A float holds this many digits exactly.
const DIGITS: u32 = 15;

/// An alert that IBKR keeps. What is absent it did not say.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtIbkr {
    /// For activate_alert and delete_alert.
    alert_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whether it waits for its conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    /// Whether it has fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    triggered: Option<bool>,
    /// Whether it goes on after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeatable: Option<bool>,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    conditions: Option<String>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Whether prices count outside regular hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    outside_rth: Option<bool>,
    /// Where a mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
    /// IBKR's word for how it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// When it was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    entered: Option<Time>,
    /// Of the Mobile Trading Assistant's: its number, which stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_id: Option<u64>,
    /// Whose, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
}

impl AtIbkr {
    /// What it is called.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the list says.
    pub(super) fn of_row(row: &AlertRow) -> Self {
        Self {
            alert_id: row.id.to_string(),
            name: row.name.as_deref().map(clean),
            active: row.is_active,
            triggered: row.is_triggered,
            repeatable: row.is_repeatable,
            entered: row.entered.map(Time),
            ..Self::default()
        }
    }

    /// What its own page says.
    pub(super) fn of_page(page: &AlertPage) -> Self {
        let mut told = Self {
            alert_id: page.id.to_string(),
            account: page.account.as_ref().map(AccountId::to_string),
            ..Self::default()
        };
        told.add(page);
        told
    }

    /// What the page says beside the list.
    pub(super) fn add(&mut self, page: &AlertPage) {
        self.name = page.name.as_deref().map(clean).or(self.name.take());
        self.active = page.is_active.or(self.active);
        self.triggered = page.is_triggered.or(self.triggered);
        self.repeatable = page.is_repeatable.or(self.repeatable);
        self.conditions = in_words(&page.conditions);
        // A name that is the message says it.
        let message = page.message.as_deref().map(clean);
        self.message = message.filter(|message| self.name.as_ref() != Some(message));
        self.outside_rth = page.outside_rth;
        self.email = page.email.as_deref().map(clean);
        self.expires = page.expires.map(Time);
        self.status = page.status.as_deref().map(clean);
        self.tool_id = page.tool_id;
    }
}

/// All conditions in a line; nothing where there are none, or IBKR did not say.
fn in_words(conditions: &[PageCondition]) -> Option<String> {
    let mut text = String::new();
    for (at, condition) in conditions.iter().enumerate() {
        text.push_str(&one(condition));
        let is_last = at + 1 == conditions.len();
        match condition.bind.as_deref() {
            _ if is_last => {}
            Some("a") => text.push_str(" and "),
            Some("o") => text.push_str(" or "),
            _ => text.push_str(", "),
        }
    }
    (!text.is_empty()).then_some(text)
}

fn one(condition: &PageCondition) -> String {
    let kind = condition.kind.map(|kind| kind.to_string());
    let word = kind.as_deref().and_then(Kind::of).map(|kind| kind.as_str().to_owned());
    let kind = word.or(kind.map(|kind| format!("type {kind}")));
    let contract = condition.contract.as_deref().map(clean).filter(|name| name != "*");
    let value = condition.value.as_deref().map(number).filter(|value| value != "*");
    let operator = condition.operator.as_deref().map(clean).filter(|_| value.is_some());
    let zone = condition.zone.as_deref().map(clean);
    let parts = [contract, kind, operator, value, zone];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A number with the digits that it was meant to have: where it passed a float, some were added.
fn number(value: &str) -> String {
    let short = Decimal::from_broker(value).and_then(|number| number.round_sf(DIGITS));
    short.map_or_else(|| clean(value), |number| number.normalize().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn conditions(json: &str) -> Option<String> {
        let page: AlertPage = serde_json::from_str(json).unwrap();
        in_words(&page.conditions)
    }

    #[test]
    fn conditions_are_told_in_a_line() {
        let two = r#"{"order_id":7,"conditions":[
            {"condition_type":1,"contract_description_1":"AAPL","condition_operator":"<=","condition_value":"183.34",
             "condition_logic_bind":"a"},
            {"condition_type":3,"contract_description_1":"*","condition_operator":">=",
             "condition_value":"20270101-12:00:00","condition_time_zone":"US/Eastern","condition_logic_bind":"n"}]}"#;
        let told = "AAPL price <= 183.34 and time >= 20270101-12:00:00 US/Eastern";
        assert_eq!(conditions(two).as_deref(), Some(told));
        let trade = r#"{"order_id":7,"conditions":[{"condition_type":5,"contract_description_1":"*",
            "condition_operator":">=","condition_value":"*"}]}"#;
        assert_eq!(conditions(trade).as_deref(), Some("trade"));
        let odd = r#"{"order_id":7,"conditions":[{"condition_type":42}]}"#;
        assert_eq!(conditions(odd).as_deref(), Some("type 42"));
        assert_eq!(conditions(r#"{"order_id":7}"#), None);
        let noisy = r#"{"order_id":7,"conditions":[{"condition_type":9,"contract_description_1":"*",
            "condition_operator":"<=","condition_value":-12.300000000000001}]}"#;
        assert_eq!(conditions(noisy).as_deref(), Some("dailyPnl <= -12.3"));
    }
}
