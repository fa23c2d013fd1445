//! A look at the broker for what no stream tells in time: quotes that nobody has pushed lately, positions, and how
//! orders stand. What could not be read is asked for at the next look.

use std::collections::{BTreeMap, BTreeSet};

use ibd_cpapi::Failure;
use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_cpapi::orders::Stage;
use ibd_cpapi::portfolio::Position;
use jiff::Timestamp;
use ractor::ActorRef;
use rust_decimal::Decimal;
use tokio::time::{Duration, Instant};

use super::alert::Watch;
use super::watch::is_watched;
use super::{Msg, State};
use crate::market::{Freshness, MarketHandle, Rows, Wanted};
use crate::orders::Feeds;
use crate::portfolio;
use crate::session::Lease;

/// A look takes no longer.
const LIMIT: Duration = Duration::from_secs(25);

impl State {
    /// Looks as soon as that can be.
    pub(super) fn want_look(&mut self, me: &ActorRef<Msg>) {
        self.wants_look = true;
        self.look_now(me);
    }

    pub(super) fn look_now(&mut self, me: &ActorRef<Msg>) {
        let Some(lease) = self.lease.clone() else { return };
        if self.look.as_ref().is_some_and(|look| !look.is_finished()) {
            return;
        }
        (self.wants_look, self.looked_at) = (false, Some(Instant::now()));
        let wants = self.wants(&lease);
        if wants.is_empty() {
            return;
        }
        let (desks, me) = ((self.market.clone(), self.feeds.clone()), me.clone());
        self.look = Some(tokio::spawn(async move {
            let seen = look(lease, desks, wants).await;
            let _ = me.cast(Msg::Looked(Box::new(seen)));
        }));
    }

    fn wants(&self, lease: &Lease) -> Wants {
        let mut wants = Wants::default();
        for alert in self.kept.now.alerts.iter().filter(|alert| is_watched(alert, Some(lease))) {
            if let Some(of) = alert.watch.of() {
                let wanted = Wanted { conid: of.conid, is_option: of.is_option() };
                if !wants.quotes.contains(&wanted) {
                    wants.quotes.push(wanted);
                }
            }
            match &alert.watch {
                Watch::Pnl { .. } => wants.accounts.extend(alert.account.clone()),
                Watch::Order { order_id } => wants.orders.extend([*order_id]),
                Watch::Quote { .. } | Watch::Move { .. } | Watch::Gap { .. } => {}
            }
        }
        wants
    }
}

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wants {
    quotes: Vec<Wanted>,
    accounts: BTreeSet<AccountId>,
    orders: BTreeSet<OrderId>,
}

impl Wants {
    fn is_empty(&self) -> bool {
        self.quotes.is_empty() && self.accounts.is_empty() && self.orders.is_empty()
    }
}

/// A position, as much of it as its P&L needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) quantity: Decimal,
    /// What the portfolio said.
    pub(super) pnl: Decimal,
    /// The price at which it said so.
    pub(super) price: Option<Decimal>,
    /// What a price of one is worth in one contract.
    pub(super) multiplier: Option<Decimal>,
    pub(super) at: Timestamp,
}

impl Holding {
    fn of(position: &Position, at: Timestamp) -> Option<Self> {
        let quantity = position.position?.get();
        let price = position.market_price.map(|price| price.get());
        let value = position.market_value.map(|value| value.get());
        let multiplier = price.zip(value).and_then(|(price, value)| {
            value.checked_div(quantity.checked_mul(price)?).filter(|number| !number.is_zero())
        });
        let pnl = position.unrealized_pnl?.get();
        Some(Self { quantity, pnl, price, multiplier, at })
    }

    /// Its P&L at a price: that of the portfolio, and what the price has moved since.
    pub(super) fn pnl_at(&self, price: Option<Decimal>) -> Decimal {
        let moved = || {
            let move_of_one = price?.checked_sub(self.price?)?.checked_mul(self.multiplier?)?;
            self.pnl.checked_add(move_of_one.checked_mul(self.quantity)?)
        };
        moved().unwrap_or(self.pnl)
    }
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Look {
    pub(super) quotes: Rows,
    /// By account; one that could not be read is not there.
    pub(super) holdings: BTreeMap<AccountId, BTreeMap<Conid, Holding>>,
    pub(super) orders: Vec<(OrderId, Stage)>,
    /// Something failed in a way that casts doubt on the session.
    pub(super) has_doubt: bool,
}

/// Looks. Each part is read for itself.
async fn look(lease: Lease, (market, feeds): (MarketHandle, Feeds), wants: Wants) -> Look {
    let deadline = Instant::now() + LIMIT;
    let mut seen = Look::default();
    if !wants.quotes.is_empty() {
        let quotes = market.quotes(&lease, &wants.quotes, Freshness::Streamed, deadline).await;
        seen.quotes = seen.kept(quotes).unwrap_or_default();
    }
    for account in wants.accounts {
        let positions = portfolio::positions(&lease, &account, deadline).await;
        let Some((positions, at)) = seen.kept(positions) else { continue };
        let held = positions.iter().filter_map(|one| Some((one.conid, Holding::of(one, at)?)));
        seen.holdings.insert(account, held.collect());
    }
    for order_id in wants.orders {
        let page = feeds.page_of_any(&lease, order_id, deadline).await;
        let stage = seen.kept(page).flatten().and_then(|answer| answer.value.status);
        seen.orders.extend(stage.map(|stage| (order_id, stage)));
    }
    seen
}

impl Look {
    fn kept<T>(&mut self, read: Result<T, Failure>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(failure) => {
                tracing::debug!(%failure, "a look for alerts failed in part");
                self.has_doubt |= failure.casts_doubt();
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn held(json: &str) -> Option<Holding> {
        let position: Position = serde_json::from_str(json).unwrap();
        Holding::of(&position, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn pnl_follows_the_price_from_what_the_portfolio_said() {
        let option =
            r#"{"conid":1,"position":2,"mktPrice":3.0,"mktValue":600,"unrealizedPnl":100}"#;
        let option = held(option).unwrap();
        assert_eq!(option.multiplier, Some(Decimal::ONE_HUNDRED));
        let pnl = |price: Option<i64>| option.pnl_at(price.map(Decimal::from)).normalize();
        assert_eq!(pnl(Some(4)), Decimal::from(300));
        assert_eq!(pnl(None), Decimal::from(100), "without a price it is the portfolio's");
        let short = r#"{"conid":1,"position":-10,"mktPrice":5,"mktValue":-50,"unrealizedPnl":-7}"#;
        assert_eq!(held(short).unwrap().pnl_at(Some(Decimal::from(6))), Decimal::from(-17));
    }

    #[test]
    fn what_the_portfolio_does_not_say_is_not_known() {
        let none = r#"{"conid":1,"position":2,"mktPrice":3.0}"#;
        assert_eq!(held(none), None);
        let bare = held(r#"{"conid":1,"position":2,"unrealizedPnl":5}"#).unwrap();
        assert_eq!(bare.pnl_at(Some(Decimal::from(9))), Decimal::from(5));
    }
}
