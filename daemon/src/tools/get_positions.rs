//! `get_positions`: everything an account holds, on however many pages the broker keeps it.

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::portfolio::Position;
use ibd_protocol::{Effect, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Cell, Time};
use super::{Ctx, Tool};
use crate::contracts;
use crate::portfolio;
use crate::refusal::Refusal;

/// Rows of one answer unless the call asks for fewer or more.
const ROWS: usize = 200;
/// Decimal places where the broker does not say how a price is shown.
const PLACES: u32 = 4;

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
    /// Column names: position is negative when short; avgPrice, price, value and P&L are in currency.
    cols: [&'static str; 10],
    /// One row a position; null where IBKR gave no value.
    rows: Vec<[Cell; 10]>,
    /// Positions in all (after the symbol filter).
    total: usize,
    /// Pass it as `cursor` for the rest; absent when this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<usize>,
    /// Rows of IBKR's list that could not be read: what they hold is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct GetPositions;

impl Tool for GetPositions {
    const NAME: &'static str = "get_positions";
    const TITLE: &'static str = "Positions";
    const ABOUT: &'static str = "Everything an Interactive Brokers account holds: symbol, quantity, average \
        price, market price and value, unrealised and realised P&L. All pages are read. Prices are the \
        portfolio's last marks, a few minutes old at most; for live prices use get_market_data. With \
        several accounts accountId is needed.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Account;
    const EXAMPLE: &'static str = r#"{"accountId":"DU1234567"}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let account = ctx.account(args.account_id.as_ref()).await?;
        let (account, deadline) = (&account, ctx.deadline);
        let (mut positions, at) = ctx
            .read(|lease| async move { portfolio::positions(&lease, account, deadline).await })
            .await?;
        ctx.note_held(account, positions.iter());
        let mut warnings = Vec::new();
        if let Some(wanted) = &args.symbol {
            let held = positions.len();
            // The symbol itself, else a part of it, else the company.
            let mut found = conids(positions.iter().filter(|one| is_symbol(one, wanted)));
            if found.is_empty() && wanted.chars().count() > 1 {
                found = conids(positions.iter().filter(|one| has(one, wanted)));
            }
            if found.is_empty() {
                match named(&ctx, positions.iter(), wanted).await {
                    Ok(named) => found = named,
                    Err(refusal) => warnings.push(format!(
                        "Names of companies could not be looked up ({}): only symbols and descriptions were \
                         searched.",
                        refusal.message.trim_end_matches('.')
                    )),
                }
            }
            if found.is_empty() {
                let place = if warnings.is_empty() {
                    ", description or company's name"
                } else {
                    " or description"
                };
                warnings.push(format!(
                    "Of {held} positions none has {wanted:?} in its symbol{place}. To find the symbol of a company \
                     use search_contracts."
                ));
            }
            positions.retain(|position| found.contains(&position.conid));
        }
        let (total, from) = (positions.len(), args.cursor.unwrap_or(0));
        let limit = args.limit.unwrap_or(ROWS);
        let rows: Vec<_> = positions.iter().skip(from).take(limit).map(row).collect();
        let until = from + rows.len();
        Ok(Out {
            account: account.to_string(),
            cols: COLS,
            rows,
            total,
            cursor: (until < total).then_some(until),
            not_read: positions.unread().iter().map(ToString::to_string).collect(),
            warnings,
            as_of: Time(at),
        })
    }
}

const COLS: [&str; 10] = [
    "symbol",
    "conid",
    "secType",
    "position",
    "avgPrice",
    "price",
    "value",
    "currency",
    "unrealizedPnl",
    "realizedPnl",
];

fn row(position: &Position) -> [Cell; 10] {
    let decimals = position.decimals().unwrap_or(PLACES);
    [
        Cell::text(label(position)),
        Cell::number(Some(position.conid.get().into()), 0),
        Cell::text(position.asset_class.as_ref().map(ToString::to_string)),
        Cell::number(position.position.map(|quantity| quantity.get()), 8),
        Cell::number(position.average_price.map(|price| price.get()), decimals.max(PLACES)),
        Cell::number(position.market_price.map(|price| price.get()), decimals),
        Cell::number(position.market_value.map(|amount| amount.get()), 2),
        Cell::text(position.currency.clone()),
        Cell::number(position.unrealized_pnl.map(|amount| amount.get()), 2),
        Cell::number(position.realized_pnl.map(|amount| amount.get()), 2),
    ]
}

/// A stock by its symbol; what has an expiry by its description, in single spaces.
fn label(position: &Position) -> Option<String> {
    let is_stock = position.asset_class == Some(SecType::Stock);
    let text = match (&position.ticker, &position.description) {
        (Some(ticker), _) if is_stock => ticker,
        (_, Some(description)) => description,
        (ticker, None) => ticker.as_ref()?,
    };
    Some(ibd_cpapi::failure::clean(text))
}

fn conids<'p>(positions: impl Iterator<Item = &'p Position>) -> Vec<Conid> {
    positions.map(|position| position.conid).collect()
}

/// The held contracts of companies with these words in their name, which IBKR's list of positions does not say.
async fn named<'p>(
    ctx: &Ctx,
    positions: impl Iterator<Item = &'p Position>,
    words: &str,
) -> Result<Vec<Conid>, Refusal> {
    let (store, deadline) = (&ctx.desks.store, ctx.deadline);
    let held: Vec<Conid> = positions.map(|position| position.conid).collect();
    let held = held.as_slice();
    let known = ctx
        .read(|lease| async move { contracts::by_conids(&lease, store, held, deadline).await })
        .await?;
    let named = known.iter().filter(|contract| contract.is_named(words));
    Ok(named.map(|contract| contract.conid).collect())
}

/// Of an option or a future the underlying's symbol.
fn is_symbol(position: &Position, wanted: &str) -> bool {
    let first = |text: &String| text.split_whitespace().next().map(str::to_owned);
    let described = position.description.as_ref().and_then(first);
    [position.ticker.clone(), described]
        .into_iter()
        .flatten()
        .any(|text| text.eq_ignore_ascii_case(wanted.trim()))
}

fn has(position: &Position, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    [&position.ticker, &position.description]
        .into_iter()
        .flatten()
        .any(|text| text.to_lowercase().contains(&wanted))
}
