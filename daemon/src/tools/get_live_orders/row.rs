//! One order as the model reads it: as IBKR lists it, and with what is known here laid over it.

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{OrderRow, Stage};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::orders::{self, lateness};
use crate::orders::{Intent, IntentId, Part, Role, Seen, Size};
use crate::tools::cell::{Num, Time};

/// What the parts of an order say in full.
const PLAIN: &[&str] = &["MKT", "LMT", "STP", "STOP_LIMIT"];

/// One order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// IBKR's id as text.
    pub(super) order_id: String,
    /// The whole in one line, where it was sent from here or its parts do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// take_profit or stop_loss of a bracket, group of a one-cancels-all group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    /// ibd: IBKR's list is older than what is known here, which is laid over it. Absent: as IBKR lists it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'static str>,
    /// When that was learned; absent: as the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<Time>,
    /// The account, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) symbol: Option<String>,
    /// STK, OPT, FUT, BAG (a combination), …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sec_type: Option<String>,
    /// IBKR's number of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conid: Option<u32>,
    /// BUY or SELL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<String>,
    /// LMT, STP, MKT, …; IBKR's word, where it is none of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order_type: Option<String>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quantity: Option<Num>,
    /// What has been filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filled: Option<Num>,
    /// Limit price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<Num>,
    /// Stop price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_price: Option<Num>,
    /// Average price of the fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) avg_price: Option<Num>,
    /// Currency of the prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<String>,
    /// DAY, GTC, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tif: Option<String>,
    /// IBKR's word: PreSubmitted (a stop waits for its trigger), Submitted, Filled, Cancelled, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    /// Whether it can still be filled; absent for a status that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working: Option<bool>,
    /// The name that another program sent it with.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub(super) order_ref: Option<String>,
    /// Our id, of an order that was sent from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) intent_id: Option<String>,
    /// Why IBKR ended it, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Self {
        Self {
            order_id: row.order_id.to_string(),
            text: described(&row),
            role: None,
            source: None,
            as_of: None,
            account: row.account.as_ref().map(ToString::to_string),
            conid: row.conid.map(ibd_cpapi::id::Conid::get),
            quantity: row.quantity.map(|quantity| Num(quantity.get())),
            filled: row.filled.map(|quantity| Num(quantity.get())),
            price: orders::limit_price(&row).map(|price| Num(price.get())),
            stop_price: orders::stop_price(&row).map(|price| Num(price.get())),
            avg_price: row.average_price.map(|price| Num(price.get())),
            working: row.status.as_ref().and_then(Stage::can_fill),
            tif: row.tif.as_ref().map(ToString::to_string),
            symbol: row.ticker,
            sec_type: row.sec_type.map(|kind| kind.to_string()),
            action: row.side.as_ref().map(ToString::to_string),
            order_type: row.order_type.as_ref().map(ToString::to_string),
            currency: row.currency,
            status: row.status.map(|status| status.as_str().to_owned()),
            intent_id: row
                .order_ref
                .as_deref()
                .and_then(IntentId::of_client_order_id)
                .map(|id| id.to_string()),
            reason: row.cancel_reason.as_deref().map(ibd_cpapi::failure::clean),
            order_ref: row.order_ref,
        }
    }
}

/// A row in IBKR's words, with what tells the contract from others of its symbol.
fn described(row: &OrderRow) -> Option<String> {
    let clean = |text: &Option<String>| text.as_deref().map(ibd_cpapi::failure::clean);
    let (order, contract) = (clean(&row.description)?, clean(&row.contract).unwrap_or_default());
    Some(if contract.is_empty() || order.contains(&contract) {
        order
    } else {
        format!("{order} [{contract}]")
    })
}

impl Order {
    /// Without what is said elsewhere: the one account, a name of ours beside its intentId, and the line of a
    /// plain order of somebody else's, which says what its parts say.
    pub(super) fn in_brief(self, accounts: &[AccountId]) -> Self {
        let is_said = |own: &str| matches!(accounts, [only] if only.as_str() == own);
        let is_own = self.intent_id.is_some();
        let is_plain = self.symbol.is_some()
            && self.action.is_some()
            && self.order_type.as_deref().is_some_and(|kind| PLAIN.contains(&kind))
            && self.sec_type.as_deref() == Some("STK");
        Self {
            account: self.account.filter(|own| !is_said(own)),
            order_ref: self.order_ref.filter(|_| !is_own),
            text: self.text.filter(|_| is_own || !is_plain),
            ..self
        }
    }

    /// An order of ours that the broker's list does not have yet, or how it stands by what is known here.
    pub(super) fn from_here(intent: &Intent, order_id: OrderId, at: Timestamp) -> Option<Self> {
        let (standing, sent) = (intent.state.standing()?, intent.order.as_ref()?);
        let part = standing.part(order_id);
        let is_first = standing.order_id == order_id;
        let (status, filled, average) = match part.filter(|_| !is_first) {
            Some(part) => (part.status.clone(), part.filled, part.average),
            None => (Some(standing.status.clone()), standing.filled, standing.average),
        };
        let quantity = match sent.size {
            Size::Quantity(quantity) => Some(Num(quantity.get())),
            Size::Cash(_) => None,
        };
        let first = is_first.then_some(sent);
        Some(Self {
            order_id: order_id.to_string(),
            text: Some(Self::line(intent, order_id)),
            role: part.and_then(|part| sent.role_of(part)).map(Role::as_str),
            source: Some("ibd"),
            as_of: Some(Time(at)),
            account: Some(intent.account.to_string()),
            symbol: Some(sent.contract.symbol.clone()),
            sec_type: Some(sent.contract.sec_type.to_string()),
            conid: sent.contract.conid.map(ibd_cpapi::id::Conid::get),
            action: first.map(|order| order.side.as_str().to_owned()),
            order_type: first.map(|order| order.pricing.order_type().as_str().to_owned()),
            quantity: quantity.filter(|_| is_first),
            filled: filled.map(Num),
            price: first.and_then(|o| o.pricing.limit()).map(|price| Num(price.get())),
            stop_price: first.and_then(|o| o.pricing.stop()).map(|price| Num(price.get())),
            avg_price: average.filter(|average| !average.is_zero()).map(Num),
            currency: Some(sent.contract.currency.clone()),
            tif: first.map(|order| order.tif.as_str().to_owned()),
            working: status.as_ref().map_or(Some(true), Seen::can_fill),
            status: status.map(|status| status.as_str().to_owned()),
            order_ref: None,
            intent_id: Some(intent.id.to_string()),
            reason: None,
        })
    }

    /// An order of ours in one line, the same everywhere.
    fn line(intent: &Intent, order_id: OrderId) -> String {
        let standing = intent.state.standing();
        let part = standing.and_then(|standing| standing.part(order_id));
        match part.filter(|_| standing.is_some_and(|s| s.order_id != order_id)) {
            Some(part) => {
                let role = role(intent, part).unwrap_or("came");
                let terms = part.terms.as_deref().map(|terms| format!(" {terms}"));
                format!(
                    "{}{} with {}",
                    role.replace('_', " "),
                    terms.unwrap_or_default(),
                    intent.text
                )
            }
            None => intent.text.clone(),
        }
    }

    /// What is known here is laid over a row of the broker's list that is older.
    pub(super) fn overlaid(self, intent: &Intent, list_at: Timestamp) -> Self {
        let Ok(order_id) = self.order_id.parse::<OrderId>() else { return self };
        let known_at = intent.known_at_of(order_id);
        let line = Self::line(intent, order_id);
        let part = intent.state.standing().and_then(|standing| standing.part(order_id));
        let role = part.and_then(|part| role(intent, part));
        let this = Self { text: Some(line), role, intent_id: Some(intent.id.to_string()), ..self };
        let Some(here) = Self::from_here(intent, order_id, known_at) else { return this };
        // What has ended may go on working in a list for some seconds.
        let late = lateness::scaled(lateness::LIST);
        let is_late = here.working == Some(false)
            && this.working != Some(false)
            && list_at.duration_since(known_at) < late;
        // By a clock that was set back since, what is known here has no age: the list counts.
        let is_ageless = known_at > Timestamp::now();
        if is_ageless || known_at <= list_at && !is_late {
            return this;
        }
        Self {
            status: here.status.or(this.status),
            filled: here.filled.or(this.filled),
            avg_price: here.avg_price.or(this.avg_price),
            quantity: here.quantity.or(this.quantity),
            price: here.price.or(this.price),
            stop_price: here.stop_price.or(this.stop_price),
            tif: here.tif.or(this.tif),
            working: here.working,
            source: here.source,
            as_of: here.as_of,
            ..this
        }
    }
}

fn role(intent: &Intent, part: &Part) -> Option<&'static str> {
    intent.order.as_ref().and_then(|order| order.role_of(part)).map(Role::as_str)
}
