//! `get_positions`: everything an account holds, on however many pages the broker keeps it, and what it is worth in
//! base currency.

mod columns;
mod held;
mod said;
mod search;

use std::collections::BTreeMap;

use ibd_cpapi::id::AccountId;
use ibd_cpapi::portfolio::Position;
use ibd_protocol::{Effect, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant};

use super::args;
use super::cell::{Cell, Num, Time};
use super::{Ctx, Tool};
use crate::portfolio::Valued;
use crate::refusal::Refusal;
use columns::{Column, Sort, columns, sort};
use held::Held;

/// Rows of one answer unless the call asks for fewer or more.
const ROWS: usize = 200;
/// Of more rows the day's P&L is told where it is asked for: it needs quotes.
const QUOTED: usize = 50;
/// Of more positions than these it cannot be told which gained most today.
const MOST_QUOTED: usize = 300;
/// For so long is waited for quotes that nobody asked for.
const SOON: Duration = Duration::from_millis(2_500);
/// Decimal places of money.
const CENTS: u32 = 2;
/// What the day's P&L is.
const DAY_IS: &str = "value at the portfolio's mark less value at the prior close, of what is held now: trades of \
    today are not in it";

/// Which account, and which part.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// For instance U1234567. Needed if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// Only what has this in its symbol, description or company's name.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// The largest first; symbol: by the alphabet.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["value", "pnl", "dayPnl", "weight", "symbol"]))]
    sort: Option<String>,
    /// Columns besides: dayPnl, pnlPct, exchange, rate, sector, group.
    #[serde(deserialize_with = "args::texts")]
    fields: Option<Vec<String>>,
    /// Rows at most; 200 if left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
    /// From a previous answer.
    #[serde(deserialize_with = "args::count")]
    cursor: Option<usize>,
}

/// The positions.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The account.
    account: String,
    /// The account's base currency; absent where IBKR does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// Column names: position is negative when short; avgPrice, price, value and P&L are in currency; baseValue, basePnl
    /// (unrealised) and dayPnl in base; rate is base for one unit of currency; weightPct is of netLiquidation.
    cols: Vec<&'static str>,
    /// One row a position; null where the value is not known.
    rows: Vec<Vec<Cell>>,
    /// Positions in all (after the symbol filter).
    total: usize,
    /// Pass it as `cursor` for the rest; absent when this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<usize>,
    /// Sums of all these positions, in base; absent where no rates are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Totals>,
    /// What dayPnl is computed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    day_pnl_is: Option<&'static str>,
    /// Rows of IBKR's list that could not be read: what they hold is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When the oldest part of this was given.
    as_of: Time,
}

/// Sums over positions.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Net liquidation value of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    net_liquidation: Option<Num>,
    /// Of values, short ones below zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Num>,
    /// Of unrealised P&L.
    #[serde(skip_serializing_if = "Option::is_none")]
    unrealized_pnl: Option<Num>,
    /// Of the day's P&L; absent unless it is known of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    day_pnl: Option<Num>,
    /// Positions that are not in these sums, because their value or P&L in base is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

/// The tool.
#[derive(Debug)]
pub struct GetPositions;

impl Tool for GetPositions {
    const NAME: &'static str = "get_positions";
    const TITLE: &'static str = "Positions";
    const ABOUT: &'static str = "Everything an Interactive Brokers account holds: symbol, company, quantity, \
        average price, market price, value and P&L in its own and in base currency, the day's P&L, weight, \
        totals. Prices are the portfolio's last marks; for live ones use get_market_data.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Account;
    const EXAMPLE: &'static str = r#"{"accountId":"DU1234567","sort":"value"}"#;
    const ANSWER: usize = 3_000;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let sort = sort(args.sort.as_deref())?;
        let more = columns(args.fields.as_deref())?;
        let account = ctx.account(args.account_id.as_ref()).await?;
        let mut held = Held::read(&ctx, &account).await?;
        ctx.note_held(&account, held.positions.iter());
        if let Some(wanted) = &args.symbol {
            let (found, warnings) = search::found(&ctx, &held.positions, wanted).await;
            held.positions.retain(|position| found.contains(&position.conid));
            held.warnings.extend(warnings);
        }
        let (total, from) = (held.positions.len(), args.cursor.unwrap_or(0));
        let limit = args.limit.unwrap_or(ROWS);
        let shown = total.saturating_sub(from).min(limit);
        let asks_day = more.contains(&Column::DayPnl) || sort == Some(Sort::Day);
        let has_day = asks_day || (1..=QUOTED).contains(&shown);
        if sort == Some(Sort::Day) && total > MOST_QUOTED {
            return Err(too_many(total));
        }
        // What is sorted by the day's gain needs it of all, what is shown only its own.
        let mut closes = BTreeMap::new();
        if sort == Some(Sort::Day) {
            closes = held.closes(&ctx, 0..total, ctx.deadline).await;
        }
        held.sort(sort, &closes);
        if has_day && sort != Some(Sort::Day) {
            let soon = ctx.deadline.min(Instant::now() + SOON);
            closes = held
                .closes(&ctx, from..from + shown, if asks_day { ctx.deadline } else { soon })
                .await;
        }
        let names = held.names(&ctx, from..from + shown).await;
        let valued = held.valued(&closes);
        let cols = columns::told(&more, has_day);
        let rows: Vec<(&Position, &Valued)> =
            held.positions.iter().zip(&valued).skip(from).take(shown).collect();
        let of_futures = said::of_futures(&rows);
        let of_day = said::of_day(&rows).filter(|_| has_day && held.has_closes);
        let rows: Vec<Vec<Cell>> = rows
            .into_iter()
            .map(|(position, valued)| {
                let row = columns::Row { position, valued, name: names.get(&position.conid) };
                cols.iter().map(|column| column.cell(&row)).collect()
            })
            .collect();
        held.warnings.extend(of_futures.into_iter().chain(of_day));
        let until = from + rows.len();
        Ok(Out {
            account: account.to_string(),
            totals: held.totals(&valued),
            base: held.base.currency,
            cols: cols.iter().map(|column| column.name()).collect(),
            rows,
            total,
            cursor: (until < total).then_some(until),
            day_pnl_is: has_day.then_some(DAY_IS),
            not_read: held.positions.unread().iter().map(ToString::to_string).collect(),
            warnings: held.warnings,
            as_of: held.as_of,
        })
    }
}

fn too_many(total: usize) -> Refusal {
    Refusal::argument(
        "sort",
        format!("The day's P&L of {total} positions cannot be compared: it needs quotes of all."),
        format!("Sort by something else, or narrow it with symbol to {MOST_QUOTED} positions."),
    )
}
