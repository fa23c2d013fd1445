//! An alert of ibd's own.

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::Stage;
use ibd_cpapi::snapshot::Signs;
use ibd_protocol::ErrorCode;
use rust_decimal::Decimal;

use super::Out;
use super::wish::{What, Wish};
use crate::alerts::{Draft, Limit, Login, Made, Measure, Of, Side, Watch};
use crate::contracts::Contract;
use crate::market;
use crate::refusal::Refusal;
use crate::tools::Ctx;
use crate::tools::alert::already::{self, Ahead};
use crate::tools::alert::{Which, name};
use crate::tools::cell::Time;
use crate::tools::instrument::Instrument;
use crate::tools::order_flow;

/// Makes it, after a look whether it can ever come.
pub(super) async fn wished(
    ctx: &Ctx,
    named: Option<&AccountId>,
    wish: Wish,
    replaced: Option<Which>,
) -> Result<Out, Refusal> {
    let mut ahead = Ahead::default();
    // Without a session nothing but its absence can be watched.
    let (account, login, watch) = match &wish.what {
        What::Gap(minutes) => (None, None, Watch::Gap { minutes: *minutes }),
        _ => {
            let account = ctx.account(named).await?;
            let facts = ctx.lease().await?.facts().clone();
            let login = Login { paper: facts.paper, username: facts.username };
            let watch = watch(ctx, &account, &wish, &mut ahead).await?;
            (Some(account), Some(login), watch)
        }
    };
    let client = match ctx.who.client.as_str() {
        "" => "a client".to_owned(),
        name => name.to_owned(),
    };
    let (message, pause, seen) = (wish.message, wish.pause, ahead.seen);
    let draft = Draft { watch, account, login, message, pause, seen, client };
    let id = match replaced {
        Some(Which::Ibd(id)) => Some(id),
        _ => None,
    };
    let Made { alert, is_old } = ctx.desks.alerts.create(draft, id).await?;
    let mut warnings = ahead.warnings;
    if named.is_some() && matches!(wish.what, What::Gap(_)) {
        warnings.push("A gap is one of the session: accountId says nothing of it.".to_owned());
    }
    warnings.extend(alert.why.filter(|_| alert.state == "not watched"));
    Ok(Out {
        status: match (is_old, id) {
            (true, _) => "existing",
            (false, Some(_)) => "replaced",
            (false, None) => "created",
        },
        at: "ibd",
        alert_id: alert.id.to_string(),
        alert: alert.text,
        account: alert.account.map(|account| account.to_string()),
        value: alert.value,
        seen_at: alert.seen_at.map(Time),
        warnings,
        as_of: Time::now(),
    })
}

async fn watch(
    ctx: &Ctx,
    account: &AccountId,
    wish: &Wish,
    ahead: &mut Ahead,
) -> Result<Watch, Refusal> {
    match &wish.what {
        What::Quote(measure, limit) => {
            let contract = contract(ctx, wish).await?;
            fits(&contract, *measure, limit)?;
            let of = of(&contract);
            *ahead = already::quoted(ctx, &of, *measure, Some(limit)).await;
            Ok(Watch::Quote { of, measure: *measure, limit: limit.clone() })
        }
        What::Move(percent) => {
            let contract = contract(ctx, wish).await?;
            let of = of(&contract);
            *ahead = already::quoted(ctx, &of, Measure::Price, None).await;
            Ok(Watch::Move { of, percent: *percent })
        }
        What::Pnl(limit) => {
            let contract = contract(ctx, wish).await?;
            let of = of(&contract);
            ahead.warnings = already::held(ctx, account, &of, limit).await?;
            Ok(Watch::Pnl { of, limit: limit.clone() })
        }
        What::Order(order_id) => {
            works(ctx, *order_id).await?;
            Ok(Watch::Order { order_id: *order_id })
        }
        What::Gap(minutes) => Ok(Watch::Gap { minutes: *minutes }),
        What::Margin(_) | What::Trade | What::Time(_) => Err(Refusal::argument(
            "watch",
            "Only IBKR watches that.",
            "Nothing was done. Use at:\"ibkr\".",
        )),
    }
}

/// The contract that is meant.
pub(super) async fn contract(ctx: &Ctx, wish: &Wish) -> Result<Contract, Refusal> {
    let instrument =
        Instrument { conid: wish.conid, symbol: wish.symbol.clone(), ..Instrument::default() };
    instrument.find(ctx).await
}

fn of(contract: &Contract) -> Of {
    Of {
        conid: contract.conid,
        name: name(contract),
        currency: contract.currency.clone(),
        kind: contract.sec_type.clone(),
    }
}

/// A price below zero is a mistake where there are none.
fn fits(contract: &Contract, measure: Measure, limit: &Limit) -> Result<(), Refusal> {
    let is_positive = market::signs(contract.sec_type.as_ref()) == Signs::Positive;
    let is_price = measure.is_price() && measure != Measure::Change;
    if limit.value > Decimal::ZERO || !is_price || !is_positive {
        return Ok(());
    }
    let field = match limit.side {
        Side::Above => "above",
        Side::Below => "below",
    };
    Err(Refusal::argument(
        field,
        format!("{field} must be more than zero: {} has no such price.", name(contract)),
        "Nothing was done. Correct it.",
    ))
}

/// An order that is over is filled no more.
async fn works(ctx: &Ctx, order_id: OrderId) -> Result<(), Refusal> {
    let wrong = |message: String| {
        Refusal::new(
            ErrorCode::NotWorking,
            message,
            "Nothing was done. get_live_orders shows what works.",
        )
        .at("orderId")
    };
    match order_flow::page(ctx, None, order_id, ctx.deadline).await? {
        None => Err(Refusal::new(
            ErrorCode::UnknownOrder,
            format!("IBKR knows no order {order_id} of today in any account of this login."),
            "Nothing was done. get_live_orders shows what works.",
        )
        .at("orderId")),
        Some(answer) => match answer.value.status {
            Some(stage) if stage.is_over() => Err(wrong(format!(
                "Order {order_id} is over: it is {}.",
                Stage::as_str(&stage).to_lowercase()
            ))),
            _ => Ok(()),
        },
    }
}
