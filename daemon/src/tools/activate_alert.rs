//! `activate_alert`: switches an alert on or off.

use ibd_cpapi::alerts::{Flag, GetMobileAlert, SwitchAlert};
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alert::{Sent, Which, send};
use super::args;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::alerts::{Named, Switch};
use crate::refusal::Refusal;

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
                let shown = ctx.desks.alerts.switch(named, switch).await?;
                let why = shown.why.map(|why| format!(": {why}")).unwrap_or_default();
                return Ok(Out {
                    alert_id: id.to_string(),
                    active,
                    account: shown.account.map(|account| account.to_string()),
                    message: Some(format!("{}; {}{why}", shown.text, shown.state)),
                    as_of: Time::now(),
                });
            }
            Which::Ibkr(id) => id,
            Which::Mobile => mobile(&ctx).await?,
        };
        let account = ctx.trading_account(args.account_id.as_ref()).await?;
        let endpoint = SwitchAlert { account: account.clone(), id, active: Flag(active) };
        match send(&ctx, &endpoint).await? {
            Sent::Taken(taken) => Ok(Out {
                alert_id: id.to_string(),
                active,
                account: Some(account.to_string()),
                message: taken.text.map(|text| ibd_cpapi::failure::clean(&text)),
                as_of: Time::now(),
            }),
            // To switch it again does no harm.
            Sent::Unknown(failure) => Err(unknown(&failure.to_string())),
        }
    }
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
