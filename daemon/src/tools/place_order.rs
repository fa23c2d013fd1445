//! `place_order`: sends an order, at most once.

use ibd_protocol::{Effect, Toolset};

use super::order_args::Args;
use super::order_flow::{self, Delivery};
use super::order_out::Out;
use super::{Ctx, Tool};
use crate::orders::Purpose;
use crate::orders::told;
use crate::refusal::Refusal;

/// The tool.
#[derive(Debug)]
pub struct PlaceOrder;

impl Tool for PlaceOrder {
    const NAME: &'static str = "place_order";
    const TITLE: &'static str = "Place an order";
    const ABOUT: &'static str = "Send an order to Interactive Brokers, at most once: single orders, brackets, OCA \
        groups, options, futures, combinations. Real money on a live account; a person approves there by default. \
        The result says one of placed, not_placed, needs_confirmation, unknown, and what to do next. After unknown \
        or a lost answer never send it again: ask get_order_status. closePosition gets out of a position and never \
        sells more than is held. Check symbol, exchange and currency in the result. For cost and margin first use \
        preview_order.";
    const EFFECT: Effect = Effect::Trades;
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str = r#"{"symbol":"AAPL","action":"BUY","orderType":"LMT","quantity":10,"price":190.5,"tif":"DAY"}"#;
    const ANSWER: usize = 800;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let wanted = args.wanted()?;
        let origin =
            order_flow::origin(&ctx, Self::NAME, args.request_id.as_deref(), wanted.hash());
        if let Some(out) = order_flow::earlier(&ctx, &origin).await? {
            return Ok(out);
        }
        let beside = match args.allow_duplicate_of.as_deref() {
            Some(text) => Some(order_flow::named(&ctx, "allowDuplicateOf", text).await?.id),
            None => None,
        };
        let ready = order_flow::wanted(&ctx, &wanted).await.map_err(Refusal::unsent)?;
        let warnings = told::before_sending(&ready.order);
        let delivery = Delivery {
            origin,
            purpose: Purpose::Place,
            suppress: args.suppress_confirmations.unwrap_or(true),
            beside,
            warnings,
            changed: Vec::new(),
        };
        order_flow::send(&ctx, order_flow::request(ready, delivery)).await
    }
}
