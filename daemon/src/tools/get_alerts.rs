//! `get_alerts`: the alerts that IBKR keeps, and beside them those that ibd itself watches.

mod at_ibkr;
mod own;

use ibd_cpapi::alerts::{AlertRow, GetAlert, GetAlerts as List, GetMobileAlert};
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::rows::Rows;
use ibd_cpapi::{Answer, Failure};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alert::{Which, refused};
use super::args;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::alerts::{AlertId, Listing};
use crate::refusal::{Refusal, Unserved};
use at_ibkr::AtIbkr;
use own::Own;

/// Alerts whose conditions are read for the list; of more they are told one by one.
const READ: usize = 20;

/// Which.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// Needed if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// Only this one, in full; mta: the Mobile Trading Assistant's.
    #[serde(deserialize_with = "args::text")]
    alert_id: Option<String>,
}

/// The alerts.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The account of those at IBKR.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Those that IBKR keeps and watches; absent where they could not be read, or were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    ibkr: Option<Vec<AtIbkr>>,
    /// Those that ibd watches, of all accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    ibd: Option<Vec<Own>>,
    /// When ibd's own were not watched, and why: what happened then they have not seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_watched: Vec<String>,
    /// Rows of IBKR's that could not be read.
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
pub struct GetAlerts;

impl Tool for GetAlerts {
    const NAME: &'static str = "get_alerts";
    const TITLE: &'static str = "Alerts";
    const ABOUT: &'static str = "All alerts: those that IBKR keeps, with their conditions and whether they fired, and \
        those that ibd watches itself, with their last value and when it was seen. With alertId one in full.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Alerts;
    const EXAMPLE: &'static str = "{}";
    const ANSWER: usize = 1_000;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let listing = ctx.desks.alerts.list_for(&ctx.policy).await?;
        match args.alert_id.as_deref().map(Which::read).transpose()? {
            None => Ok(all(&ctx, args.account_id.as_ref(), listing).await),
            Some(Which::Ibd(id)) => one_of_ours(listing, id, args.account_id.as_ref()),
            Some(Which::Ibkr(id)) => {
                let out = one_of_ibkrs(&ctx, Some(id)).await?;
                is_of(out.account.as_deref(), args.account_id.as_ref())?;
                Ok(out)
            }
            // There is one for a user, whatever accounts there are.
            Some(Which::Mobile) => one_of_ibkrs(&ctx, None).await,
        }
    }
}

/// One alert is of one account; where another is named, another alert is meant.
fn is_of(own: Option<&str>, named: Option<&AccountId>) -> Result<(), Refusal> {
    match (own, named) {
        (Some(own), Some(named)) if named.as_str() != own => Err(Refusal::new(
            ErrorCode::Contradiction,
            format!("The alert is of {own}, and accountId says {named}."),
            "Leave out accountId, or name the alert that is meant.",
        )
        .at("accountId")),
        _ => Ok(()),
    }
}

/// Ours are known whatever is so at IBKR.
async fn all(ctx: &Ctx, account: Option<&AccountId>, listing: Listing) -> Out {
    let mut out = Out {
        ibd: Some(listing.alerts.iter().map(Own::new).collect()),
        not_watched: if listing.alerts.is_empty() { Vec::new() } else { listing.not_watched },
        warnings: listing.trouble.into_iter().collect(),
        as_of: Time::now(),
        ..Out::default()
    };
    match at_ibkr(ctx, account).await {
        Ok((account, rows, not_read, as_of)) => {
            out.account = Some(account.to_string());
            (out.ibkr, out.not_read, out.as_of) = (Some(rows), not_read, as_of);
        }
        Err(refusal) => {
            let why = refusal.message.trim_end_matches('.');
            out.warnings.push(format!("IBKR's alerts could not be read: {why}. {}", refusal.next));
        }
    }
    out
}

type Found = (AccountId, Vec<AtIbkr>, Vec<String>, Time);

async fn at_ibkr(ctx: &Ctx, named: Option<&AccountId>) -> Result<Found, Refusal> {
    let account = ctx.trading_account(named).await?;
    let list = list(ctx, &account).await?;
    let (rows, unread) = list.value.into_parts();
    let mut not_read: Vec<String> = unread.iter().map(ToString::to_string).collect();
    let pages = rows.iter().take(READ).map(|row| page(ctx, row.id));
    let pages = futures_util::future::join_all(pages).await;
    let mut found: Vec<AtIbkr> = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        let mut told = AtIbkr::of_row(&row);
        match pages.get(at) {
            Some(Ok(page)) => told.add(&page.value),
            Some(Err(failure)) => not_read.push(format!("alert {}: {failure}", row.id)),
            None => {}
        }
        found.push(told);
    }
    ctx.note_alerts(
        &account,
        found.iter().filter_map(|one| one.name().map(str::to_owned)).collect(),
    );
    if found.len() > READ {
        not_read
            .push(format!("The conditions of the first {READ} are here; for others give alertId."));
    }
    Ok((account, found, not_read, Time(list.at)))
}

/// IBKR's list.
pub(super) async fn list(
    ctx: &Ctx,
    account: &AccountId,
) -> Result<Answer<Rows<AlertRow>>, Refusal> {
    let deadline = ctx.deadline;
    ctx.read(|lease| async move {
        lease.client().ask(&List { account: account.clone() }, deadline).await
    })
    .await
}

/// An alert's page. That there is none is no failure of the session.
async fn page(ctx: &Ctx, id: OrderId) -> Result<Answer<ibd_cpapi::alerts::AlertPage>, Failure> {
    let Ok(lease) = ctx.lease().await else {
        return Err(Failure::NoBrokerage("there is no session".to_owned()));
    };
    lease.client().ask(&GetAlert { id }, ctx.deadline).await
}

fn one_of_ours(listing: Listing, id: AlertId, named: Option<&AccountId>) -> Result<Out, Refusal> {
    let shown = listing.alerts.iter().find(|alert| alert.id == id).ok_or_else(|| {
        Refusal::new(
            ErrorCode::UnknownAlert,
            format!("There is no alert {id}."),
            "get_alerts without alertId lists those that there are.",
        )
        .at("alertId")
    })?;
    is_of(shown.account.as_ref().map(AccountId::as_str), named)?;
    let ibd = Some(vec![Own::new(shown)]);
    Ok(Out { ibd, not_watched: listing.not_watched, as_of: Time::now(), ..Out::default() })
}

/// Without an id the Mobile Trading Assistant's.
async fn one_of_ibkrs(ctx: &Ctx, id: Option<OrderId>) -> Result<Out, Refusal> {
    let deadline = ctx.deadline;
    let page = ctx
        .serve(|lease| async move {
            let client = lease.client();
            let page = match id {
                Some(id) => client.ask(&GetAlert { id }, deadline).await,
                None => client.ask(&GetMobileAlert, deadline).await,
            };
            page.map_err(|failure| match failure {
                failure @ Failure::Refused { .. } => Unserved::Refused(refused(failure)),
                failure => Unserved::Failed(failure),
            })
        })
        .await?;
    let told = AtIbkr::of_page(&page.value);
    let not_read = page.value.conditions.unread().iter().map(ToString::to_string).collect();
    Ok(Out {
        account: page.value.account.as_ref().map(ToString::to_string),
        ibkr: Some(vec![told]),
        not_read,
        as_of: Time(page.at),
        ..Out::default()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_alert_of_another_account_is_not_the_one_that_is_meant() {
        let account = |text: &str| text.parse::<AccountId>().unwrap();
        for (own, named, is_fine) in [
            (Some("DU1"), Some("DU1"), true),
            (Some("DU1"), None, true),
            (None, Some("DU1"), true),
            (Some("DU1"), Some("DU2"), false),
        ] {
            let named = named.map(account);
            assert_eq!(is_of(own, named.as_ref()).is_ok(), is_fine, "{own:?} {named:?}");
        }
    }
}
