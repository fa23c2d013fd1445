//! What an order is worth, and how much it moves, held against the limits. What cannot be told is refused,
//! and the part that is missing is named.

use ibd_cpapi::orders::{Side, TrailingType};
use ibd_protocol::ReasonCode;
use ibd_protocol::settings::Key;
use rust_decimal::Decimal;

use super::super::asked::{Attached, Pricing, Size, Trail};
use super::super::limits::Rules;
use super::super::order::Order;
use super::{Denial, PriceIs, Scene, Worth, percent};

/// A market order is valued this much beyond the quote, in percent.
const BAND: u32 = 5;

/// How much it is held against the limit for it.
pub(super) fn quantity(order: &Order, scene: &Scene, rules: &Rules) -> Result<(), Denial> {
    let Some(limit) = rules.max_quantity else { return Ok(()) };
    let quantity = moved(order, scene).ok_or_else(|| {
        Denial::new(
            ReasonCode::ValueUnknown,
            "How much the order is cannot be told: there is no price for its amount of money.",
            "Say a quantity instead of cashQuantity.",
        )
        .by(Key::MaxOrderQuantity, limit)
    })?;
    if quantity <= limit {
        return Ok(());
    }
    Err(Denial::new(
        ReasonCode::OverMaxQuantity,
        format!("{} is more than the {limit} that one order may have.", quantity.normalize()),
        "Order less, or ask the user to change the setting.",
    )
    .by(Key::MaxOrderQuantity, limit))
}

/// How much of anything an order moves: of a combination its largest leg, of several orders the largest,
/// of an amount of money what it buys.
fn moved(order: &Order, scene: &Scene) -> Option<Decimal> {
    let of = |size: Size| match size {
        Size::Quantity(quantity) => Some(quantity.get()),
        Size::Cash(amount) => {
            let price = scene.quote.middle().filter(|price| *price > Decimal::ZERO)?;
            let one = order.contract.value(price, Decimal::ONE)?;
            amount.get().checked_div(one).map(|q| q.round_dp(4))
        }
    };
    let mut largest = of(order.size)?;
    if let Attached::Oca(siblings) = &order.attached {
        for one in siblings {
            largest = largest.max(of(one.size)?);
        }
    }
    let ratio = order.contract.legs.iter().map(|leg| Decimal::from(leg.ratio).abs()).max();
    largest.checked_mul(ratio.unwrap_or(Decimal::ONE))
}

/// The value in base currency, held against the limits.
pub(super) fn check(order: &Order, scene: &Scene, rules: &Rules) -> Result<Worth, Denial> {
    let unknown = |denial: Denial| denial.by(Key::MaxOrderPercent, rules.max_percent.normalize());
    let value = known(order, scene).map_err(unknown)?;
    let base = scene.base.as_deref().unwrap_or("base currency");
    if let Some(limit) = rules.max_value.filter(|limit| value > *limit) {
        return Err(Denial::new(
            ReasonCode::OverMaxValue,
            format!(
                "The order is worth about {} {base}; at most {limit} is allowed.",
                whole(value)
            ),
            "Order less, or ask the user to change the setting.",
        )
        .by(Key::MaxOrderValue, limit));
    }
    let nlv = scene.nlv.filter(|nlv| *nlv > Decimal::ZERO).ok_or_else(|| {
        unknown(Denial::new(
            ReasonCode::ValueUnknown,
            "The account's net liquidation value is not known, so the order's size cannot be judged.",
            "Try again in a minute.",
        ))
    })?;
    if value * Decimal::ONE_HUNDRED > rules.max_percent * nlv {
        return Err(Denial::new(
            ReasonCode::OverMaxPercent,
            format!(
                "The order is worth about {} {base}, {} % of the account's {} {base}; at most {} % are \
                 allowed.",
                whole(value),
                percent(value, nlv),
                whole(nlv),
                rules.max_percent.normalize()
            ),
            "Order less, or ask the user to change the setting.",
        )
        .by(Key::MaxOrderPercent, rules.max_percent.normalize()));
    }
    Ok(estimate(order, scene))
}

/// As much as is known of what an order is worth.
pub(super) fn estimate(order: &Order, scene: &Scene) -> Worth {
    let value = known(order, scene).ok();
    let nlv = scene.nlv.filter(|nlv| *nlv > Decimal::ZERO);
    Worth {
        value: value.map(|value| value.round_dp(2)),
        percent: value.zip(nlv).map(|(value, nlv)| percent(value, nlv)),
        base: scene.base.clone(),
        market: scene.quote.middle(),
        market_is: PriceIs::of(scene),
    }
}

/// The value in base currency, or which part of it is missing.
pub(super) fn known(order: &Order, scene: &Scene) -> Result<Decimal, Denial> {
    let unknown =
        |message: String, next: &str| Err(Denial::new(ReasonCode::ValueUnknown, message, next));
    let currency = &order.contract.currency;
    let Some(value) = stake(order, scene) else {
        let next = match order.pricing {
            Pricing::Limit(_) | Pricing::StopLimit { .. } => "Try again when there are quotes.",
            _ => "Use a limit order, or try again when there are quotes.",
        };
        let message = "What the order is worth cannot be told: there is no price for it, no bid, ask or \
                       trade of today.";
        return unknown(message.to_owned(), next);
    };
    let rate = match (scene.rate, scene.base.as_deref()) {
        (Some(rate), _) => rate,
        (None, Some(base)) => {
            return unknown(
                format!(
                    "What the order is worth in {base} cannot be told: IBKR's ledger has no rate from \
                     {currency} to {base}."
                ),
                "Another kind of order does not change that. IBKR names the rate once the account holds some \
                 of that currency; tell the user.",
            );
        }
        (None, None) => {
            return unknown(
                "What the order is worth cannot be told: IBKR does not say what the account's base currency \
                 is."
                    .to_owned(),
                "Try again in a minute; if it stays so, tell the user.",
            );
        }
    };
    value.checked_mul(rate).ok_or_else(|| {
        Denial::new(
            ReasonCode::ValueUnknown,
            "The order's value is too large a number.",
            "Order less.",
        )
    })
}

fn whole(amount: Decimal) -> Decimal {
    amount.round_dp(0)
}

/// What is at stake, in the contract's currency; of several orders of which only one can be filled, the
/// largest.
fn stake(order: &Order, scene: &Scene) -> Option<Decimal> {
    let mut largest = stake_of(order, scene, order.side, order.size, &order.pricing)?;
    if let Attached::Oca(siblings) = &order.attached {
        for one in siblings {
            largest = largest.max(stake_of(order, scene, one.side, one.size, &one.pricing)?);
        }
    }
    Some(largest)
}

fn stake_of(
    order: &Order,
    scene: &Scene,
    side: Side,
    size: Size,
    pricing: &Pricing,
) -> Option<Decimal> {
    let quantity = match size {
        Size::Cash(amount) => return Some(amount.get()),
        Size::Quantity(quantity) => quantity.get(),
    };
    if !order.contract.legs.is_empty() {
        // What moves are the legs, whatever the difference between them costs.
        let legs = scene.legs.as_ref()?.gross.checked_mul(quantity)?;
        // A limit that is far off costs what it says.
        let limit = pricing.limit().map_or(Decimal::ZERO, |limit| limit.get());
        return Some(legs.max(order.contract.value(limit, quantity)?));
    }
    let price = price(scene, side, pricing)?;
    order.contract.value(price, quantity)
}

/// The price that an order is valued at: the one that costs most of those that it may get. Never negative.
fn price(scene: &Scene, side: Side, pricing: &Pricing) -> Option<Decimal> {
    let banded = |price: Decimal| {
        price.checked_mul(Decimal::from(100 + BAND))?.checked_div(Decimal::ONE_HUNDRED)
    };
    let market = || worst(scene, side);
    let larger = |price: Decimal| market().map_or(price, |market| market.max(price));
    match pricing {
        // A sale at a low limit is a sale at the market, and so is a purchase at less than nothing.
        Pricing::Limit(limit) if side == Side::Sell || limit.get() <= Decimal::ZERO => {
            Some(market()?.max(limit.get().abs()))
        }
        Pricing::MidPrice(Some(cap)) if side == Side::Sell || cap.get() <= Decimal::ZERO => {
            banded(market()?.max(cap.get().abs()))
        }
        Pricing::Limit(limit) | Pricing::MidPrice(Some(limit)) => Some(limit.get()),
        Pricing::StopLimit { stop, limit } => Some(match side {
            Side::Sell => limit.get().abs().max(stop.get().abs()),
            Side::Buy => limit.get().abs(),
        }),
        Pricing::TrailLimit { stop, limit, .. } => {
            let stop = stop.map(|stop| stop.get().abs()).unwrap_or_default();
            Some(larger(limit.get().abs().max(stop)))
        }
        Pricing::Stop(stop) => banded(larger(stop.get().abs())),
        Pricing::Trail { trail, stop } => {
            let market = market()?;
            let trigger = match (stop, side) {
                (Some(stop), _) => stop.get().abs(),
                // A purchase is triggered above the market. The trigger only comes down: the first is the dearest.
                (None, Side::Buy) => market.checked_add(away(*trail, market)?)?,
                (None, Side::Sell) => Decimal::ZERO,
            };
            banded(market.max(trigger))
        }
        Pricing::Market | Pricing::MidPrice(None) => banded(market()?),
    }
}

/// How far from a price its trigger is.
fn away(trail: Trail, price: Decimal) -> Option<Decimal> {
    match trail.of {
        TrailingType::Amount => Some(trail.by.abs()),
        TrailingType::Percent => {
            price.checked_mul(trail.by.abs())?.checked_div(Decimal::ONE_HUNDRED)
        }
    }
}

/// What buying costs, or what selling is valued at: the larger of what is known.
fn worst(scene: &Scene, side: Side) -> Option<Decimal> {
    let quote = &scene.quote;
    let near = match side {
        Side::Buy => quote.ask,
        Side::Sell => quote.bid,
    };
    let known = [near, quote.last].into_iter().flatten().map(|price| price.abs()).max();
    known.or_else(|| quote.middle().map(|price| price.abs()))
}
