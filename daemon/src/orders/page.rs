//! One order as its own page at the broker shows it, and what that says about an order of ours. Pure.
//!
//! An order id alone proves nothing: the broker may begin its ids anew, and a page can be of anybody's order.
//! So a page is ours only if account, contract and side are those of what was sent.

use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_cpapi::money::{Price, Quantity};
use ibd_cpapi::orders::{OrderRow, OrderStatus, OrderType, Side, Tif, Word};
use rust_decimal::Decimal;

use super::asked::{Attached, Pricing, Size};
use super::intent::Intent;
use super::list;
use super::order::{Order, Role};
use super::standing::{Part, Standing};
use super::tickets::opposite;

/// What an order's own page shows; what it does not say is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The broker's id.
    pub order_id: OrderId,
    /// Whose.
    pub account: Option<AccountId>,
    /// The contract.
    pub conid: Option<Conid>,
    /// Which way.
    pub side: Option<Side>,
    /// The name it was sent with.
    pub order_ref: Option<String>,
    /// Its kind.
    pub kind: Option<OrderType>,
    /// The total.
    pub quantity: Option<Decimal>,
    /// Of it, filled.
    pub filled: Option<Decimal>,
    /// The limit.
    pub limit: Option<Price>,
    /// The trigger.
    pub stop: Option<Price>,
    /// For how long.
    pub tif: Option<Tif>,
    /// Whether it came with another one.
    pub is_child: Option<bool>,
    /// How it stands.
    pub standing: Standing,
}

impl Page {
    /// Reads it.
    pub fn of(status: &OrderStatus) -> Self {
        Self {
            order_id: status.order_id,
            account: status.account.clone(),
            conid: status.conid,
            side: status.side.as_ref().and_then(Word::known),
            order_ref: status.order_ref.clone(),
            kind: status.order_type.as_ref().and_then(Word::known),
            quantity: status.quantity.map(|quantity| quantity.get()),
            filled: status.filled.map(|filled| filled.get()),
            limit: status.limit_price,
            stop: status.stop_price,
            tif: status.tif.as_ref().and_then(Word::known),
            is_child: status.child_type.as_deref().map(|kind| kind.eq_ignore_ascii_case("A")),
            standing: super::evidence::of_status(status),
        }
    }

    /// One that leaves nothing to be filled and calls the order working contradicts itself.
    pub fn is_plain(&self) -> bool {
        let has_left =
            !matches!((self.quantity, self.filled), (Some(all), Some(filled)) if filled >= all);
        has_left || self.standing.is_over()
    }

    /// Why this cannot be the order that an intent sent as its first, or as one that came with it.
    pub fn is_not(&self, intent: &Intent, order: &Order) -> Option<String> {
        let sides: &[Side] = match &order.attached {
            _ if intent.order_id() == Some(self.order_id) => &[order.side],
            Attached::Nothing => &[order.side],
            Attached::Bracket { .. } => &[opposite(order.side)],
            Attached::Oca(_) => &[Side::Buy, Side::Sell],
        };
        self.is_other(&intent.account, order, sides)
    }

    /// Why this is another order than one of this account, contract, and one of these sides.
    pub fn is_other(&self, account: &AccountId, order: &Order, sides: &[Side]) -> Option<String> {
        #[cfg(feature = "faults")]
        if super::mutant::is("id-alone") {
            return None;
        }
        if let Some(own) = self.account.as_ref().filter(|own| *own != account) {
            return Some(format!("it is an order of the account {own}"));
        }
        if let (Some(has), Some(wanted)) = (self.conid, order.contract.conid)
            && has != wanted
        {
            return Some(format!("it is for the contract {has}, and not for {wanted}"));
        }
        let other = self.side.filter(|side| !sides.contains(side))?;
        Some(format!("it is a {} order", other.as_str()))
    }
}

/// An order as the broker has it now, built from what was sent, its page, and its row in the list; and where
/// the broker's terms differ from what was sent, in words. `None`: too little is said.
pub fn as_it_is(
    order: &Order,
    page: &Page,
    row: Option<&OrderRow>,
) -> Option<(Order, Vec<String>)> {
    let size = match page.quantity {
        Some(quantity) => Size::Quantity(Quantity::new(quantity)),
        None => order.size,
    };
    let now = Order {
        size,
        pricing: pricing(order.pricing, page)?,
        tif: page.tif.unwrap_or(order.tif),
        outside_rth: row.and_then(|row| row.outside_rth).or(order.outside_rth),
        attached: Attached::Nothing,
        ..order.clone()
    };
    let differences = differences(order, &now);
    Some((now, differences))
}

/// An order of a submission as it was sent when it was placed, whatever became of it since. `None`: which one it is, or
/// in which terms it went, is not known.
pub fn as_placed(intent: &Intent, order_id: OrderId) -> Option<Order> {
    let (order, standing) = (intent.order.as_ref()?, intent.state.standing()?);
    if standing.refused.is_some() {
        return None;
    }
    // What closes a position became another quantity before it was sent.
    let placed = intent.as_asked.as_deref().filter(|_| !order.closes).unwrap_or(order);
    let plain = Order { attached: Attached::Nothing, ..placed.clone() };
    if standing.order_id == order_id {
        return Some(plain);
    }
    let part = standing.part(order_id)?;
    let (side, size, pricing) = match &placed.attached {
        Attached::Nothing => return None,
        Attached::Bracket { take_profit, stop_loss, stop_loss_limit } => {
            let pricing = match (order.role_of(part)?, *stop_loss, *stop_loss_limit) {
                (Role::TakeProfit, ..) => Pricing::Limit((*take_profit)?),
                (_, Some(stop), Some(limit)) => Pricing::StopLimit { stop, limit },
                (_, stop, _) => Pricing::Stop(stop?),
            };
            // The broker may change its children with the first one, or not: either is as it was sent.
            (opposite(placed.side), placed.size, pricing)
        }
        Attached::Oca(siblings) => {
            let mut alike =
                siblings.iter().filter(|one| Some(one.pricing.order_type()) == part.kind());
            let one = alike.next().filter(|_| alike.next().is_none())?;
            (one.side, one.size, one.pricing)
        }
    };
    Some(Order { side, size, pricing, ..plain })
}

/// In what the broker shows an order otherwise than it was last sent from here, in words. `family`: the order that it
/// came with, whose quantity a child may have been given by the broker.
pub fn differs_from_sent(sent: &Order, now: &Order, family: Option<&Order>) -> Vec<String> {
    // The limit of a trailing stop follows the market with it.
    let trails = matches!(
        (&sent.pricing, &now.pricing),
        (Pricing::TrailLimit { .. }, Pricing::TrailLimit { .. })
    );
    let pricing = if trails { now.pricing } else { sent.pricing };
    let is_familys = family.is_some_and(|first| first.size == now.size);
    let size = if is_familys { now.size } else { sent.size };
    differences(&Order { pricing, size, ..sent.clone() }, now)
}

/// An intent's order as the broker has it now, where a page shows its first order, or a child of its bracket,
/// otherwise than it is known; and in what, in words.
pub fn shown(intent: &Intent, order: &Order, page: &Page) -> Option<(Order, Vec<String>)> {
    let standing = intent.state.standing()?;
    let (now, differences) = match standing.part(page.order_id) {
        Some(part) if part.is_over() || page.standing.is_over() => return None,
        Some(_) => {
            let pricing = child_pricing(page)?;
            let attached = order.attached.with_child(pricing)?;
            let differences = child_differences(&order.attached, &attached);
            (Order { attached, ..order.clone() }, differences)
        }
        None if intent.state.is_over() || standing.order_id != page.order_id => return None,
        None => {
            let (now, differences) = as_it_is(order, page, None)?;
            (Order { attached: order.attached.clone(), ..now }, differences)
        }
    };
    (!differences.is_empty()).then_some((now, differences))
}

/// The price of a bracket's child, of which nothing is known but its page.
fn child_pricing(page: &Page) -> Option<Pricing> {
    Some(match page.kind? {
        OrderType::Lmt => Pricing::Limit(page.limit?),
        OrderType::Stp => Pricing::Stop(page.stop?),
        OrderType::StopLimit => Pricing::StopLimit { stop: page.stop?, limit: page.limit? },
        _ => return None,
    })
}

/// For how long one of the other orders of a submission is good: as its page says, else as it was sent. The first
/// one's time may have been changed since.
pub fn tif_of(part: &Part, intent: &Intent, order: &Order) -> Tif {
    part.tif.unwrap_or(intent.as_asked.as_deref().unwrap_or(order).tif)
}

/// Whether a row shows another order of a submission otherwise than it is known: a bracket's child at another price,
/// or either for another time.
pub fn differs_as_part(row: &OrderRow, part: &Part, intent: &Intent, order: &Order) -> bool {
    let tif = row.tif.as_ref().and_then(Word::known);
    tif.is_some_and(|tif| tif != tif_of(part, intent, order)) || differs_as_child(row, order)
}

fn differs_as_child(row: &OrderRow, order: &Order) -> bool {
    let kind = row.order_type.as_ref().and_then(Word::known);
    let (limit, stop) = (list::limit_price(row), list::stop_price(row));
    let pricing = match (kind, limit, stop) {
        (Some(OrderType::Lmt), Some(limit), _) => Pricing::Limit(limit),
        (Some(OrderType::Stp), _, Some(stop)) => Pricing::Stop(stop),
        (Some(OrderType::StopLimit), Some(limit), Some(stop)) => Pricing::StopLimit { stop, limit },
        _ => return false,
    };
    order.attached.with_child(pricing).is_some_and(|attached| attached != order.attached)
}

/// In which prices the children of a bracket differ, in words.
pub fn child_differences(before: &Attached, now: &Attached) -> Vec<String> {
    let prices = |attached: &Attached| match *attached {
        Attached::Bracket { take_profit, stop_loss, stop_loss_limit } => {
            [take_profit, stop_loss, stop_loss_limit]
        }
        _ => [None; 3],
    };
    let names = ["takeProfit", "stopLoss", "stopLossLimit"];
    let text = |price: Option<Price>| {
        price.map_or_else(|| "none".to_owned(), |price| price.get().normalize().to_string())
    };
    let pairs = names.into_iter().zip(prices(before).into_iter().zip(prices(now)));
    pairs
        .filter(|(_, (before, now))| before != now)
        .map(|(name, (before, now))| format!("{name} {} (not {})", text(now), text(before)))
        .collect()
}

/// The price as the page shows it, with what pages do not show of a trail.
fn pricing(sent: Pricing, page: &Page) -> Option<Pricing> {
    let kind = page.kind.unwrap_or(sent.order_type());
    let limit = || page.limit.or(sent.limit());
    let stop = || page.stop.or(sent.stop());
    Some(match kind {
        OrderType::Mkt => Pricing::Market,
        OrderType::Lmt => Pricing::Limit(limit()?),
        OrderType::Stp => Pricing::Stop(stop()?),
        OrderType::StopLimit => Pricing::StopLimit { stop: stop()?, limit: limit()? },
        OrderType::MidPrice => Pricing::MidPrice(limit()),
        // How far it follows no page says; where it stands now, it does.
        OrderType::Trail => match sent {
            Pricing::Trail { trail, .. } => Pricing::Trail { trail, stop: stop() },
            _ => return None,
        },
        OrderType::TrailLmt => match sent {
            Pricing::TrailLimit { trail, .. } => {
                Pricing::TrailLimit { trail, stop: stop(), limit: limit()? }
            }
            _ => return None,
        },
    })
}

/// In which terms two versions of an order differ, in words. Where a trailing stop stands is no difference: it
/// follows the market.
pub fn differences(before: &Order, now: &Order) -> Vec<String> {
    let mut words = Vec::new();
    let mut differ = |what: &str, before: Option<String>, now: Option<String>| {
        if let Some(now) = now.filter(|now| Some(now) != before.as_ref()) {
            let before = before.map(|before| format!(" (not {before})")).unwrap_or_default();
            words.push(format!("{what} {now}{before}"));
        }
    };
    let size = |order: &Order| Some(super::order::size(order.size));
    let price = |price: Option<Price>| price.map(|price| price.get().normalize().to_string());
    let kind = |order: &Order| Some(order.pricing.order_type().as_str().to_owned());
    // An amount of money becomes a quantity at the broker; that is no change.
    if matches!((before.size, now.size), (Size::Quantity(_), Size::Quantity(_))) {
        differ("quantity", size(before), size(now));
    }
    differ("orderType", kind(before), kind(now));
    differ("price", price(before.pricing.limit()), price(now.pricing.limit()));
    let is_trailing = matches!(now.pricing, Pricing::Trail { .. } | Pricing::TrailLimit { .. });
    if !is_trailing {
        differ("stopPrice", price(before.pricing.stop()), price(now.pricing.stop()));
    }
    let tif = |order: &Order| Some(order.tif.as_str().to_owned());
    differ("tif", tif(before), tif(now));
    let outside = |order: &Order| order.outside_rth.map(|outside| outside.to_string());
    // What was never said is the broker's default, which is no.
    let said = outside(before).or_else(|| Some("false".to_owned()));
    differ("outsideRTH", said, outside(now));
    words
}

#[cfg(test)]
#[path = "page/tests.rs"]
mod tests;
