//! Orders, read side: lists that can be trusted.
//!
//! The orders feed of a session starts cold: its first list is often empty although orders work. An
//! assistant that believes it would send an order again. So an empty list is only believed when a
//! second one, some seconds later in the same session, is empty too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ibd_cpapi::accounts::SelectAccount;
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{
    GetOrderStatus, GetOrders, OrderRow, OrderStatus, OrderType, Orders, Word,
};
use ibd_cpapi::portfolio::GetAccounts;
use ibd_cpapi::rows::Rows;
use ibd_cpapi::trades::{Execution, GetTrades};
use ibd_cpapi::{Answer, Failure, faults};
use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use crate::session::Lease;

/// The list may be asked for once in five seconds; an earlier answer would be given again.
const BETWEEN_LISTS: Duration = Duration::from_millis(5_050);

/// What all who read orders share: which feeds of the brokerage session have been seen warm, which account is
/// selected there, and in what its accounts are kept. One feed serves all accounts; a single order's page and the
/// trades are those of the selected account.
#[derive(Debug, Clone, Default)]
pub struct Feeds {
    listed: Arc<Mutex<Option<u64>>>,
    traded: Arc<Mutex<Option<u64>>>,
    selected: Arc<tokio::sync::Mutex<Option<(u64, AccountId)>>>,
    bases: Arc<Mutex<Option<Bases>>>,
}

/// Held while something is asked that depends on which account is selected.
type Selection<'f> = tokio::sync::MutexGuard<'f, Option<(u64, AccountId)>>;

/// Base currencies, of one session.
type Bases = (u64, HashMap<AccountId, String>);

impl Feeds {
    /// All orders of an account that the broker still lists.
    pub async fn list(
        &self,
        lease: &Lease,
        account: &AccountId,
        deadline: Instant,
    ) -> Result<Answer<Orders>, Failure> {
        let request = GetOrders { account: Some(account.clone()), force: false };
        let first = lease.client().ask(&request, deadline).await?;
        self.believed(lease, &request, first, deadline).await
    }

    /// The same, asked from now on: it shows what was written before, as far as the broker's list is not late.
    pub async fn list_anew(
        &self,
        lease: &Lease,
        account: &AccountId,
        deadline: Instant,
    ) -> Result<Answer<Orders>, Failure> {
        let request = GetOrders { account: Some(account.clone()), force: false };
        let first = lease.client().ask_anew(&request, deadline).await?;
        self.believed(lease, &request, first, deadline).await
    }

    /// A list that is not the empty first one of a session.
    async fn believed(
        &self,
        lease: &Lease,
        request: &GetOrders,
        first: Answer<Orders>,
        deadline: Instant,
    ) -> Result<Answer<Orders>, Failure> {
        if !first.value.orders.is_empty() || self.is_warm(lease) {
            self.warm(lease);
            return Ok(first);
        }
        tokio::time::sleep(faults::scaled(BETWEEN_LISTS)).await;
        let second = lease.client().ask_anew(request, deadline).await?;
        self.warm(lease);
        Ok(second)
    }

    /// One order, by its own page; nothing if the broker does not know it in this account.
    pub async fn page(
        &self,
        lease: &Lease,
        account: &AccountId,
        order_id: OrderId,
        deadline: Instant,
    ) -> Result<Option<Answer<OrderStatus>>, Failure> {
        let mut selection = self.select(lease, account, deadline).await?;
        let found = status(lease, order_id, deadline).await?;
        if found.is_some() || lease.facts().accounts.len() < 2 {
            return Ok(found);
        }
        // Somebody else may have selected another account at this gateway meanwhile.
        *selection = None;
        choose(&mut selection, lease, account, deadline).await?;
        status(lease, order_id, deadline).await
    }

    /// One order of which nobody says whose it is: the accounts are asked one after the other. Failures count
    /// only if no account has it.
    pub async fn page_of_any(
        &self,
        lease: &Lease,
        order_id: OrderId,
        deadline: Instant,
    ) -> Result<Option<Answer<OrderStatus>>, Failure> {
        let mut failed = None;
        for account in &lease.facts().tradable {
            match self.page(lease, account, order_id, deadline).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(failure) => failed = Some(failure),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// The executions of one account of some days, as the broker gives them now.
    pub async fn trades_anew(
        &self,
        lease: &Lease,
        account: &AccountId,
        days: u8,
        deadline: Instant,
    ) -> Result<Answer<Rows<Execution>>, Failure> {
        let _selection = self.select(lease, account, deadline).await?;
        lease.client().ask_anew(&GetTrades { days }, deadline).await
    }

    /// The executions of one account of some days, each once. The first read of a session is often empty
    /// although there are some, so an empty one is asked for twice.
    pub async fn trades(
        &self,
        lease: &Lease,
        account: &AccountId,
        days: u8,
        deadline: Instant,
    ) -> Result<(Rows<Execution>, Timestamp), Failure> {
        let mut answer = match lease.facts().accounts.len() {
            0 | 1 => lease.client().ask(&GetTrades { days }, deadline).await?,
            // What is remembered may be another account's.
            _ => self.trades_anew(lease, account, days, deadline).await?,
        };
        if answer.value.is_empty() && !self.has_traded(lease) {
            tokio::time::sleep(faults::scaled(BETWEEN_LISTS)).await;
            answer = self.trades_anew(lease, account, days, deadline).await?;
        }
        *self.traded.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease.epoch());
        Ok((answer.value.with_rows(each_once), answer.at))
    }

    /// Selects an account for as long as the answer is held. A login with one account has nothing to select.
    pub async fn select(
        &self,
        lease: &Lease,
        account: &AccountId,
        deadline: Instant,
    ) -> Result<Selection<'_>, Failure> {
        let locked = tokio::time::timeout_at(deadline, self.selected.lock()).await;
        let mut selection = locked.map_err(|_| Failure::Queued)?;
        if lease.facts().accounts.len() > 1 {
            choose(&mut selection, lease, account, deadline).await?;
        }
        Ok(selection)
    }

    /// The base currency of an account, as the broker names it: asked once in a session.
    pub async fn base(
        &self,
        lease: &Lease,
        account: &AccountId,
        deadline: Instant,
    ) -> Result<Option<String>, Failure> {
        if let Some((epoch, bases)) = &*self.bases.lock().unwrap_or_else(PoisonError::into_inner)
            && *epoch == lease.epoch()
            && let Some(base) = bases.get(account)
        {
            return Ok(Some(base.clone()));
        }
        if let Some(base) = lease.facts().described(account).and_then(|own| own.currency.clone()) {
            return Ok(Some(base));
        }
        let accounts = lease.client().ask(&GetAccounts, deadline).await?.value;
        let bases: HashMap<AccountId, String> = accounts
            .into_iter()
            .filter_map(|account| Some((account.id, account.currency?)))
            .collect();
        let base = bases.get(account).cloned();
        *self.bases.lock().unwrap_or_else(PoisonError::into_inner) = Some((lease.epoch(), bases));
        Ok(base)
    }

    fn has_traded(&self, lease: &Lease) -> bool {
        *self.traded.lock().unwrap_or_else(PoisonError::into_inner) == Some(lease.epoch())
    }

    fn is_warm(&self, lease: &Lease) -> bool {
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) == Some(lease.epoch())
    }

    fn warm(&self, lease: &Lease) {
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease.epoch());
    }
}

async fn choose(
    selection: &mut Selection<'_>,
    lease: &Lease,
    account: &AccountId,
    deadline: Instant,
) -> Result<(), Failure> {
    let wanted = (lease.epoch(), account.clone());
    if selection.as_ref() == Some(&wanted) {
        return Ok(());
    }
    // Until it is known to be so, nothing is.
    **selection = None;
    lease.client().ask(&SelectAccount { account: account.clone() }, deadline).await?;
    **selection = Some(wanted);
    Ok(())
}

/// One order of the selected account, by its own endpoint.
async fn status(
    lease: &Lease,
    order_id: OrderId,
    deadline: Instant,
) -> Result<Option<Answer<OrderStatus>>, Failure> {
    match lease.client().ask_anew(&GetOrderStatus { order_id }, deadline).await {
        Ok(answer) => Ok(Some(answer)),
        // IBKR says "not found" for an order of another account, too.
        Err(Failure::Trouble { text, .. } | Failure::Refused { text, .. })
            if text.contains("is not found") =>
        {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// A client order id as tools show it: ours by the intent that sent it.
pub fn short_ref(text: &str) -> String {
    match super::intent::IntentId::of_client_order_id(text) {
        Some(id) => format!("intent {id}"),
        None => ibd_cpapi::failure::clean(text),
    }
}

/// The stop price of a row: the broker puts it into `price` for stop orders.
pub fn stop_price(row: &OrderRow) -> Option<ibd_cpapi::money::Price> {
    row.stop_price.or(row.price.filter(|_| is_stop(row)))
}

/// The limit price of a row, which a plain stop order does not have.
pub fn limit_price(row: &OrderRow) -> Option<ibd_cpapi::money::Price> {
    row.price.filter(|_| !is_stop(row))
}

fn is_stop(row: &OrderRow) -> bool {
    let kind = row.order_type.as_ref().and_then(Word::known);
    matches!(kind, Some(OrderType::Stp | OrderType::Trail))
}

/// The same execution comes again once its commission is known.
fn each_once(all: Vec<Execution>) -> Vec<Execution> {
    let mut trades: Vec<Execution> = Vec::with_capacity(all.len());
    for trade in all {
        match trades.iter_mut().find(|known| known.execution_id == trade.execution_id) {
            Some(known) if known.commission.is_none() => *known = trade,
            Some(_) => {}
            None => trades.push(trade),
        }
    }
    trades
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(json: &str) -> OrderRow {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_stops_price_is_found_wherever_the_broker_puts_it() {
        let aux = row(r#"{"orderId":1,"origOrderType":"STOP","price":"","auxPrice":"240.00"}"#);
        assert_eq!(stop_price(&aux).unwrap().to_string(), "240");
        assert_eq!(limit_price(&aux), None);
        let price = row(r#"{"orderId":1,"origOrderType":"STOP","price":"240.00"}"#);
        assert_eq!(stop_price(&price).unwrap().to_string(), "240");
        assert_eq!(limit_price(&price), None);
        let limit = row(r#"{"orderId":1,"origOrderType":"LIMIT","price":"150.00"}"#);
        assert_eq!(limit_price(&limit).unwrap().to_string(), "150");
        assert_eq!(stop_price(&limit), None);
    }
}
