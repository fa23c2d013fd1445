//! `delete_alert`: removes an alert, at IBKR or here.

use ibd_cpapi::alerts::DeleteAlert as Delete;
use ibd_cpapi::id::AccountId;
use ibd_protocol::{Effect, ErrorCode, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::activate_alert::unknown;
use super::alert::{Sent, Which, send};
use super::args;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::alerts::Named;
use crate::refusal::Refusal;

/// Which.
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
}

/// What is no more.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The alert.
    alert_id: String,
    /// The account, of one at IBKR.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// What IBKR said, or what ibd's own waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct DeleteAlert;

impl Tool for DeleteAlert {
    const NAME: &'static str = "delete_alert";
    const TITLE: &'static str = "Delete an alert";
    const ABOUT: &'static str = "Deletes one alert, at IBKR or of ibd's own.";
    const EFFECT: Effect = Effect::Writes;
    const SET: Toolset = Toolset::Alerts;
    const EXAMPLE: &'static str = r#"{"alertId":"1234567895"}"#;
    const ANSWER: usize = 300;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let id = match Which::named(args.alert_id.as_deref())? {
            Which::Ibd(id) => {
                let named = Named { id, account: args.account_id };
                let gone = ctx.desks.alerts.delete(named).await?;
                return Ok(Out {
                    alert_id: id.to_string(),
                    account: gone.account.map(|account| account.to_string()),
                    message: Some(gone.text),
                    as_of: Time::now(),
                });
            }
            Which::Ibkr(id) => id,
            Which::Mobile => {
                return Err(Refusal::new(
                    ErrorCode::InvalidArgument,
                    "The Mobile Trading Assistant's alert cannot be deleted: IBKR would only begin it anew.",
                    "Switch it off with activate_alert.",
                )
                .at("alertId"));
            }
        };
        let account = ctx.trading_account(args.account_id.as_ref()).await?;
        match send(&ctx, &Delete { account: account.clone(), id }).await? {
            Sent::Taken(taken) => Ok(Out {
                alert_id: id.to_string(),
                account: Some(account.to_string()),
                message: taken.text.map(|text| ibd_cpapi::failure::clean(&text)),
                as_of: Time::now(),
            }),
            Sent::Unknown(failure) => Err(unknown(&failure.to_string())),
        }
    }
}
