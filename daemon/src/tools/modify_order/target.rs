//! The order that is to be changed, as IBKR shows it.

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{Meaning, OrderRow, OrderStatus, OrderType, Stage};
use ibd_protocol::ErrorCode;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::orders::page::{self, Page};
use crate::orders::{Asked, Attached, Intent, Order, Pricing, Size, What};
use crate::refusal::Refusal;
use crate::tools::{Ctx, order_flow};

/// The order that is to be changed, as IBKR shows it.
pub(super) struct Target {
    status: OrderStatus,
    page: Page,
    row: Option<OrderRow>,
}

impl Target {
    pub(super) async fn of(
        ctx: &Ctx,
        order_id: OrderId,
        own: Option<&Intent>,
    ) -> Result<Self, Refusal> {
        let (feeds, deadline, began) = (&ctx.desks.feeds, ctx.deadline, Timestamp::now());
        let known = match own {
            Some(own) => Some(own.account.clone()),
            None => ctx.desks.orders.of_order(order_id).await?.map(|intent| intent.account),
        };
        let known = &known;
        let found = ctx
            .read(|lease| async move {
                match known {
                    Some(account) => feeds.page(&lease, account, order_id, deadline).await,
                    None => feeds.page_of_any(&lease, order_id, deadline).await,
                }
            })
            .await?;
        let status = found.ok_or_else(|| unknown(order_id))?.value;
        let page = Page::of(&status);
        ctx.desks.orders.paged(page.clone(), began);
        if page.standing.is_over() {
            return Err(Refusal::new(
                ErrorCode::NotWorking,
                format!("Order {order_id} is {}.", page.standing.status.as_str().to_lowercase()),
                "Only a working order can be changed.",
            )
            .at("orderId"));
        }
        let account: Option<AccountId> = known.clone().or_else(|| status.account.clone());
        // Whether it works outside regular hours only the list says, and one from before says it as it was then.
        let row = match &account {
            Some(account) => ctx
                .read(|lease| async move { feeds.list_anew(&lease, account, deadline).await })
                .await
                .ok()
                .and_then(|list| {
                    list.value.orders.into_iter().find(|row| row.order_id == order_id)
                }),
            None => None,
        };
        Ok(Self { status, page, row })
    }

    /// The whole as it is at IBKR.
    pub(super) async fn order(&self, ctx: &Ctx, own: Option<&Intent>) -> Result<Order, Refusal> {
        // Of a group of which IBKR refused a part, which order has which terms only IBKR knows.
        let is_first = |intent: &&Intent| {
            intent.state.standing().is_none_or(|standing| standing.refused.is_none())
        };
        if let Some((intent, sent)) =
            own.filter(is_first).and_then(|intent| Some((intent, intent.order.as_ref()?)))
        {
            if let Some(why) = self.page.is_not(intent, sent) {
                return Err(Refusal::new(
                    ErrorCode::NotThatOrder,
                    format!("Order {} at IBKR is not {}: {why}.", self.page.order_id, intent.text),
                    "Look at get_live_orders, and use the orderId from there.",
                )
                .at("orderId"));
            }
            #[cfg(feature = "faults")]
            if crate::orders::mutant::is("writes-back") {
                return Ok(Order { attached: Attached::Nothing, ..sent.clone() });
            }
            return page::as_it_is(sent, &self.page, self.row.as_ref())
                .map(|(now, _)| now)
                .ok_or_else(|| self.says_too_little());
        }
        let asked = described(&self.status).ok_or_else(|| self.says_too_little())?;
        let order = order_flow::ready(ctx, &asked).await?.order;
        // A child works outside regular hours as its parent does.
        let family = ctx.desks.orders.of_order(self.page.order_id).await?;
        let family = family.and_then(|intent| intent.order).and_then(|parent| parent.outside_rth);
        let listed = self.row.as_ref().and_then(|row| row.outside_rth);
        Ok(Order { outside_rth: listed.or(family), ..order })
    }

    /// A total that is filled already is none.
    pub(super) fn check_filled(&self, quantity: Option<Decimal>) -> Result<(), Refusal> {
        let filled = self.page.filled.filter(|filled| !filled.is_zero());
        match (quantity, filled) {
            (Some(quantity), Some(filled)) if quantity <= filled => Err(Refusal::argument(
                "quantity",
                format!(
                    "{} of it are filled already: quantity is the new total with these.",
                    filled.normalize()
                ),
                "Give more than that, or end the rest with cancel_order.",
            )),
            _ => Ok(()),
        }
    }

    /// What to know of an order whose end was asked for.
    pub(super) fn ending(&self) -> Option<String> {
        let is_ending = self.page.standing.meaning() == Meaning::Ending;
        is_ending.then(|| {
            "The cancellation of this order was asked for before, and has not come yet: it may end all the same."
                .to_owned()
        })
    }

    fn says_too_little(&self) -> Refusal {
        Refusal::new(
            ErrorCode::CannotModify,
            format!(
                "IBKR does not say enough about order {} to repeat it with a change.",
                self.page.order_id
            ),
            "Change it in TWS, or cancel it and place a new one.",
        )
        .at("orderId")
    }
}

fn unknown(order_id: OrderId) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownOrder,
        format!("IBKR knows no order {order_id} of today in any account of this login."),
        "Look in get_live_orders for the orders of all accounts.",
    )
    .at("orderId")
}

/// The order that a status describes. Trailing stops are not described in full.
fn described(status: &OrderStatus) -> Option<Asked> {
    if status.status.as_ref().and_then(Stage::can_fill) != Some(true) {
        return None;
    }
    let pricing = match status.order_type.as_ref()?.known()? {
        OrderType::Mkt => Pricing::Market,
        OrderType::Lmt => Pricing::Limit(status.limit_price?),
        OrderType::Stp => Pricing::Stop(status.stop_price?),
        OrderType::StopLimit => {
            Pricing::StopLimit { stop: status.stop_price?, limit: status.limit_price? }
        }
        _ => return None,
    };
    Some(Asked {
        account: status.account.clone(),
        what: What::Conid(status.conid?),
        side: status.side.as_ref()?.known()?,
        size: Size::Quantity(status.quantity?),
        pricing,
        tif: status.tif.as_ref()?.known()?,
        outside_rth: false,
        attached: Attached::Nothing,
    })
}
