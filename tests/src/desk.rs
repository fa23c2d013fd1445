//! A client at a desk: a simulator whose prices stand still, a home, and a client that places orders.

use serde_json::{Value, json};

use crate::{Reply, Shim, Sim, World, until};

/// Apple at NASDAQ.
pub const AAPL: u64 = 265_598;
/// Its price here, until a story moves it.
pub const PRICE: f64 = 270.0;

/// A simulator, a home, and a client. Paper unless a story says otherwise.
///
/// Dropped in this order: a client that outlived its daemon might start another one.
pub struct Desk {
    /// The client that shook hands first.
    pub client: Shim,
    /// The home.
    pub world: World,
    /// The broker.
    pub sim: Sim,
}

impl Desk {
    /// A paper account; questions are asked as usual.
    pub async fn paper() -> Self {
        Self::new(json!({}), "").await
    }

    /// A paper account, and this `config.toml`.
    pub async fn configured(config: &str) -> Self {
        Self::new(json!({}), config).await
    }

    /// A live account, whose orders a person approves.
    pub async fn live(config: &str) -> Self {
        let accounts = json!([{
            "id": "U7654321", "currency": "USD", "cash": { "USD": 1_000_000 }, "positions": [],
        }]);
        Self::new(json!({ "accounts": accounts, "orders": [] }), config).await
    }

    /// With a scenario and a `config.toml`.
    pub async fn new(scenario: Value, config: &str) -> Self {
        let sim = Sim::scenario(scenario).await;
        sim.tell("/market", json!({ "conid": AAPL, "last": PRICE })).await;
        let world = World::attached(&sim);
        if !config.is_empty() {
            world.configure(config);
        }
        let client = world.client().await;
        Self { client, world, sim }
    }

    /// Calls a tool that must not fail.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.client.call(tool, arguments).await.ok()
    }

    /// Places an order; whatever it says.
    pub async fn place(&mut self, order: Value) -> Value {
        self.call("place_order", order).await
    }

    /// Places an order that must be placed.
    pub async fn placed(&mut self, order: Value) -> Value {
        let out = self.place(order).await;
        assert_eq!(out["status"], "placed", "{out}");
        out
    }

    /// Places an order that must be refused by the rules here, without the broker; the reason.
    pub async fn held(&mut self, order: Value) -> Value {
        let before = self.posts().await;
        let out = self.place(order).await;
        assert_eq!(out["status"], "not_placed", "{out}");
        assert_eq!(self.posts().await, before, "IBKR heard of it: {out}");
        out["reason"].clone()
    }

    /// Calls a tool that must refuse, without an order for the broker.
    pub async fn refused(&mut self, tool: &str, arguments: Value) -> Reply {
        let before = self.posts().await;
        let reply = self.client.call(tool, arguments.clone()).await;
        assert!(reply.is_error, "{arguments}: {}", reply.json);
        assert_eq!(self.posts().await, before, "IBKR heard of it: {arguments}");
        reply
    }

    /// What has become of an order once that is known, however long it takes.
    pub async fn settled(&mut self, out: &Value) -> Value {
        let look = json!({ "intentId": out["intentId"], "seconds": 1 });
        let mut now = Value::Null;
        until("it is settled", async || {
            now = self.call("wait_for_order", look.clone()).await;
            now["status"] == "placed" || now["status"] == "not_placed"
        })
        .await;
        now
    }

    /// Every ticket that the broker has ever accepted from a client.
    pub async fn placements(&self) -> Vec<Value> {
        let placements = self.sim.control_get("/placements").await;
        placements["placements"].as_array().unwrap().clone()
    }

    /// An order as the broker has it.
    pub async fn at_broker(&self, order_id: &Value) -> Value {
        let orders = self.sim.control_get("/orders").await;
        let orders = orders["orders"].as_array().unwrap();
        let is_it =
            |row: &&Value| row["orderId"].as_u64() == order_id.as_str().unwrap().parse().ok();
        orders.iter().find(is_it).unwrap_or_else(|| panic!("{order_id} in {orders:?}")).clone()
    }

    /// How many requests to place an order the broker has had.
    pub async fn posts(&self) -> usize {
        let requests = self.sim.requests().await;
        let requests = requests["requests"].as_array().unwrap();
        let places = |request: &&Value| {
            request["method"] == "POST" && request["path"].as_str().unwrap().ends_with("/orders")
        };
        requests.iter().filter(places).count()
    }

    /// What becomes of the next orders.
    pub async fn script(&self, orders: Value) {
        self.sim.tell("/script", json!({ "orders": orders })).await;
    }

    /// What `ibctl … --json` says, and its exit code.
    pub async fn ctl(&self, arguments: &[&str]) -> (Value, i32) {
        let mut all = arguments.to_vec();
        all.push("--json");
        let output = self.world.ctl(&all).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}"));
        (json, output.status.code().unwrap_or(-1))
    }
}

/// A limit order for Apple that does not fill at once: below the market, and not far enough for a question.
pub fn resting(quantity: u32) -> Value {
    limit(quantity, 265.0)
}

/// Apple at a limit.
pub fn limit(quantity: u32, price: f64) -> Value {
    json!({ "symbol": "AAPL", "action": "BUY", "orderType": "LMT", "quantity": quantity, "price": price })
}

/// An object with more in it.
pub fn and(mut object: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(more);
    object
}
