//! A person at TWS: orders are changed, cancelled and placed beside the client.

use serde::Deserialize;

use super::contract::Contract;
use super::round::Set;
use super::script::Script;
use super::ticket::{Prices, Size, TIFS, Ticket};
use crate::accounts::resolve;
use crate::book::{Kind, News, Order, Origin, Status, Trail};
use crate::state::World;

/// What a person does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct TwsBody {
    /// Which order; or its client id.
    pub(crate) order_id: Option<i64>,
    #[serde(rename = "cOID")]
    pub(crate) client_id: Option<String>,
    quantity: Option<f64>,
    price: Option<f64>,
    stop_price: Option<f64>,
    tif: Option<String>,
    #[serde(rename = "outsideRTH")]
    outside_rth: Option<bool>,
    /// In the unit that the trail has.
    trailing_amt: Option<f64>,
    cancel: bool,
    place: Option<Entry>,
}

/// An order that a person enters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    /// The first account if missing.
    account: Option<String>,
    conid: Option<i64>,
    symbol: Option<String>,
    side: Side,
    quantity: f64,
    #[serde(rename = "type")]
    kind: String,
    price: Option<f64>,
    stop_price: Option<f64>,
    trailing_amt: Option<f64>,
    #[serde(default = "day")]
    tif: String,
    #[serde(default, rename = "outsideRTH")]
    outside_rth: bool,
    #[serde(rename = "cOID")]
    client_id: Option<String>,
}

fn day() -> String {
    "DAY".to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Side {
    Buy,
    Sell,
}

impl TwsBody {
    /// It names something to change.
    fn changes(&self) -> bool {
        self.quantity.is_some()
            || self.price.is_some()
            || self.stop_price.is_some()
            || self.tif.is_some()
            || self.outside_rth.is_some()
            || self.trailing_amt.is_some()
    }

    /// What this order cannot be changed into.
    fn objection(&self, order: &Order) -> Option<String> {
        let has_limit = order.limit.is_some() || order.kind == Kind::MidPrice;
        let has_stop = order.stop.is_some() || order.kind.is_triggered();
        let kind = order.kind.ticket_word();
        let lacking = [
            (self.price.is_some() && !has_limit, "limit price"),
            (self.stop_price.is_some() && !has_stop, "stop price"),
            (self.trailing_amt.is_some() && order.trail.is_none(), "trail"),
        ];
        if let Some((_, what)) = lacking.into_iter().find(|(lacks, _)| *lacks) {
            return Some(format!("a {kind} order has no {what}"));
        }
        if self.quantity.is_some_and(|quantity| quantity <= order.filled) {
            return Some("the quantity must be above what is filled".to_owned());
        }
        self.tif.as_deref().and_then(wrong_tif)
    }
}

impl World {
    /// Does what a person at TWS does; the answer is the order's id, or what is wrong.
    pub(crate) fn at_tws(&mut self, body: TwsBody) -> Result<i64, String> {
        let once = [body.place.is_some(), body.cancel, body.changes()];
        if once.into_iter().filter(|wanted| *wanted).count() != 1 {
            return Err("either place, or cancel, or something to change".to_owned());
        }
        let id = match body.place {
            Some(entry) => self.enter_at_tws(entry)?,
            None => self.alter_at_tws(&body)?,
        };
        self.trade();
        Ok(id)
    }

    /// An open order is cancelled, or changed, at once.
    fn alter_at_tws(&mut self, body: &TwsBody) -> Result<i64, String> {
        let named = || self.find_open(body.client_id.as_deref()?);
        let id = body.order_id.or_else(named).filter(|id| self.book.open.contains(id));
        let id = id.ok_or("there is no such open order")?;
        if body.cancel {
            self.cancel(id);
            self.end(id, Status::Cancelled);
            return Ok(id);
        }
        let now = self.clock.now_ms();
        let order = self.book.orders.get_mut(&id).ok_or("there is no such order")?;
        if let Some(objection) = body.objection(order) {
            return Err(objection);
        }
        order.quantity = body.quantity.unwrap_or(order.quantity);
        order.limit = body.price.or(order.limit);
        order.stop = body.stop_price.or(order.stop);
        order.trail = order.trail.map(|trail| match (trail, body.trailing_amt) {
            (Trail::Amount(_), Some(amount)) => Trail::Amount(amount),
            (Trail::Percent(_), Some(percent)) => Trail::Percent(percent),
            (same, None) => same,
        });
        if let Some(tif) = &body.tif {
            order.tif.clone_from(tif);
        }
        order.outside_rth = body.outside_rth.unwrap_or(order.outside_rth);
        (order.rested, order.seen, order.changed_ms) = (false, i64::MIN, now);
        let news = News::Row(Box::new(order.clone()));
        self.book.note(now, news);
        Ok(id)
    }

    /// The newest open order with this client id.
    fn find_open(&self, client_id: &str) -> Option<i64> {
        let mut orders = self.book.open.iter().rev().filter_map(|id| self.book.order(*id));
        orders.find(|order| order.client_id.as_deref() == Some(client_id)).map(|order| order.id)
    }

    /// An order is entered. Nothing is asked, and its name takes no client id.
    fn enter_at_tws(&mut self, entry: Entry) -> Result<i64, String> {
        let account = entry.account.clone().or_else(|| Some(self.accounts.first()?.id.clone()));
        let account = account.filter(|id| self.takes_orders(id));
        let account = account.ok_or("there is no such account")?;
        let conid = resolve(entry.conid, entry.symbol.as_deref(), &self.universe);
        let conid = conid.map_err(|_| "there is no such contract")?.conid;
        let ticket = entry.ticket(conid)?;
        let set = Set { account, tickets: vec![ticket] };
        let placed = self.accept(&set, &Script::default(), Origin::Tws);
        placed.first().copied().ok_or_else(|| "it was not placed".to_owned())
    }
}

impl Entry {
    /// The ticket for this contract.
    fn ticket(self, conid: i64) -> Result<Ticket, String> {
        let kind = Kind::parse(&self.kind).ok_or("there is no such type")?;
        if self.quantity <= 0.0 {
            return Err("the quantity must be above zero".to_owned());
        }
        if let Some(wrong) = wrong_tif(&self.tif) {
            return Err(wrong);
        }
        let trail = self.trailing_amt.map(Trail::Amount);
        let needs_limit = matches!(kind, Kind::Limit | Kind::StopLimit | Kind::TrailLimit);
        let needs_stop = matches!(kind, Kind::Stop | Kind::StopLimit);
        let needs_trail = matches!(kind, Kind::Trail | Kind::TrailLimit);
        let lacking = [
            (needs_limit && self.price.is_none(), "price"),
            (needs_stop && self.stop_price.is_none(), "stopPrice"),
            (needs_trail && trail.is_none(), "trailingAmt"),
        ];
        if let Some((_, key)) = lacking.into_iter().find(|(lacks, _)| *lacks) {
            return Err(format!("{key} is missing"));
        }
        Ok(Ticket {
            client_id: self.client_id,
            parent: None,
            contract: Contract { conid, conidex: conid.to_string(), legs: Vec::new() },
            is_buy: self.side == Side::Buy,
            kind,
            prices: Prices { limit: self.price, stop: self.stop_price, trail },
            tif: self.tif,
            size: Size::Units(self.quantity),
            outside_rth: self.outside_rth,
            is_grouped: false,
            is_deactivated: false,
        })
    }
}

fn wrong_tif(tif: &str) -> Option<String> {
    (!TIFS.contains(&tif)).then(|| format!("there is no tif {tif}"))
}
