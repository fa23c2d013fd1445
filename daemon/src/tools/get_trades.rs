//! `get_trades`: executions of the last days, each once.

use std::collections::{BTreeMap, BTreeSet};

use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::trades::{Execution, MAX_DAYS};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::{Timestamp, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Cell, Time};
use super::{Ctx, Tool};
use crate::contracts::{self, Contract, is_same_symbol};
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
    /// Only this symbol; where none has it, what has this in its company's name.
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
    /// Column names; price is in currency, and the commission as IBKR charges it.
    cols: [&'static str; 13],
    /// One row an execution, newest first; null where IBKR gave no value (a commission comes some seconds later).
    rows: Vec<[Cell; 13]>,
    /// Executions in all (after the filters).
    total: usize,
    /// Pass it as `cursor` for the rest; absent when this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<usize>,
    /// Accounts whose trades could not be read, and why: nothing is known of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When the oldest part of this was given.
    as_of: Time,
}

const COLS: [&str; 13] = [
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
    "currency",
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
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str = r#"{"days":3,"symbol":"AAPL"}"#;
    const ANSWER: usize = 1_200;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let days = args.days.unwrap_or(1);
        let days = u8::try_from(days).ok().filter(|days| *days <= MAX_DAYS).ok_or_else(|| {
            Refusal::argument(
                "days",
                format!("{days} days were asked for; IBKR keeps {MAX_DAYS}."),
                format!("Give 1 to {MAX_DAYS}; older trades are in Flex statements: ask_flex with topic trades."),
            )
        })?;
        let accounts = ctx.trading_accounts(args.account_id.as_ref()).await?;
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
        });
        let (contracts, mut warnings) = traded(&ctx, &trades).await;
        if let Some(wanted) = &args.symbol {
            warnings.extend(keep(&mut trades, &contracts, wanted));
        }
        trades.sort_by_key(|trade| std::cmp::Reverse(trade.time));
        let (total, from) = (trades.len(), args.cursor.unwrap_or(0));
        let rows: Vec<_> = trades
            .iter()
            .skip(from)
            .take(args.limit.unwrap_or(ROWS))
            .map(|t| row(t, &contracts))
            .collect();
        let until = from + rows.len();
        Ok(Out {
            accounts: accounts.iter().map(ToString::to_string).collect(),
            cols: COLS,
            rows,
            total,
            cursor: (until < total).then_some(until),
            not_read,
            warnings,
            as_of: Time(at),
        })
    }
}

/// What was traded, by conid; and what is not known of it, because IBKR could not be asked.
async fn traded(ctx: &Ctx, trades: &[Execution]) -> (BTreeMap<Conid, Contract>, Vec<String>) {
    let conids: BTreeSet<Conid> = trades.iter().filter_map(|trade| trade.conid).collect();
    let conids: Vec<Conid> = conids.into_iter().collect();
    let (store, wanted, deadline) = (&ctx.desks.store, conids.as_slice(), ctx.deadline);
    let read = ctx
        .read(|lease| async move { contracts::by_conids(&lease, store, wanted, deadline).await })
        .await;
    match read {
        Ok(known) => (known.into_iter().map(|one| (one.conid, one)).collect(), Vec::new()),
        Err(refusal) => {
            let why = refusal.message.trim_end_matches('.');
            let said = format!("Currencies and names of companies could not be looked up ({why}).");
            (BTreeMap::new(), vec![said])
        }
    }
}

/// Keeps what is called so: by its symbol, else by its company's name. What is said where that is nothing.
fn keep(
    trades: &mut Vec<Execution>,
    contracts: &BTreeMap<Conid, Contract>,
    wanted: &str,
) -> Option<String> {
    let all = trades.len();
    let is_symbol =
        |trade: &Execution| trade.symbol.as_ref().is_some_and(|has| is_same_symbol(has, wanted));
    let is_named = |trade: &Execution| {
        let contract = trade.conid.and_then(|conid| contracts.get(&conid));
        contract.is_some_and(|contract| contract.is_named(wanted))
    };
    if trades.iter().any(is_symbol) {
        trades.retain(is_symbol);
    } else {
        trades.retain(is_named);
    }
    trades.is_empty().then(|| {
        format!(
            "Of {all} executions none has {wanted:?} as its symbol or in its company's name. To find the symbol of a \
             company use search_contracts."
        )
    })
}

fn row(trade: &Execution, contracts: &BTreeMap<Conid, Contract>) -> [Cell; 13] {
    let contract = trade.conid.and_then(|conid| contracts.get(&conid));
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
        Cell::text(contract.and_then(|contract| contract.currency.clone())),
    ]
}
