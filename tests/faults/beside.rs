//! Does the deeds of a run: each waits for its moment, finds an order that it can be done to, and writes down
//! what it did.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::dice::Dice;
use crate::moves::{Act, At, Deed};
use crate::plan::ACCOUNTS;
use crate::rig::Control;

/// Between looks for an order to do something to.
const AGAIN: Duration = Duration::from_millis(4);
/// How long a false end is pushed: until the websocket's next look, and a little longer.
const GLIMPSE: Duration = Duration::from_millis(55);
/// Where an order's page and the list of orders are.
const PAGE: &str = "/order/status";
const LIST: &str = "/account/orders";
/// Pages that are not given out meanwhile.
const UNREAD: u64 = 15;
/// The contracts of the campaign.
const CONIDS: [u64; 3] = [265_598, 272_093, 8_314];

/// What was done.
#[derive(Debug, Clone)]
pub struct Done {
    pub what: &'static str,
    /// To which order; 0: to none.
    pub order: u64,
    /// The order after it, as `GET /orders` shows it.
    pub row: Value,
    pub began: Instant,
    /// When it was over, where it lasts.
    pub ended: Instant,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// Everything that was done in a run.
#[derive(Debug, Clone, Default)]
pub struct Diary(Arc<Mutex<Vec<Done>>>);

impl Diary {
    fn note(&self, done: Done) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(done);
    }

    pub fn all(&self) -> Vec<Done> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Does all of it. Returns when all is done, or when it is too late for what is left.
pub async fn act(
    control: &Control,
    deeds: &[Deed],
    (seed, clock): (u64, PathBuf),
    diary: &Diary,
    over: watch::Receiver<bool>,
) {
    let mut doing = JoinSet::new();
    for (number, deed) in deeds.iter().enumerate() {
        let mut one = Doer {
            control: control.clone(),
            dice: Dice::new(seed ^ ((number as u64 + 1) << 32)),
            diary: diary.clone(),
            over: over.clone(),
            clock: clock.clone(),
        };
        let deed = deed.clone();
        doing.spawn(async move { one.act(&deed).await });
    }
    while let Some(done) = doing.join_next().await {
        done.unwrap();
    }
}

struct Doer {
    control: Control,
    dice: Dice,
    diary: Diary,
    /// True when the last daemon is about to begin.
    over: watch::Receiver<bool>,
    clock: PathBuf,
}

impl Doer {
    async fn act(&mut self, deed: &Deed) {
        let pause = match deed.at {
            At::Start(millis) | At::Order(millis) => millis,
        };
        if let At::Order(_) = deed.at
            && self.order(&["Filled", "Cancelled", "Inactive"], true).await.is_none()
        {
            return;
        }
        if self.rest(pause).await {
            self.act_now(&deed.act).await;
        }
    }

    /// Sleeps; false if it is too late then.
    async fn rest(&mut self, millis: u64) -> bool {
        let over = self.over.wait_for(|over| *over);
        let _ = tokio::time::timeout(Duration::from_millis(millis), over).await;
        !*self.over.borrow()
    }

    /// One of the orders that came from here, by chance: in one of these states, or in none of them.
    async fn order(&mut self, states: &[&str], is_other: bool) -> Option<Value> {
        while !*self.over.borrow() {
            let orders = self.control.get("/orders").await;
            let rows = orders["orders"].as_array().cloned().unwrap_or_default();
            let fit = |row: &&Value| {
                let is_ours = row["cOID"].as_str().is_some_and(|name| name.starts_with("ibd"));
                let is_in = row["status"].as_str().is_some_and(|status| states.contains(&status));
                is_ours && is_in != is_other
            };
            let fitting: Vec<&Value> = rows.iter().filter(fit).collect();
            if !fitting.is_empty() {
                let at = self.dice.between(0, fitting.len() as u64 - 1) as usize;
                return Some(fitting[at].clone());
            }
            sleep(AGAIN).await;
        }
        None
    }

    async fn open(&mut self) -> Option<Value> {
        self.order(&["Filled", "Cancelled", "Inactive"], true).await
    }

    async fn act_now(&mut self, act: &Act) {
        match act {
            Act::Change(what) => self.change(what).await,
            Act::Cancel => self.end().await,
            Act::Enter => self.enter(None).await,
            Act::Sell(quantity) => self.sell(*quantity).await,
            Act::EnterAsOurs { hides } => {
                if let Some(row) = self.open().await {
                    self.enter_as(row, *hides).await;
                }
            }
            Act::Status { status, millis } => self.show(status, *millis).await,
            Act::Glimpse => self.glimpse().await,
            Act::Revive { silent } => {
                self.after_end("revived", "/revive", json!({ "silent": silent })).await
            }
            Act::FillLate => {
                self.after_end("filled late", "/fill", json!({ "silent": true })).await
            }
            Act::NoQuotes(millis) => {
                let fields = json!({ "31": "-1", "84": "-1", "86": "-1", "85": "0", "88": "0" });
                self.quote(&fields).await;
                self.rest(*millis).await;
                self.quote(&Value::Null).await;
            }
            Act::NoRates(millis) => {
                let began = Instant::now();
                self.control.tell("/ledger", &json!({ "without": ["exchangerate"] })).await;
                self.rest(*millis).await;
                self.control.tell("/ledger", &json!({ "without": [] })).await;
                self.note("ledgers without rates", (0, Value::Null), began);
            }
            Act::Next(next) => {
                let began = Instant::now();
                self.control.tell("/next", next).await;
                self.note("next change or end", (0, Value::Null), began);
            }
            Act::Jump { conid, last } => {
                use std::os::unix::fs::FileExt;
                let began = Instant::now();
                self.control.tell("/market", &json!({ "conid": conid, "last": last })).await;
                // Only now: a look that counts as fresh from here on has seen the new price.
                let file = std::fs::File::options().write(true).open(&self.clock).unwrap();
                file.write_all_at(&(-30_i64).to_ne_bytes(), 0).unwrap();
                self.note("market jumped", (0, Value::Null), began);
            }
        }
    }

    /// Another quantity, price or tif. What the campaign's clients say is never the same.
    async fn change(&mut self, what: &'static str) {
        let Some(row) = self.open().await else { return };
        let new = match what {
            "quantity" => json!(100 + self.dice.between(1, 99)),
            "tif" => json!(if row["tif"] == "GTC" { "DAY" } else { "GTC" }),
            // Only a limit is one; farther from the market than it is, so that it is not filled.
            _ if row["type"] != "LMT" => return,
            _ => {
                let price = row["price"].as_f64().unwrap_or_default();
                let by = self.dice.between(2, 9) as f64;
                json!(if row["side"] == "SELL" { price + by } else { price - by })
            }
        };
        let began = Instant::now();
        let mut body = json!({ "orderId": row["orderId"] });
        body[what] = new;
        if let Some(after) = self.control.try_tell("/tws", &body).await {
            let name = match what {
                "quantity" => "changed quantity",
                "tif" => "changed tif",
                _ => "changed price",
            };
            self.note(name, (id(&row), after), began);
        }
    }

    async fn end(&mut self) {
        let Some(row) = self.open().await else { return };
        let began = Instant::now();
        let body = json!({ "orderId": row["orderId"], "cancel": true });
        if let Some(after) = self.control.try_tell("/tws", &body).await {
            self.note("cancelled", (id(&row), after), began);
        }
    }

    /// An order of a person's; under the name of another one it is on the other side, so that it cannot be that.
    async fn enter(&mut self, like: Option<Value>) {
        let began = Instant::now();
        let like = like.unwrap_or_default();
        let (side, price) = match like["side"].as_str() {
            Some("BUY") => ("SELL", 900),
            _ => ("BUY", 20),
        };
        let account = like["account"].as_str().unwrap_or(ACCOUNTS[0]);
        let name = like["cOID"].as_str().unwrap_or("a person's");
        let conid = like["conid"].as_u64().unwrap_or(CONIDS[0]);
        let place = json!({
            "account": account, "conid": conid, "side": side, "quantity": 7, "type": "LMT", "price": price,
            "tif": "GTC", "cOID": name,
        });
        if let Some(after) = self.control.try_tell("/tws", &json!({ "place": place })).await {
            let what = if like.is_null() { "entered" } else { "entered under our name" };
            self.note(what, (id(&after), after), began);
        }
    }

    /// An order of a person's that is filled as soon as it is there.
    async fn sell(&mut self, quantity: u64) {
        let began = Instant::now();
        let place = json!({
            "account": ACCOUNTS[0], "conid": CONIDS[0], "side": "SELL", "quantity": quantity, "type": "LMT",
            "price": 900, "tif": "DAY", "cOID": "a person's",
        });
        let Some(after) = self.control.try_tell("/tws", &json!({ "place": place })).await else {
            return;
        };
        self.control.try_tell("/fill", &json!({ "orderId": after["orderId"] })).await;
        self.note("sold", (id(&after), after), began);
    }

    /// The same while the order itself is hidden, if it is.
    async fn enter_as(&mut self, row: Value, hides: u64) {
        let began = Instant::now();
        let hidden = |hidden: bool| json!({ "orderId": row["orderId"], "hidden": hidden });
        if hides > 0 {
            self.control.try_tell("/hide", &hidden(true)).await;
            self.note("hidden", (id(&row), Value::Null), began);
        }
        self.enter(Some(row.clone())).await;
        if hides > 0 {
            self.rest(hides).await;
            self.control.try_tell("/hide", &hidden(false)).await;
            self.note("hidden", (id(&row), Value::Null), began);
        }
    }

    /// The broker shows something else for a while.
    async fn show(&mut self, status: &str, millis: u64) {
        let Some(row) = self.open().await else { return };
        let began = Instant::now();
        let mut body = json!({ "orderId": row["orderId"], "status": status });
        if status == "Filled" {
            body["filled"] = row["quantity"].clone();
        }
        if self.control.try_tell("/status", &body).await.is_some() {
            // Written down now, so that an answer that is heard meanwhile is excused.
            self.note("status shown", (id(&row), Value::Null), began);
            self.rest(millis).await;
            let body = json!({ "orderId": row["orderId"], "status": null });
            self.control.try_tell("/status", &body).await;
            self.note("status shown", (id(&row), Value::Null), began);
        }
    }

    async fn glimpse(&mut self) {
        let Some(row) = self.open().await else { return };
        let began = Instant::now();
        let shown = json!({ "orderId": row["orderId"], "status": "Filled", "filled": 0 });
        let ended = json!({ "orderId": row["orderId"], "status": null });
        // Its page and the list, which would say the same, cannot be read meanwhile.
        for (path, count) in [(PAGE, UNREAD), (LIST, UNREAD / 3)] {
            let closed = json!({
                "match": path, "method": "GET", "mode": "status", "status": 503, "count": count,
            });
            self.control.tell("/fault", &closed).await;
        }
        if self.control.try_tell("/status", &shown).await.is_some() {
            sleep(GLIMPSE).await;
            self.control.try_tell("/status", &ended).await;
            self.note("glimpsed", (id(&row), Value::Null), began);
        }
        // What is asked at the end is answered.
        for path in [PAGE, LIST] {
            self.control.tell("/calm", &json!({ "match": path })).await;
        }
    }

    /// Something that happens to an order that was cancelled; by a person, if nobody else did.
    async fn after_end(&mut self, what: &'static str, path: &str, mut body: Value) {
        let orders = self.control.get("/orders").await;
        let is_cancelled = |row: &Value| row["status"] == "Cancelled" && row["cOID"].is_string();
        let none = Vec::new();
        if !orders["orders"].as_array().unwrap_or(&none).iter().any(is_cancelled) {
            self.end().await;
            self.rest(60).await;
        }
        let Some(row) = self.order(&["Cancelled"], false).await else { return };
        let began = Instant::now();
        body["orderId"] = row["orderId"].clone();
        if let Some(after) = self.control.try_tell(path, &body).await {
            self.note(what, (id(&row), after), began);
        }
    }

    async fn quote(&mut self, fields: &Value) {
        let began = Instant::now();
        for conid in CONIDS {
            self.control.tell("/quote", &json!({ "conid": conid, "fields": fields })).await;
        }
        if !fields.is_null() {
            self.note("quotes of -1", (0, Value::Null), began);
        }
    }

    fn note(&self, what: &'static str, (order, row): (u64, Value), began: Instant) {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let at_ms = since.unwrap_or_default().as_millis() as i64;
        self.diary.note(Done { what, order, row, began, ended: Instant::now(), at_ms });
    }
}

fn id(row: &Value) -> u64 {
    row["orderId"].as_u64().or_else(|| row["orderId"].as_str()?.parse().ok()).unwrap_or_default()
}
