//! `get_ledger`: an account's cash by currency, with what is settled, what has accrued, and the rates.

use ibd_cpapi::id::AccountId;
use ibd_cpapi::money::Amount;
use ibd_cpapi::portfolio::LedgerRow;
use ibd_protocol::{Effect, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Cell, Time};
use super::{Ctx, Tool};
use crate::portfolio;
use crate::refusal::Refusal;

/// IBKR's name for the sum in base currency.
const BASE: &str = "BASE";
/// Decimal places of money, and of a rate.
const CENTS: u32 = 2;
const RATE: u32 = 8;

/// Which account.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// For instance U1234567. Needed if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
}

/// The ledger.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The account.
    account: String,
    /// The account's base currency; absent where IBKR does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// Column names: value is the net liquidation value of what is held in the currency; rate is base currency for
    /// one unit of it.
    cols: [&'static str; 9],
    /// One row a currency, amounts in that currency; null where IBKR gave no value.
    rows: Vec<[Cell; 9]>,
    /// The sum of all, in base currency, in the same columns; absent where IBKR did not give it.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<[Cell; 9]>,
    /// Currencies that could not be read: what is in them is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct GetLedger;

impl Tool for GetLedger {
    const NAME: &'static str = "get_ledger";
    const TITLE: &'static str = "Cash by currency";
    const ABOUT: &'static str = "An account's cash by currency: cash, settled cash, accrued interest and \
        dividends, value held, P&L and exchange rate, with the sum in base currency. For the account's \
        value, margin and buying power use get_account_info.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Account;
    const EXAMPLE: &'static str = r#"{"accountId":"DU1234567"}"#;
    const ANSWER: usize = 900;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let account = ctx.account(args.account_id.as_ref()).await?;
        let (whose, deadline) = (&account, ctx.deadline);
        let portfolio::LedgerOf { ledger, base, at } = ctx
            .read(|lease| async move { portfolio::ledger(&lease, whose, deadline).await })
            .await?;
        let currencies = ledger.iter().filter(|(currency, _)| *currency != BASE);
        Ok(Out {
            account: account.to_string(),
            cols: COLS,
            rows: currencies.map(|(currency, row)| cells(currency, row)).collect(),
            total: ledger.get(BASE).map(|row| cells(base.as_deref().unwrap_or(BASE), row)),
            base,
            not_read: ledger.unread().iter().map(ToString::to_string).collect(),
            as_of: Time(at),
        })
    }
}

const COLS: [&str; 9] = [
    "currency",
    "cash",
    "settled",
    "interest",
    "dividends",
    "value",
    "unrealizedPnl",
    "realizedPnl",
    "rate",
];

fn cells(currency: &str, row: &LedgerRow) -> [Cell; 9] {
    let money = |amount: Option<Amount>| Cell::number(amount.map(|amount| amount.get()), CENTS);
    [
        Cell::text(Some(currency)),
        money(row.cash),
        money(row.settled),
        money(row.interest),
        money(row.dividends),
        money(row.net_liquidation),
        money(row.unrealized_pnl),
        money(row.realized_pnl),
        Cell::number(row.exchange_rate.map(|rate| rate.get()), RATE),
    ]
}
