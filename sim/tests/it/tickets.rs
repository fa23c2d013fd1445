//! Tickets, and what tests about orders do with them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, World};

pub(crate) const ACCOUNT: &str = "DU1234567";
pub(crate) const APPLE: i64 = 265_598;
pub(crate) const ORDERS: &str = "/iserver/account/DU1234567/orders";
/// The first id after the five orders of the default world.
pub(crate) const FIRST: i64 = 1_234_567_895;
/// Nothing asked, nothing paced, and no waiting.
pub(crate) const QUICK: &str = r#"{"pacing":false,"questions":false,"submitMillis":0,"cancelMillis":0,
    "ordersWarmMillis":0,"ordersStaleMillis":0,"commissionMillis":0,"lateRejectMillis":0}"#;

/// A limit order for five Apple shares at 265, with these keys instead; null takes one away.
pub(crate) fn ticket(changes: Value) -> Value {
    let mut ticket = json!({
        "conid": APPLE, "orderType": "LMT", "side": "BUY", "tif": "DAY", "quantity": 5, "price": 265.0,
    });
    let fields = ticket.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(fields.remove(key)),
            value => drop(fields.insert(key.clone(), value.clone())),
        }
    }
    ticket
}

impl World {
    /// A primed world in which nothing waits, with Apple pinned at 271.50.
    pub(crate) async fn quick() -> Self {
        let world = Self::start(QUICK).await;
        world.prime().await;
        world.market(271.5).await;
        world
    }

    /// Sends tickets as one set.
    pub(crate) async fn send(&self, tickets: &[Value]) -> Answer {
        self.post(ORDERS, json!({ "orders": tickets })).await
    }

    /// Places tickets that must be accepted without a question; the answer is the first order's id.
    pub(crate) async fn accepted(&self, tickets: &[Value]) -> i64 {
        let answer = self.send(tickets).await;
        let id = answer.json()[0]["order_id"].as_str().map(str::parse);
        id.unwrap_or_else(|| panic!("{}", answer.text)).unwrap()
    }

    /// Sends one ticket that must be questioned; the answer is the reply id.
    pub(crate) async fn questioned(&self, changes: Value) -> String {
        let answer = self.send(&[ticket(changes)]).await;
        let id = answer.json()[0]["id"].as_str().map(str::to_owned);
        id.unwrap_or_else(|| panic!("{}", answer.text))
    }

    /// Answers a question.
    pub(crate) async fn reply(&self, id: &str, confirmed: bool) -> Answer {
        self.post(&format!("/iserver/reply/{id}"), json!({ "confirmed": confirmed })).await
    }

    /// Pins Apple's price.
    pub(crate) async fn market(&self, last: f64) {
        self.tell("/market", json!({ "conid": APPLE, "last": last })).await;
    }

    /// What shall become of the next orders.
    pub(crate) async fn script(&self, scripts: Value) {
        self.tell("/script", json!({ "orders": scripts })).await;
    }

    /// An order as the control API sees it.
    pub(crate) async fn order(&self, id: i64) -> Value {
        let all = self.control("/orders", None).await.json();
        let rows = all["orders"].as_array().unwrap();
        rows.iter().find(|row| row["orderId"] == id).unwrap().clone()
    }

    /// Waits until an order has this status.
    pub(crate) async fn until(&self, id: i64, status: &str) -> Value {
        for _ in 0..500 {
            let order = self.order(id).await;
            if order["status"] == status {
                return order;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} never was {status}: {}", self.order(id).await);
    }

    /// How many tickets were accepted.
    pub(crate) async fn placements(&self) -> Value {
        self.control("/placements", None).await.json()
    }
}

impl World {
    /// The trades of the account; the first call of a session, which sees none, is made here.
    pub(crate) async fn trades(&self) -> Vec<Value> {
        self.json("/iserver/account/trades").await;
        self.json("/iserver/account/trades?days=7").await.as_array().unwrap().clone()
    }
}
