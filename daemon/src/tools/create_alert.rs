//! `create_alert`: makes or changes an alert, at IBKR or of ibd's own.

mod ibd;
mod ibkr;
mod request;
mod wish;

use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alert::Which;
use super::args;
use super::cell::{Num, Time};
use super::{Ctx, Tool};
use crate::refusal::Refusal;
use request::AlertRequest;
use wish::{Place, Wish};

/// What is to be watched.
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
    /// Instead of symbol.
    #[serde(deserialize_with = "args::conid")]
    #[schemars(with = "Option<u32>")]
    conid: Option<Conid>,
    /// price (default), volume; at ibkr only: margin (cushion, percent), trade, time; at ibd only: bid, ask, changePct, iv,
    /// delta, …, move (percent, either way), pnl (of a position), order (filled), gap (minutes without a session).
    #[serde(deserialize_with = "args::text")]
    watch: Option<String>,
    /// Fires at this or more.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    above: Option<Decimal>,
    /// Fires at this or less.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    below: Option<Decimal>,
    /// For time: RFC 3339.
    #[serde(deserialize_with = "args::text")]
    time: Option<String>,
    /// For order.
    #[serde(deserialize_with = "args::order_id")]
    #[schemars(with = "Option<u64>")]
    order_id: Option<OrderId>,
    /// What it says.
    #[serde(deserialize_with = "args::words")]
    message: Option<String>,
    /// At ibd: may fire again after this pause, 30min; else once.
    #[serde(deserialize_with = "args::text")]
    repeat: Option<String>,
    /// Who watches: ibkr (default where it can), or ibd while it runs.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["ibkr", "ibd"]))]
    at: Option<String>,
    /// Replaces this one.
    #[serde(deserialize_with = "args::text")]
    alert_id: Option<String>,
    /// IBKR's own form instead of the above: alertName, conditions (conidex, type 1 price, 3 time, 4 margin, 5 trade,
    /// 6 volume, operator, value, logicBind), …; orderId replaces.
    #[serde(deserialize_with = "args::nested")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    alert_request: Option<AlertRequest>,
}

/// The alert.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// created, replaced, or existing: the same was there already.
    status: &'static str,
    /// Who watches: ibkr or ibd.
    at: &'static str,
    /// For activate_alert and delete_alert.
    alert_id: String,
    /// What it waits for, or its name at IBKR.
    alert: String,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The value now, with its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// When that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<Time>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct CreateAlert;

impl Tool for CreateAlert {
    const NAME: &'static str = "create_alert";
    const TITLE: &'static str = "Create an alert";
    const ABOUT: &'static str = "Creates or changes an alert: symbol with above or below is enough. IBKR keeps and watches it \
        (mail, its mobile app), or ibd does (at:\"ibd\": told to clients, desktop and webhook; not while there is no \
        session). The same alert asked for again is answered as existing.";
    const EFFECT: Effect = Effect::Writes;
    const SET: Toolset = Toolset::Alerts;
    const EXAMPLE: &'static str = r#"{"symbol":"AAPL","above":300,"message":"take profit?"}"#;
    const ANSWER: usize = 400;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, mut args: Args) -> Result<Out, Refusal> {
        let replaced = args.alert_id.as_deref().map(Which::read).transpose()?;
        if let Some(request) = args.alert_request.take() {
            args.only_the_request()?;
            return ibkr::requested(&ctx, args.account_id.as_ref(), request, replaced).await;
        }
        let wish = Wish::of(&args, replaced)?;
        match wish.place {
            Place::Ibkr => ibkr::wished(&ctx, args.account_id.as_ref(), wish, replaced).await,
            Place::Ibd => ibd::wished(&ctx, args.account_id.as_ref(), wish, replaced).await,
        }
    }
}

impl Args {
    /// The two forms do not mix: what would count is not clear.
    fn only_the_request(&self) -> Result<(), Refusal> {
        let at = self.at.as_deref().filter(|at| !at.eq_ignore_ascii_case("ibkr"));
        let beside = [
            ("symbol", self.symbol.is_some()),
            ("conid", self.conid.is_some()),
            ("watch", self.watch.is_some()),
            ("above", self.above.is_some()),
            ("below", self.below.is_some()),
            ("time", self.time.is_some()),
            ("orderId", self.order_id.is_some()),
            ("message", self.message.is_some()),
            ("repeat", self.repeat.is_some()),
            ("at", at.is_some()),
        ];
        match beside.iter().find(|(_, is_there)| *is_there) {
            None => Ok(()),
            Some((field, _)) => Err(Refusal::new(
                ErrorCode::Contradiction,
                format!("{field} is given beside alertRequest, which says everything itself."),
                format!("Nothing was done. Leave out {field}, or alertRequest."),
            )
            .at(field)),
        }
    }
}
