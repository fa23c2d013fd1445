//! The scene of an order: the market, the rates, the account's size, gathered at once. And the proof that
//! the session is the one that the order was made for.

mod held;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ibd_cpapi::contracts::{GetRules, Rules as ContractRules, SecType};
use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::orders::Side;
use ibd_cpapi::portfolio::{GetLedger, Ledger};
use ibd_cpapi::session::GetAuthStatus;
use ibd_cpapi::snapshot::{Field, Row, Signs};
use ibd_cpapi::{Failure, faults};
use ibd_protocol::ReasonCode;
use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::asked::Leg;
use super::fits;
use super::guardrails::{Denial, Legs, Quote, Scene, Told};
use super::list::Feeds;
use super::order::{Order, Traded};
use crate::contracts::hours::Hours;
use crate::market::{self, Freshness, MarketHandle, Wanted};
use crate::portfolio;
use crate::session::{Lease, SessionHandle};
pub use held::{position, with_own};

/// The row of the ledger that is in base currency.
const BASE: &str = "BASE";
/// Where IBKR routes what names no exchange.
pub const SMART: &str = "SMART";
/// A session that does not come within this time is no session for this order.
const SESSION: Duration = Duration::from_secs(10);

/// What is asked about an order, and whom besides the session.
#[derive(Debug, Clone)]
pub struct Needs {
    /// Whether a limit wants to know the day's profit or loss.
    pub pnl: bool,
    /// Whether what works must be read now: a list from before does not have what a person has just placed.
    pub fresh_list: bool,
    /// Which lists are warm, and what accounts are in.
    pub feeds: Feeds,
    /// When the market is open, where that was found out before.
    pub hours: Option<Hours>,
}

/// Gathers the scene of an order. What the broker does not say stays unknown; only a broken session or a
/// rate limit is a failure.
pub async fn gather(
    lease: &Lease,
    lines: &MarketHandle,
    order: &Order,
    needs: Needs,
    deadline: Instant,
) -> Result<Scene, Failure> {
    let contract = &order.contract;
    let (market, ledger, base, pnl, held) = tokio::join!(
        market(lease, lines, contract, deadline),
        ledger(lease, &order.account, deadline),
        needs.feeds.base(lease, &order.account, deadline),
        day_pnl(lease, &needs, &order.account, deadline),
        held::gather(lease, &needs, order, deadline),
    );
    let (quote, legs) = unless_lost(market)?.unwrap_or_default();
    let ledger = unless_lost(ledger)?.unwrap_or_default();
    let base = unless_lost(base)?.flatten().or_else(|| base_currency(&ledger));
    let held = unless_lost(held)?.unwrap_or_default();
    let row = ledger.get(BASE);
    Ok(Scene {
        at: Some(Timestamp::now()),
        quote,
        legs,
        rate: rate(&ledger, &contract.currency, base.as_deref()),
        base,
        nlv: row.and_then(|row| row.net_liquidation).map(|nlv| nlv.get()),
        day_pnl: pnl,
        position: held.position,
        working: held.working,
        filled: Decimal::ZERO,
        hours: needs.hours.clone(),
        steps: None,
    })
}

/// What an order cannot do without: the rest may be missing and stays so.
fn unless_lost<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.casts_doubt() => Err(failure),
        Err(failure @ Failure::RateLimited(_)) => Err(failure),
        Err(failure) => {
            tracing::info!(%failure, "a part of an order's scene is missing");
            Ok(None)
        }
    }
}

/// The market of a contract, or of the legs of a combination.
async fn market(
    lease: &Lease,
    lines: &MarketHandle,
    contract: &Traded,
    deadline: Instant,
) -> Result<(Quote, Option<Legs>), Failure> {
    let rows = quotes(lease, lines, contract, deadline).await?;
    let at = Timestamp::now();
    let own = contract.conid.and_then(|conid| rows.get(&conid));
    let quote = own.map(|row| quote(row, signs(contract.negative), at)).unwrap_or_default();
    Ok((quote, legs(contract, &rows, at)))
}

fn signs(negative: bool) -> Signs {
    if negative { Signs::Any } else { Signs::Positive }
}

async fn quotes(
    lease: &Lease,
    lines: &MarketHandle,
    contract: &Traded,
    deadline: Instant,
) -> Result<BTreeMap<Conid, Row>, Failure> {
    let own = contract.conid.into_iter();
    let wanted: Vec<Wanted> = own
        .chain(contract.legs.iter().map(|leg| leg.conid))
        // Prices are enough here: nobody waits for greeks.
        .map(|conid| Wanted { conid, is_option: false })
        .collect();
    lines.underlyings().prepare(lease, underlyings(contract), deadline).await?;
    Ok(lines.quotes(lease, &wanted, Freshness::Asked, deadline).await?.rows)
}

/// What must be looked for before there are quotes of it.
fn underlyings(contract: &Traded) -> Vec<String> {
    let own = contract.sec_type.is_derivative().then(|| contract.symbol.clone());
    // Of a leg that an earlier version wrote the kind is not known: to look for its symbol does no harm.
    let is_derived = |leg: &&Leg| leg.sec_type.as_ref().is_none_or(SecType::is_derivative);
    let of_legs = contract.legs.iter().filter(is_derived).filter_map(|leg| leg.symbol.clone());
    own.into_iter().chain(of_legs).collect()
}

async fn ledger(lease: &Lease, account: &AccountId, deadline: Instant) -> Result<Ledger, Failure> {
    let request = GetLedger { account: account.clone() };
    Ok(lease.client().ask(&request, deadline).await?.value)
}

async fn day_pnl(
    lease: &Lease,
    needs: &Needs,
    account: &AccountId,
    deadline: Instant,
) -> Option<Decimal> {
    if !needs.pnl {
        return None;
    }
    // It is told of the account that is selected.
    let _selected = needs.feeds.select(lease, account, deadline).await.ok()?;
    let pnl = portfolio::pnl(lease, deadline, deadline).await.ok()?;
    pnl.value.of(account)?.dpl.map(|pnl| pnl.get())
}

/// A market from what has come of it.
pub fn quote(row: &Row, signs: Signs, now: Timestamp) -> Quote {
    let known = market::Quote::of(Some(row), signs);
    Quote {
        bid: known.bid,
        ask: known.ask,
        last: known.traded,
        // A quiet market is not a stale quote: it was asked for just now.
        at: known.updated.map(|_| now),
        is_live: known.is_live(),
        told: Told {
            last: known.last,
            last_is: known.last_is,
            mark: known.number(Field::Mark),
            data: Some(known.data),
            is_of_the_close: known.is_of_the_close(),
            updated: known.updated,
        },
    }
}

/// What one combination is made of: each leg at its price. `None`: not all of them have one.
fn legs(contract: &Traded, rows: &BTreeMap<Conid, Row>, now: Timestamp) -> Option<Legs> {
    if contract.legs.is_empty() {
        return None;
    }
    let whole = contract.unit()?;
    let mut legs = Legs {
        gross: Decimal::ZERO,
        net: Decimal::ZERO,
        bid: Some(Decimal::ZERO),
        ask: Some(Decimal::ZERO),
        at: now,
        is_live: true,
        is_traded: true,
    };
    for leg in &contract.legs {
        let quote = quote(rows.get(&leg.conid)?, signs(leg.negative), now);
        // What was written before legs knew their units counts the largest for each.
        let unit = leg.unit.unwrap_or(whole);
        let count = Decimal::from(leg.ratio).checked_mul(unit)?;
        let moved = quote.middle()?.checked_mul(count)?;
        let share = count.checked_div(whole)?;
        // Whoever buys the combination buys this leg at its ask, or sells it at its bid.
        let (paid, bid, ask) = match leg.side {
            Side::Buy => (moved, quote.bid, quote.ask),
            Side::Sell => (-moved, quote.ask.map(|ask| -ask), quote.bid.map(|bid| -bid)),
        };
        let add = |sum: Option<Decimal>, price: Option<Decimal>| {
            sum?.checked_add(price?.checked_mul(share)?)
        };
        (legs.bid, legs.ask) = (add(legs.bid, bid), add(legs.ask, ask));
        legs.gross = legs.gross.checked_add(moved.abs())?;
        legs.net = legs.net.checked_add(paid)?;
        legs.is_live &= quote.is_live;
        legs.is_traded &= quote.last.is_some();
    }
    Some(legs)
}

/// Units of base currency for one of another. What is in base currency needs no rate from anybody.
fn rate(ledger: &Ledger, currency: &str, base: Option<&str>) -> Option<Decimal> {
    if base == Some(currency) {
        return Some(Decimal::ONE);
    }
    let row = ledger.get(currency)?;
    row.exchange_rate.map(|rate| rate.get()).filter(|rate| *rate > Decimal::ZERO)
}

/// The currency whose rate is one. `None`: several are, or none.
fn base_currency(ledger: &Ledger) -> Option<String> {
    let is_one = |row: &ibd_cpapi::portfolio::LedgerRow| {
        row.exchange_rate.is_some_and(|rate| rate.get() == Decimal::ONE)
    };
    let mut candidates = ledger.iter().filter(|(name, row)| *name != BASE && is_one(row));
    match (candidates.next(), candidates.next()) {
        (Some((currency, _)), None) => Some(currency.clone()),
        _ => None,
    }
}

/// What the broker said about trading contracts, in one brokerage session. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct RuleBook(Arc<Mutex<Pages>>);

/// Rules by session, contract, and whether they are for a purchase.
type Pages = HashMap<(u64, Conid, bool), Arc<ContractRules>>;

impl RuleBook {
    /// What the broker says about trading a contract: asked once in a session.
    pub async fn of(
        &self,
        lease: &Lease,
        conid: Conid,
        is_buy: bool,
        deadline: Instant,
    ) -> Result<Arc<ContractRules>, Failure> {
        let key = (lease.epoch(), conid, is_buy);
        if let Some(known) = self.lock().get(&key) {
            return Ok(known.clone());
        }
        let request = GetRules { conid, exchange: SMART.to_owned(), is_buy };
        let rules = Arc::new(lease.client().ask(&request, deadline).await?.value);
        let mut book = self.lock();
        book.retain(|(epoch, ..), _| *epoch == key.0);
        book.insert(key, rules.clone());
        Ok(rules)
    }

    /// By which steps an order's prices go, as far as that was asked for in this session.
    pub fn steps(&self, lease: &Lease, order: &Order) -> Option<Arc<ContractRules>> {
        let known = |conid: Conid, side: Side| {
            self.lock().get(&(lease.epoch(), conid, side == Side::Buy)).cloned()
        };
        let contract = &order.contract;
        if let Some(conid) = contract.conid {
            return known(conid, order.side);
        }
        let legs = contract.legs.iter().map(|leg| known(leg.conid, leg.side));
        let legs = legs.collect::<Option<Vec<_>>>()?;
        Some(Arc::new(fits::of_combination(&legs)))
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Proves that the session lives and is the one that an order was made for: asked just now, not
/// remembered.
pub async fn prove(
    session: &SessionHandle,
    account: &AccountId,
    paper: bool,
) -> Result<Lease, Denial> {
    let deadline = Instant::now() + faults::patience(SESSION);
    let lease = session
        .lease(deadline)
        .await
        .map_err(|refusal| Denial::new(ReasonCode::NoSession, refusal.message, refusal.next))?;
    let status = match lease.client().ask(&GetAuthStatus, deadline).await {
        Ok(answer) => answer.value,
        Err(failure) => {
            session.suspect(&lease);
            let next = "Call get_session_status; when it is ready, place the order again.";
            return Err(Denial::new(ReasonCode::NoSession, failure.to_string(), next));
        }
    };
    let is_open = status.authenticated == Some(true)
        && status.established != Some(false)
        && status.competing != Some(true);
    if !is_open {
        session.suspect(&lease);
        return Err(Denial::new(
            ReasonCode::NoSession,
            "The trading session at IBKR is not open just now.",
            "Call get_session_status; when it is ready, place the order again.",
        ));
    }
    let facts = lease.facts();
    if !facts.accounts.contains(account) {
        return Err(Denial::new(
            ReasonCode::OtherLogin,
            format!("The login that is there now does not have the account {account}."),
            "Call get_session_status and ask the user.",
        ));
    }
    // What is not beyond doubt paper counts as live, both when the order was made and now.
    if (facts.paper == Some(true)) != paper {
        return Err(Denial::new(
            ReasonCode::OtherLogin,
            "Another login is there than the one that this order was made for: paper and live differ.",
            "Call get_session_status and ask the user.",
        ));
    }
    Ok(lease)
}

#[cfg(test)]
mod tests;
