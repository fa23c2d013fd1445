//! The scenario: what a test or a demo may change about the world before it starts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::advisor::AdvisorSpec;
use crate::flex::FlexSpec;
use crate::trading::ChaosBody;

/// A scenario file. Every key has a default; unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scenario {
    /// Replaces the default paper account.
    pub accounts: Vec<AccountSpec>,
    /// It is an adviser's login.
    pub advisor: Option<AdvisorSpec>,
    /// Accounts can be searched for, as at brokers that have very many.
    pub dynamic_accounts: bool,
    /// Paper or live; by default paper if every account id starts with `D`.
    pub paper: Option<bool>,
    /// This many invented positions more on the first account.
    pub extra_positions: u32,
    /// Replaces the default orders.
    pub orders: Option<Vec<OrderSpec>>,
    /// Where the session starts; `--require-login` means `loggedOut`.
    pub session: Start,
    /// The broker is under maintenance from the start.
    pub maintenance: bool,
    /// The user is logged in elsewhere from the start.
    pub competing: bool,
    /// Simulated time at the start; by default the system's.
    pub now: Option<Timestamp>,
    /// How long opening the brokerage session takes.
    pub init_millis: i64,
    /// How long before a snapshot of a newly asked contract has data.
    pub snapshot_warm_millis: i64,
    /// How long before its slow fields (greeks, fundamentals) have data.
    pub snapshot_slow_millis: i64,
    /// How long before the orders feed has data.
    pub orders_warm_millis: i64,
    /// How far the orders list stays behind the truth.
    pub orders_stale_millis: i64,
    /// How long before trades have data; the first call of a session never has.
    pub trades_warm_millis: i64,
    /// How long before profit and loss has data.
    pub pnl_warm_millis: i64,
    /// How long the exchange takes to take an order, and to confirm a cancellation.
    pub submit_millis: i64,
    /// See `submit_millis`.
    pub cancel_millis: i64,
    /// How long a late reject takes.
    pub late_reject_millis: i64,
    /// How long the commission of an execution is not known.
    pub commission_millis: i64,
    /// How long a question waits for its answer.
    pub reply_ttl_millis: i64,
    /// After how long an order goes live whose question was given up, if it does.
    pub zombie_millis: i64,
    /// How long a preview takes.
    pub whatif_millis: u64,
    /// Whether a client id is refused that is registered already.
    pub dedupe: bool,
    /// Whether a client id is registered while its question waits, and not only by the acceptance.
    pub register_pending: bool,
    /// Whether the broker asks its usual questions.
    pub questions: bool,
    /// Faults by chance, from the start.
    pub chaos: ChaosBody,
    /// Whether the status page says the client's own id.
    pub status_ref: bool,
    /// How long the broker looks for an order that does not exist.
    pub order_status_miss_millis: u64,
    /// How long a history takes.
    pub history_millis: u64,
    /// Added to every reply of the API.
    pub latency_millis: u64,
    /// Whether pacing is enforced at all.
    pub pacing: bool,
    /// Requests per sliding second; by default ten, and fifty for consumers with keys of their own.
    pub per_second: Option<usize>,
    /// Violations of pacing before the penalty box.
    pub penalty_after: u32,
    /// Simulated seconds in the penalty box.
    pub penalty_seconds: u32,
    /// Real seconds without a request before the login is gone; 0 is never.
    pub idle_seconds: u32,
    /// Simulated seconds a login lasts.
    pub login_seconds: u32,
    /// Any request to `/sso/Dispatcher` logs in, without the login page; by default only in a
    /// world that does not start logged out.
    pub dispatcher_logs_in: Option<bool>,
    /// The real gateway is in front: the dispatcher's success is a redirect.
    pub behind_gateway: bool,
    /// Simulated seconds for which a push waits for the phone.
    pub push_seconds: u32,
    /// Failed attempts within a simulated day that lock a user.
    pub lock_after: u32,
    /// The broker keeps its hours: nights, midnights and weekends.
    pub calendar: bool,
    /// Whose nights.
    pub region: Region,
    /// Whether the calendar ends logins at midnight.
    pub midnight_reset: bool,
    /// How long no brokerage session can be had at night.
    pub nightly_minutes: u32,
    /// Simulated seconds after which another platform gives the session back; 0 is never.
    pub give_back_seconds: u32,
    /// When exchanges are open.
    pub market_hours: MarketHours,
    /// Quotes of options come without volatility and greeks.
    pub withhold_greeks: bool,
    /// Simulated seconds per real second.
    pub clock_rate: f64,
    /// It is `api.ibkr.com` and no gateway: every request of the API must be signed.
    pub oauth: bool,
    /// The Flex Web Service.
    pub flex: FlexSpec,
    /// Whether that paces its tokens.
    pub flex_pacing: bool,
}

impl Scenario {
    /// Whether the dispatcher lets in who did not come from the login page.
    pub(crate) fn is_dispatcher_open(&self) -> bool {
        self.dispatcher_logs_in.unwrap_or(self.session != Start::LoggedOut)
    }

    /// How many requests may come in a second.
    pub(crate) fn allowance(&self) -> usize {
        self.per_second.unwrap_or(if self.oauth { 50 } else { 10 })
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            advisor: None,
            dynamic_accounts: false,
            paper: None,
            extra_positions: 0,
            orders: None,
            session: Start::LoggedIn,
            maintenance: false,
            competing: false,
            now: None,
            init_millis: 300,
            snapshot_warm_millis: 300,
            snapshot_slow_millis: 1500,
            orders_warm_millis: 1000,
            orders_stale_millis: 1000,
            trades_warm_millis: 0,
            pnl_warm_millis: 1000,
            submit_millis: 20,
            cancel_millis: 50,
            late_reject_millis: 200,
            commission_millis: 500,
            reply_ttl_millis: 30_000,
            zombie_millis: 500,
            whatif_millis: 300,
            dedupe: true,
            register_pending: false,
            questions: true,
            chaos: ChaosBody::default(),
            status_ref: false,
            order_status_miss_millis: 1000,
            history_millis: 40,
            latency_millis: 0,
            pacing: true,
            per_second: None,
            penalty_after: 3,
            penalty_seconds: 600,
            idle_seconds: 360,
            login_seconds: 86_400,
            dispatcher_logs_in: None,
            behind_gateway: false,
            push_seconds: 180,
            lock_after: 10,
            calendar: false,
            region: Region::Us,
            midnight_reset: true,
            nightly_minutes: 10,
            give_back_seconds: 0,
            market_hours: MarketHours::Open,
            withhold_greeks: false,
            clock_rate: 1.0,
            oauth: false,
            flex: FlexSpec::default(),
            flex_pacing: true,
        }
    }
}

/// Where the session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Start {
    /// Web and brokerage session open.
    LoggedIn,
    /// Web session only.
    SsoOnly,
    /// Neither.
    LoggedOut,
}

/// Where the user's nights are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// New York.
    Us,
    /// Zurich.
    Eu,
    /// Hong Kong.
    Hk,
}

/// When exchanges are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarketHours {
    /// Always: tests run at any hour.
    Open,
    /// By their own schedules; outside them prices stand still and nothing is traded. Currencies never close.
    Real,
}

/// One account.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSpec {
    /// `DU…` for paper, `U…` for live.
    pub id: String,
    /// Shown as the account's title.
    #[serde(default)]
    pub title: Option<String>,
    /// Base currency.
    #[serde(default)]
    pub currency: Option<String>,
    /// Alias, if it has one.
    #[serde(default)]
    pub alias: Option<String>,
    /// Cash by currency.
    #[serde(default)]
    pub cash: Option<BTreeMap<String, f64>>,
    /// Positions; without them the first account has the default ones and the others a few.
    #[serde(default)]
    pub positions: Option<Vec<PositionSpec>>,
}

/// One position.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PositionSpec {
    /// The contract; or give `symbol`.
    #[serde(default)]
    pub conid: Option<i64>,
    /// A stock's symbol; the first listing is meant.
    #[serde(default)]
    pub symbol: Option<String>,
    /// Negative for short.
    pub quantity: f64,
    /// Price paid; the price at the start if missing.
    #[serde(default)]
    pub avg_price: Option<f64>,
    /// The model that it is held for, if it is.
    #[serde(default)]
    pub model: Option<String>,
}

/// One order that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderSpec {
    /// The first account if missing.
    #[serde(default)]
    pub account: Option<String>,
    /// The contract; or give `symbol`.
    #[serde(default)]
    pub conid: Option<i64>,
    /// A stock's symbol; the first listing is meant.
    #[serde(default)]
    pub symbol: Option<String>,
    /// `BUY` or `SELL`.
    pub side: String,
    /// Whole quantity.
    pub quantity: f64,
    /// `LMT`, `MKT`, `STP` or `STOP_LIMIT`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Limit price.
    #[serde(default)]
    pub price: Option<f64>,
    /// Stop price.
    #[serde(default)]
    pub stop_price: Option<f64>,
    /// `DAY` or `GTC`.
    #[serde(default = "day")]
    pub tif: String,
    /// The broker's word, e.g. `Submitted`, `PreSubmitted`, `Filled`, `Cancelled`.
    #[serde(default = "submitted")]
    pub status: String,
    /// Quantity filled so far; makes a trade.
    #[serde(default)]
    pub filled: f64,
    /// The client's own id.
    #[serde(default, rename = "cOID")]
    pub client_id: Option<String>,
}

fn day() -> String {
    "DAY".to_owned()
}

fn submitted() -> String {
    "Submitted".to_owned()
}
