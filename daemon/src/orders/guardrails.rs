//! Guardrails: whether an order may go to the broker at all. Pure; every refusal names the setting and
//! its value. A [`Vetted`] order comes from here and from nowhere else.

use std::sync::Arc;

use ibd_cpapi::contracts::Rules as ContractRules;
use ibd_cpapi::orders::Side;
use ibd_protocol::ReasonCode;
use ibd_protocol::settings::Key;
use ibd_protocol::states::Said;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::asked::{Attached, Pricing};
use super::limits::Rules;
use super::order::Order;
use super::tickets::opposite;
use crate::contracts::hours::Hours;
use crate::market::{Data, LastIs};
use ibd_cpapi::exact;

pub use closed::PriceIs;
pub use holding::{Resting, resized};

mod closed;
mod holding;
mod lists;
mod payoff;
mod prices;
mod value;

/// A quote older than this is none.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// Why an order is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Why, in a word; one that a newer version wrote may have no name here.
    pub code: Said<ReasonCode>,
    /// What and why.
    pub message: String,
    /// What to do.
    pub next: String,
    /// The setting that says so, with its value.
    pub setting: Option<String>,
}

impl Denial {
    /// A denial with the three things that each one has.
    pub fn new(code: ReasonCode, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), next: next.into(), setting: None }
    }

    fn by(mut self, setting: Key, value: impl std::fmt::Display) -> Self {
        self.setting = Some(format!("{setting}={value}"));
        self
    }
}

/// What is known at the moment when an order is looked at. What is missing is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scene {
    /// When this was gathered.
    pub at: Option<Timestamp>,
    /// The market of the contract.
    pub quote: Quote,
    /// The market of a combination's legs.
    pub legs: Option<Legs>,
    /// Units of base currency for one of the contract's.
    pub rate: Option<Decimal>,
    /// The base currency.
    pub base: Option<String>,
    /// Net liquidation value, in base currency.
    pub nlv: Option<Decimal>,
    /// The day's profit or loss, in base currency; only where a limit asks for it.
    pub day_pnl: Option<Decimal>,
    /// How much of the contract the account holds; negative when short.
    pub position: Option<Decimal>,
    /// What works for the contract, of both sides; gathered where the order closes something.
    pub working: Option<Vec<Resting>>,
    /// What is filled already of the order that is to be changed.
    pub filled: Decimal,
    /// By which steps its prices go.
    pub steps: Option<Arc<ContractRules>>,
    /// When its market is open.
    pub hours: Option<Hours>,
}

/// What one combination is made of, at the market, in the contract's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legs {
    /// What moves: all legs added up, whichever way.
    pub gross: Decimal,
    /// What buying it costs: legs that are sold taken off.
    pub net: Decimal,
    /// What selling the combination brings, and what buying it costs, in the unit of its price; where each leg has
    /// the price that it takes.
    pub bid: Option<Decimal>,
    /// The ask beside it.
    pub ask: Option<Decimal>,
    /// When the legs' quotes were asked for.
    pub at: Timestamp,
    /// Whether each is as it happens.
    pub is_live: bool,
    /// Whether each was traded today: at night and on a Sunday none is.
    pub is_traded: bool,
}

/// A market, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quote {
    /// Best bid.
    pub bid: Option<Decimal>,
    /// Best ask.
    pub ask: Option<Decimal>,
    /// Last trade of today, else the mark: what an order is judged by.
    pub last: Option<Decimal>,
    /// When the broker last updated it.
    pub at: Option<Timestamp>,
    /// As it happens, and not late or frozen.
    pub is_live: bool,
    /// What it is told as.
    pub told: Told,
}

/// A quote as it is told: nothing here is what an order is judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The last price, whatever it is.
    pub last: Option<Decimal>,
    /// What that is, where it is no trade of now.
    pub last_is: Option<LastIs>,
    /// The broker's mark.
    pub mark: Option<Decimal>,
    /// What kind of prices; nothing where there is no quote.
    pub data: Option<Data>,
    /// It is what a live quote was when its market closed.
    pub is_of_the_close: bool,
    /// When the broker last updated it.
    pub updated: Option<Timestamp>,
}

impl Quote {
    /// Between bid and ask, else the last price.
    pub fn middle(&self) -> Option<Decimal> {
        match (self.bid, self.ask) {
            (Some(bid), Some(ask)) => Some((bid + ask) / Decimal::TWO),
            _ => self.last.or(self.ask).or(self.bid),
        }
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_live && self.is_asked(now)
    }

    /// Whether it is what a live quote was when its market closed, as it was asked for just now.
    fn is_fresh_of_the_close(&self, now: Timestamp) -> bool {
        self.told.is_of_the_close && self.is_asked(now)
    }

    fn is_asked(&self, now: Timestamp) -> bool {
        self.at.is_some_and(|at| now.duration_since(at) <= FRESH)
    }
}

/// Orders that were sent lately, by the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the last minute.
    pub minute: u64,
    /// Today, New York time.
    pub day: u64,
}

/// An order that may be sent, and what it is worth: nothing else is ever sent, and only [`vet`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vetted {
    order: Order,
    worth: Worth,
    warnings: Vec<String>,
    wants_person: bool,
}

/// What an order is worth, in base currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worth {
    /// The amount.
    #[serde(with = "exact::opt")]
    pub value: Option<Decimal>,
    /// In percent of the NLV.
    #[serde(with = "exact::opt")]
    pub percent: Option<Decimal>,
    /// The base currency.
    pub base: Option<String>,
    /// The middle of the market at that moment.
    #[serde(with = "exact::opt")]
    pub market: Option<Decimal>,
    /// What that is, where it is no market of that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market_is: Option<PriceIs>,
}

impl Vetted {
    /// The order; one that closes a position has the quantity that is held now.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// What it is worth.
    pub fn worth(&self) -> &Worth {
        &self.worth
    }

    /// What should be known of it, a sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether a person must look at it, whatever the settings say: the prices that it was held against are none of
    /// now.
    pub fn wants_person(&self) -> bool {
        self.wants_person
    }

    /// For a desk that is wrong on purpose: another order passes as this one.
    #[cfg(feature = "faults")]
    pub fn passing_for(self, order: Order) -> Self {
        Self { order, ..self }
    }
}

/// Looks at an order in its scene. What only reduces what is held is held against no limit on its size.
pub fn vet(
    order: Order,
    scene: &Scene,
    rules: &Rules,
    counts: Counts,
    now: Timestamp,
) -> Result<Vetted, Denial> {
    let order = holding::resolved(order, scene)?;
    let is_exempt = holding::is_exempt(&order, scene);
    lists::check(&order, rules)?;
    // What would free it of a limit is said with the limit.
    let crowded = |denial| holding::crowded(denial, &order, scene);
    if !is_exempt {
        value::quantity(&order, scene, rules).map_err(crowded)?;
    }
    frequency(&order, rules, counts)?;
    for part in parts(&order) {
        prices::check(&order, &part, scene, rules, now)?;
    }
    let worth = if is_exempt {
        value::estimate(&order, scene)
    } else {
        value::check(&order, scene, rules).map_err(crowded)?
    };
    if !is_exempt {
        loss(scene, rules).map_err(crowded)?;
    }
    let all = parts(&order);
    let beyond = all.iter().filter_map(|part| prices::beyond(&order, part, scene, now));
    let unfilled = all.iter().filter_map(prices::unfilled);
    let wants_person =
        all.iter().any(|part| prices::is_by_the_close(&order, part, scene, rules, now));
    let closed = closed::warnings(&order, scene, wants_person);
    let warnings = closed.into_iter().chain(unfilled).chain(beyond);
    let warnings = warnings.chain(holding::warnings(&order, scene));
    let warnings = warnings.collect();
    Ok(Vetted { order, worth, warnings, wants_person })
}

/// One order of a submission.
struct Part {
    side: Side,
    pricing: Pricing,
    /// It works once its parent is filled, and not before.
    is_child: bool,
}

/// Every order of a submission.
fn parts(order: &Order) -> Vec<Part> {
    let mut parts = vec![Part { side: order.side, pricing: order.pricing, is_child: false }];
    match &order.attached {
        Attached::Nothing => {}
        Attached::Bracket { take_profit, stop_loss, stop_loss_limit } => {
            let side = opposite(order.side);
            let child = |pricing| Part { side, pricing, is_child: true };
            parts.extend(take_profit.map(|price| child(Pricing::Limit(price))));
            parts.extend(stop_loss.map(|stop| match *stop_loss_limit {
                Some(limit) => child(Pricing::StopLimit { stop, limit }),
                None => child(Pricing::Stop(stop)),
            }));
        }
        Attached::Oca(siblings) => parts.extend(siblings.iter().map(|one| Part {
            side: one.side,
            pricing: one.pricing,
            is_child: false,
        })),
    }
    parts
}

fn frequency(order: &Order, rules: &Rules, counts: Counts) -> Result<(), Denial> {
    let count = order.count();
    if counts.minute + count > rules.per_minute {
        let message = format!("{} orders were sent within the last minute.", counts.minute);
        let next = "Wait a minute. If this was not meant, tell the user.";
        return Err(Denial::new(ReasonCode::TooManyOrders, message, next)
            .by(Key::MaxOrdersPerMinute, rules.per_minute));
    }
    if counts.day + count > rules.per_day {
        let message = format!("{} orders were sent today.", counts.day);
        let next = "Tell the user; only they can change this setting.";
        return Err(Denial::new(ReasonCode::TooManyOrders, message, next)
            .by(Key::MaxOrdersPerDay, rules.per_day));
    }
    Ok(())
}

fn loss(scene: &Scene, rules: &Rules) -> Result<(), Denial> {
    let Some(limit) = rules.max_loss else { return Ok(()) };
    let refuse = |message: String| {
        Err(Denial::new(
            ReasonCode::DailyLoss,
            message,
            "Tell the user; only they can change this setting.",
        )
        .by(Key::MaxDailyLoss, limit))
    };
    match scene.day_pnl {
        None => {
            refuse("The day's profit or loss is not known, and a limit is set for it.".to_owned())
        }
        Some(pnl) if -pnl > limit => refuse(format!("The day's loss is {}.", (-pnl).round_dp(0))),
        Some(_) => Ok(()),
    }
}

/// So much of the whole, in percent.
fn percent(part: Decimal, whole: Decimal) -> Decimal {
    part.checked_mul(Decimal::ONE_HUNDRED)
        .and_then(|part| part.checked_div(whole.abs()))
        .unwrap_or_default()
        .round_dp(1)
        .normalize()
}

#[cfg(test)]
#[path = "guardrails/tests.rs"]
pub(crate) mod tests;
