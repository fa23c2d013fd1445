//! `get_allocation`: what an account is invested in (`/portfolio/{account}/allocation`), and in which currencies (its
//! ledger).

mod parts;

use ibd_cpapi::Failure;
use ibd_cpapi::allocation::{Allocation, GetAllocation as AllocationOf};
use ibd_cpapi::id::AccountId;
use ibd_protocol::{Effect, Toolset};
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::args;
use super::cell::{Cell, Num, Time};
use super::{Ctx, Tool};
use crate::portfolio::{self, Base, LedgerOf};
use crate::refusal::Refusal;
use crate::session::Lease;
use parts::{By, Part, kinds};

/// Decimal places of money, and of percent.
const CENTS: u32 = 2;

/// Which account, and by what.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// Needed if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// Of assetClass, sector, group, currency; all but group if left out.
    #[serde(deserialize_with = "args::texts")]
    by: Option<Vec<String>>,
}

/// What the account is invested in.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The account.
    account: String,
    /// The account's base currency, in which all amounts are; absent where IBKR does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// Net liquidation value, of which pct is.
    #[serde(skip_serializing_if = "Option::is_none")]
    net_liquidation: Option<Num>,
    /// Column names: net is long and short together. Cash is an asset class, and has no sector or group; options and
    /// the like may be in sector Others.
    cols: [&'static str; 6],
    /// One row a part, the largest of each kind first; null where IBKR gave no value.
    rows: Vec<[Cell; 6]>,
    /// What could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// When the oldest part of this was given.
    as_of: Time,
}

const COLS: [&str; 6] = ["by", "name", "long", "short", "net", "pct"];

/// The tool.
#[derive(Debug)]
pub struct GetAllocation;

impl Tool for GetAllocation {
    const NAME: &'static str = "get_allocation";
    const TITLE: &'static str = "Allocation";
    const ABOUT: &'static str = "What an account is invested in, by asset class, sector, group and currency: long, \
        short, net and percent of its net liquidation value, in base currency. For single holdings use \
        get_positions.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Account;
    const EXAMPLE: &'static str = r#"{"by":["sector"]}"#;
    const ANSWER: usize = 900;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let kinds = kinds(args.by.as_deref())?;
        let account = ctx.account(args.account_id.as_ref()).await?;
        let (whose, asked, deadline) = (&account, kinds.as_slice(), ctx.deadline);
        let told =
            ctx.read(|lease| async move { read(&lease, whose, asked, deadline).await }).await?;
        let Read { allocation, ledger, mut not_read, at } = told;
        let base = ledger.as_ref().map(|told| Base::of(&told.ledger, told.base.clone()));
        let base = base.unwrap_or_default();
        let mut rows = Vec::new();
        for by in kinds {
            let parts = match by {
                By::Currency => {
                    ledger.as_ref().map(|told| parts::of_currencies(&told.ledger, &base))
                }
                by => allocation.as_ref().map(|told| parts::of_sides(by, by.sides(told))),
            };
            // What could not be read at all is said already.
            let Some((parts, unread)) = parts else { continue };
            not_read.extend(unread);
            rows.extend(parts.iter().map(|part| row(by, part, &base)));
        }
        Ok(Out {
            account: account.to_string(),
            net_liquidation: base.net.map(|net| Num::rounded(net, CENTS)),
            base: base.currency,
            cols: COLS,
            rows,
            not_read,
            as_of: Time(at),
        })
    }
}

/// What was read.
struct Read {
    allocation: Option<Allocation>,
    ledger: Option<LedgerOf>,
    not_read: Vec<String>,
    at: Timestamp,
}

/// Both endpoints, as far as they are needed and answer; it fails only where nothing that was asked for is known.
async fn read(
    lease: &Lease,
    account: &AccountId,
    asked: &[By],
    deadline: Instant,
) -> Result<Read, Failure> {
    let request = AllocationOf { account: account.clone() };
    let is_needed = asked.iter().any(|by| *by != By::Currency);
    let allocation =
        async { if is_needed { Some(lease.client().ask(&request, deadline).await) } else { None } };
    let (allocation, ledger) =
        tokio::join!(allocation, portfolio::ledger(lease, account, deadline));
    let mut told =
        Read { allocation: None, ledger: None, not_read: Vec::new(), at: Timestamp::now() };
    let mut failed = None;
    match allocation {
        Some(Ok(answer)) => {
            told.at = told.at.min(answer.at);
            told.allocation = Some(answer.value);
        }
        Some(Err(failure)) => {
            told.not_read.push(format!("Asset classes, sectors and groups: {failure}."));
            failed = Some(failure);
        }
        None => {}
    }
    match ledger {
        Ok(ledger) => {
            told.at = told.at.min(ledger.at);
            told.ledger = Some(ledger);
        }
        Err(failure) => {
            told.not_read.push(format!("Currencies and net liquidation value: {failure}."));
            failed = Some(failure);
        }
    }
    let has_currencies = told.ledger.is_some() && asked.contains(&By::Currency);
    match failed.filter(|_| told.allocation.is_none() && !has_currencies) {
        Some(failure) => Err(failure),
        None => Ok(told),
    }
}

fn row(by: By, part: &Part, base: &Base) -> [Cell; 6] {
    let money = |amount: Option<Decimal>| Cell::number(amount, CENTS);
    [
        Cell::text(Some(by.name())),
        Cell::text(Some(part.name.clone())),
        money(part.long),
        money(part.short),
        money(part.net),
        money(part.net.and_then(|net| base.percent(net))),
    ]
}
