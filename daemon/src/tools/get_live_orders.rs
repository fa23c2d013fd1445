//! `get_live_orders`: the orders that the broker lists, with a list that can be trusted.

mod from_here;
mod lists;
mod row;

use ibd_cpapi::id::AccountId;
use ibd_protocol::{Effect, Toolset};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cell::Time;
use super::{Ctx, Tool, args};
use crate::orders::{End, Intent, IntentState as State, NotPlaced};
use crate::refusal::Refusal;
use from_here::FromHere;
use lists::Lists;
use row::Order;

/// Orders of one answer unless the call asks for fewer or more.
const ROWS: usize = 50;
/// More are not given at once.
const MAX_ROWS: usize = 500;

/// Which account, and which part.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// For instance U1234567; all if left out.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// Orders at most; 50 if left out, 500 at most.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
    /// From a previous answer.
    #[serde(deserialize_with = "args::count")]
    cursor: Option<usize>,
}

/// The orders.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// Accounts whose orders these are.
    accounts: Vec<String>,
    /// Orders that can still be filled come first, then today's others.
    orders: Vec<Order>,
    /// How many can still be filled, on whatever page: never by less than what was last done from here. What `fromHere`
    /// calls not_listed is not counted: whether it works is not known.
    working: usize,
    /// Orders in all.
    total: usize,
    /// Pass it as `cursor` for the rest; absent when this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<usize>,
    /// Orders sent from here that IBKR does not list as working: waiting for a yes, unknown, parked, or refused
    /// within a day. An unknown one may be at IBKR; never send it again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from_here: Vec<FromHere>,
    /// Accounts whose orders could not be read, and why: nothing is known of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// When the oldest of these lists was given.
    as_of: Time,
    /// Present when a list is older than this call: IBKR allows one in five seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_seconds: Option<i64>,
}

/// The tool.
#[derive(Debug)]
pub struct GetLiveOrders;

impl Tool for GetLiveOrders {
    const NAME: &'static str = "get_live_orders";
    const TITLE: &'static str = "Live orders";
    const ABOUT: &'static str = "The orders that Interactive Brokers lists: those still working, and \
        today's filled or cancelled ones, with type, prices, quantity filled and status: \"is my stop \
        still working\". For one order by id use \
        get_order_status.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str = r#"{"accountId":"DU1234567"}"#;
    const ANSWER: usize = 2_000;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let accounts = ctx.trading_accounts(args.account_id.as_ref()).await?;
        let lists = Lists::read(&ctx, &accounts).await?;
        let recent = ctx.desks.orders.recent().await.unwrap_or_default();
        let mut rows = lists.rows(&recent);
        rows.sort_by_key(|order| order.working == Some(false));
        let is_listed = |intent: &Intent| {
            rows.iter().any(|row| row.intent_id.as_deref() == Some(&intent.id.to_string()))
        };
        // What IBKR asked about is told once: by the next try, which waits for the answer or had it.
        let is_told_by_next = |intent: &&Intent| {
            matches!(intent.state, State::Over(End::NotPlaced(NotPlaced::Asked(_))))
                && recent.iter().any(|next| {
                    next.follows == Some(intent.id) && !matches!(next.state, State::Denied(_))
                })
        };
        let from_here = recent
            .iter()
            .filter(|intent| accounts.contains(&intent.account))
            // Changes and cancellations are of interest while they are not settled.
            .filter(|intent| intent.is_order() || !intent.state.is_over())
            .filter(|intent| !is_listed(intent))
            .filter(|intent| !matches!(intent.state, State::Denied(_)))
            .filter(|intent| !is_told_by_next(intent))
            .map(|intent| FromHere::of(intent, lists.listing(&intent.account)))
            .collect();
        let at = lists.at();
        let (total, from) = (rows.len(), args.cursor.unwrap_or(0));
        let working = rows.iter().filter(|order| order.working == Some(true)).count();
        let limit = args.limit.unwrap_or(ROWS).min(MAX_ROWS);
        let page = rows.into_iter().skip(from).take(limit);
        let page: Vec<Order> = page.map(|row| row.in_brief(&accounts)).collect();
        let until = from + page.len();
        Ok(Out {
            accounts: accounts.iter().map(ToString::to_string).collect(),
            working,
            total,
            cursor: (until < total).then_some(until),
            orders: page,
            from_here,
            not_read: lists.not_read,
            as_of: Time(at),
            cached_seconds: lists.is_cached.then(|| Timestamp::now().duration_since(at).as_secs()),
        })
    }
}
