//! An alert that IBKR keeps: entered once, and looked for where the answer was lost.

mod alike;

use std::time::Duration;

use ibd_cpapi::alerts::{
    AlertCondition, AlertPage, AlertRow, AlertTicket, GetAlert, GetAlerts, GetMobileAlert,
    PutAlert, TIME,
};
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::failure::clean;
use ibd_cpapi::faults::scaled;
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::{Answer, Failure};
use ibd_protocol::ErrorCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::request::AlertRequest;
use super::wish::{What, Wish, kind};
use super::{Out, ibd};
use crate::alerts::{Limit, Side};
use crate::contracts::Contract;
use crate::refusal::{Refusal, Unserved};
use crate::tools::Ctx;
use crate::tools::alert::{Sent, Which, refused, send};
use crate::tools::cell::Time;
use crate::tools::get_alerts;
use alike::is_alike;

/// How often an alert is looked for whose answer was lost, and the pause before each look.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(1_000);
/// Alerts of one name whose conditions are compared.
const COMPARED: usize = 5;

/// IBKR's own form.
pub(super) async fn requested(
    ctx: &Ctx,
    named: Option<&AccountId>,
    request: AlertRequest,
    replaced: Option<Which>,
) -> Result<Out, Refusal> {
    let (mut ticket, said) = request.ticket(Timestamp::now())?;
    ticket.order_id = target(ticket.order_id, replaced)?;
    let account = ctx.trading_account(named).await?;
    enter(ctx, account, ticket, said).await
}

/// The simple form.
pub(super) async fn wished(
    ctx: &Ctx,
    named: Option<&AccountId>,
    wish: Wish,
    replaced: Option<Which>,
) -> Result<Out, Refusal> {
    let order_id = target(None, replaced)?;
    let account = ctx.trading_account(named).await?;
    let contract = match wish.has_contract() {
        true => Some(ibd::contract(ctx, &wish).await?),
        false => None,
    };
    let ticket = AlertTicket { order_id, ..ticket(&wish, contract.as_ref(), Timestamp::now())? };
    enter(ctx, account, ticket, Vec::new()).await
}

/// The alert that is replaced, named in one way or two.
fn target(own: Option<OrderId>, replaced: Option<Which>) -> Result<Option<OrderId>, Refusal> {
    match (own, replaced) {
        (own, None) => Ok(own),
        (None, Some(Which::Ibkr(id))) => Ok(Some(id)),
        (Some(own), Some(Which::Ibkr(id))) if own == id => Ok(Some(id)),
        // Its number says which.
        (None, Some(Which::Mobile)) => Ok(None),
        (_, Some(_)) => Err(Refusal::new(
            ErrorCode::Contradiction,
            "alertId and alertRequest name different alerts.",
            "Nothing was sent. Name one.",
        )
        .at("alertId")),
    }
}

fn ticket(
    wish: &Wish,
    contract: Option<&Contract>,
    now: Timestamp,
) -> Result<AlertTicket, Refusal> {
    let name = contract.map(ibd::name);
    let (value, limit, zone) = match &wish.what {
        What::Quote(_, limit) | What::Margin(limit) => {
            (limit.value.normalize().to_string(), Some(limit), None)
        }
        What::Time(at) if *at <= now => {
            return Err(Refusal::argument(
                "time",
                "time is over.",
                "Nothing was sent. Correct it.",
            ));
        }
        What::Time(at) => {
            let utc = at.to_zoned(TimeZone::UTC).strftime(TIME).to_string();
            (utc, None, Some("GMT".to_owned()))
        }
        _ => ("*".to_owned(), None, None),
    };
    let kind = kind(&wish.what).ok_or_else(|| {
        Refusal::argument("watch", "IBKR's alerts cannot wait for that.", "Use at:\"ibd\".")
    })?;
    let operator = match (&wish.what, limit.map(|limit| limit.side)) {
        (What::Trade, _) => None,
        (_, Some(Side::Below)) => Some("<=".to_owned()),
        (_, Some(Side::Above) | None) => Some(">=".to_owned()),
    };
    let what = match &wish.what {
        What::Time(at) => format!("time {at}"),
        _ => format!("{}{}", kind.as_str(), limit.map(in_words).unwrap_or_default()),
    };
    let alert_name = name.map_or(what.clone(), |name| format!("{name} {what}"));
    let condition = AlertCondition {
        kind: kind.number(),
        conidex: Some(contract.map_or_else(|| "*@*".to_owned(), conidex)),
        operator,
        trigger_method: "0".to_owned(),
        value,
        logic_bind: "n".to_owned(),
        time_zone: zone,
    };
    Ok(AlertTicket {
        alert_message: Some(wish.message.clone().unwrap_or_else(|| alert_name.clone())),
        alert_name: Some(alert_name),
        tif: Some("GTC".to_owned()),
        conditions: vec![condition],
        ..AlertTicket::default()
    })
}

fn in_words(limit: &Limit) -> String {
    let side = match limit.side {
        Side::Above => "above",
        Side::Below => "below",
    };
    format!(" {side} {}", limit.value.normalize())
}

/// What has one exchange of its own is watched there; anything else where it trades best.
fn conidex(contract: &Contract) -> String {
    let is_routed = matches!(
        contract.sec_type,
        None | Some(SecType::Stock | SecType::Option | SecType::Warrant | SecType::Bond)
    );
    let own = contract.exchange.as_deref().filter(|_| !is_routed);
    format!("{}@{}", contract.conid, own.unwrap_or("SMART"))
}

/// Enters it, unless the same is there and waits already.
async fn enter(
    ctx: &Ctx,
    account: AccountId,
    mut ticket: AlertTicket,
    mut warnings: Vec<String>,
) -> Result<Out, Refusal> {
    let _turn = ctx.desks.alerts.turn().await;
    let is_new = ticket.order_id.is_none() && ticket.tool_id.is_none();
    let before = get_alerts::list(ctx, &account).await?.value;
    if let Some(id) = ticket.order_id {
        warnings.extend(keep_name(ctx, id, &mut ticket).await?);
    } else if is_new && let Some(id) = find(ctx, before.iter(), &ticket).await? {
        return Ok(out("existing", id, account, &ticket, warnings));
    }
    let status = if is_new { "created" } else { "replaced" };
    let endpoint = PutAlert { account: account.clone(), ticket: ticket.clone() };
    let why = match send(ctx, &endpoint).await? {
        Sent::Taken(taken) => {
            warnings.extend(taken.warning.map(|text| clean(&text)));
            match taken.id.or(ticket.order_id) {
                Some(id) => return Ok(out(status, id, account, &ticket, warnings)),
                None => "IBKR answered without its number".to_owned(),
            }
        }
        Sent::Unknown(failure) => failure.to_string(),
    };
    let known: Vec<OrderId> = before.iter().map(|row| row.id).filter(|_| is_new).collect();
    match seek(ctx, &account, &ticket, &known).await {
        Some(id) => {
            warnings
                .push(format!("IBKR's answer was lost ({why}); the alert was found in its list."));
            Ok(out(status, id, account, &ticket, warnings))
        }
        None => Err(lost(&why)),
    }
}

fn out(
    status: &'static str,
    id: OrderId,
    account: AccountId,
    ticket: &AlertTicket,
    warnings: Vec<String>,
) -> Out {
    let name = ticket.alert_name.as_deref().map(clean);
    Out {
        status,
        at: "ibkr",
        alert_id: id.to_string(),
        alert: name.unwrap_or_else(|| "Mobile Trading Assistant".to_owned()),
        account: Some(account.to_string()),
        value: None,
        seen_at: None,
        warnings,
        as_of: Time::now(),
    }
}

/// IBKR lets no name be changed: the alert that is changed keeps its own.
async fn keep_name(
    ctx: &Ctx,
    id: OrderId,
    ticket: &mut AlertTicket,
) -> Result<Option<String>, Refusal> {
    let AlertPage { name, message, .. } = page(ctx, id).await?.value;
    // What was not said stays as it is.
    ticket.alert_message = ticket.alert_message.take().or(message).or_else(|| name.clone());
    let Some(name) = name else { return Ok(None) };
    let is_same = ticket.alert_name.as_ref().is_none_or(|wanted| *wanted == name);
    let wanted = ticket.alert_name.replace(name.clone());
    let told = || {
        let wanted = wanted.as_deref().unwrap_or_default();
        format!("IBKR lets no name be changed: it stays {:?}, and is not {wanted:?}.", clean(&name))
    };
    Ok((!is_same).then(told))
}

async fn page(ctx: &Ctx, id: OrderId) -> Result<Answer<AlertPage>, Refusal> {
    let deadline = ctx.deadline;
    ctx.serve(|lease| async move {
        lease.client().ask(&GetAlert { id }, deadline).await.map_err(|failure| match failure {
            failure @ Failure::Refused { .. } => Unserved::Refused(refused(failure)),
            failure => Unserved::Failed(failure),
        })
    })
    .await
}

/// One that waits for the same.
async fn find<'r>(
    ctx: &Ctx,
    rows: impl Iterator<Item = &'r AlertRow>,
    ticket: &AlertTicket,
) -> Result<Option<OrderId>, Refusal> {
    let is_named = |row: &&AlertRow| row.name == ticket.alert_name && row.is_active == Some(true);
    let ids: Vec<OrderId> = rows.filter(is_named).take(COMPARED).map(|row| row.id).collect();
    for id in ids {
        if is_alike(&page(ctx, id).await?.value, ticket) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Looks for what may have been entered: not among those that were there before.
async fn seek(
    ctx: &Ctx,
    account: &AccountId,
    ticket: &AlertTicket,
    known: &[OrderId],
) -> Option<OrderId> {
    for _ in 0..LOOKS {
        tokio::time::sleep(scaled(PAUSE)).await;
        if let Some(id) = ticket.order_id {
            match page(ctx, id).await {
                Ok(answer) if is_alike(&answer.value, ticket) => return Some(id),
                _ => continue,
            }
        }
        let Ok(lease) = ctx.lease().await else { continue };
        if ticket.tool_id.is_some() {
            match lease.client().ask_anew(&GetMobileAlert, ctx.deadline).await {
                Ok(answer) if is_alike(&answer.value, ticket) => return Some(answer.value.id),
                _ => continue,
            }
        }
        let list = GetAlerts { account: account.clone() };
        let Ok(list) = lease.client().ask_anew(&list, ctx.deadline).await else { continue };
        let new = list.value.iter().filter(|row| !known.contains(&row.id));
        if let Ok(Some(id)) = find(ctx, new, ticket).await {
            return Some(id);
        }
    }
    None
}

fn lost(why: &str) -> Refusal {
    Refusal::new(
        ErrorCode::Timeout,
        format!("Whether IBKR has the alert is not known: {why}, and it is not in its list yet."),
        "Look with get_alerts before you call again; the same call is answered as existing if it is there.",
    )
}
