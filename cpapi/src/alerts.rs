//! Alerts that IBKR keeps and watches: `/iserver/account/{account}/alert`, and the one of the Mobile Trading
//! Assistant.
//!
//! Source: "Alerts" of IBKR's Client Portal API v1 reference. In practice times are in UTC, yes and no are 1 and 0 or
//! true and false, and a list has no conditions: each alert's own page has them. Some gateways have answered 403 with a
//! web page to every body in which `>=` or `<=` stands ([`is_firewall`]).

mod send;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::endpoint::{Endpoint, Path};
use crate::id::{AccountId, OrderId};
use crate::lenient;
use crate::rows::{self, Rows};

pub use send::{
    AlertCondition, AlertTicket, DeleteAlert, Flag, PutAlert, SwitchAlert, Taken, is_firewall,
};

/// How times are written, in UTC.
pub const TIME: &str = "%Y%m%d-%H:%M:%S";

/// The alerts of an account, without that of the Mobile Trading Assistant.
#[derive(Debug, Clone)]
pub struct GetAlerts {
    /// Whose.
    pub account: AccountId,
}

/// One alert in the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AlertRow {
    /// Its number; one of the orders' numbers.
    #[serde(rename = "order_id")]
    pub id: OrderId,
    /// Whose.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub account: Option<AccountId>,
    /// Its name: untrusted text.
    #[serde(rename = "alert_name", default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// Whether it waits for its conditions.
    #[serde(rename = "alert_active", default, deserialize_with = "lenient::opt")]
    pub is_active: Option<bool>,
    /// When it was entered.
    #[serde(rename = "order_time", default, deserialize_with = "time")]
    pub entered: Option<Timestamp>,
    /// Whether it has fired.
    #[serde(rename = "alert_triggered", default, deserialize_with = "lenient::opt")]
    pub is_triggered: Option<bool>,
    /// Whether it goes on after that.
    #[serde(rename = "alert_repeatable", default, deserialize_with = "lenient::opt")]
    pub is_repeatable: Option<bool>,
}

impl Endpoint for GetAlerts {
    type Reply = Rows<AlertRow>;
    const NAME: &'static str = "iserver/account/alerts";

    fn path(&self) -> Path {
        Path::new("/iserver/account").segment(&self.account).then("/alerts")
    }
}

/// One alert in full. One that does not exist is refused with 200.
#[derive(Debug, Clone, Copy)]
pub struct GetAlert {
    /// Which.
    pub id: OrderId,
}

/// The alert of the Mobile Trading Assistant. There is one for a user; it is neither made nor deleted, and has another
/// number after each change.
#[derive(Debug, Clone, Copy)]
pub struct GetMobileAlert;

/// An alert in full.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AlertPage {
    /// Its number.
    #[serde(rename = "order_id")]
    pub id: OrderId,
    /// Whose.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub account: Option<AccountId>,
    /// Its name: untrusted text.
    #[serde(rename = "alert_name", default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// What it says when it fires: untrusted text.
    #[serde(rename = "alert_message", default, deserialize_with = "lenient::opt")]
    pub message: Option<String>,
    /// `GTC` or `GTD`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub tif: Option<String>,
    /// The end of one that is `GTD`.
    #[serde(rename = "expire_time", default, deserialize_with = "time")]
    pub expires: Option<Timestamp>,
    /// Whether it waits for its conditions.
    #[serde(rename = "alert_active", default, deserialize_with = "lenient::opt")]
    pub is_active: Option<bool>,
    /// Whether it has fired.
    #[serde(rename = "alert_triggered", default, deserialize_with = "lenient::opt")]
    pub is_triggered: Option<bool>,
    /// Whether it goes on after that.
    #[serde(rename = "alert_repeatable", default, deserialize_with = "lenient::opt")]
    pub is_repeatable: Option<bool>,
    /// Where a mail goes: untrusted text.
    #[serde(rename = "alert_email", default, deserialize_with = "lenient::opt")]
    pub email: Option<String>,
    /// Whether a mail is sent.
    #[serde(rename = "alert_send_message", default, deserialize_with = "lenient::opt")]
    pub sends_message: Option<bool>,
    /// Whether prices count outside regular hours.
    #[serde(rename = "condition_outside_rth", default, deserialize_with = "lenient::opt")]
    pub outside_rth: Option<bool>,
    /// `Submitted`, `PreSubmitted`, `Inactive`.
    #[serde(rename = "order_status", default, deserialize_with = "lenient::opt")]
    pub status: Option<String>,
    /// The number of the Mobile Trading Assistant's, which stays.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub tool_id: Option<u64>,
    /// What it waits for.
    #[serde(default, deserialize_with = "rows::field")]
    pub conditions: Rows<PageCondition>,
}

/// A condition as an alert's page has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PageCondition {
    /// What is compared: see [`Kind`].
    #[serde(rename = "condition_type", default, deserialize_with = "lenient::opt")]
    pub kind: Option<u32>,
    /// `265598@SMART`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conidex: Option<String>,
    /// The contract's name: untrusted text.
    #[serde(rename = "contract_description_1", default, deserialize_with = "lenient::opt")]
    pub contract: Option<String>,
    /// `>=` or `<=`.
    #[serde(rename = "condition_operator", default, deserialize_with = "lenient::opt")]
    pub operator: Option<String>,
    /// Which price; `0` is the usual.
    #[serde(rename = "condition_trigger_method", default, deserialize_with = "lenient::opt")]
    pub method: Option<String>,
    /// What it is compared with.
    #[serde(rename = "condition_value", default, deserialize_with = "lenient::opt")]
    pub value: Option<String>,
    /// `a` and, `o` or, `n` the end.
    #[serde(rename = "condition_logic_bind", default, deserialize_with = "lenient::opt")]
    pub bind: Option<String>,
    /// The zone of a moment.
    #[serde(rename = "condition_time_zone", default, deserialize_with = "lenient::opt")]
    pub zone: Option<String>,
}

impl Endpoint for GetAlert {
    type Reply = AlertPage;
    const NAME: &'static str = "iserver/account/alert";

    fn path(&self) -> Path {
        // Without the type it is 400.
        Path::new("/iserver/account/alert").segment(self.id).query("type", "Q")
    }
}

impl Endpoint for GetMobileAlert {
    type Reply = AlertPage;
    const NAME: &'static str = "iserver/account/mta";

    fn path(&self) -> Path {
        Path::new("/iserver/account/mta")
    }
}

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The price.
    Price,
    /// The moment.
    Time,
    /// The account's cushion, in percent.
    Margin,
    /// An execution.
    Trade,
    /// The day's volume.
    Volume,
    /// The market; the Mobile Trading Assistant's only.
    Market,
    /// A position; the Mobile Trading Assistant's only.
    Position,
    /// The day's P&L; the Mobile Trading Assistant's only.
    DailyPnl,
}

const KINDS: [(Kind, u8, &str); 8] = [
    (Kind::Price, 1, "price"),
    (Kind::Time, 3, "time"),
    (Kind::Margin, 4, "margin"),
    (Kind::Trade, 5, "trade"),
    (Kind::Volume, 6, "volume"),
    (Kind::Market, 7, "market"),
    (Kind::Position, 8, "position"),
    (Kind::DailyPnl, 9, "dailyPnl"),
];

impl Kind {
    /// By IBKR's number, or by its word.
    pub fn of(text: &str) -> Option<Self> {
        let is_it =
            |row: &&(Self, u8, &str)| row.1.to_string() == text || row.2.eq_ignore_ascii_case(text);
        KINDS.iter().find(is_it).map(|row| row.0)
    }

    /// IBKR's number.
    pub fn number(self) -> u8 {
        KINDS.iter().find(|row| row.0 == self).map_or(0, |row| row.1)
    }

    /// In a word.
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// Whether only the Mobile Trading Assistant knows it.
    pub fn is_mobile(self) -> bool {
        matches!(self, Self::Market | Self::Position | Self::DailyPnl)
    }
}

/// A moment in UTC; one that cannot be read is not known.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = lenient::opt::<D, String>(deserializer)?;
    Ok(text.and_then(|text| lenient::utc(TIME, &text)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn the_list_and_a_page_are_read() {
        let rows: Rows<AlertRow> = fixtures::reply("alerts");
        let row = &rows[0];
        assert_eq!((row.id.get(), row.name.as_deref()), (1_234_567_895, Some("AAPL_Price")));
        assert_eq!((row.is_active, row.is_triggered), (Some(true), Some(false)));
        assert_eq!(row.entered.unwrap().to_string(), "2026-11-02T15:30:00Z");
        let page: AlertPage = fixtures::reply("alert");
        assert_eq!(page.message.as_deref(), Some("AAPL fell"));
        assert_eq!(page.expires.unwrap().to_string(), "2099-01-01T12:00:00Z");
        assert_eq!(page.outside_rth, Some(false));
        let condition = &page.conditions[0];
        assert_eq!((condition.kind, condition.value.as_deref()), (Some(1), Some("183.34")));
        assert_eq!(condition.operator.as_deref(), Some("<="));
        let mobile: AlertPage = fixtures::reply("alert_mta");
        assert_eq!((mobile.tool_id, mobile.name), (Some(55_834_574_848), None));
        assert!(mobile.conditions.is_empty() && mobile.conditions.is_whole());
    }

    #[test]
    fn a_row_that_is_odd_costs_no_other_and_an_odd_value_no_row() {
        let json =
            r#"[{"order_id":"7","alert_active":"yes","order_time":"soon"},{"alert_name":"x"}]"#;
        let rows: Rows<AlertRow> = serde_json::from_str(json).unwrap();
        assert_eq!((rows.len(), rows.unread().len()), (1, 1));
        assert_eq!((rows[0].is_active, rows[0].entered), (None, None));
    }

    #[test]
    fn kinds_go_by_number_and_by_word() {
        assert_eq!((Kind::of("1"), Kind::of("Price")), (Some(Kind::Price), Some(Kind::Price)));
        assert_eq!((Kind::of("2"), Kind::of("cost")), (None, None));
        assert!(Kind::DailyPnl.is_mobile() && !Kind::Trade.is_mobile());
        assert_eq!((Kind::Volume.number(), Kind::Volume.as_str()), (6, "volume"));
    }
}
