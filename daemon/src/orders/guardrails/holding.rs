//! What an order does to what is held: whether it only reduces it, what it would leave behind, and how much
//! closes it.

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::OrderId;
use ibd_cpapi::money::Quantity;
use ibd_cpapi::orders::Side;
use ibd_protocol::ReasonCode;
use rust_decimal::Decimal;

use super::super::asked::{Attached, Size};
use super::super::order::Order;
use super::super::tickets::opposite;
use super::{Denial, Scene};

/// An order that works for the same contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resting {
    /// The broker's id; of one that is in doubt there is none.
    pub order_id: Option<OrderId>,
    /// As it is told: its id, or our name for it.
    pub name: String,
    /// Buy or sell.
    pub side: Side,
    /// What of it is not filled.
    pub remaining: Decimal,
    /// What of it is.
    pub filled: Decimal,
    /// Its end was asked for from here, and IBKR has not shown it yet.
    pub is_ending: bool,
}

/// The side that a position is closed by, where there is one.
fn closing(position: Decimal) -> Option<Side> {
    match position {
        held if held.is_zero() => None,
        held if held > Decimal::ZERO => Some(Side::Sell),
        _ => Some(Side::Buy),
    }
}

/// What works of one side. `None`: not known.
fn working(scene: &Scene, side: Side) -> Option<Vec<&Resting>> {
    let all = scene.working.as_ref()?;
    Some(all.iter().filter(|one| one.side == side && one.remaining > Decimal::ZERO).collect())
}

/// What of some orders is not filled, added up.
fn rest(orders: &[&Resting]) -> Option<Decimal> {
    orders.iter().try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.remaining))
}

fn names(orders: &[&Resting]) -> String {
    orders.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What of an order is still to be filled, at most: of a group, of which one is filled, the largest.
fn open(order: &Order, scene: &Scene) -> Option<Decimal> {
    let siblings: &[_] = match &order.attached {
        Attached::Oca(siblings) => siblings,
        _ => &[],
    };
    let same = siblings.iter().filter(|one| one.side == order.side).map(|one| one.size);
    let sizes = std::iter::once(order.size).chain(same);
    let quantities = sizes.map(|size| match size {
        Size::Quantity(quantity) => quantity.get().checked_sub(scene.filled),
        Size::Cash(_) => None,
    });
    quantities.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Whether all of an order goes against a position.
fn reduces(order: &Order, position: Decimal) -> bool {
    let is_one_way = match &order.attached {
        Attached::Nothing => true,
        Attached::Oca(siblings) => siblings.iter().all(|one| one.side == order.side),
        Attached::Bracket { .. } => false,
    };
    is_one_way && order.contract.legs.is_empty() && closing(position) == Some(order.side)
}

/// Whether an order can only bring a position nearer to nothing, whatever else works: what it takes off, and
/// what orders of its side take off, is there. What is not known is no.
pub(super) fn is_exempt(order: &Order, scene: &Scene) -> bool {
    let (Some(position), Some(others)) = (scene.position, working(scene, order.side)) else {
        return false;
    };
    let taken = open(order, scene).and_then(|open| open.checked_add(rest(&others)?));
    reduces(order, position) && taken.is_some_and(|taken| taken <= position.abs())
}

/// The refusal by a limit of what would only reduce a position, if orders that work did not reduce it already.
pub(super) fn crowded(denial: Denial, order: &Order, scene: &Scene) -> Denial {
    let left = || {
        let (position, others) = (scene.position?, working(scene, order.side)?);
        let could = reduces(order, position) && open(order, scene)? <= position.abs();
        let left = position.abs().checked_sub(rest(&others)?)?.max(Decimal::ZERO);
        (could && !others.is_empty()).then(|| (left.normalize(), names(&others)))
    };
    let Some((left, names)) = left() else { return denial };
    let less = if left.is_zero() { String::new() } else { format!(", or order at most {left}") };
    let next = format!(
        "What only reduces a position is free of this limit. This order is not, because others that work reduce it \
         already: cancel {names}{less}. {}",
        denial.next
    );
    Denial { next, ..denial }
}

/// The order that closes a position, with the quantity that is held now. Any other is as it is.
pub(super) fn resolved(order: Order, scene: &Scene) -> Result<Order, Denial> {
    if !order.closes {
        return Ok(order);
    }
    let unknown = |what: &str| {
        let next = "Try again in a moment; get_positions and get_live_orders show what IBKR says.";
        Denial::new(
            ReasonCode::PositionUnknown,
            format!("{what} is not known. Nothing was sent."),
            next,
        )
    };
    let position = scene.position.ok_or_else(|| unknown("How much is held"))?;
    if closing(position) != Some(order.side) {
        return Err(nothing_to_close(order.side, position, scene));
    }
    let others =
        working(scene, order.side).ok_or_else(|| unknown("What works for this contract"))?;
    if !others.is_empty() {
        return Err(already_closing(position, &others));
    }
    Ok(Order { size: Size::Quantity(Quantity::new(position.abs())), ..order })
}

fn nothing_to_close(side: Side, position: Decimal, scene: &Scene) -> Denial {
    // Whatever works for what is not held opens a position.
    let sides = [Side::Buy, Side::Sell].into_iter().filter(|one| closing(position) != Some(*one));
    let opening: Vec<&Resting> = sides.filter_map(|one| working(scene, one)).flatten().collect();
    let next = if opening.is_empty() {
        "See get_positions for what is held.".to_owned()
    } else {
        format!(
            "Orders for it still work ({}): filled now, each opens a position or adds to it. Cancel those that are \
             not meant to.",
            names(&opening)
        )
    };
    let text = format!(
        "The position is {}: there is nothing that {} would close. Nothing was sent.",
        position.normalize(),
        side.as_str()
    );
    Denial::new(ReasonCode::NothingToClose, text, next)
}

fn already_closing(position: Decimal, others: &[&Resting]) -> Denial {
    let text = format!(
        "Orders that work could close the position of {}, or a part of it, as well ({}): together they could sell \
         or buy more than is held. Nothing was sent.",
        position.normalize(),
        names(others)
    );
    let (ending, staying): (Vec<&Resting>, Vec<&Resting>) =
        others.iter().copied().partition(|one| one.is_ending);
    let next = match (ending.is_empty(), staying.is_empty()) {
        (true, _) => {
            let is_enough = rest(&staying).is_some_and(|taken| taken <= position.abs());
            let advice = "Cancel them with cancel_order, then close the position";
            match is_enough {
                true => format!("{advice}; or leave it to them."),
                false => format!("They alone come to more than is held. {advice}."),
            }
        }
        (false, true) => unconfirmed(&ending),
        // What is ending may leave the others with less than is held.
        (false, false) => format!(
            "Cancel {} with cancel_order, then close the position. {}",
            names(&staying),
            unconfirmed(&ending)
        ),
    };
    Denial::new(ReasonCode::AlreadyClosing, text, next)
}

/// What to do about orders that were cancelled from here: until IBKR shows their end, they can be filled, and an exchange
/// may refuse to cancel what IBKR asked it to.
fn unconfirmed(ending: &[&Resting]) -> String {
    if ending.is_empty() {
        return String::new();
    }
    let (was, its) = if ending.len() == 1 { ("was", "its end") } else { ("were", "their end") };
    format!(
        "{} {was} cancelled from here, and IBKR has not confirmed {its} yet: ask get_order_status with that orderId \
         until it does not work any more, then try again. If it still works after a minute, cancel it again.",
        names(ending)
    )
}

/// The order that closes a position with another quantity than it has, because another one is held now.
pub fn resized(order: &Order, scene: &Scene) -> Option<Order> {
    resolved(order.clone(), scene).ok().filter(|now| now != order)
}

/// What should be known of an order before it is sent, a sentence each.
pub(super) fn warnings(order: &Order, scene: &Scene) -> Vec<String> {
    // Pairs of currencies are no positions.
    let is_held = order.contract.legs.is_empty() && order.contract.sec_type != SecType::Cash;
    let (Some(position), Some(open), true) = (scene.position, open(order, scene), is_held) else {
        return Vec::new();
    };
    let said = [
        beyond(order, scene, position, open),
        left(order, scene, position, open),
        reopens(order, position, open),
    ];
    said.into_iter().flatten().collect()
}

/// More is sold than is held, or more bought back than is short.
fn beyond(order: &Order, scene: &Scene, position: Decimal, open: Decimal) -> Option<String> {
    let is_sale = order.side == Side::Sell;
    // Buying what nobody is short of is the ordinary thing.
    if !is_sale && position >= Decimal::ZERO {
        return None;
    }
    let others = working(scene, order.side).unwrap_or_default();
    let taken = open.checked_add(rest(&others)?)?;
    let over = if closing(position) == Some(order.side) {
        taken.checked_sub(position.abs())?
    } else {
        taken.checked_add(position.abs())?
    };
    if over <= Decimal::ZERO {
        return None;
    }
    let with = if others.is_empty() {
        String::new()
    } else {
        format!(" with what works already ({})", names(&others))
    };
    // A stop beside the order that it is to protect, which is not filled yet.
    let against = working(scene, opposite(order.side)).unwrap_or_default();
    let unless = if against.is_empty() {
        String::new()
    } else {
        format!(", unless what works the other way ({}) is filled before", names(&against))
    };
    Some(format!(
        "The position is {}: once filled{with} this would leave the account {} by {}{unless}.",
        position.normalize(),
        if is_sale { "short" } else { "long" },
        over.normalize()
    ))
}

/// Orders that go on working for what this one closes.
fn left(order: &Order, scene: &Scene, position: Decimal, open: Decimal) -> Option<String> {
    if closing(position) != Some(order.side) || open < position.abs() {
        return None;
    }
    let all = [order.side, opposite(order.side)].map(|side| working(scene, side));
    let left: Vec<&Resting> = all.into_iter().flatten().flatten().collect();
    if left.is_empty() {
        return None;
    }
    let names = names(&left);
    let turned = open.checked_sub(position.abs()).filter(|over| *over > Decimal::ZERO);
    Some(match turned {
        Some(over) => format!(
            "Once filled the position is turned into one of {}, and orders that were made for the present one work \
             on: {names}. Cancel those that are not meant for it.",
            if position > Decimal::ZERO { -over.normalize() } else { over.normalize() }
        ),
        None => format!(
            "Once filled the position is closed, and orders for it work on: {names}. Each of them that is filled \
             then opens a new position; cancel those that are not meant to."
        ),
    })
}

/// A bracket's children close what their parent opened; where the parent closes something, they open it again.
fn reopens(order: &Order, position: Decimal, open: Decimal) -> Option<String> {
    let is_bracket = matches!(order.attached, Attached::Bracket { .. });
    let closes = closing(position) == Some(order.side) && open <= position.abs();
    (is_bracket && closes).then(|| {
        format!(
            "This order takes off what is held ({}); the takeProfit and stopLoss that come with it go the other way, \
             and would open it again.",
            position.normalize()
        )
    })
}
