//! Clients: as the shim does, and as models do.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ibd_protocol::version::Role;
use ibd_protocol::{
    Call, ClientName, Connection, OrdersReport, OrdersVerb, Outcome, ToClient, ToDaemon, Wishes,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::dice::Dice;
use crate::plan::{Kind, Manner, Then, Wish};
use crate::rig::Control;

/// What a call may take, in milliseconds: two seconds of it are the daemon's margin, the rest 45 of its.
pub const CALL: u64 = 2_900;
/// Between tries to reach a daemon that is not there.
const AGAIN: Duration = Duration::from_millis(3);

/// What somebody was told.
#[derive(Debug, Clone)]
pub struct Heard {
    pub wish: u64,
    /// The key of the call, or the client's own name for the request.
    pub key: String,
    pub tool: &'static str,
    /// What was asked for.
    pub arguments: Value,
    /// What the answer says; `None`: there was none.
    pub answer: Option<Value>,
    /// What the broker had.
    pub truth: Option<Truth>,
}

/// The broker's orders around a call, as they truly were.
#[derive(Debug, Clone)]
pub struct Truth {
    /// `GET /orders` before it was first asked.
    pub before: Value,
    /// The same right after the answer.
    pub after: Value,
    pub began: Instant,
    /// When the answer was there; what was read after it is a little younger.
    pub ended: Instant,
}

impl Heard {
    /// `placed`, `not_placed`, …, or the code of a refusal.
    pub fn status(&self) -> &str {
        let answer = self.answer.as_ref();
        let text = answer.and_then(|a| a["status"].as_str().or(a["error"].as_str()));
        text.unwrap_or("nothing")
    }

    pub fn intent(&self) -> Option<&str> {
        self.answer.as_ref()?["intentId"].as_str()
    }
}

/// Everything that clients were told in a run.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Heard>>>);

impl Log {
    pub fn note(&self, heard: Heard) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    }

    pub fn all(&self) -> Vec<Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Somebody who wants an order.
#[derive(Debug, Clone)]
pub struct Client {
    pub socket: PathBuf,
    pub log: Log,
    pub wish: Wish,
    /// Nobody waits longer.
    pub deadline: Instant,
    /// What a call may take, in milliseconds.
    pub call: u64,
    /// Where the broker's truth is read.
    pub control: Control,
}

/// How a call went.
enum Went {
    Answer(Value),
    /// The connection broke.
    Lost,
    /// Its caller's patience is over.
    Over,
}

impl Client {
    /// Wants it, in its manner.
    pub async fn want(self) {
        sleep(Duration::from_millis(self.wish.at)).await;
        if self.wish.waits {
            self.wait_for_another().await;
        }
        let tool = "place_order";
        let arguments = self.arguments();
        match self.wish.manner {
            Manner::Steady => {
                let heard = self.insist(tool, "a", &arguments).await;
                self.go_on(heard).await;
            }
            Manner::Echo => {
                let (one, _) = tokio::join!(
                    self.insist(tool, "a", &arguments),
                    self.insist(tool, "a", &arguments)
                );
                self.go_on(one).await;
            }
            Manner::Both => {
                let (one, _) = tokio::join!(
                    self.insist(tool, "a", &arguments),
                    self.insist(tool, "b", &arguments)
                );
                self.go_on(one).await;
            }
            Manner::Blind => self.try_blindly(&arguments).await,
            Manner::Impatient(millis, is_new) => {
                let patience = Instant::now() + Duration::from_millis(millis);
                self.once(tool, "a", &arguments, patience).await;
                let heard = self.insist(tool, if is_new { "b" } else { "a" }, &arguments).await;
                self.go_on(heard).await;
            }
            Manner::Dies(millis) => {
                let patience = Instant::now() + Duration::from_millis(millis);
                let _ = self.once(tool, "a", &arguments, patience).await;
            }
            Manner::Named => {
                let mut named = arguments.clone();
                named["requestId"] = json!(format!("mine-{}", self.wish.number));
                let first = self.insist(tool, "a", &named).await;
                let second = self.insist(tool, "b", &named).await;
                self.go_on(second.or(first)).await;
            }
            Manner::Twice => {
                let first = self.insist(tool, "a", &arguments).await;
                if let Some(id) = first.as_ref().and_then(|answer| answer["intentId"].as_str()) {
                    let mut second = arguments.clone();
                    second["allowDuplicateOf"] = json!(id);
                    self.insist(tool, "b", &second).await;
                }
            }
        }
    }

    /// A model that got no answer, or one that it does not like, and tries again.
    async fn try_blindly(&self, arguments: &Value) {
        for key in ["a", "b", "c"] {
            match self.once("place_order", key, arguments, self.patience()).await {
                Went::Answer(answer) => {
                    if answer["status"] == "placed" || answer["status"] == "needs_confirmation" {
                        return self.go_on(Some(answer)).await;
                    }
                }
                Went::Lost | Went::Over => self.heard("place_order", key, arguments, None, None),
            }
        }
    }

    /// Waits until somebody else's order is there.
    async fn wait_for_another(&self) {
        let mut control = self.control.clone();
        while Instant::now() < self.deadline {
            if control.get("/placements").await["count"] != 0 {
                return;
            }
            sleep(AGAIN).await;
        }
    }

    /// What comes after an order.
    async fn go_on(&self, answer: Option<Value>) {
        let Some(answer) = answer else { return };
        let id = answer["intentId"].clone();
        if self.wish.looks {
            self.look("1", &answer).await;
        }
        let order = json!({ "intentId": id });
        match (self.wish.then, answer["status"].as_str()) {
            (Then::Cancel, Some("placed" | "unknown")) => {
                self.insist("cancel_order", "x", &order).await;
            }
            (Then::CancelById, Some("placed")) => {
                self.insist("cancel_order", "x", &json!({ "orderId": answer["orderId"] })).await;
            }
            (Then::CancelAll, Some(_)) => {
                let all = json!({ "all": true, "accountId": self.wish.account });
                self.insist("cancel_order", "x", &all).await;
            }
            (Then::Modify(what), Some("placed")) => {
                sleep(Duration::from_millis(self.wish.pause)).await;
                let mut change = order.clone();
                change[what] = self.changed(what);
                self.insist("modify_order", "m", &change).await;
            }
            (Then::Confirm(yes), Some("needs_confirmation")) => {
                self.confirm("y", &answer, yes).await;
            }
            (Then::ConfirmTwice, Some("needs_confirmation")) => {
                tokio::join!(self.confirm("y", &answer, true), self.confirm("z", &answer, true));
            }
            (Then::ConfirmOn, Some("needs_confirmation")) => {
                for key in ["y", "z", "v"] {
                    self.confirm(key, &answer, true).await;
                    sleep(Duration::from_millis(self.wish.pause)).await;
                }
            }
            _ => {}
        }
        if self.wish.looks {
            self.look("2", &answer).await;
        }
    }

    /// What a change says: something near what was ordered, and another thing.
    fn changed(&self, what: &str) -> Value {
        match what {
            "quantity" => json!(200 + self.wish.quantity),
            "tif" => json!("DAY"),
            _ => {
                let price: f64 = self.wish.price.parse().unwrap_or_default();
                json!(format!("{:.2}", price + 1.0))
            }
        }
    }

    /// Looks at the order in every way that there is, in some sequence.
    async fn look(&self, round: &str, answer: &Value) {
        let id = &answer["intentId"];
        let mut dice = Dice::new(self.wish.quantity);
        for number in 0..3 {
            let key = format!("{round}{number}");
            match dice.between(0, 9) {
                0..5 => self.insist("get_live_orders", &key, &json!({})).await,
                5..9 => self.insist("get_order_status", &key, &json!({ "intentId": id })).await,
                _ => {
                    let patience = json!({ "intentId": id, "seconds": 1 });
                    self.insist("wait_for_order", &key, &patience).await
                }
            };
        }
    }

    async fn confirm(&self, key: &str, answer: &Value, yes: bool) {
        let arguments = json!({ "confirmationId": answer["confirmation"]["id"], "accept": yes });
        self.insist("confirm_order", key, &arguments).await;
    }

    /// As the shim does: the same key, over one connection after the other, until there is an answer.
    pub async fn insist(&self, tool: &'static str, key: &str, arguments: &Value) -> Option<Value> {
        let (before, began) = (self.orders().await, Instant::now());
        loop {
            let truth = (before.clone(), began);
            match self.once_since(tool, key, arguments, self.patience(), truth).await {
                Went::Answer(answer) => return Some(answer),
                Went::Lost => sleep(AGAIN).await,
                Went::Over => {
                    self.heard(tool, key, arguments, None, None);
                    return None;
                }
            }
        }
    }

    /// Waits a little longer than the daemon says that it will take, for as many daemons as there are.
    fn patience(&self) -> Instant {
        self.deadline
    }

    /// What the broker truly has.
    async fn orders(&self) -> Value {
        self.control.clone().get("/orders").await
    }

    /// One call over one connection.
    async fn once(&self, tool: &'static str, key: &str, arguments: &Value, until: Instant) -> Went {
        let truth = (self.orders().await, Instant::now());
        self.once_since(tool, key, arguments, until, truth).await
    }

    async fn once_since(
        &self,
        tool: &'static str,
        key: &str,
        arguments: &Value,
        until: Instant,
        (before, began): (Value, Instant),
    ) -> Went {
        let went = tokio::time::timeout_at(until, self.call(tool, key, arguments)).await;
        let ended = Instant::now();
        if let Ok(Went::Answer(answer)) = &went {
            let truth = Truth { before, after: self.orders().await, began, ended };
            self.heard(tool, key, arguments, Some(answer.clone()), Some(truth));
        }
        went.unwrap_or(Went::Over)
    }

    async fn call(&self, tool: &'static str, key: &str, arguments: &Value) -> Went {
        let call = Call {
            id: 1,
            key: self.key(key),
            tool: tool.to_owned(),
            arguments: arguments.to_string(),
            deadline_ms: self.call,
            resumes: None,
        };
        let mut connection = self.connect().await;
        let name = ClientName { name: "faults".to_owned(), version: "1".to_owned() };
        let said =
            [ToDaemon::Wishes(Wishes::default()), ToDaemon::Introduce(name), ToDaemon::Call(call)];
        for message in said {
            if connection.outgoing.send(&message).await.is_err() {
                return Went::Lost;
            }
        }
        loop {
            match connection.incoming.next().await {
                Ok(ToClient::Done(1, outcome)) => return Went::Answer(read(outcome)),
                Ok(_) => {}
                Err(_) => return Went::Lost,
            }
        }
    }

    async fn connect(&self) -> Connection {
        loop {
            match Connection::open(&self.socket, Role::Shim).await {
                Ok(connection) => return connection,
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    /// A key of this wish, in this run.
    pub fn key(&self, key: &str) -> String {
        format!("{}{key}", self.wish.number)
    }

    fn heard(
        &self,
        tool: &'static str,
        key: &str,
        arguments: &Value,
        answer: Option<Value>,
        truth: Option<Truth>,
    ) {
        let (wish, key, arguments) = (self.wish.number, self.key(key), arguments.clone());
        self.log.note(Heard { wish, key, tool, arguments, answer, truth });
    }

    /// The order, as a model says it.
    pub fn arguments(&self) -> Value {
        let wish = &self.wish;
        let mut order = json!({
            "accountId": wish.account,
            "symbol": wish.symbol,
            "action": wish.side,
            "quantity": wish.quantity,
            "tif": "GTC",
        });
        match wish.kind {
            Kind::Market | Kind::Close => order["orderType"] = json!("MKT"),
            Kind::Stop => {
                order["orderType"] = json!("STP");
                order["stopPrice"] = json!(wish.price);
            }
            Kind::Limit | Kind::Bracket => {
                order["orderType"] = json!("LMT");
                order["price"] = json!(wish.price);
            }
        }
        if matches!(wish.kind, Kind::Market | Kind::Close) {
            order["tif"] = json!("DAY");
        }
        if wish.kind == Kind::Close
            && let Some(order) = order.as_object_mut()
        {
            order.remove("action");
            order.remove("quantity");
            order.insert("closePosition".to_owned(), json!(true));
        }
        if wish.kind == Kind::Bracket {
            order["takeProfit"] = json!("400.00");
            order["stopLoss"] = json!("150.00");
        }
        order
    }
}

fn read(outcome: Outcome) -> Value {
    let text = match outcome {
        Outcome::Result(text) | Outcome::Pictured(text, _) | Outcome::Refusal(text) => text,
        Outcome::UnknownTool | Outcome::Hidden(_) | Outcome::UnknownResource(_) => {
            json!({ "error": "unknown_tool" }).to_string()
        }
        Outcome::NeedsInput(question) => question.fallback,
    };
    serde_json::from_str(&text).unwrap_or_else(|_| json!({ "error": "no JSON", "text": text }))
}

/// A person at `ibctl`.
#[derive(Debug)]
pub struct Person(Connection);

impl Person {
    /// At the daemon that is there now.
    pub async fn at(socket: &std::path::Path) -> Option<Self> {
        Connection::open(socket, Role::Ctl).await.ok().map(Self)
    }

    /// Does something about orders.
    pub async fn orders(&mut self, verb: OrdersVerb) -> Option<OrdersReport> {
        let verb = ToDaemon::Orders(1, verb);
        let asked = self.0.ask(&verb, |answer| match answer {
            ToClient::Orders(1, report) => Some(*report),
            _ => None,
        });
        timeout(Duration::from_secs(10), asked).await.ok()?.ok()
    }
}
