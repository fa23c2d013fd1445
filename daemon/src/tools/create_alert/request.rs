//! The original's `alertRequest`, which is IBKR's own form: read in full, completed where IBKR leaves no choice, and
//! refused by its field before anything is sent. Pure.

mod condition;

use ibd_cpapi::alerts::{AlertTicket, Flag, TIME};
use ibd_cpapi::id::OrderId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::refusal::Refusal;
use crate::tools::args;
use condition::{Condition, Place};

/// As the original has it.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct AlertRequest {
    #[serde(deserialize_with = "args::text")]
    alert_name: Option<String>,
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "args::text")]
    #[schemars(with = "Option<u64>")]
    order_id: Option<String>,
    #[serde(deserialize_with = "args::words")]
    alert_message: Option<String>,
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<u64>")]
    alert_repeatable: Option<bool>,
    #[serde(deserialize_with = "args::text")]
    expire_time: Option<String>,
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<u64>")]
    outside_rth: Option<bool>,
    #[serde(rename = "iTWSOrdersOnly", deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<u64>")]
    mobile_only: Option<bool>,
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<u64>")]
    show_popup: Option<bool>,
    #[serde(deserialize_with = "args::text")]
    #[schemars(with = "Option<u64>")]
    tool_id: Option<String>,
    #[serde(deserialize_with = "args::text")]
    play_audio: Option<String>,
    // IBKR calls it email.
    #[serde(alias = "email", deserialize_with = "args::text")]
    email_notification: Option<String>,
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<u64>")]
    send_message: Option<bool>,
    #[serde(deserialize_with = "args::text")]
    tif: Option<String>,
    #[serde(deserialize_with = "args::text")]
    logic_bind: Option<String>,
}

impl AlertRequest {
    /// As it is sent, and what was taken for something else than was written.
    pub(super) fn ticket(self, now: Timestamp) -> Result<(AlertTicket, Vec<String>), Refusal> {
        let mut said = Vec::new();
        let order_id =
            self.order_id.as_deref().filter(|id| *id != "0").map(order_id).transpose()?;
        // As zero is no order's number, it is no tool's.
        let tool_id = self.tool_id.as_deref().filter(|id| *id != "0").map(tool_id).transpose()?;
        let is_mobile = tool_id.is_some();
        if self.alert_name.is_none() && order_id.is_none() && !is_mobile {
            return Err(wrong("alertName", "is needed"));
        }
        if self.alert_name.is_some() && is_mobile {
            return Err(wrong(
                "alertName",
                "is none of the Mobile Trading Assistant's: leave it out",
            ));
        }
        if self.conditions.is_empty() && !is_mobile {
            return Err(wrong("conditions", "are needed, at least one"));
        }
        if self.send_message == Some(true) && self.email_notification.is_none() {
            return Err(wrong("emailNotification", "is needed with sendMessage"));
        }
        let (tif, expire_time) = self.end(now)?;
        let count = self.conditions.len();
        let bind = self.logic_bind.as_deref();
        let conditions = self.conditions.iter().enumerate().map(|(at, one)| {
            let place = Place { at, is_last: at + 1 == count, bind, is_mobile };
            one.ticket(&place, &mut said)
        });
        let conditions = conditions.collect::<Result<Vec<_>, _>>()?;
        let flag = |given: Option<bool>| given.map(Flag);
        // IBKR wants a message; the name says what it is about.
        let message = self.alert_message.clone().or_else(|| self.alert_name.clone());
        let ticket = AlertTicket {
            order_id,
            alert_name: self.alert_name.clone(),
            alert_message: message,
            // The Mobile Trading Assistant's always is.
            alert_repeatable: Flag(self.alert_repeatable.unwrap_or(is_mobile)),
            outside_rth: Flag(self.outside_rth.unwrap_or(false)),
            mobile_only: flag(self.mobile_only),
            show_popup: flag(self.show_popup),
            tool_id,
            play_audio: self.play_audio.clone(),
            email: self.email_notification.clone(),
            send_message: flag(self.send_message),
            tif: tif.map(str::to_owned),
            expire_time,
            conditions,
        };
        Ok((ticket, said))
    }

    /// Until when it is good, as far as it is said: one that is changed stays good as long as it was to be.
    fn end(&self, now: Timestamp) -> Result<(Option<&'static str>, Option<String>), Refusal> {
        let tif = self.tif.as_ref().map(|tif| tif.to_ascii_uppercase());
        match (tif.as_deref(), self.expire_time.as_deref()) {
            (None, None) => Ok((None, None)),
            (Some("GTC"), None) => Ok((Some("GTC"), None)),
            (None | Some("GTD"), Some(text)) => {
                let at = moment(text).ok_or_else(|| {
                    wrong("expireTime", "is no time such as 20270101-12:00:00 (UTC)")
                })?;
                if at <= now {
                    return Err(wrong("expireTime", "is over"));
                }
                let utc = at.to_zoned(TimeZone::UTC).strftime(TIME).to_string();
                Ok((Some("GTD"), Some(utc)))
            }
            (Some("GTC"), Some(_)) => Err(wrong("expireTime", "is for tif GTD only")),
            (Some("GTD"), None) => Err(wrong("expireTime", "is needed with tif GTD")),
            (Some(_), _) => Err(wrong("tif", "is neither GTC nor GTD")),
        }
    }
}

fn wrong(field: &str, what: &str) -> Refusal {
    let field = format!("alertRequest.{field}");
    Refusal::argument(&field, format!("{field} {what}."), "Nothing was sent. Correct it.")
}

fn order_id(text: &str) -> Result<OrderId, Refusal> {
    text.parse().map_err(|_| wrong("orderId", "is no alert's number"))
}

fn tool_id(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| wrong("toolId", "is no number"))
}

/// In IBKR's form, which is in UTC, or RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    ibd_cpapi::lenient::utc(TIME, text).or_else(|| text.parse().ok())
}

#[cfg(test)]
#[path = "request/tests.rs"]
mod tests;
