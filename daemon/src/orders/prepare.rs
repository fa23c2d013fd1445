//! From what is asked for to an order in which nothing is left to guess: whose, which contract exactly,
//! and whether it fits. What does not is refused here, with the argument named, and never reaches the
//! broker.

mod combo;
mod traded;

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::money::Quantity;
use ibd_cpapi::orders::Side;
use ibd_protocol::ErrorCode;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::asked::{Asked, Attached, Closing, Leg, OptionTerms, Size, SpreadLeg, What};
use super::fits;
use super::order::{Order, Traded};
use super::scene::{self, RuleBook};
use crate::contracts::expiry::Expiry;
use crate::contracts::option::WantedOption;
use crate::contracts::{self, Contract, Finder, Given, Underlyings, Wish};
use crate::portfolio;
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;
use crate::store::Store;
use combo::combo;

/// The order, or why there is none: the broker could not be asked, or the arguments are wrong.
pub type Prepared = Result<Order, Unserved>;

/// What preparing needs.
#[derive(Debug, Clone, Copy)]
pub struct Tools<'a> {
    /// What is remembered of contracts.
    pub store: &'a Store,
    /// What underlyings were searched for.
    pub underlyings: &'a Underlyings,
    /// What the broker said about contracts.
    pub rules: &'a RuleBook,
    /// The account of calls that name none.
    pub account: Option<&'a AccountId>,
    /// Who is named to exchanges of futures.
    pub operator: Option<&'a str>,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

impl<'a> Tools<'a> {
    fn finder(self, lease: &'a Lease) -> Finder<'a> {
        let Self { store, underlyings, deadline, .. } = self;
        Finder { lease, store, underlyings, deadline }
    }
}

/// Prepares an order.
pub async fn order(lease: &Lease, tools: Tools<'_>, asked: &Asked) -> Prepared {
    let facts = lease.facts();
    let account = portfolio::pick_to_trade(asked.account.as_ref(), tools.account, facts)?;
    let contract = traded(lease, tools, &asked.what).await?;
    let contract = ruled(lease, tools, contract, asked.side).await?;
    let operator = tools.operator.map(str::to_owned).or_else(|| facts.username.clone());
    let order = Order {
        account,
        // What is not known to be paper counts as live.
        paper: facts.paper == Some(true),
        operator: operator.filter(|_| contract.wants_operator()),
        contract,
        side: asked.side,
        size: asked.size,
        pricing: asked.pricing,
        tif: asked.tif,
        outside_rth: Some(asked.outside_rth),
        attached: asked.attached.clone(),
        closes: false,
    };
    sides(&order)?;
    check(lease, tools.rules, &order, tools.deadline).await?;
    Ok(order)
}

/// Prepares the order that closes a position: its side and quantity are read from what is held.
pub async fn close(lease: &Lease, tools: Tools<'_>, closing: &Closing) -> Prepared {
    let facts = lease.facts();
    let account = portfolio::pick_to_trade(closing.account.as_ref(), tools.account, facts)?;
    let contract = traded(lease, tools, &closing.what).await?;
    let position = scene::position(lease, &account, &contract, tools.deadline).await?;
    let (side, quantity) = closed_by(closing.side, position, &contract)?;
    let asked = Asked {
        account: Some(account),
        what: contract.conid.map_or_else(|| closing.what.clone(), What::Conid),
        side,
        size: Size::Quantity(quantity),
        pricing: closing.pricing,
        tif: closing.tif,
        outside_rth: closing.outside_rth,
        attached: Attached::Nothing,
    };
    Ok(Order { closes: true, ..order(lease, tools, &asked).await? })
}

/// What closes a position: the other side, and all of it.
fn closed_by(
    named: Option<Side>,
    position: Option<Decimal>,
    contract: &Traded,
) -> Result<(Side, Quantity), Refusal> {
    let Some(position) = position else {
        return Err(Refusal::new(
            ErrorCode::PositionUnknown,
            format!("How much of {} is held is not known.", contract.shown()),
            "Try again in a moment; get_positions shows what IBKR says.",
        )
        .at("closePosition"));
    };
    let side = match position {
        held if held.is_zero() => {
            return Err(Refusal::new(
                ErrorCode::NothingToClose,
                format!("No position in {} is held.", contract.shown()),
                "Nothing was sent. See get_live_orders for what still works for it: filled now, it would open a \
                 position.",
            )
            .at("closePosition"));
        }
        held if held > Decimal::ZERO => Side::Sell,
        _ => Side::Buy,
    };
    match named.filter(|named| *named != side) {
        Some(named) => Err(Refusal::new(
            ErrorCode::Contradiction,
            format!(
                "action says {}, and a position of {} is closed by {}.",
                named.as_str(),
                position.normalize(),
                side.as_str()
            ),
            "Leave out action; nothing was sent.",
        )
        .at("action")),
        None => Ok((side, Quantity::new(position.abs()))),
    }
}

/// A contract with what the broker's rules for its orders say of its prices.
async fn ruled(
    lease: &Lease,
    tools: Tools<'_>,
    contract: Traded,
    side: Side,
) -> Result<Traded, Unserved> {
    let Some(conid) = contract.conid else { return Ok(contract) };
    let rules = tools.rules.of(lease, conid, side == Side::Buy, tools.deadline).await?;
    Ok(fits::ruled(contract, &rules)?)
}

/// Holds an order against the broker's rules for its contract.
pub async fn check(
    lease: &Lease,
    rules: &RuleBook,
    order: &Order,
    deadline: Instant,
) -> Result<(), Unserved> {
    let Some(conid) = order.contract.conid else {
        let mut of_legs = Vec::with_capacity(order.contract.legs.len());
        for leg in &order.contract.legs {
            of_legs.push(rules.of(lease, leg.conid, leg.side == Side::Buy, deadline).await?);
        }
        return Ok(fits::check(order, &fits::of_combination(&of_legs))?);
    };
    let rules = rules.of(lease, conid, order.side == Side::Buy, deadline).await?;
    Ok(fits::check(order, &rules)?)
}

/// The contract that is meant, and what an order needs of it.
async fn traded(lease: &Lease, tools: Tools<'_>, what: &What) -> Result<Traded, Unserved> {
    match what {
        What::Combo { legs } => {
            let by_conid = |leg: &Leg| SpreadLeg {
                what: What::Conid(leg.conid),
                ratio: leg.ratio,
                side: leg.side,
            };
            spread(lease, tools, &legs.iter().map(by_conid).collect::<Vec<_>>()).await
        }
        What::Spread { legs } => spread(lease, tools, legs).await,
        one => {
            let contract = found_as(lease, tools, one).await?;
            traded::traded(lease, contract, tools.deadline).await
        }
    }
}

/// Several contracts as one: each is found once.
async fn spread(lease: &Lease, tools: Tools<'_>, legs: &[SpreadLeg]) -> Result<Traded, Unserved> {
    let (mut found, mut contracts) = (Vec::new(), Vec::new());
    for (number, leg) in legs.iter().enumerate() {
        let contract = found_as(lease, tools, &leg.what).await;
        let contract = contract.map_err(|unserved| of_leg(unserved, number + 1))?;
        let (option, expiry) = (OptionTerms::of(&contract), contract.expiry);
        found.push(Leg { option, expiry, ..Leg::new(contract.conid, leg.ratio, leg.side) });
        contracts.push(contract);
    }
    combo(lease, tools, &distinct(found)?, contracts).await
}

/// Which leg it is that cannot be had.
fn of_leg(unserved: Unserved, number: usize) -> Unserved {
    match unserved {
        Unserved::Refused(refusal) => {
            let message = format!("Leg {number}: {}", refusal.message);
            Refusal { message, ..refusal }.at("legs").into()
        }
        failed @ Unserved::Failed(_) => failed,
    }
}

/// One contract is one leg.
pub fn distinct(legs: Vec<Leg>) -> Result<Vec<Leg>, Refusal> {
    let mut conids: Vec<Conid> = legs.iter().map(|leg| leg.conid).collect();
    conids.sort_unstable();
    conids.dedup();
    if conids.len() == legs.len() {
        Ok(legs)
    } else {
        Err(Refusal::argument(
            "legs",
            "Two legs are the same contract.",
            "Give it once, with its ratio.",
        ))
    }
}

/// The one contract that is named.
async fn found_as(lease: &Lease, tools: Tools<'_>, what: &What) -> Result<Contract, Unserved> {
    let finder = tools.finder(lease);
    match what {
        What::Conid(conid) => finder.by_conid(*conid, &Given::default()).await,
        What::Named { conid, given } => finder.by_conid(*conid, given).await,
        What::Symbol { symbol, sec_type, exchange, currency, expiry } => {
            let wish = Wish {
                symbol: symbol.clone(),
                sec_type: sec_type.as_deref().map(SecType::of),
                exchange: exchange.clone(),
                currency: currency.clone(),
                expiry: expiry.clone(),
            };
            finder.by_symbol(&wish).await
        }
        What::Option { symbol, expiry, strike, right, exchange, currency, sec_type } => {
            let wanted = WantedOption {
                symbol: symbol.clone(),
                expiry: Expiry::read_alive(expiry, contracts::today())?,
                strike: *strike,
                right: *right,
                exchange: exchange.clone(),
                currency: currency.clone(),
                sec_type: sec_type.clone(),
            };
            finder.option(&wanted).await
        }
        What::Combo { .. } | What::Spread { .. } => Err(Refusal::argument(
            "legs",
            "A leg is a combination itself.",
            "Name its legs one by one.",
        )
        .into()),
    }
}

/// The prices of a bracket are on the right sides of each other.
pub fn sides(order: &Order) -> Result<(), Refusal> {
    let Attached::Bracket { take_profit, stop_loss, .. } = &order.attached else { return Ok(()) };
    let up = order.side == Side::Buy;
    let is_beyond = |price: Decimal, from: Decimal| if up { price > from } else { price < from };
    let wrong = |field: &str, word: &str| {
        Err(Refusal::argument(
            field,
            format!("{field} must be {word} for a {} order.", order.side.as_str()),
            "Correct the price.",
        ))
    };
    let (above, below) = if up {
        ("above the price", "below the price")
    } else {
        ("below the price", "above the price")
    };
    if let Some(limit) = order.pricing.limit().or(order.pricing.stop()) {
        if take_profit.is_some_and(|price| !is_beyond(price.get(), limit.get())) {
            return wrong("takeProfit", above);
        }
        if stop_loss.is_some_and(|price| !is_beyond(limit.get(), price.get())) {
            return wrong("stopLoss", below);
        }
    }
    match (take_profit, stop_loss) {
        (Some(profit), Some(loss)) if !is_beyond(profit.get(), loss.get()) => {
            wrong("takeProfit", if up { "above stopLoss" } else { "below stopLoss" })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::asked::Pricing;
    use crate::orders::guardrails::tests::order;

    #[test]
    fn a_position_is_closed_by_its_other_side_and_never_guessed() {
        let contract = order(Side::Buy, "1", Pricing::Market).contract;
        let closed =
            |named, held: Option<i64>| match closed_by(named, held.map(Decimal::from), &contract) {
                Ok((side, quantity)) => format!("{} {quantity}", side.as_str()),
                Err(refusal) => format!("{} {}", refusal.error, refusal.field.unwrap()),
            };
        for (named, held, expected) in [
            (None, Some(10), "SELL 10"),
            (Some(Side::Sell), Some(10), "SELL 10"),
            (Some(Side::Buy), Some(10), "contradiction action"),
            (None, Some(-7), "BUY 7"),
            (None, Some(0), "nothing_to_close closePosition"),
            (None, None, "position_unknown closePosition"),
        ] {
            assert_eq!(closed(named, held), expected, "{named:?} {held:?}");
        }
    }
}
