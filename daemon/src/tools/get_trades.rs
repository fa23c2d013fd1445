//! `get_trades`: executions of the last days, each once.

use ibd_cpapi::id::AccountId;
use ibd_cpapi::trades::{Execution, MAX_DAYS};
use ibd_protocol::{Effect, ErrorCode};
use jiff::{Timestamp, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Cell, Time};
use super::{Ctx, Tool};
use crate::orders;
use crate::refusal::Refusal;

/// Rows of one answer unless the call asks for fewer or more.
const ROWS: usize = 100;

/// Which trades.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// One account; all if left out.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// Days back, 1 (today, if left out) to 7.
    #[serde(deserialize_with = "args::count")]
    days: Option<usize>,
    /// Only this symbol.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// Rows at most; 100 if left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
    /// From a previous answer.
    #[serde(deserialize_with = "args::count")]
    cursor: Option<usize>,
}

/// The trades.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// Accounts whose trades these are.
    accounts: Vec<String>,
    /// Column names; price and commission are in the contract's currency.
    cols: [&'static str; 12],
    /// One row an execution, newest first; null where IBKR gave no value (a commission may come later).
    rows: Vec<[Cell; 12]>,
    /// Executions in all (after the filters).
    total: usize,
    /// Pass it as `cursor` for the rest; absent when this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<usize>,
    /// Accounts whose trades could not be read, and why: nothing is known of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// When the oldest part of this was given.
    as_of: Time,
}

const COLS: [&str; 12] = [
    "time",
    "symbol",
    "secType",
    "conid",
    "action",
    "quantity",
    "price",
    "commission",
    "exchange",
    "account",
    "orderId",
    "ref",
];

/// The tool.
#[derive(Debug)]
pub struct GetTrades;

impl Tool for GetTrades {
    const NAME: &'static str = "get_trades";
    const TITLE: &'static str = "Trades";
    const ABOUT: &'static str = "Executions of today or up to the last seven days: time, symbol, action, \
        quantity, price, commission, order id; each once: \"what was filled, at which price\". For older \
        ones use ask_flex, for orders that still work get_live_orders.";
    const EFFECT: Effect = Effect::Reads;
    const EXAMPLE: &'static str = r#"{"days":3,"symbol":"AAPL"}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let days = args.days.unwrap_or(1);
        let days = u8::try_from(days).ok().filter(|days| *days <= MAX_DAYS).ok_or_else(|| {
            Refusal::argument(
                "days",
                format!("{days} days were asked for; IBKR keeps {MAX_DAYS}."),
                format!("Give 1 to {MAX_DAYS}."),
            )
        })?;
        let accounts = ctx.accounts(args.account_id.as_ref()).await?;
        let (feeds, deadline) = (&ctx.desks.feeds, ctx.deadline);
        let (mut trades, mut at, mut not_read) = (Vec::new(), Timestamp::now(), Vec::new());
        let mut unanswered = 0;
        for account in &accounts {
            let read = ctx
                .read(|lease| async move { feeds.trades(&lease, account, days, deadline).await })
                .await;
            match read {
                Ok((read, read_at)) => {
                    let (read, unread) = read.into_parts();
                    trades.extend(read);
                    not_read.extend(unread.iter().map(ToString::to_string));
                    at = at.min(read_at);
                }
                Err(refusal) if accounts.len() == 1 => return Err(refusal),
                // What cannot be asked is said, and never counted as nothing.
                Err(refusal) => {
                    unanswered += 1;
                    not_read.push(format!("{account}: {}", refusal.message));
                }
            }
        }
        if unanswered == accounts.len() {
            return Err(Refusal::new(
                ErrorCode::Timeout,
                not_read.join("; "),
                "Name one accountId and try again.",
            ));
        }
        trades.sort_by(|one: &Execution, other| one.execution_id.cmp(&other.execution_id));
        trades.dedup_by(|one, other| one.execution_id == other.execution_id);
        trades.retain(|trade| {
            trade.account.as_ref().is_none_or(|account| accounts.contains(account))
                && args.symbol.as_ref().is_none_or(|wanted| {
                    trade.symbol.as_ref().is_some_and(|has| has.eq_ignore_ascii_case(wanted))
                })
        });
        trades.sort_by_key(|trade| std::cmp::Reverse(trade.time));
        let (total, from) = (trades.len(), args.cursor.unwrap_or(0));
        let rows: Vec<_> =
            trades.iter().skip(from).take(args.limit.unwrap_or(ROWS)).map(row).collect();
        let until = from + rows.len();
        Ok(Out {
            accounts: accounts.iter().map(ToString::to_string).collect(),
            cols: COLS,
            rows,
            total,
            cursor: (until < total).then_some(until),
            not_read,
            as_of: Time(at),
        })
    }
}

fn row(trade: &Execution) -> [Cell; 12] {
    let time = trade.time.map(|at| at.round(Unit::Second).unwrap_or(at).to_string());
    [
        Cell::text(time),
        Cell::text(trade.symbol.as_deref().map(ibd_cpapi::failure::clean)),
        Cell::text(trade.sec_type.as_ref().map(ToString::to_string)),
        Cell::number(trade.conid.map(|conid| conid.get().into()), 0),
        Cell::text(trade.side.map(|side| side.as_str())),
        Cell::number(Some(trade.size.get()), 8),
        Cell::number(trade.price.map(|price| price.get()), 8),
        Cell::number(trade.commission.map(|amount| amount.get()), 4),
        Cell::text(trade.exchange.clone()),
        Cell::text(trade.account.as_ref().map(ToString::to_string)),
        Cell::text(trade.order_id.map(|id| id.to_string())),
        Cell::text(
            trade.order_ref.as_deref().filter(|text| !text.is_empty()).map(orders::short_ref),
        ),
    ]
}
