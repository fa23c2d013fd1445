//! `activate_alert`: switches an alert on or off.

use ibd_cpapi::alerts::{AlertPage, Flag, GetAlert, GetMobileAlert, SwitchAlert};
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, timeout, timeout_at};

use super::alert::{Sent, Which, already, send};
use super::args;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::alerts::{Named, Switch, Switched, Watch, moment};
use crate::refusal::Refusal;

/// So long a request, or the answer to it, waits for what is so now.
const LOOK: Duration = Duration::from_secs(5);

/// Which, and how.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// Needed if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// From get_alerts.
    #[serde(deserialize_with = "args::text")]
    alert_id: Option<String>,
    /// false, or 0: off; on if left out.
    #[serde(deserialize_with = "args::yes_no")]
    alert_active: Option<bool>,
}

/// How it stands now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The alert.
    alert_id: String,
    /// Whether it is on: at IBKR, as it said when it took the request.
    active: bool,
    /// The account, of one at IBKR.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// What IBKR said, or how ibd's own stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct ActivateAlert;

impl Tool for ActivateAlert {
    const NAME: &'static str = "activate_alert";
    const TITLE: &'static str = "Switch an alert on or off";
    const ABOUT: &'static str =
        "Switches an alert on, or with alertActive:false off. One that fired waits anew.";
    const EFFECT: Effect = Effect::Writes;
    const SET: Toolset = Toolset::Alerts;
    const EXAMPLE: &'static str = r#"{"alertId":"1234567895","alertActive":false}"#;
    const ANSWER: usize = 300;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let which = Which::named(args.alert_id.as_deref())?;
        let active = args.alert_active.unwrap_or(true);
        let id = match which {
            Which::Ibd(id) => {
                let named = Named { id, account: args.account_id };
                let switch = if active { Switch::On } else { Switch::Off };
                let switched = ctx.desks.alerts.switch(named, switch).await?;
                let warnings = if active { ahead(&ctx, &switched).await } else { Vec::new() };
                let shown = switched.alert;
                let why = shown.why.map(|why| format!(": {why}")).unwrap_or_default();
                return Ok(Out {
                    alert_id: id.to_string(),
                    active,
                    account: shown.account.map(|account| account.to_string()),
                    message: Some(format!("{}; {}{why}", shown.text, shown.state)),
                    warnings,
                    as_of: Time::now(),
                });
            }
            Which::Ibkr(id) => id,
            Which::Mobile => mobile(&ctx).await?,
        };
        let account = ctx.trading_account(args.account_id.as_ref()).await?;
        let warnings = if active { ahead_at_ibkr(&ctx, &account, id).await } else { Vec::new() };
        let endpoint = SwitchAlert { account: account.clone(), id, active: Flag(active) };
        match send(&ctx, &endpoint).await? {
            Sent::Taken(taken) => Ok(Out {
                alert_id: id.to_string(),
                active,
                account: Some(account.to_string()),
                message: taken.text.map(|text| ibd_cpapi::failure::clean(&text)),
                warnings,
                as_of: Time::now(),
            }),
            // To switch it again does no harm.
            Sent::Unknown(failure) => Err(unknown(&failure.to_string())),
        }
    }
}

/// What is to be known of one of ibd's own that is on again: that it fired, and that it will at once.
async fn ahead(ctx: &Ctx, switched: &Switched) -> Vec<String> {
    if switched.was_on {
        return vec!["It was on already.".to_owned()];
    }
    let fired = switched.had_fired.map(|at| fired(Some(&moment(at))));
    // Without a session there is nothing to look at, and its state says so.
    let look = async {
        match (&switched.watch, &switched.alert.account) {
            _ if !ctx.has_session() => Vec::new(),
            (Watch::Quote { of, measure, limit }, _) => {
                already::quoted(ctx, of, *measure, Some(limit)).await.warnings
            }
            (Watch::Pnl { of, limit }, Some(account)) => {
                let held = already::held(ctx, account, of, limit).await;
                held.unwrap_or_else(|refusal| vec![refusal.message])
            }
            _ => Vec::new(),
        }
    };
    let late = || vec!["Whether it is so already could not be seen in time.".to_owned()];
    let seen = timeout(LOOK, look).await.unwrap_or_else(|_| late());
    fired.into_iter().chain(seen).collect()
}

/// The same of one at IBKR, by its page before it is switched. What IBKR says to the request counts, so nothing is
/// refused here.
async fn ahead_at_ibkr(ctx: &Ctx, account: &AccountId, id: OrderId) -> Vec<String> {
    let soon = already::soon(ctx);
    let Ok(Ok(lease)) = timeout_at(soon, ctx.lease()).await else { return Vec::new() };
    let page = match lease.client().ask_anew(&GetAlert { id }, soon).await {
        Ok(answer) => answer.value,
        Err(failure) => return vec![format!("How it stood before could not be read: {failure}.")],
    };
    let terms = already::of_page(&page);
    let so_already = already::at_ibkr(ctx, (account, &terms), soon).await;
    stood(&page).into_iter().chain(so_already).collect()
}

/// How an alert at IBKR stood before it was switched on.
fn stood(page: &AlertPage) -> Option<String> {
    match (page.is_triggered, page.is_active) {
        (Some(true), _) => Some(fired(None)),
        (_, Some(true)) => Some("It was on already.".to_owned()),
        _ => None,
    }
}

fn fired(at: Option<&str>) -> String {
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!("It fired already{at}: it waits anew, and may fire a second time.")
}

/// The number of the Mobile Trading Assistant's alert, which changes.
async fn mobile(ctx: &Ctx) -> Result<OrderId, Refusal> {
    let deadline = ctx.deadline;
    let read = ctx.read(|lease| async move { lease.client().ask(&GetMobileAlert, deadline).await });
    Ok(read.await?.value.id)
}

/// Nothing is known of what was asked for.
pub(super) fn unknown(why: &str) -> Refusal {
    Refusal::new(
        ErrorCode::Timeout,
        format!("Whether IBKR did it is not known: {why}."),
        "get_alerts shows how it stands; to ask for the same again does no harm.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_fired_or_was_on_is_said_when_it_is_switched_on() {
        for (page, said) in [
            (
                r#"{"order_id":7,"alert_active":0,"alert_triggered":true}"#,
                "It fired already: it waits anew",
            ),
            (r#"{"order_id":7,"alert_active":1,"alert_triggered":false}"#, "It was on already"),
            (r#"{"order_id":7,"alert_active":0,"alert_triggered":false}"#, ""),
            (r#"{"order_id":7}"#, ""),
        ] {
            let told = stood(&serde_json::from_str(page).unwrap()).unwrap_or_default();
            assert!(told.starts_with(said) && told.is_empty() == said.is_empty(), "{page}: {told}");
        }
    }
}
