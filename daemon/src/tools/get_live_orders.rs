//! `get_live_orders`: the orders that the broker lists, with a list that can be trusted.

use ibd_cpapi::id::AccountId;
use ibd_cpapi::orders::OrderRow;
use ibd_protocol::Effect;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Num, Time};
use super::order_out;
use super::{Ctx, Tool};
use crate::orders::intent::{Intent, IntentId};
use crate::orders::life::State;
use crate::orders::order::Purpose;
use crate::orders::{self, record};
use crate::refusal::Refusal;

/// Which account.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// One account, for instance U1234567; all accounts if left out.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
}

/// The orders.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// Accounts whose orders these are.
    accounts: Vec<String>,
    /// Orders that can still be filled come first, then today's others.
    orders: Vec<Order>,
    /// How many can still be filled.
    working: usize,
    /// Orders sent from here that IBKR does not list as working: waiting for a yes, unknown, parked, or refused
    /// within a day. An unknown one may be at IBKR; never send it again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from_here: Vec<FromHere>,
    /// When the oldest of these lists was given.
    as_of: Time,
    /// Present when a list is older than this call: IBKR allows one in five seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_seconds: Option<i64>,
}

/// An order that was asked for here.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FromHere {
    /// Our id of it.
    intent_id: String,
    /// IBKR's id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// The account.
    account: String,
    /// awaiting_approval, unknown, parked, rejected, not_placed, denied, …
    state: &'static str,
    /// The order in one line.
    text: String,
    /// modify or cancel, where it is no new order.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'static str>,
    /// Names what waits for a yes, for confirm_order and `ibctl approve`.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_id: Option<String>,
    /// How long it has waited for a yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<u64>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl From<&Intent> for FromHere {
    fn from(intent: &Intent) -> Self {
        let approval = match &intent.state {
            State::Awaiting(approval) => Some(approval),
            _ => None,
        };
        Self {
            intent_id: intent.id.to_string(),
            order_id: intent.order_id().map(|id| id.to_string()),
            account: intent.account.to_string(),
            state: intent.state.name(),
            text: intent.text.clone(),
            request: match intent.purpose {
                Purpose::Place => None,
                Purpose::Modify { .. } => Some("modify"),
                Purpose::Cancel { .. } | Purpose::CancelAll => Some("cancel"),
            },
            confirmation_id: approval.map(|approval| approval.id.clone()),
            age_seconds: approval.map(|approval| approval.age(Timestamp::now())),
            reason: record::why(&intent.state),
            next: (!intent.state.is_over()).then(|| order_out::next(intent)),
        }
    }
}

/// One order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The broker's id.
    order_id: u64,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// IBKR's number of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    conid: Option<u32>,
    /// BUY or SELL.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<String>,
    /// LIMIT, STOP, MARKET, …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    order_type: Option<String>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Num>,
    /// What has been filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    filled: Option<Num>,
    /// Limit price.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_price: Option<Num>,
    /// Stop price.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<Num>,
    /// Average price of the fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_price: Option<Num>,
    /// Currency of the prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// DAY, GTC, …
    #[serde(skip_serializing_if = "Option::is_none")]
    tif: Option<String>,
    /// IBKR's word: PreSubmitted (a stop waits for its trigger), Submitted, Filled, Cancelled, …
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Whether it can still be filled; absent for a status that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    working: Option<bool>,
    /// The client order id it was sent with.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    order_ref: Option<String>,
    /// Our id, of an order that was sent from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    intent_id: Option<String>,
    /// Why IBKR ended it, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Self {
        Self {
            order_id: row.order_id.get(),
            account: row.account.as_ref().map(ToString::to_string),
            conid: row.conid.map(ibd_cpapi::id::Conid::get),
            quantity: row.quantity.map(|quantity| Num(quantity.get())),
            filled: row.filled.map(|quantity| Num(quantity.get())),
            limit_price: orders::limit_price(&row).map(|price| Num(price.get())),
            stop_price: orders::stop_price(&row).map(|price| Num(price.get())),
            avg_price: row.average_price.map(|price| Num(price.get())),
            working: row.status.as_deref().and_then(orders::is_working),
            tif: row.tif.as_deref().map(|text| orders::tif(text).to_owned()),
            symbol: row.ticker,
            side: row.side,
            order_type: row.order_type,
            currency: row.currency,
            status: row.status,
            intent_id: row
                .order_ref
                .as_deref()
                .and_then(IntentId::of_client_order_id)
                .map(|id| id.to_string()),
            reason: row.cancel_reason.as_deref().map(ibd_cpapi::failure::clean),
            order_ref: row.order_ref,
        }
    }
}

/// The tool.
#[derive(Debug)]
pub struct GetLiveOrders;

impl Tool for GetLiveOrders {
    const NAME: &'static str = "get_live_orders";
    const TITLE: &'static str = "Live orders";
    const ABOUT: &'static str = "The orders that Interactive Brokers lists: those still working and today's \
        filled or cancelled ones, with type, prices, quantity filled and status. Use it for \"is my stop \
        still working\". An empty list has been asked for twice, so it can be believed; that may take some \
        seconds after a login. For one order by id use get_order_status.";
    const EFFECT: Effect = Effect::Reads;
    const EXAMPLE: &'static str = r#"{"accountId":"DU1234567"}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let accounts = ctx.accounts(args.account_id.as_ref()).await?;
        let (feeds, deadline) = (&ctx.desks.feeds, ctx.deadline);
        let mut rows: Vec<Order> = Vec::new();
        let (mut at, mut is_cached) = (Timestamp::now(), false);
        for (done, account) in accounts.iter().enumerate() {
            ctx.tell(done as u32, Some(accounts.len() as u32), "reading the orders list");
            let answer = ctx
                .read(|lease| async move { feeds.list(&lease, account, deadline).await })
                .await?;
            at = at.min(answer.at);
            is_cached |= answer.is_cached;
            rows.extend(answer.value.orders.into_iter().map(Order::from));
        }
        rows.sort_by_key(|order| order.working == Some(false));
        let recent = ctx.desks.orders.recent().await.unwrap_or_default();
        let is_listed = |intent: &Intent| {
            rows.iter().any(|row| row.intent_id.as_deref() == Some(&intent.id.to_string()))
        };
        let from_here = recent
            .iter()
            .filter(|intent| accounts.contains(&intent.account))
            // Changes and cancellations are of interest while they are not settled.
            .filter(|intent| intent.is_order() || !intent.state.is_over())
            .filter(|intent| !is_listed(intent))
            .filter(|intent| !matches!(intent.state, State::Denied(_)))
            .map(FromHere::from)
            .collect();
        Ok(Out {
            accounts: accounts.iter().map(ToString::to_string).collect(),
            working: rows.iter().filter(|order| order.working == Some(true)).count(),
            orders: rows,
            from_here,
            as_of: Time(at),
            cached_seconds: is_cached.then(|| Timestamp::now().duration_since(at).as_secs()),
        })
    }
}
