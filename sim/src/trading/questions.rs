//! What the broker asks before it takes an order.

use super::ticket::{Size, Ticket};
use crate::book::Kind;
use crate::instruments::{Instrument, Quality};
use crate::state::World;

/// Farther than this part of the last price a limit is questioned.
const PRICE_LIMIT: f64 = 0.03;
/// More than these units are questioned: shares, and contracts of derivatives.
const SIZE_LIMIT: f64 = 1000.0;
const CONTRACTS_LIMIT: f64 = 50.0;
/// More than this, in the account's currency, is questioned.
const VALUE_LIMIT: f64 = 100_000.0;
/// The most ids that can be suppressed.
pub(crate) const MOST_SUPPRESSED: usize = 51;

/// One question: its id and its words.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) text: String,
    /// A dialog of the newer sort, with other options.
    pub(crate) is_dialog: bool,
}

impl World {
    /// The ids of what is usually asked about a ticket, in the broker's order.
    pub(super) fn usual_questions(&self, account: &str, ticket: &Ticket) -> Vec<&'static str> {
        let contract = &ticket.contract;
        let Some(of) = self.universe.contract(contract.conid, &contract.legs) else {
            return Vec::new();
        };
        let last = self.touch(contract.conid, &contract.legs).map_or(of.base, |touch| touch.last);
        let is_blind = matches!(of.quote, Quality::None | Quality::Unknown);
        let is_far = |limit: f64| (limit - last).abs() > last.abs() * PRICE_LIMIT;
        let units = self.units(ticket);
        let value = units * ticket.prices.limit.unwrap_or(last).abs() * of.size();
        let worth = self
            .account(account)
            .map_or(1.0, |a| self.rate(&of.currency, &a.currency).unwrap_or(1.0));
        let all = [
            ("o163", ticket.kind == Kind::Limit && ticket.prices.limit.is_some_and(is_far)),
            ("o354", is_blind),
            ("o383", units > most_units(&of)),
            ("o451", value * worth > VALUE_LIMIT && !of.is("CASH")),
            ("o10151", ticket.kind == Kind::Market),
            ("o10152", matches!(ticket.kind, Kind::Stop | Kind::Trail)),
            ("o10153", is_blind),
            ("o10164", matches!(ticket.size, Size::Cash(_))),
            ("p6", self.group(account).is_some()),
        ];
        all.into_iter().filter(|(_, applies)| *applies).map(|(id, _)| id).collect()
    }

    /// How many units a ticket is for; money buys whole shares.
    pub(crate) fn units(&self, ticket: &Ticket) -> f64 {
        let contract = &ticket.contract;
        match ticket.size {
            Size::Units(units) => units,
            Size::Cash(cash) => {
                let price = self.touch(contract.conid, &contract.legs).map_or(1.0, |t| t.ask);
                let is_money = self.universe.get(contract.conid).is_some_and(|of| of.is("CASH"));
                // Of a currency pair the money is the amount itself.
                if is_money { cash } else { (cash / price.max(0.0001)).floor() }
            }
        }
    }

    /// A question in words.
    pub(super) fn word(&self, id: &str, ticket: &Ticket) -> Question {
        let contract = &ticket.contract;
        let of = self.universe.contract(contract.conid, &contract.legs);
        let name = of.map_or_else(String::new, |of| self.name(ticket, &of));
        Question {
            id: id.to_owned(),
            text: text(id, &name),
            is_dialog: id.starts_with("o10") && id.len() > 4 || id == "o354",
        }
    }

    /// `BUY 5 AAPL NASDAQ.NMS @ 150.0`
    fn name(&self, ticket: &Ticket, of: &Instrument) -> String {
        let side = if ticket.is_buy { "BUY" } else { "SELL" };
        let price = ticket.prices.limit.or(ticket.prices.stop);
        let at = price.map(|price| format!(" @ {price:?}")).unwrap_or_default();
        format!("{side} {} {} {}{at}", self.units(ticket), of.symbol, of.order_exchange())
    }
}

fn most_units(of: &Instrument) -> f64 {
    match of.sec_type.as_str() {
        "CASH" => f64::INFINITY,
        "STK" => SIZE_LIMIT,
        _ => CONTRACTS_LIMIT,
    }
}

/// In the manner of the broker's words; clients match ids and parts of these.
fn text(id: &str, order: &str) -> String {
    let sure = "Are you sure you want to submit this order?";
    match id {
        "o163" => format!(
            "The following order \"{order}\" price exceeds \nthe Percentage constraint of 3%.\n{sure}"
        ),
        "o354" => "You are submitting an order without market data. We strongly recommend against this as it may result in erroneous and unexpected trades.\nAre you sure you want to submit this order?".to_owned(),
        "o382" => format!("The following order \"{order}\" price exceeds \nthe Tick Size Limit.\n{sure}"),
        "o383" => format!(
            "The following order \"{order}\" size exceeds the Size Limit of {SIZE_LIMIT}.\n{sure}"
        ),
        "o403" => format!("The following order \"{order}\" will most likely trigger and fill immediately.\n{sure}"),
        "o451" => format!(
            "The following order \"{order}\" value estimate exceeds \nthe Total Value Limit of {VALUE_LIMIT}.\n{sure}"
        ),
        "o10151" => "<h4>Market Order Confirmation</h4>Market orders may be filled at prices that differ much from the last one.".to_owned(),
        "o10152" | "o10331" => "You are about to submit a stop order. Please be aware of the various stop order types available and the risks associated with each one.\nAre you sure you want to submit this order?".to_owned(),
        "o10153" => "<h4>Confirm Mandatory Cap Price</h4>To avoid trading at a price that is not consistent with a fair and orderly market, IB may set a cap (for a buy order) or a floor (for a sell order).".to_owned(),
        "o10164" => "Traders are responsible for understanding cash quantity details, which are provided on a best efforts basis only.".to_owned(),
        "o10223" => "Orders that express size using a monetary value (cash quantity) are provided on a non-guaranteed basis.".to_owned(),
        "o10138" => format!("The following order \"{order}\" size modification exceeds the size modification limit.\n{sure}"),
        "p6" => format!("The following order \"{order}\" will be distributed over multiple accounts. Please know the allocation facilities before submitting such orders.\n{sure}"),
        other => format!("The following order \"{order}\" needs a confirmation ({other}).\n{sure}"),
    }
}
