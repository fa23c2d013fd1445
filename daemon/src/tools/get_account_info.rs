//! `get_account_info`: values, cash and P&L of one account or all of them.

use std::sync::atomic::{AtomicBool, Ordering};

use ibd_cpapi::id::AccountId;
use ibd_cpapi::money::Amount;
use ibd_cpapi::portfolio::LedgerRow;
use ibd_protocol::{Effect, Toolset};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args::{self, Confirm};
use super::cell::{Num, Time};
use super::{Ctx, Tool};
use crate::portfolio::{self, Doubtful, Portrait};
use crate::refusal::Refusal;

/// A session that was looked at so lately, and is there, is not looked at again for a part of an account.
const SETTLED: SignedDuration = SignedDuration::from_mins(5);
/// Decimal places of money.
const CENTS: u32 = 2;

/// Which account.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// For instance U1234567; all if left out.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    #[schemars(skip)]
    #[allow(dead_code)]
    confirm: Confirm,
}

/// The accounts.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// One entry an account.
    accounts: Vec<AccountInfo>,
    /// When the oldest of these figures was given.
    as_of: Time,
}

/// One account; amounts are in its base currency. What the broker did not say is absent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountInfo {
    /// The account.
    account: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// INDIVIDUAL, DEMO for paper, …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The base currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// Net liquidation value (NLV).
    #[serde(skip_serializing_if = "Option::is_none")]
    net_liquidation: Option<Num>,
    /// Profit or loss of today.
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_pnl: Option<Num>,
    /// Profit or loss of open positions.
    #[serde(skip_serializing_if = "Option::is_none")]
    unrealized_pnl: Option<Num>,
    /// Profit or loss of positions closed today.
    #[serde(skip_serializing_if = "Option::is_none")]
    realized_pnl: Option<Num>,
    /// Cash of all currencies.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_cash: Option<Num>,
    /// What can be bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    buying_power: Option<Num>,
    /// What is free for new positions.
    #[serde(skip_serializing_if = "Option::is_none")]
    available_funds: Option<Num>,
    /// Cushion above the maintenance margin.
    #[serde(skip_serializing_if = "Option::is_none")]
    excess_liquidity: Option<Num>,
    /// Initial margin in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    init_margin: Option<Num>,
    /// Maintenance margin in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    maint_margin: Option<Num>,
    /// Value of all positions, long and short added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    gross_position_value: Option<Num>,
    /// Cash by currency.
    cash: Vec<Cash>,
    /// What could not be read, and why: it is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
}

/// Cash of one currency.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cash {
    /// The currency.
    currency: String,
    /// Cash, in this currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    cash: Option<Num>,
    /// Of it, settled; absent where all is.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<Num>,
    /// Base currency for one unit of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Num>,
}

/// The tool.
#[derive(Debug)]
pub struct GetAccountInfo;

impl Tool for GetAccountInfo {
    const NAME: &'static str = "get_account_info";
    const TITLE: &'static str = "Account values, cash and P&L";
    const ABOUT: &'static str = "Net liquidation value, today's and unrealised P&L, buying power, margin \
        and cash by currency of the Interactive Brokers accounts: \"what is my P&L\", \"how much cash do \
        I have\". In each account's base currency. For single holdings use get_positions.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Account;
    const EXAMPLE: &'static str = "{}";
    const ANSWER: usize = 1_000;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let accounts = ctx.accounts(args.account_id.as_ref()).await?;
        let (accounts, deadline) = (accounts.as_slice(), ctx.deadline);
        // One endpoint's lasting trouble must not take the session from everybody with each call.
        let doubted =
            ctx.desks.session.last_doubt().map(|(at, _)| Timestamp::now().duration_since(at));
        let is_settled = doubted.is_some_and(|since| since < SETTLED);
        let is_first = &AtomicBool::new(!is_settled);
        let portraits = ctx
            .read(|lease| {
                // Once the session was looked at, what still fails is a part's own trouble.
                let was_first = is_first.swap(false, Ordering::Relaxed);
                let doubtful = if was_first { Doubtful::Fails } else { Doubtful::IsSaid };
                async move { portfolio::portraits(&lease, (accounts, doubtful), deadline).await }
            })
            .await?;
        let as_of = portraits.iter().map(|portrait| portrait.at).min();
        Ok(Out {
            accounts: portraits.into_iter().map(AccountInfo::from).collect(),
            as_of: as_of.map_or_else(Time::now, Time),
        })
    }
}

impl From<Portrait> for AccountInfo {
    fn from(portrait: Portrait) -> Self {
        let Portrait { account, summary, ledger, pnl, not_read, .. } = portrait;
        let value = |key: &str| money(summary.get(key).and_then(|item| item.present()));
        let base = ledger.get("BASE");
        let said = |amount: fn(&LedgerRow) -> Option<Amount>| money(base.and_then(amount));
        let unrealized = pnl.as_ref().and_then(|pnl| pnl.upl);
        Self {
            account: account.id.to_string(),
            title: account.title.map(|title| ibd_cpapi::failure::clean(&title)),
            kind: account.kind,
            currency: account
                .currency
                .or_else(|| summary.get("netliquidation").and_then(|item| item.currency.clone())),
            net_liquidation: value("netliquidation"),
            daily_pnl: money(pnl.as_ref().and_then(|pnl| pnl.dpl)),
            unrealized_pnl: money(unrealized).or_else(|| said(|row| row.unrealized_pnl)),
            realized_pnl: said(|row| row.realized_pnl),
            total_cash: value("totalcashvalue"),
            buying_power: value("buyingpower"),
            available_funds: value("availablefunds"),
            excess_liquidity: value("excessliquidity"),
            init_margin: value("initmarginreq"),
            maint_margin: value("maintmarginreq"),
            gross_position_value: value("grosspositionvalue"),
            cash: ledger.into_iter().filter(|(key, _)| key != "BASE").map(Cash::from).collect(),
            not_read,
        }
    }
}

impl From<(String, LedgerRow)> for Cash {
    fn from((currency, row): (String, LedgerRow)) -> Self {
        Self {
            currency,
            cash: money(row.cash),
            settled: money(row.settled.filter(|settled| row.cash != Some(*settled))),
            rate: row.exchange_rate.map(|rate| Num(rate.get())),
        }
    }
}

fn money(amount: Option<Amount>) -> Option<Num> {
    amount.map(|amount| Num::rounded(amount.get(), CENTS))
}
