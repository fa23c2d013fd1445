//! What is sent about alerts: enter or change, switch, delete.

use serde::{Deserialize, Serialize, Serializer};

use crate::endpoint::{Endpoint, Method, Path};
use crate::failure::Failure;
use crate::id::{AccountId, OrderId};
use crate::lenient;

/// Yes or no, as IBKR wants it here: 1 or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flag(pub bool);

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0.into())
    }
}

/// Enters an alert, or changes the one whose number the ticket has; its name stays.
#[derive(Debug, Clone)]
pub struct PutAlert {
    /// Whose.
    pub account: AccountId,
    /// The whole of it.
    pub ticket: AlertTicket,
}

/// An alert as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertTicket {
    /// The alert that is changed; a new one without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// Its name; that of the Mobile Trading Assistant has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_name: Option<String>,
    /// What it says when it fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_message: Option<String>,
    /// Whether it goes on after it has fired.
    pub alert_repeatable: Flag,
    /// Whether prices count outside regular hours.
    pub outside_rth: Flag,
    /// Whether it is shown in IBKR's mobile app only.
    #[serde(rename = "iTWSOrdersOnly", skip_serializing_if = "Option::is_none")]
    pub mobile_only: Option<Flag>,
    /// Whether TWS opens a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_popup: Option<Flag>,
    /// The number of the Mobile Trading Assistant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_id: Option<u64>,
    /// A sound, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub play_audio: Option<String>,
    /// Where a mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether a mail is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_message: Option<Flag>,
    /// `GTC`, or `GTD` with an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tif: Option<String>,
    /// The end, as [`super::TIME`] has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<String>,
    /// What it waits for.
    pub conditions: Vec<AlertCondition>,
}

/// A condition as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertCondition {
    /// [`super::Kind::number`].
    #[serde(rename = "type")]
    pub kind: u8,
    /// `265598@SMART`, or `*@*` where it need not be a certain contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conidex: Option<String>,
    /// `>=` or `<=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Which price; `0` is the usual.
    pub trigger_method: String,
    /// A number or a moment, as text.
    pub value: String,
    /// `a` and, `o` or, `n` the end.
    pub logic_bind: String,
    /// The zone of a moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Switches an alert on or off.
#[derive(Debug, Clone)]
pub struct SwitchAlert {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: OrderId,
    /// On or off.
    pub active: Flag,
}

/// Deletes an alert. There is none to delete all: that would be the number 0.
#[derive(Debug, Clone)]
pub struct DeleteAlert {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: OrderId,
}

/// What IBKR says to a request that changes an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Taken {
    /// The alert's number.
    #[serde(rename = "order_id", default, deserialize_with = "lenient::opt")]
    pub id: Option<OrderId>,
    /// Whether it was taken.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub success: Option<bool>,
    /// In words: untrusted text.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub text: Option<String>,
    /// What should be known: untrusted text.
    #[serde(rename = "warning_message", default, deserialize_with = "lenient::opt")]
    pub warning: Option<String>,
}

impl Endpoint for PutAlert {
    type Reply = Taken;
    const NAME: &'static str = "iserver/account/alert/put";
    const METHOD: Method = Method::Post;

    fn path(&self) -> Path {
        Path::new("/iserver/account").segment(&self.account).then("/alert")
    }

    fn body(&self) -> Option<String> {
        serde_json::to_string(&self.ticket).ok()
    }
}

impl Endpoint for SwitchAlert {
    type Reply = Taken;
    const NAME: &'static str = "iserver/account/alert/activate";
    const METHOD: Method = Method::Post;

    fn path(&self) -> Path {
        Path::new("/iserver/account").segment(&self.account).then("/alert/activate")
    }

    fn body(&self) -> Option<String> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            alert_id: OrderId,
            alert_active: Flag,
        }
        serde_json::to_string(&Body { alert_id: self.id, alert_active: self.active }).ok()
    }
}

impl Endpoint for DeleteAlert {
    type Reply = Taken;
    const NAME: &'static str = "iserver/account/alert/delete";
    const METHOD: Method = Method::Delete;

    fn path(&self) -> Path {
        Path::new("/iserver/account").segment(&self.account).then("/alert").segment(self.id)
    }
}

/// Whether what stands before IBKR's servers refused a request because of how its body looks. It says nothing of
/// what the user may do.
pub fn is_firewall(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused { status: 403, .. })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::alerts::{GetAlert, Kind};
    use crate::failure::classify;
    use crate::fixtures;

    fn account() -> AccountId {
        "DU1234567".parse().unwrap()
    }

    #[test]
    fn what_ibkr_says_to_a_change_is_read_and_so_is_its_no() {
        let taken: Taken = fixtures::reply("alert_entered");
        assert_eq!((taken.id.map(OrderId::get), taken.success), (Some(1_234_567_895), Some(true)));
        let taken: Taken = fixtures::reply("alert_submitted");
        assert_eq!(taken.text.as_deref(), Some("Request was submitted"));
        let absent = classify(200, &fixtures::text("alert_absent"));
        assert!(matches!(absent, Some(Failure::Refused { status: 200, .. })), "{absent:?}");
        for (name, expected) in [
            ("alert_operator", "can't recognize fix [abc]"),
            ("alert_name", "Alert name cannot be modified"),
            ("alert_switch", "failed to activate/deactivate alert"),
            ("alert_delete", "doesn't exist"),
        ] {
            let (status, body) = fixtures::error(name);
            let Some(Failure::Trouble { text, .. }) = classify(status, &body) else {
                unreachable!("{name}")
            };
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_web_page_with_403_is_a_firewall_and_nothing_else_is() {
        let page = "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY>Reference</BODY></HTML>";
        assert!(is_firewall(&classify(403, page).unwrap()));
        assert!(!is_firewall(&classify(401, page).unwrap()));
        assert!(!is_firewall(&classify(500, r#"{"error":"x"}"#).unwrap()));
    }

    #[test]
    fn a_ticket_has_ones_and_zeros_and_only_what_was_said() {
        let condition = AlertCondition {
            kind: Kind::Price.number(),
            conidex: Some("265598@SMART".into()),
            operator: Some("<=".into()),
            trigger_method: "0".into(),
            value: "183.34".into(),
            logic_bind: "n".into(),
            time_zone: None,
        };
        let ticket = AlertTicket {
            alert_name: Some("AAPL".into()),
            outside_rth: Flag(true),
            conditions: vec![condition],
            ..AlertTicket::default()
        };
        let put = PutAlert { account: account(), ticket };
        assert_eq!(put.path().as_str(), "/iserver/account/DU1234567/alert");
        assert_eq!(
            put.body().unwrap(),
            r#"{"alertName":"AAPL","alertRepeatable":0,"outsideRth":1,"conditions":[{"type":1,"conidex":"265598@SMART","operator":"<=","triggerMethod":"0","value":"183.34","logicBind":"n"}]}"#
        );
        let id = "7".parse().unwrap();
        let switch = SwitchAlert { account: account(), id, active: Flag(false) };
        assert_eq!(switch.path().as_str(), "/iserver/account/DU1234567/alert/activate");
        assert_eq!(switch.body().unwrap(), r#"{"alertId":7,"alertActive":0}"#);
        let delete = DeleteAlert { account: account(), id };
        assert_eq!(delete.path().as_str(), "/iserver/account/DU1234567/alert/7");
        assert_eq!(GetAlert { id }.path().as_str(), "/iserver/account/alert/7?type=Q");
    }
}
