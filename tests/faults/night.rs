//! One night: what the broker forgot while nobody looked is said to be over, and nothing else is.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::client::{Client, Log};
use crate::plan::{ACCOUNTS, Plan};
use crate::rig::{Daemon, Home, Sim, Tools};
use crate::truth::from_here;

/// Ten minutes, in the daemon's own time, and some looks.
const PATIENCE: Duration = Duration::from_secs(150);
/// Seconds until every order of a day is over, whatever hour and weekday it is now: one that is sent on a Friday
/// evening is of the Monday, until eight in the evening.
const NIGHT: i64 = 4 * 24 * 60 * 60;
/// The daemon's own time runs 50 times as fast, and the broker's answers do not: on a busy machine they are late.
const PATIENT: (&str, &str) = ("IBD_ANSWER_SCALE", "1");
/// As long as a real client lets a call take, in milliseconds: a busy machine needs it.
const CALL: u64 = 47_000;
/// Room for some steps.
const SEGMENT: u64 = 1 << 20;

/// Tells it; an error says what was not as it should be.
pub async fn run(tools: &Tools) -> Result<(), String> {
    let mut sim = Sim::start(tools).await;
    sim.tell("/reset", &json!({})).await;
    if tools.clock.is_none() {
        return Err("a night needs a clock that can be moved, and that a C compiler".to_owned());
    }
    let mut home = Home::make(tools, 0, SEGMENT);
    let patient = [(PATIENT.0, PATIENT.1.to_owned())];
    let mut daemon = Daemon::start(tools, &home, sim.port, &patient);
    daemon.ready().await?;
    let mut desk = Desk { client: client(&home, &sim), calls: 0 };

    let of_the_day = desk.place(json!({ "orderType": "LMT", "price": 190, "tif": "DAY" })).await?;
    let to_stay = desk.place(json!({ "orderType": "LMT", "price": 191, "tif": "GTC" })).await?;
    let bracket = json!({ "orderType": "MKT", "tif": "DAY", "takeProfit": 400, "stopLoss": 150 });
    let bracket = desk.place(bracket).await?;
    desk.until("the bracket is in", &bracket, |order| order["standing"]["status"] == "Filled")
        .await?;

    daemon.kill().await;
    sim.tell("/night", &json!({})).await;
    home.set_clock(NIGHT);
    let mut daemon = Daemon::start(tools, &home, sim.port, &patient);
    daemon.ready().await?;
    let is_unlisted = |order: &Value| order["reason"]["code"] == "no_longer_listed";
    desk.until("the day's order is over", &of_the_day, is_unlisted).await?;
    let are_unlisted = |order: &Value| {
        let others = order["otherOrders"].as_array().map(Vec::as_slice).unwrap_or_default();
        others.len() == 2 && others.iter().all(|other| other["status"] == "Unlisted")
    };
    let order = desk.until("its children are over", &bracket, are_unlisted).await?;
    if order["standing"]["status"] != "Filled" {
        return Err(format!("what was filled is not any more: {order}"));
    }
    let works =
        |order: &Value| order["standing"]["status"] == "Submitted" && order["reason"].is_null();
    let order = desk.until("what works on is said to", &to_stay, works).await?;
    // A list that is short says nothing about what does not end by itself.
    let id: u64 = order["orderId"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
    sim.tell("/hide", &json!({ "orderId": id, "hidden": true })).await;
    let is_missing = |order: &Value| order["standing"]["status"] == "Missing";
    desk.until("it is missing", &to_stay, is_missing).await?;
    sim.tell("/hide", &json!({ "orderId": id, "hidden": false })).await;
    desk.until("it is there again", &to_stay, works).await.map(drop)
}

fn client(home: &Home, sim: &Sim) -> Client {
    let wish = Plan::of(1, None).wishes.remove(0);
    // As long as the whole night.
    let deadline = Instant::now() + 4 * PATIENCE;
    let control = sim.control.clone();
    Client { socket: home.socket(), log: Log::default(), wish, deadline, call: CALL, control }
}

/// What is said of an order that was not sent: a gateway that seems to hang, a quote that comes too late.
const UNSENT: &str = "Nothing was sent";
/// Why else an order was not sent that can be asked for again.
const LATE: [&str; 5] = [
    "\"no_fresh_quote\"",
    "\"value_unknown\"",
    "\"no_session\"",
    "\"gateway_silent\"",
    "\"broker_trouble\"",
];
const TRIES: usize = 60;

struct Desk {
    client: Client,
    calls: u64,
}

impl Desk {
    async fn call(&mut self, tool: &'static str, arguments: &Value) -> Result<Value, String> {
        self.calls += 1;
        let key = format!("night-{}", self.calls);
        let answer = self.client.insist(tool, &key, arguments).await;
        answer.ok_or_else(|| format!("{tool} {arguments} was not answered"))
    }

    /// Places an order. A busy machine is late for a daemon 50 times as fast: what was not sent because of a quote or
    /// a session that is not there yet is asked for again; what was not answered is asked about by its own name.
    async fn place(&mut self, how: Value) -> Result<Value, String> {
        let mut order = self.order(&how);
        let mut answer = self.call("place_order", &order).await?;
        for _ in 0..TRIES {
            if matches!(answer["status"].as_str(), Some("placed" | "unknown")) {
                return Ok(answer["intentId"].clone());
            }
            let text = answer.to_string();
            if text.contains(UNSENT) || LATE.iter().any(|code| text.contains(code)) {
                order = self.order(&how);
            } else if answer["error"] != "timeout" {
                break;
            }
            sleep(Duration::from_millis(250)).await;
            answer = self.call("place_order", &order).await?;
        }
        Err(format!("{order} was not placed: {answer}"))
    }

    /// A new one, with a name of its own.
    fn order(&self, how: &Value) -> Value {
        let mut order = json!({
            "accountId": ACCOUNTS[0], "symbol": "AAPL", "action": "BUY", "quantity": 3 + self.calls,
            "requestId": format!("night-{}", self.calls),
        });
        let how = how.as_object().cloned().unwrap_or_default();
        order.as_object_mut().into_iter().for_each(|order| order.extend(how.clone()));
        order
    }

    async fn look(&mut self, intent: &Value) -> Result<Value, String> {
        let answer = self.call("get_order_status", &json!({ "intentId": intent })).await?;
        Ok(from_here(&answer).unwrap_or_default())
    }

    async fn until(
        &mut self,
        what: &str,
        intent: &Value,
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<Value, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let order = self.look(intent).await?;
            if is_so(&order) {
                return Ok(order);
            }
            if Instant::now() > deadline {
                return Err(format!("awaited in vain: {what}; it is {order}"));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}
