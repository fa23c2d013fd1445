//! `get_transactions`: what was dealt in one contract over months (`/pa/transactions`).

mod span;

use ibd_cpapi::id::{AccountId, Conid};
use ibd_protocol::{Effect, Toolset};
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Cell, Num, Time};
use super::instrument::Instrument;
use super::{Ctx, Tool};
use crate::analyst::{Deal, Dealing, Question, Sum};
use crate::contracts;
use crate::portfolio;
use crate::refusal::Refusal;
use span::Span;

/// Rows of one answer unless the call asks for another number.
const ROWS: usize = 100;
/// Decimal places of money, prices and quantities.
const CENTS: u32 = 2;
const PLACES: u32 = 8;
/// What IBKR's list is not.
const NOT_SHOWN: &str = "Commissions, taxes withheld, transfers and corporate actions are not in IBKR's list; \
    ask_flex has them";

/// Which contract, and when.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// Needed if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// For instance AAPL.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// IBKR's number instead.
    #[serde(deserialize_with = "args::conid")]
    #[schemars(with = "Option<u32>")]
    conid: Option<Conid>,
    /// The listing exchange.
    #[serde(deserialize_with = "args::text")]
    exchange: Option<String>,
    /// Days back; 90 if left out.
    #[serde(deserialize_with = "args::count")]
    days: Option<usize>,
    /// First day, 2026-01-31, instead of days.
    #[serde(deserialize_with = "args::text")]
    from: Option<String>,
    /// Last day; today if left out.
    #[serde(deserialize_with = "args::text")]
    to: Option<String>,
    /// Rows at most; 100 if left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
}

/// What was dealt.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The account.
    account: String,
    /// The symbol, or a derivative's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// IBKR's number of the contract.
    #[schemars(with = "u32")]
    conid: Conid,
    /// The first day.
    from: String,
    /// The last day.
    to: String,
    /// Column names: quantity is above zero for what was bought, amount below zero for what was paid; price and amount
    /// are in currency.
    cols: [&'static str; 6],
    /// One row a trade or dividend, newest first; null where IBKR gave no value.
    rows: Vec<[Cell; 6]>,
    /// Rows in all.
    total: usize,
    /// By kind, of all rows with a day.
    sums: Vec<SumOut>,
    /// Realised P&L of these days, in base; absent where IBKR did not give it.
    #[serde(skip_serializing_if = "Option::is_none")]
    realized_pnl: Option<Num>,
    /// The currency of realizedPnl.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// What this does not show.
    not_shown: &'static str,
    /// What could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// Seconds since IBKR gave this, which it does once in fifteen minutes; absent if just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<u64>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When IBKR gave this.
    as_of: Time,
}

/// Of one kind.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SumOut {
    /// Buy, Sell, Dividend, … as IBKR calls it.
    #[serde(rename = "type")]
    kind: String,
    /// Rows.
    count: usize,
    /// Units; absent where one is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Num>,
    /// In the contract's currency; absent where one is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Num>,
}

const COLS: [&str; 6] = ["date", "type", "quantity", "price", "amount", "currency"];

/// The tool.
#[derive(Debug)]
pub struct GetTransactions;

impl Tool for GetTransactions {
    const NAME: &'static str = "get_transactions";
    const TITLE: &'static str = "Transactions of a contract";
    const ABOUT: &'static str = "Buys, sells and dividends of one contract over the last months, with sums and \
        realised P&L: \"when did I buy Apple, and for how much\". One contract in fifteen \
        minutes. For all trades of the last days use get_trades, for anything more ask_flex.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Account;
    const EXAMPLE: &'static str = r#"{"symbol":"AAPL","days":180}"#;
    const ANSWER: usize = 1_000;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let span = Span::of(&args, contracts::today())?;
        let limit = args.limit.unwrap_or(ROWS);
        let account = ctx.account(args.account_id.as_ref()).await?;
        let contract = args.instrument().find(&ctx).await?;
        let (whose, store, deadline) = (&account, &ctx.desks.store, ctx.deadline);
        let (analyst, conid) = (&ctx.desks.analyst, contract.conid);
        let (days, to) = (span.days(), span.to);
        let told = ctx
            .serve(|lease| async move {
                let base = portfolio::base_currency(&lease, whose, deadline).await;
                let question = Question { lease: &lease, store, account: whose, deadline };
                analyst.transactions(question, &Dealing { conid, days, to, base }).await
            })
            .await?;
        let dealt = &told.value;
        let deals = dealt.between(span.from, span.to);
        let mut warnings = Vec::new();
        let from = span.from.max(dealt.first(contracts::day_of(told.at)));
        if from > span.from {
            warnings.push(format!(
                "Nothing before {from} is told: IBKR was asked for those days, and cannot be asked again so soon."
            ));
        }
        let undated = deals.iter().filter(|deal| deal.day.is_none()).count();
        if undated > 0 {
            warnings.push(format!(
                "{undated} rows have no day that could be read: they are shown, and in no sum."
            ));
        }
        warnings.extend(told.stale.as_ref().map(|why| format!("There is nothing newer: {why}.")));
        let age = told.age(Timestamp::now());
        Ok(Out {
            account: account.to_string(),
            symbol: contract
                .description
                .or(contract.symbol)
                .map(|text| ibd_cpapi::failure::clean(&text)),
            conid,
            from: from.to_string(),
            to: span.to.to_string(),
            cols: COLS,
            rows: deals.iter().take(limit).map(|deal| row(deal)).collect(),
            total: deals.len(),
            sums: Sum::by_kind(&deals).into_iter().map(SumOut::from).collect(),
            realized_pnl: dealt
                .realized(span.from, span.to)
                .filter(|_| dealt.days >= days)
                .map(|sum| Num::rounded(sum, CENTS)),
            base: dealt.currency.clone(),
            not_shown: NOT_SHOWN,
            not_read: dealt.not_read.clone(),
            age_seconds: (age > 0).then_some(age),
            warnings,
            as_of: Time(told.at),
        })
    }
}

impl Args {
    fn instrument(self) -> Instrument {
        Instrument {
            conid: self.conid,
            symbol: self.symbol,
            exchange: self.exchange,
            ..Instrument::default()
        }
    }
}

impl From<Sum> for SumOut {
    fn from(sum: Sum) -> Self {
        let number = |number: Option<Decimal>, places| number.map(|n| Num::rounded(n, places));
        Self {
            // Dividends have no units.
            quantity: number(sum.quantity.filter(|units| !units.is_zero()), PLACES),
            amount: number(sum.amount, CENTS),
            kind: sum.kind,
            count: sum.count,
        }
    }
}

fn row(deal: &Deal) -> [Cell; 6] {
    [
        Cell::text(deal.day.map(|day| day.to_string())),
        Cell::text(deal.kind.clone()),
        Cell::number(deal.quantity, PLACES),
        Cell::number(deal.price, PLACES),
        Cell::number(deal.amount, CENTS),
        Cell::text(deal.currency.clone()),
    ]
}
