//! `resolve_option_conid`: from an option as people call it to its conid.

use ibd_cpapi::id::Conid;
use ibd_protocol::{Effect, Toolset};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Num, Time};
use super::instrument::Instrument;
use super::{Ctx, Tool};
use crate::contracts::expiry;
use crate::refusal::Refusal;

/// Which option.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schemars(extend("required" = ["symbol", "expiry", "strike", "right"]))]
pub struct Args {
    /// The underlying's symbol.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// The day 2027-01-15, or the month JAN27 where it has one day only.
    #[serde(deserialize_with = "args::text")]
    expiry: Option<String>,
    /// The strike.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    strike: Option<Decimal>,
    /// C or P.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["C", "P"]))]
    right: Option<String>,
    /// Where it is routed; SMART if left out. Of an option on a future its exchange, for instance CME.
    #[serde(deserialize_with = "args::text")]
    exchange: Option<String>,
}

/// The option.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// IBKR's number; the sure way to name it in other tools.
    #[schemars(with = "u32")]
    conid: Conid,
    /// The underlying's symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// The option in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The day on which it ends, YYYYMMDD.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
    /// The strike.
    #[serde(skip_serializing_if = "Option::is_none")]
    strike: Option<Num>,
    /// C or P.
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<&'static str>,
    /// Units of the underlying in one contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    multiplier: Option<Num>,
    /// The currency it trades in.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// When this was answered; what contracts are is remembered for up to a day.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct ResolveOptionConid;

impl Tool for ResolveOptionConid {
    const NAME: &'static str = "resolve_option_conid";
    const TITLE: &'static str = "Find one option";
    const ABOUT: &'static str = "The conid of one option by its underlying, expiry, strike and right. What does \
        not exist is answered with the strikes or days next to it. Quotes and orders take the same four, too; \
        for many options at once use get_option_chain.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Market;
    const EXAMPLE: &'static str = r#"{"symbol":"AAPL","expiry":"JAN27","strike":270,"right":"C"}"#;
    const ANSWER: usize = 300;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let instrument = Instrument {
            symbol: args.symbol,
            // With this it is an option, whatever else is missing.
            sec_type: Some("OPT".to_owned()),
            exchange: args.exchange,
            expiry: args.expiry,
            strike: args.strike,
            right: args.right,
            ..Instrument::default()
        };
        let option = instrument.find(&ctx).await?;
        let clean = |text: String| ibd_cpapi::failure::clean(&text);
        Ok(Out {
            conid: option.conid,
            symbol: option.symbol.map(clean),
            description: option.description.map(clean),
            expiry: option.expiry.map(expiry::plain),
            strike: option.strike.map(Num),
            right: option.right.map(|right| right.as_str()),
            multiplier: option.multiplier.map(Num),
            currency: option.currency,
            as_of: Time::now(),
        })
    }
}
