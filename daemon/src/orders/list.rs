//! Orders, read side: lists that can be trusted.
//!
//! The orders feed of a session starts cold: its first list is often empty although orders work. An
//! assistant that believes it would send an order again. So an empty list is only believed when a
//! second one, some seconds later in the same session, is empty too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{GetOrderStatus, GetOrders, OrderRow, OrderStatus, Orders};
use ibd_cpapi::portfolio::GetAccounts;
use ibd_cpapi::trades::{Execution, GetTrades};
use ibd_cpapi::{Answer, Failure, faults};
use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use crate::session::Lease;

/// The list may be asked for once in five seconds; an earlier answer would be given again.
const BETWEEN_LISTS: Duration = Duration::from_millis(5_050);

/// The brokerage sessions whose orders feed, and whose trades, have been seen warm; one feed serves all
/// accounts. And in what the accounts of a session are kept.
#[derive(Debug, Clone, Default)]
pub struct Feeds(Arc<Mutex<Option<u64>>>, Arc<Mutex<Option<u64>>>, Arc<Mutex<Option<Bases>>>);

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
        if !first.value.orders.is_empty() || self.is_warm(lease) {
            self.warm(lease);
            return Ok(first);
        }
        tokio::time::sleep(faults::scaled(BETWEEN_LISTS)).await;
        let second = lease.client().ask(&request, deadline).await?;
        self.warm(lease);
        Ok(second)
    }

    /// The executions of some days, each once. The first read of a session is often empty although there
    /// are some, so an empty one is asked for twice.
    pub async fn trades(
        &self,
        lease: &Lease,
        request: &GetTrades,
        deadline: Instant,
    ) -> Result<(Vec<Execution>, Timestamp), Failure> {
        let mut answer = lease.client().ask(request, deadline).await?;
        if answer.value.is_empty() && !self.has_traded(lease) {
            tokio::time::sleep(faults::scaled(BETWEEN_LISTS)).await;
            answer = lease.client().ask(request, deadline).await?;
        }
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease.epoch());
        let mut trades: Vec<Execution> = Vec::with_capacity(answer.value.len());
        for trade in answer.value {
            // The same execution comes again once its commission is known.
            match trades.iter_mut().find(|known| known.execution_id == trade.execution_id) {
                Some(known) if known.commission.is_none() => *known = trade,
                Some(_) => {}
                None => trades.push(trade),
            }
        }
        Ok((trades, answer.at))
    }

    /// The base currency of an account, as the broker names it: asked once in a session.
    pub async fn base(
        &self,
        lease: &Lease,
        account: &AccountId,
        deadline: Instant,
    ) -> Result<Option<String>, Failure> {
        if let Some((epoch, bases)) = &*self.2.lock().unwrap_or_else(PoisonError::into_inner)
            && *epoch == lease.epoch()
            && let Some(base) = bases.get(account)
        {
            return Ok(Some(base.clone()));
        }
        let accounts = lease.client().ask(&GetAccounts, deadline).await?.value;
        let bases: HashMap<AccountId, String> = accounts
            .into_iter()
            .filter_map(|account| Some((account.id, account.currency?)))
            .collect();
        let base = bases.get(account).cloned();
        *self.2.lock().unwrap_or_else(PoisonError::into_inner) = Some((lease.epoch(), bases));
        Ok(base)
    }

    fn has_traded(&self, lease: &Lease) -> bool {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) == Some(lease.epoch())
    }

    fn is_warm(&self, lease: &Lease) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(lease.epoch())
    }

    fn warm(&self, lease: &Lease) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease.epoch());
    }
}

/// One order, by its own endpoint.
pub async fn status(
    lease: &Lease,
    order_id: OrderId,
    deadline: Instant,
) -> Result<Option<Answer<OrderStatus>>, Failure> {
    match lease.client().ask(&GetOrderStatus { order_id }, deadline).await {
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

/// Whether an order with this status can still be filled. `None`: a status we do not know.
pub fn is_working(status: &str) -> Option<bool> {
    match status {
        "PendingSubmit" | "PreSubmitted" | "Submitted" | "PendingCancel" | "PreCancelled" => {
            Some(true)
        }
        "Filled" | "Cancelled" | "Inactive" => Some(false),
        _ => None,
    }
}

/// A client order id as tools show it: ours by the intent that sent it.
pub fn short_ref(text: &str) -> String {
    match super::intent::IntentId::of_client_order_id(text) {
        Some(id) => format!("intent {id}"),
        None => ibd_cpapi::failure::clean(text),
    }
}

/// `CLOSE` is the broker's word for `DAY` in lists.
pub fn tif(text: &str) -> &str {
    if text == "CLOSE" { "DAY" } else { text }
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
    matches!(row.order_type.as_deref(), Some("STOP" | "STP" | "TRAIL" | "TRAILING_STOP"))
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

    #[test]
    fn a_status_we_do_not_know_is_not_called_done() {
        assert_eq!(is_working("PreSubmitted"), Some(true));
        assert_eq!(is_working("Filled"), Some(false));
        assert_eq!(is_working("WarnState"), None);
    }
}
