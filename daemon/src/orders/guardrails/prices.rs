//! Prices: a stop on the right side of the market, a limit within the collar, a trail that leaves a price.

use ibd_cpapi::orders::{Side, TrailingType};
use ibd_protocol::ReasonCode;
use ibd_protocol::settings::Key;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::super::asked::{Pricing, Trail};
use super::super::limits::Rules;
use super::super::order::Order;
use super::payoff::Payoff;
use super::{Denial, FRESH, Part, Scene, percent};

/// A collar of so many percent is none.
const OPEN: u32 = 100;
/// A limit so many percent beyond the market is said to be, however wide the collar is: that of live accounts, if nobody
/// sets another.
const FAR: u32 = 5;
/// And more than so many steps of its price: of a contract that costs one step or two every price beside the market is
/// many percent beyond it, and whoever wants it filled names one. A price that was typed wrong is further away.
const FEW: u32 = 3;

/// Where a contract stands.
struct Market {
    /// Its price: of a combination the difference of its legs.
    price: Decimal,
    /// What percents are counted of: of a combination all that moves, because percents of a difference mean
    /// nothing; or that between which it can end, where that is less.
    whole: Decimal,
    /// Between what a combination can end, where that is known.
    payoff: Option<Payoff>,
    /// Between which prices somebody takes the other side, where all of it is quoted.
    quoted: Option<(Decimal, Decimal)>,
    /// As it happens, and asked for just now.
    is_fresh: bool,
    /// As it was when the market closed, and asked for just now.
    is_of_the_close: bool,
}

/// Holds one order of a submission against the market.
pub(super) fn check(
    order: &Order,
    part: &Part,
    scene: &Scene,
    rules: &Rules,
    now: Timestamp,
) -> Result<(), Denial> {
    let market = market(order, scene, now);
    side(order, part, market.as_ref(), rules)?;
    trail(part, market.as_ref(), rules)?;
    collar(order, part, market.as_ref(), rules)
}

fn market(order: &Order, scene: &Scene, now: Timestamp) -> Option<Market> {
    if order.contract.legs.is_empty() {
        let price = scene.quote.middle()?;
        let (is_fresh, is_of_the_close) = if scene.is_closed() {
            (false, scene.quote.is_fresh(now) || scene.quote.is_fresh_of_the_close(now))
        } else {
            (scene.quote.is_fresh(now), false)
        };
        let (whole, payoff, quoted) = (price.abs(), None, None);
        return Some(Market { price, whole, payoff, quoted, is_fresh, is_of_the_close });
    }
    let (legs, unit) = (scene.legs.as_ref()?, order.contract.unit()?);
    let moves = legs.gross.checked_div(unit)?;
    let payoff = Payoff::of(&order.contract);
    let range = payoff.and_then(Payoff::range);
    let is_of_now = legs.is_live && now.duration_since(legs.at) <= FRESH;
    Some(Market {
        price: legs.net.checked_div(unit)?,
        payoff,
        whole: range.map_or(moves, |range| range.min(moves)),
        quoted: legs.bid.zip(legs.ask),
        is_fresh: is_of_now && !scene.is_closed(),
        is_of_the_close: is_of_now && scene.is_closed(),
    })
}

fn is_open(rules: &Rules) -> bool {
    rules.collar >= Decimal::from(OPEN)
}

/// The market, or a refusal where there is none and somebody wants a collar.
fn needed<'a>(market: Option<&'a Market>, rules: &Rules) -> Result<Option<&'a Market>, Denial> {
    match market {
        None if !is_open(rules) => Err(no_fresh_quote(rules)),
        market => Ok(market),
    }
}

/// A stop on the wrong side of the market would trigger at once, and so would the profit of a bracket be
/// taken at once. A child is held against its parent's price, when the order is put together; where the
/// parent goes in at the market, or follows it, against that.
fn side(order: &Order, part: &Part, market: Option<&Market>, rules: &Rules) -> Result<(), Denial> {
    let follows_market = matches!(
        order.pricing,
        Pricing::Market | Pricing::MidPrice(_) | Pricing::Trail { .. } | Pricing::TrailLimit { .. }
    );
    if part.is_child && !follows_market {
        return Ok(());
    }
    let (price, above, code, what) = match part.pricing {
        Pricing::Limit(limit) if part.is_child => {
            (limit, part.side == Side::Sell, ReasonCode::ProfitOnWrongSide, "takeProfit")
        }
        pricing => match pricing.stop() {
            Some(stop) => (stop, part.side == Side::Buy, ReasonCode::StopOnWrongSide, "stop"),
            None => return Ok(()),
        },
    };
    let Some(market) = needed(market, rules)? else { return Ok(()) };
    let is_right = if above { price.get() > market.price } else { price.get() < market.price };
    if is_right {
        Ok(())
    } else {
        Err(Denial::new(
            code,
            format!(
                "A {} {what} must be {} the market ({}): at {price} it would trigger at once.",
                part.side.as_str(),
                if above { "above" } else { "below" },
                market.price.normalize()
            ),
            "Correct the price, or use a market or limit order if that is what is meant.",
        ))
    }
}

/// A trail by as much as the price is none. How far it follows short of that is the caller's: it moves no
/// price to where nobody wants it.
fn trail(part: &Part, market: Option<&Market>, rules: &Rules) -> Result<(), Denial> {
    let (Pricing::Trail { trail, stop } | Pricing::TrailLimit { trail, stop, .. }) = part.pricing
    else {
        return Ok(());
    };
    let is_all = match trail.of {
        TrailingType::Percent => trail.by >= Decimal::ONE_HUNDRED,
        TrailingType::Amount => {
            let stop = stop.map(|stop| stop.get().abs());
            let market = match stop {
                Some(_) => market,
                None => needed(market, rules)?,
            };
            market.map(|market| market.whole).into_iter().chain(stop).any(|price| trail.by >= price)
        }
    };
    if is_all { Err(too_far(trail)) } else { Ok(()) }
}

fn too_far(trail: Trail) -> Denial {
    Denial::new(
        ReasonCode::TrailTooFar,
        format!(
            "A trail by {} is as much as the price itself: it would protect nothing.",
            trail.shown()
        ),
        "Correct trailingAmount or trailingPercent.",
    )
}

/// Where a limit pays much more than is asked, or takes much less than is bid: it is taken at once, and may be filled
/// far from the market. A limit that waits for the market is none of these, however far away it is.
pub(super) fn beyond(order: &Order, part: &Part, scene: &Scene, now: Timestamp) -> Option<String> {
    let market = market(order, scene, now)?;
    let is_combination = !order.contract.legs.is_empty();
    let near = || {
        let (bid, ask) = match market.quoted {
            Some((bid, ask)) => (Some(bid), Some(ask)),
            None if is_combination => (None, None),
            None => (scene.quote.bid, scene.quote.ask),
        };
        let (price, what, last) = match part.side {
            Side::Buy => (ask, "the ask", "the last known ask"),
            Side::Sell => (bid, "the bid", "the last known bid"),
        };
        match (price, market.is_fresh) {
            (Some(price), true) => (price, what),
            (Some(price), false) => (price, last),
            (None, true) => (market.price, "the market"),
            (None, false) => (market.price, "the last known price"),
        }
    };
    let (limit, (from, what)) = match part.pricing {
        // The profit that is to be taken waits for the market.
        Pricing::Limit(_) if part.is_child => return None,
        Pricing::Limit(limit) | Pricing::MidPrice(Some(limit)) => (limit, near()),
        Pricing::StopLimit { stop, limit }
        | Pricing::TrailLimit { stop: Some(stop), limit, .. } => (limit, (stop.get(), "its stop")),
        Pricing::TrailLimit { stop: None, limit, .. } => (limit, near()),
        _ => return None,
    };
    let (over, word, price) = match part.side {
        Side::Buy => (limit.get().checked_sub(from)?, "above", "up to"),
        Side::Sell => (from.checked_sub(limit.get())?, "below", "down to"),
    };
    let whole = if is_combination { market.whole } else { from.abs() };
    let step = scene.steps.as_ref().and_then(|steps| steps.tick_at(limit));
    let few = step.and_then(|step| step.get().checked_mul(FEW.into()));
    let is_far = over.checked_mul(Decimal::ONE_HUNDRED)? > whole.checked_mul(FAR.into())?
        && few.is_none_or(|few| over > few);
    let of = if is_combination {
        format!(" of what it can move ({})", whole.round_dp(4).normalize())
    } else {
        String::new()
    };
    (is_far && !whole.is_zero()).then(|| {
        format!(
            "The limit {limit} is {} %{of} {word} {what} ({}): it may be filled at any price {price} that.",
            percent(over, whole),
            from.round_dp(4).normalize()
        )
    })
}

/// Where the limit of a stop lies on the side from which the market comes: the stop triggers, and nothing is filled unless
/// the market turns back.
pub(super) fn unfilled(part: &Part) -> Option<String> {
    let (stop, limit) = match part.pricing {
        Pricing::StopLimit { stop, limit }
        | Pricing::TrailLimit { stop: Some(stop), limit, .. } => (stop, limit),
        _ => return None,
    };
    let (is_past, word, goes) = match part.side {
        Side::Sell => (limit.get() > stop.get(), "above", "falls"),
        Side::Buy => (limit.get() < stop.get(), "below", "rises"),
    };
    is_past.then(|| {
        format!(
            "The limit {limit} is {word} its stop {stop}: where the market {goes} on, the stop triggers and nothing is \
             filled, so that it protects nothing."
        )
    })
}

fn collar(
    order: &Order,
    part: &Part,
    market: Option<&Market>,
    rules: &Rules,
) -> Result<(), Denial> {
    if is_open(rules) {
        return Ok(());
    }
    // On paper a late quote is good enough; none is not.
    let now = || match market {
        // What a market was when it closed is all that there is until it opens: a person approves that.
        Some(market) if market.is_fresh || market.is_of_the_close || order.paper => {
            Ok((market.price, market.whole))
        }
        _ => Err(no_fresh_quote(rules)),
    };
    // A combination's percents are of what moves, wherever its stop stands.
    let at = |stop: Decimal| {
        if order.contract.legs.is_empty() {
            Ok((stop, stop.abs()))
        } else {
            now().map(|(_, whole)| (stop, whole))
        }
    };
    let (limit, (from, whole)) = match part.pricing {
        // A profit is taken as far away as anybody likes.
        Pricing::Limit(_) if part.is_child => return Ok(()),
        Pricing::Limit(limit) | Pricing::MidPrice(Some(limit)) => (limit, now()?),
        // It becomes a limit order there, and not at today's market.
        Pricing::StopLimit { stop, limit }
        | Pricing::TrailLimit { stop: Some(stop), limit, .. } => (limit, at(stop.get())?),
        Pricing::TrailLimit { stop: None, limit, .. } => (limit, now()?),
        _ => return Ok(()),
    };
    if let Some(market) = market.filter(|_| !order.contract.legs.is_empty()) {
        never_worth(part.side, limit.get(), market, rules)?;
        turned(part.side, limit.get(), market, rules)?;
    }
    let quoted = market.and_then(|market| market.quoted);
    if quoted.is_some_and(|(bid, ask)| bid <= limit.get() && limit.get() <= ask) {
        return Ok(());
    }
    let away = (limit.get() - from).abs();
    if away * Decimal::ONE_HUNDRED <= rules.collar * whole {
        return Ok(());
    }
    let of = if order.contract.legs.is_empty() {
        String::new()
    } else {
        format!(" of what it can move ({})", whole.round_dp(4).normalize())
    };
    Err(Denial::new(
        ReasonCode::PriceOffMarket,
        format!(
            "The limit {limit} is {} %{of} away from where it would work ({}); at most {} % are allowed.",
            percent(away, whole),
            from.round_dp(4).normalize(),
            rules.collar.normalize()
        ),
        "Check the price; if it is meant, ask the user to change the setting.",
    )
    .by(Key::PriceCollarPercent, rules.collar.normalize()))
}

/// Whether the collar of a live order is held against what its market was when it closed, and not against live data.
pub(super) fn is_by_the_close(
    order: &Order,
    part: &Part,
    scene: &Scene,
    rules: &Rules,
    now: Timestamp,
) -> bool {
    let is_combination = !order.contract.legs.is_empty();
    let is_by_market = match part.pricing {
        Pricing::Limit(_) => !part.is_child,
        Pricing::MidPrice(limit) => limit.is_some(),
        Pricing::StopLimit { .. } => is_combination,
        Pricing::TrailLimit { stop, .. } => stop.is_none() || is_combination,
        Pricing::Market | Pricing::Stop(_) | Pricing::Trail { .. } => false,
    };
    let market = market(order, scene, now);
    !order.paper
        && !is_open(rules)
        && is_by_market
        && market.is_some_and(|market| market.is_of_the_close)
}

/// Who would be paid at the market, and pays by the limit, has its sign wrong, however much moves.
fn turned(side: Side, limit: Decimal, market: &Market, rules: &Rules) -> Result<(), Denial> {
    let (bid, ask) = market.quoted.unwrap_or((market.price, market.price));
    let (near, is_turned) = match side {
        Side::Buy => (ask, ask < Decimal::ZERO && limit > Decimal::ZERO),
        Side::Sell => (bid, bid > Decimal::ZERO && limit < Decimal::ZERO),
    };
    if !is_turned {
        return Ok(());
    }
    let limit = limit.normalize();
    Err(Denial::new(
        ReasonCode::PriceOffMarket,
        format!(
            "The market pays for this combination ({}), and the limit, {limit}, would pay for it.",
            near.round_dp(4).normalize()
        ),
        "Check the sign of the price: buying pays it and selling receives it, and less than zero is the other way \
         round. If it is meant, ask the user to change the setting.",
    )
    .by(Key::PriceCollarPercent, rules.collar.normalize()))
}

/// Whoever pays more for a combination than it can ever be worth, or gets less, loses for certain.
fn never_worth(side: Side, limit: Decimal, market: &Market, rules: &Rules) -> Result<(), Denial> {
    let Some(payoff) = market.payoff else { return Ok(()) };
    let (end, word) = match side {
        Side::Buy => (payoff.most.filter(|most| limit > *most), "more than"),
        Side::Sell => (payoff.least.filter(|least| limit < *least), "less than"),
    };
    let Some(end) = end else { return Ok(()) };
    Err(Denial::new(
        ReasonCode::PriceOffMarket,
        format!(
            "This combination is never worth {word} {} when its options end, and the limit is {}.",
            end.normalize(),
            limit.normalize()
        ),
        "Check the price and its sign: buying pays it and selling receives it, and less than zero is the other way          round. If it is meant, ask the user to change the setting.",
    )
    .by(Key::PriceCollarPercent, rules.collar.normalize()))
}

fn no_fresh_quote(rules: &Rules) -> Denial {
    Denial::new(
        ReasonCode::NoFreshQuote,
        "There is no quote that the price could be compared with: no bid, ask or trade of today.",
        "Try again when the market is open. Without a subscription for this market the user can set the \
         collar to 100, which switches it off.",
    )
    .by(Key::PriceCollarPercent, rules.collar.normalize())
}
