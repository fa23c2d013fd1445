//! `wait_for_order`: waits until something becomes of an order, at most 45 seconds a call.

use std::time::Duration;

use ibd_cpapi::id::OrderId;
use ibd_protocol::{Effect, ErrorCode, Toolset};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use super::args;
use super::order_flow;
use super::order_out::{self, Out};
use super::{Ctx, Tool};
use crate::orders::{Intent, IntentId, IntentState as State, Part, Seen};
use crate::refusal::Refusal;

/// What a call waits if it does not say.
const USUAL: usize = 30;

/// Which order, and how long.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// Our id, from the order's result.
    #[serde(deserialize_with = "args::text")]
    intent_id: Option<String>,
    /// IBKR's id of an order that was sent from here.
    #[serde(deserialize_with = "args::order_id")]
    #[schemars(with = "Option<u64>")]
    order_id: Option<OrderId>,
    /// The requestId that it was asked for with, instead.
    #[serde(deserialize_with = "args::text")]
    request_id: Option<String>,
    /// Seconds to wait at most, up to 43; 30 if left out.
    #[serde(deserialize_with = "args::count")]
    seconds: Option<usize>,
}

/// The tool.
#[derive(Debug)]
pub struct WaitForOrder;

impl Tool for WaitForOrder {
    const NAME: &'static str = "wait_for_order";
    const TITLE: &'static str = "Wait for an order";
    const ABOUT: &'static str = "Wait until an order that was sent from here is filled, cancelled or \
        refused, until its approval is decided, or an unknown outcome is settled; at most 43 seconds a \
        call. Answers how it stands then; call again to go on waiting.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str = r#"{"intentId":"01KB3N7Q2Z5W8X4Y6V9T0S1R2P","seconds":30}"#;
    const ANSWER: usize = 700;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let orders = &ctx.desks.orders;
        let intent = match (&args.intent_id, args.order_id, &args.request_id) {
            (Some(text), None, None) => order_flow::named(&ctx, "intentId", text).await?,
            (None, None, Some(text)) => order_flow::named(&ctx, "requestId", text).await?,
            (None, Some(order_id), None) => orders.of_order(order_id).await?.ok_or_else(|| {
                Refusal::new(
                    ErrorCode::UnknownOrder,
                    "No order that was sent from here has this id.",
                    "For other orders use get_order_status with orderId, or get_live_orders.",
                )
                .at("orderId")
            })?,
            _ => {
                return Err(Refusal::argument(
                    "intentId",
                    "Exactly one of intentId, orderId and requestId is needed.",
                    "Take intentId from the order's result.",
                ));
            }
        };
        let (intent, unseen) = order_flow::told_again(&ctx, intent).await?;
        let wait = Duration::from_secs(args.seconds.unwrap_or(USUAL) as u64);
        let deadline = order_flow::soon(&ctx).min(Instant::now() + wait);
        // A bracket's child, or another one of a group, goes its own way.
        let part = args.order_id.filter(|order_id| intent.order_id() != Some(*order_id));
        let begun = (intent.id, intent.state.name());
        let tell =
            |now: &Intent| ctx.tell(1, None, &format!("{} is {}", now.text, now.state.in_words()));
        let ended =
            orders.follow(intent.id, deadline, |now| is_news(now, part, begun), tell).await?;
        // What could not be asked then can perhaps be asked by now.
        let (ended, unseen) = match unseen {
            None => (ended, None),
            Some(_) => order_flow::told_again(&ctx, ended).await?,
        };
        let out = order_out::out(&ctx, &ended).await?.with_unseen(unseen).in_brief();
        Ok(match part {
            Some(part) => out.with_part(&ended, part),
            None => out,
        })
    }
}

/// Whether what somebody waits for has come; of another order of the submission, if it is `part`.
fn is_news(now: &Intent, part: Option<OrderId>, (id, state): (IntentId, &str)) -> bool {
    if let Some(part) = part {
        let standing = now.state.standing();
        let is_settled = |part: &Part| part.is_over() || part.is_missing();
        return standing.and_then(|standing| standing.part(part)).is_none_or(is_settled);
    }
    match &now.state {
        state if state.is_over() => true,
        // What waited for a yes or for its turn, or was in doubt, does so no more.
        State::Working(standing) => {
            let was_there = ["working", "inactive", "at_broker", "came_alive", "missing"];
            !was_there.contains(&state)
                || standing.is_inactive()
                || standing.status == Seen::Missing
        }
        State::Awaiting(_) => now.id != id,
        State::Parked(_) => state != "parked",
        _ => false,
    }
}
