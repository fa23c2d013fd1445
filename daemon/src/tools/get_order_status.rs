//! `get_order_status`: one order by the broker's id.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{OrderStatus, Stage};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Num, Time};
use super::{Ctx, Tool};
use super::{order_flow, order_out};
use crate::orders::Intent;
use crate::orders::page::Page;
use crate::refusal::Refusal;

/// Which order.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Args {
    /// The broker's id, from get_live_orders. Either this or intentId.
    #[serde(default, deserialize_with = "args::order_id")]
    #[schemars(with = "Option<u64>")]
    order_id: Option<OrderId>,
    /// Our id, from the order's result: also of what IBKR has not, or may have.
    #[serde(default, deserialize_with = "args::text")]
    intent_id: Option<String>,
    /// The requestId that it was asked for with, instead.
    #[serde(default, deserialize_with = "args::text")]
    request_id: Option<String>,
}

/// The order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// IBKR's id as text, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// Why the order that IBKR has under this id now is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_this: Option<String>,
    /// Why IBKR's page of the order could not be read just now: what is here is only what was known before.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_seen: Option<String>,
    /// What is known here of an order that was sent from here: status, reason and what to do. With all of it
    /// where there is no page of IBKR's.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_here: Option<order_out::Out>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// STK, OPT, FUT, …
    #[serde(skip_serializing_if = "Option::is_none")]
    sec_type: Option<String>,
    /// IBKR's number of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    conid: Option<u32>,
    /// BUY or SELL.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    /// LMT, STP, MKT, …; IBKR's word, where it is none of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_type: Option<String>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Num>,
    /// What has been filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    filled: Option<Num>,
    /// Limit price.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Num>,
    /// Stop price.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<Num>,
    /// Average price of the fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_price: Option<Num>,
    /// Currency of the prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// DAY, GTC, …
    #[serde(skip_serializing_if = "Option::is_none")]
    tif: Option<String>,
    /// IBKR's word: PreSubmitted (a stop waits for its trigger), Submitted, Filled, Cancelled, …
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Whether it can still be filled; absent for a status that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    working: Option<bool>,
    /// IBKR's one line about it, where it was not sent from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct GetOrderStatus;

impl Tool for GetOrderStatus {
    const NAME: &'static str = "get_order_status";
    const TITLE: &'static str = "Status of one order";
    const ABOUT: &'static str = "How one order stands: status, quantity filled, average price, limit and \
        stop price. By orderId from get_live_orders, or by the intentId of an order that was sent from \
        here: after status unknown this tells whether IBKR has it.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str = r#"{"orderId":1234567890}"#;
    const ANSWER: usize = 800;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let own = args.own(&ctx).await?;
        let order_id = args.order_id.or_else(|| own.as_ref().and_then(Intent::order_id));
        let Some(order_id) = order_id else { return args.by_name(&ctx, own).await };
        let began = Timestamp::now();
        let account = own.as_ref().map(|intent| &intent.account);
        match (order_flow::page(&ctx, account, order_id, ctx.deadline).await, &own) {
            (Ok(Some(answer)), own) => {
                let page = Page::of(&answer.value);
                let other =
                    own.as_ref().and_then(|intent| page.is_not(intent, intent.order.as_ref()?));
                if let (Some(why), Some(own)) = (other, own) {
                    // The id is another order's now: what is known of ours does not come from there.
                    return Ok(Out { not_this: Some(why), ..Out::only(&ctx, Some(own)).await? });
                }
                ctx.desks.orders.paged(page, began);
                let from_here = args.again(&ctx, own.as_ref()).await?;
                let Some(intent) = from_here else {
                    return Ok(Out::new(answer.value, Time(answer.at)));
                };
                let from_here = order_out::out(&ctx, &intent).await?;
                let page = Out::new(answer.value, Time(answer.at));
                let filled = page.filled.map(|filled| filled.0);
                let from_here = if is_part(&intent, order_id) {
                    from_here.beside_part(&intent, order_id)
                } else {
                    from_here.beside_page(page.status.as_deref(), filled)
                };
                Ok(Out { from_here: Some(from_here), description: None, ..page })
            }
            // IBKR forgets orders over night; what the journal knows stays known.
            (Ok(None), Some(own)) => {
                let why = format!("IBKR does not know order {order_id} now");
                let out = Out::only(&ctx, Some(own)).await?.of(own, order_id);
                // What has ended IBKR forgets, and nobody wonders at that.
                let is_over = own.has_ended(order_id);
                let from_here =
                    out.from_here.map(|own| if is_over { own } else { own.not_known() });
                Ok(Out { not_seen: Some(why), from_here, ..out })
            }
            (Err(refusal), Some(own)) => {
                let out = Out::only(&ctx, Some(own)).await?.of(own, order_id);
                let from_here = out.from_here.map(order_out::Out::into_what_it_was);
                Ok(Out { not_seen: Some(refusal.message), from_here, ..out })
            }
            (Err(refusal), None) => Err(refusal),
            (Ok(None), None) => Err(Refusal::new(
                ErrorCode::UnknownOrder,
                format!("IBKR knows no order {order_id} of today in any account of this login."),
                "Look in get_live_orders for the orders of all accounts.",
            )
            .at("orderId")),
        }
    }
}

impl Args {
    /// What IBKR has given no id, as far as one knows: if it was sent, it is looked for by its name.
    async fn by_name(&self, ctx: &Ctx, own: Option<Intent>) -> Result<Out, Refusal> {
        let was_sent =
            |own: &&Intent| own.is_order() && (own.sent_at.is_some() || own.follows.is_some());
        let Some(sent) = own.as_ref().filter(was_sent) else {
            return Out::only(ctx, own.as_ref()).await;
        };
        // What is not at IBKR most likely is not worth waiting for a session.
        if !ctx.has_session() {
            let why = "there is no session".to_owned();
            return Ok(Out { not_seen: Some(why), ..Out::only(ctx, own.as_ref()).await? });
        }
        let (feeds, deadline, account) = (&ctx.desks.feeds, ctx.deadline, &sent.account);
        let list =
            ctx.read(|lease| async move { feeds.list(&lease, account, deadline).await }).await;
        match list {
            Ok(list) => {
                ctx.desks.orders.listed(list.value.orders.into_rows(), list.at);
                // Under its names it may be another try by now.
                Out::only(ctx, self.own(ctx).await?.as_ref()).await
            }
            Err(refusal) => {
                Ok(Out { not_seen: Some(refusal.message), ..Out::only(ctx, own.as_ref()).await? })
            }
        }
    }

    /// What is known here of the order.
    async fn own(&self, ctx: &Ctx) -> Result<Option<Intent>, Refusal> {
        match (self.order_id, &self.intent_id, &self.request_id) {
            (Some(order_id), None, None) => ctx.desks.orders.of_order(order_id).await,
            (None, Some(text), None) => order_flow::named(ctx, "intentId", text).await.map(Some),
            (None, None, Some(text)) => order_flow::named(ctx, "requestId", text).await.map(Some),
            _ => Err(Refusal::argument(
                "orderId",
                "Exactly one of orderId, intentId and requestId is needed.",
                "Take orderId from get_live_orders, or intentId from the order's result.",
            )),
        }
    }

    /// The same once what was read is known to whoever owns orders: it may be ours after all.
    async fn again(&self, ctx: &Ctx, own: Option<&Intent>) -> Result<Option<Intent>, Refusal> {
        match (own, self.order_id) {
            // Whose order it is, and not who would follow it.
            (_, Some(order_id)) => ctx.desks.orders.of_order(order_id).await,
            (Some(own), None) => ctx.desks.orders.look(own.id).await,
            (None, None) => Ok(None),
        }
    }
}

/// Whether an id is that of another order of the submission than the first.
fn is_part(intent: &Intent, order_id: OrderId) -> bool {
    intent.state.standing().is_some_and(|standing| standing.part(order_id).is_some())
}

impl Out {
    /// The same where another order of the submission than the first may be meant.
    fn of(self, own: &Intent, order_id: OrderId) -> Self {
        if !is_part(own, order_id) {
            return self;
        }
        let from_here = self.from_here.map(|from_here| from_here.with_part(own, order_id));
        Self { from_here, ..self }
    }

    /// What only the journal knows.
    async fn only(ctx: &Ctx, own: Option<&Intent>) -> Result<Self, Refusal> {
        let from_here = match own {
            Some(own) => Some(order_out::out(ctx, own).await?),
            None => None,
        };
        Ok(Self {
            order_id: None,
            not_this: None,
            not_seen: None,
            from_here,
            account: None,
            symbol: None,
            sec_type: None,
            conid: None,
            action: None,
            order_type: None,
            quantity: None,
            filled: None,
            price: None,
            stop_price: None,
            avg_price: None,
            currency: None,
            tif: None,
            status: None,
            working: None,
            description: None,
            as_of: Time::now(),
        })
    }

    fn new(order: OrderStatus, as_of: Time) -> Self {
        let filled = order.filled.map(|quantity| quantity.get());
        // Before the first fill the broker says an average price of zero.
        let has_fills = filled.is_some_and(|filled| filled > Decimal::ZERO);
        Self {
            order_id: Some(order.order_id.to_string()),
            not_this: None,
            not_seen: None,
            from_here: None,
            account: order.account.as_ref().map(ToString::to_string),
            conid: order.conid.map(ibd_cpapi::id::Conid::get),
            action: order.side.as_ref().map(ToString::to_string),
            quantity: order.quantity.map(|quantity| Num(quantity.get())),
            filled: filled.map(Num),
            price: order.limit_price.map(|price| Num(price.get())),
            stop_price: order.stop_price.map(|price| Num(price.get())),
            avg_price: order.average_price.filter(|_| has_fills).map(|price| Num(price.get())),
            tif: order.tif.as_ref().map(ToString::to_string),
            working: order.status.as_ref().and_then(Stage::can_fill),
            description: order.description.map(|text| ibd_cpapi::failure::clean(&text)),
            symbol: order.symbol,
            sec_type: order.sec_type.map(|kind| kind.to_string()),
            order_type: order.order_type.as_ref().map(ToString::to_string),
            currency: order.currency,
            status: order.status.map(|status| status.as_str().to_owned()),
            as_of,
        }
    }
}
