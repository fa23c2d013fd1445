//! An alert of ibd's own.

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::failure::clean;
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::Stage;
use ibd_cpapi::snapshot::Signs;
use ibd_protocol::ErrorCode;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Out;
use super::wish::{What, Wish};
use crate::alerts::{Draft, Limit, Login, Made, Measure, Of, Seen, Side, Watch};
use crate::contracts::Contract;
use crate::market::{self, Freshness, Quote, Wanted};
use crate::portfolio;
use crate::refusal::Refusal;
use crate::tools::Ctx;
use crate::tools::alert::Which;
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
            *ahead = look_ahead(ctx, &contract, *measure, Some(limit)).await;
            Ok(Watch::Quote { of: of(&contract), measure: *measure, limit: limit.clone() })
        }
        What::Move(percent) => {
            let contract = contract(ctx, wish).await?;
            *ahead = look_ahead(ctx, &contract, Measure::Price, None).await;
            Ok(Watch::Move { of: of(&contract), percent: *percent })
        }
        What::Pnl(limit) => {
            let contract = contract(ctx, wish).await?;
            is_held(ctx, account, &contract).await?;
            Ok(Watch::Pnl { of: of(&contract), limit: limit.clone() })
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

/// How a contract is called.
pub(super) fn name(contract: &Contract) -> String {
    let is_plain = matches!(contract.sec_type, None | Some(SecType::Stock));
    let described = contract.description.as_ref().filter(|_| !is_plain);
    let text = described.or(contract.symbol.as_ref());
    text.map_or_else(|| format!("contract {}", contract.conid), |text| clean(text))
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

/// What is known before it is waited for.
#[derive(Debug, Default)]
struct Ahead {
    seen: Option<Seen>,
    warnings: Vec<String>,
}

/// Whether it is so already, or nothing comes.
async fn look_ahead(
    ctx: &Ctx,
    contract: &Contract,
    measure: Measure,
    limit: Option<&Limit>,
) -> Ahead {
    let is_option = contract.sec_type.as_ref().is_some_and(SecType::is_option);
    let wanted = [Wanted { conid: contract.conid, is_option }];
    let (wanted, lines, deadline) = (wanted.as_slice(), &ctx.desks.market, ctx.deadline);
    let rows =
        ctx.read(|lease| async move {
            lines.quotes(&lease, wanted, Freshness::Streamed, deadline).await
        })
        .await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(refusal) => {
            let why = format!("Its value now could not be read: {}", refusal.message);
            return Ahead { seen: None, warnings: vec![why] };
        }
    };
    let quote: Quote = rows.quote(contract.conid, market::signs(contract.sec_type.as_ref()));
    let is_late = quote.data == market::Data::Delayed;
    let Some(value) = measure.read(&quote) else {
        let (name, why) = (measure.name(), quote.why.as_str());
        let text = format!("There is no {name} now ({why}): it is watched until one comes.");
        return Ahead { seen: None, warnings: vec![text] };
    };
    let at = rows.as_of.unwrap_or_else(Timestamp::now);
    let mut warnings = Vec::new();
    if limit.is_some_and(|limit| limit.is_met(value)) {
        let (name, value) = (measure.name(), value.normalize());
        warnings.push(format!("It is so already ({name} is {value}): it fires at once."));
    }
    if is_late {
        warnings.push("Its data is delayed by 15 to 20 minutes: so is the alert.".to_owned());
    }
    Ahead { seen: Some(Seen { value, at, is_late }), warnings }
}

async fn is_held(ctx: &Ctx, account: &AccountId, contract: &Contract) -> Result<(), Refusal> {
    let deadline = ctx.deadline;
    let (positions, _) = ctx
        .read(|lease| async move { portfolio::positions(&lease, account, deadline).await })
        .await?;
    if positions.iter().any(|position| position.conid == contract.conid) {
        return Ok(());
    }
    Err(Refusal::argument(
        "symbol",
        format!("Nothing of {} is held in {account}.", name(contract)),
        "Nothing was done. get_positions shows what is held.",
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
