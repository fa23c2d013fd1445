//! A market in which nothing is traded now: closed, or halted. What is said of an order that goes there, and of the
//! prices that it is held against.

use ibd_cpapi::orders::OrderType;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::order::Order;
use super::Scene;
use crate::contracts::hours::Market;
use crate::market::{Data, LastIs};

/// What was traded so lately is traded now, whatever a schedule says.
const TRADES: SignedDuration = SignedDuration::from_mins(5);

/// What a price is that is none of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceIs {
    /// The last one before the market closed.
    Closed,
    /// The last one before trading was halted.
    Halted,
    /// Fifteen to twenty minutes late.
    Delayed,
}

impl PriceIs {
    /// For whoever reads a price: what stands before it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Closed => "the market is closed; its last price was about",
            Self::Halted => "trading is halted; its last price was about",
            Self::Delayed => "market 15-20 minutes ago about",
        }
    }

    /// What the price of a scene is.
    pub(super) fn of(scene: &Scene) -> Option<Self> {
        let told = &scene.quote.told;
        match (told.last_is, told.data) {
            (Some(LastIs::Halted), _) => Some(Self::Halted),
            _ if scene.is_closed() => Some(Self::Closed),
            (_, Some(Data::Frozen)) if !scene.quote.is_live => Some(Self::Closed),
            (_, Some(Data::Delayed)) => Some(Self::Delayed),
            _ => None,
        }
    }
}

impl Scene {
    /// Whether its market is closed: by its hours, unless it trades all the same.
    pub fn is_closed(&self) -> bool {
        let Some((at, hours)) = self.at.zip(self.hours.as_ref()) else { return false };
        hours.at(at) == Some(Market::Closed) && !self.trades(at)
    }

    /// Whether it was traded just now.
    fn trades(&self, at: Timestamp) -> bool {
        let told = &self.quote.told;
        let is_of_now = |updated: Timestamp| at.duration_since(updated).abs() < TRADES;
        match &self.legs {
            Some(legs) => legs.is_traded,
            None => {
                told.last.is_some() && told.last_is.is_none() && told.updated.is_some_and(is_of_now)
            }
        }
    }
}

/// What should be known of an order into a market that is closed or halted. `wants_person`: its limit was held against
/// what the market was when it closed.
pub(super) fn warnings(order: &Order, scene: &Scene, wants_person: bool) -> Vec<String> {
    let is_market = order.pricing.order_type() == OrderType::Mkt;
    let at_any = if is_market { ", and at whatever price that is then" } else { "" };
    if scene.quote.told.last_is == Some(LastIs::Halted) {
        return vec![format!(
            "Trading in {} is halted: nothing is filled before it goes on{at_any}.",
            order.contract.symbol
        )];
    }
    if !scene.is_closed() {
        return Vec::new();
    }
    let opens = scene.at.zip(scene.hours.as_ref()).and_then(|(at, hours)| hours.opens(at));
    let opens = opens.map(|opens| format!(" (regular hours begin at {opens})")).unwrap_or_default();
    let waits = if is_market {
        "a MKT order waits for the opening, and is filled at whatever price that is"
    } else {
        "nothing is filled before it opens"
    };
    let by_close = wants_person.then(|| {
        "Its limit was held against the last prices before the close and not against live ones: a person must approve \
         it."
            .to_owned()
    });
    std::iter::once(format!("The market is closed{opens}: {waits}.")).chain(by_close).collect()
}
