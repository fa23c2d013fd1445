//! An order as understood: the contract is found, nothing is left to guess. Exactly this is journalled,
//! shown to a person, and sent. Pure.

pub(super) mod legs;
mod traded;

use std::collections::{BTreeMap, BTreeSet};

use ibd_cpapi::id::{AccountId, ClientOrderId, Conid, OrderId};
use ibd_cpapi::money::Price;
use ibd_cpapi::orders::{OrderType, Side, Tif};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::asked::{Attached, Pricing, Size, hash_of};
use super::change::Change;
use super::intent::IntentId;
use super::standing::Part;
pub use traded::{Traded, price_unit};

/// An order as understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Whose.
    pub account: AccountId,
    /// Whether the account is a paper one; what is not known counts as live.
    pub paper: bool,
    /// What is traded.
    pub contract: Traded,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub size: Size,
    /// At what price.
    pub pricing: Pricing,
    /// For how long.
    pub tif: Tif,
    /// Also outside regular trading hours.
    pub outside_rth: Option<bool>,
    /// What comes with it.
    pub attached: Attached,
    /// Who is named to exchanges of futures.
    pub operator: Option<String>,
    /// Closes the position: the quantity is what is held at the last look before it is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closes: bool,
}

impl Order {
    /// The whole in one line.
    pub fn shown(&self) -> String {
        let mut words = vec![self.side.as_str().to_owned(), size(self.size), self.what()];
        words.push(self.priced());
        words.extend(self.priced_in());
        words.push(self.tif.as_str().to_owned());
        if self.outside_rth == Some(true) {
            words.push("also outside regular hours".to_owned());
        }
        if self.closes {
            words.push("to close the position".to_owned());
        }
        words.extend(self.attached_words());
        words.join(" ")
    }

    /// What is traded; of a combination what it buys and sells.
    fn what(&self) -> String {
        let Some(legs) = self.legs_shown() else { return self.contract.shown() };
        let is_one = self.quantity() == Some(Decimal::ONE);
        let what = if is_one { "combination" } else { "combinations, each" };
        format!("{what}: {legs} ({})", self.contract.place())
    }

    /// What one of a combination buys and sells.
    pub fn legs_shown(&self) -> Option<String> {
        let legs = &self.contract.legs;
        (!legs.is_empty()).then(|| legs::shown(legs, self.side))
    }

    /// At what price; of a combination with the way that the money goes.
    fn priced(&self) -> String {
        let net = legs::net(&self.pricing, self.side).filter(|_| !self.contract.legs.is_empty());
        let net = net.map(|net| format!(" {net}")).unwrap_or_default();
        format!("{}{net}", pricing(&self.pricing))
    }

    /// In which unit its prices are, where one is named and it is not the currency.
    fn priced_in(&self) -> Option<String> {
        let unit = self.contract.price_unit()?;
        Some(format!("(prices in {unit})"))
    }

    /// The parts that a person who approves must see, a line each. None of it is an assistant's prose.
    pub fn lines(&self) -> Vec<String> {
        let mode = if self.paper { "paper" } else { "LIVE" };
        let mut lines = vec![
            format!("{} {} {}", self.side.as_str(), size(self.size), self.contract.named()),
            format!("{}, {}", self.priced(), self.tif.as_str()),
            format!("account {} ({mode})", self.account),
        ];
        if let Some(unit) = self.contract.price_unit() {
            lines.push(format!("prices are in {unit}"));
        }
        if self.closes {
            lines.push("closes the position: never more than is held when it is sent".to_owned());
        }
        lines.extend(legs::lines(&self.contract.legs, self.side));
        if self.outside_rth == Some(true) {
            lines.push("also outside regular trading hours".to_owned());
        }
        lines.extend(self.attached_words());
        lines.extend(self.contract.in_ibkrs_words());
        lines
    }

    /// The orders that come with it.
    fn attached_words(&self) -> Vec<String> {
        match &self.attached {
            Attached::Nothing => Vec::new(),
            Attached::Bracket { take_profit, stop_loss, stop_loss_limit } => {
                let profit = take_profit.map(|price| format!("take profit at {price}"));
                let stop = stop_loss.map(|price| {
                    let limit = stop_loss_limit.map(|l| format!(" limit {l}")).unwrap_or_default();
                    format!("stop loss at {price}{limit}")
                });
                profit.into_iter().chain(stop).collect()
            }
            Attached::Oca(siblings) => siblings
                .iter()
                .map(|one| {
                    format!("or {} {} {}", one.side.as_str(), size(one.size), pricing(&one.pricing))
                })
                .collect(),
        }
    }

    /// Orders in one submission.
    pub fn count(&self) -> u64 {
        match &self.attached {
            Attached::Nothing => 1,
            Attached::Bracket { take_profit, stop_loss, .. } => {
                1 + u64::from(take_profit.is_some()) + u64::from(stop_loss.is_some())
            }
            Attached::Oca(siblings) => 1 + siblings.len() as u64,
        }
    }

    /// The largest quantity in one order of the submission, where it is one.
    pub fn quantity(&self) -> Option<Decimal> {
        let own = std::iter::once(self.size);
        let siblings = match &self.attached {
            Attached::Oca(siblings) => siblings.iter().map(|one| one.size).collect(),
            _ => Vec::new(),
        };
        own.chain(siblings)
            .filter_map(|size| match size {
                Size::Quantity(quantity) => Some(quantity.get()),
                Size::Cash(_) => None,
            })
            .max()
    }

    /// Whether two orders are so alike that the second may be the first once more.
    pub fn is_like(&self, other: &Self) -> bool {
        if !self.contract.legs.is_empty() {
            return self.is_same_trade(other);
        }
        self.account == other.account
            && self.contract.key() == other.contract.key()
            && self.side == other.side
            && self.size == other.size
            && self.pricing.order_type() == other.pricing.order_type()
            && is_near(
                self.pricing.limit().map(|p| p.get()),
                other.pricing.limit().map(|p| p.get()),
            )
            && is_near(self.pricing.stop().map(|p| p.get()), other.pricing.stop().map(|p| p.get()))
    }

    /// Of combinations: the same contracts change hands, in whatever order, ratio and direction they are written, and for
    /// about the same money.
    fn is_same_trade(&self, other: &Self) -> bool {
        let (Some(one), Some(same)) = (self.trade(), other.trade()) else { return false };
        let money = |order: &Self, price: Option<Price>| {
            let Size::Quantity(quantity) = order.size else { return None };
            let price = price?.get().checked_mul(quantity.get())?;
            Some(if order.side == Side::Buy { price } else { -price })
        };
        let is_near_at = |price: fn(&Pricing) -> Option<Price>| {
            is_near(money(self, price(&self.pricing)), money(other, price(&other.pricing)))
        };
        self.account == other.account
            && one == same
            && self.pricing.order_type() == other.pricing.order_type()
            && is_near_at(Pricing::limit)
            && is_near_at(Pricing::stop)
    }

    /// How many of each leg's contract are bought, and less than none sold.
    fn trade(&self) -> Option<BTreeMap<Conid, Decimal>> {
        let Size::Quantity(quantity) = self.size else { return None };
        let legs = self.contract.legs.iter().map(|leg| {
            let count = Decimal::from(leg.ratio).checked_mul(quantity.get())?;
            Some((leg.conid, if leg.side == self.side { count } else { -count }))
        });
        legs.collect::<Option<_>>().filter(|trade: &BTreeMap<_, _>| !trade.is_empty())
    }

    /// Whether another order is for the same contract and side; of combinations for the same contracts, whichever way
    /// they are written.
    pub fn is_beside(&self, other: &Self) -> bool {
        let conids = |order: &Self| -> BTreeSet<Conid> {
            order.contract.legs.iter().map(|leg| leg.conid).collect()
        };
        let is_same = if self.contract.legs.is_empty() {
            self.side == other.side && self.contract.key() == other.contract.key()
        } else {
            conids(self) == conids(other)
        };
        is_same && self.account == other.account
    }
}

/// What an order that came with another one is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Closes the position with a profit.
    TakeProfit,
    /// Closes it with a loss.
    StopLoss,
    /// One of a one-cancels-all group.
    Group,
}

impl Role {
    /// As results name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TakeProfit => "take_profit",
            Self::StopLoss => "stop_loss",
            Self::Group => "group",
        }
    }

    /// For a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::TakeProfit => "take profit",
            Self::StopLoss => "stop loss",
            Self::Group => "order of the group",
        }
    }
}

impl Order {
    /// What an order that came with this one is for, as far as its kind was seen.
    pub fn role_of(&self, part: &Part) -> Option<Role> {
        let kind = part.kind()?;
        match (&self.attached, kind) {
            (Attached::Bracket { .. }, OrderType::Lmt) => Some(Role::TakeProfit),
            (Attached::Bracket { .. }, _) => Some(Role::StopLoss),
            (Attached::Oca(_), _) => Some(Role::Group),
            (Attached::Nothing, _) => None,
        }
    }
}

/// Within one percent.
fn is_near(one: Option<Decimal>, other: Option<Decimal>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            (one - other).abs() * Decimal::ONE_HUNDRED <= one.abs().max(other.abs())
        }
        // One that says nothing may stand for the price that the other one names.
        _ => true,
    }
}

/// How much, for a person.
pub fn size(size: Size) -> String {
    match size {
        Size::Quantity(quantity) => quantity.to_string(),
        Size::Cash(amount) => format!("for {amount}"),
    }
}

/// At what price, for a person.
pub fn pricing(pricing: &Pricing) -> String {
    let kind = pricing.order_type().as_str();
    match pricing {
        Pricing::Market => kind.to_owned(),
        Pricing::Limit(limit) => format!("{kind} {limit}"),
        Pricing::Stop(stop) => format!("{kind} {stop}"),
        Pricing::StopLimit { stop, limit } => format!("{kind} stop {stop} limit {limit}"),
        Pricing::Trail { trail, stop } => {
            let from = stop.map(|stop| format!(" from {stop}")).unwrap_or_default();
            format!("{kind} by {}{from}", trail.shown())
        }
        Pricing::TrailLimit { trail, stop, limit } => {
            let from = stop.map(|stop| format!(" from {stop}")).unwrap_or_default();
            format!("{kind} by {}{from} limit {limit}", trail.shown())
        }
        Pricing::MidPrice(Some(cap)) => format!("{kind} capped at {cap}"),
        Pricing::MidPrice(None) => kind.to_owned(),
    }
}

/// What a submission is made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// A new order.
    Place,
    /// A change of an order that the broker has.
    Modify {
        /// Which.
        order_id: OrderId,
        /// The intent that it belongs to, if it is one of ours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<IntentId>,
        /// What was named; earlier journals only have the whole.
        #[serde(default, skip_serializing_if = "Change::is_nothing")]
        change: Change,
    },
    /// An end of an order that the broker has.
    Cancel {
        /// Which.
        order_id: OrderId,
        /// The intent that it belongs to, if it is one of ours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<IntentId>,
    },
    /// An end of everything that works in the account.
    CancelAll,
}

/// SHA-256 of exactly what will be sent.
pub fn digest(purpose: &Purpose, order: Option<&Order>, id: &ClientOrderId) -> String {
    hash_of(&(purpose, order, id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::asked::Leg;
    use crate::orders::guardrails::tests::order;

    #[test]
    fn a_combination_is_the_same_however_it_is_written() {
        let combination = |side, quantity: &str, limit: &str, legs: &[(u32, u32, Side)]| {
            let pricing = Pricing::Limit(Price::new(limit.parse().unwrap()));
            let mut order = order(side, quantity, pricing);
            let leg = |(conid, ratio, side): &(u32, u32, Side)| {
                Leg::new(conid.to_string().parse().unwrap(), *ratio, *side)
            };
            order.contract.conid = None;
            order.contract.legs = legs.iter().map(leg).collect();
            order
        };
        let (buy, sell) = (Side::Buy, Side::Sell);
        let spread = combination(buy, "2", "2.7", &[(1, 1, buy), (2, 1, sell)]);
        for (other, is_like) in [
            (combination(buy, "2", "2.7", &[(2, 1, sell), (1, 1, buy)]), true),
            (combination(sell, "2", "-2.7", &[(1, 1, sell), (2, 1, buy)]), true),
            (combination(buy, "1", "5.4", &[(1, 2, buy), (2, 2, sell)]), true),
            // Another direction, another quantity, other money, another leg.
            (combination(sell, "2", "2.7", &[(1, 1, buy), (2, 1, sell)]), false),
            (combination(buy, "3", "2.7", &[(1, 1, buy), (2, 1, sell)]), false),
            (combination(buy, "2", "3.2", &[(1, 1, buy), (2, 1, sell)]), false),
            (combination(buy, "2", "2.7", &[(1, 1, buy), (3, 1, sell)]), false),
            (combination(buy, "2", "2.7", &[(1, 1, buy), (2, 2, sell)]), false),
        ] {
            assert_eq!(spread.is_like(&other), is_like, "{}", other.shown());
            assert_eq!(other.is_like(&spread), is_like, "{}", other.shown());
        }
        let closing = combination(sell, "2", "2.7", &[(1, 1, buy), (2, 1, sell)]);
        assert!(spread.is_beside(&closing), "while one is in doubt the other waits");
        assert!(!spread.is_beside(&combination(buy, "2", "2.7", &[(1, 1, buy), (3, 1, sell)])));
    }
}
