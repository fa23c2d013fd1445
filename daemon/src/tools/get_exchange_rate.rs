//! `get_exchange_rate`: what one currency is worth in another.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::GetExchangeRate as Rate;
use ibd_protocol::{Effect, ErrorCode, Toolset};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Num, Time};
use super::{Ctx, Tool};
use crate::refusal::Refusal;

/// Which currencies.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schemars(extend("required" = ["from", "to"]))]
pub struct Args {
    /// For instance EUR.
    #[serde(deserialize_with = "args::text")]
    from: Option<String>,
    /// For instance USD.
    #[serde(deserialize_with = "args::text")]
    to: Option<String>,
}

/// The rate.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// One unit of this currency …
    from: String,
    /// … is worth `rate` units of this one.
    to: String,
    /// IBKR's rate for converting values: not a price that anybody trades at.
    rate: Num,
    /// When IBKR gave it.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct GetExchangeRate;

impl Tool for GetExchangeRate {
    const NAME: &'static str = "get_exchange_rate";
    const TITLE: &'static str = "Exchange rate";
    const ABOUT: &'static str = "IBKR's rate between two currencies, for converting values. For a price to trade \
        at use get_market_data with a pair such as EUR.USD.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Market;
    const EXAMPLE: &'static str = r#"{"from":"EUR","to":"USD"}"#;
    const ANSWER: usize = 150;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let from = currency("from", args.from)?;
        let to = currency("to", args.to)?;
        let (request, deadline) =
            (&Rate { source: from.clone(), target: to.clone() }, ctx.deadline);
        let none = || {
            Refusal::new(
                ErrorCode::NoData,
                format!("IBKR gave no rate from {from} to {to}."),
                "Check both currencies; they are three letters, such as EUR.",
            )
            .at("from")
        };
        let none = &none;
        let answer = ctx
            .serve(|lease| async move {
                match lease.client().ask(request, deadline).await {
                    // Its words for a currency that it does not have.
                    Err(Failure::Refused { .. } | Failure::Trouble { status: 500, .. }) => {
                        Err(none().into())
                    }
                    answer => Ok(answer?),
                }
            })
            .await?;
        let rate = answer.value.rate.filter(|rate| rate.get() > Decimal::ZERO).ok_or_else(none)?;
        Ok(Out {
            from: from.clone(),
            to: to.clone(),
            rate: Num(rate.get()),
            as_of: Time(answer.at),
        })
    }
}

fn currency(field: &str, text: Option<String>) -> Result<String, Refusal> {
    let text = text.unwrap_or_default().trim().to_uppercase();
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        Ok(text)
    } else {
        let message = format!("{text:?} is no currency.");
        Err(Refusal::argument(field, message, "Give its three letters, for instance EUR."))
    }
}
