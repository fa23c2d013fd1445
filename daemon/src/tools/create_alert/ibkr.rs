//! An alert that IBKR keeps: entered once, and looked for where the answer was lost.

mod alike;

use std::time::Duration;

use ibd_cpapi::alerts::{
    AlertCondition, AlertPage, AlertRow, AlertTicket, Flag, GetAlert, GetAlerts, GetMobileAlert,
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
use crate::alerts::{Limit, Side, moment};
use crate::contracts::Contract;
use crate::refusal::{Refusal, Unserved};
use crate::tools::Ctx;
use crate::tools::alert::{Sent, Which, already, name, refused, send};
use crate::tools::cell::Time;
use crate::tools::get_alerts;
use alike::is_alike;

/// How often an alert is looked for whose answer was lost, and the pause before each look.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(1_000);
/// Good until it is cancelled, or until a moment.
const GTC: &str = "GTC";
const GTD: &str = "GTD";
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
    let is_named_here = ticket.order_id.is_some();
    ticket.order_id = target(ticket.order_id, replaced)?;
    let account = ctx.trading_account(named).await?;
    let entered = enter(ctx, account, ticket, said).await;
    entered.map_err(|refusal| {
        let is_its_own = is_named_here && refusal.field.as_deref() == Some("alertId");
        if is_its_own { refusal.at("alertRequest.orderId") } else { refusal }
    })
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
    let name = contract.map(name);
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
        What::Time(at) => (in_utc(*at), None, Some("GMT".to_owned())),
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
        conditions: vec![condition],
        ..AlertTicket::default()
    })
}

/// As IBKR writes it.
fn in_utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime(TIME).to_string()
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
        let page = page(ctx, id).await?.value;
        is_of(&page, &account)?;
        warnings.extend(keep(page, &mut ticket, Timestamp::now()));
    } else if is_new {
        let waiting = before.iter().filter(|row| waits(row));
        if let Some(id) = find(ctx, waiting, &ticket).await? {
            return Ok(out("existing", id, account, &ticket, warnings));
        }
        let unread = before.unread().first();
        warnings.extend(unread.map(|row| {
            format!("Whether the same alert is there already is not known for certain. {row}")
        }));
    }
    ticket.tif.get_or_insert_with(|| GTC.to_owned());
    let soon = already::soon(ctx);
    let terms = already::of_ticket(&ticket);
    warnings.extend(already::at_ibkr(ctx, (&account, &terms), soon).await);
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

/// Another account's alert is not meant.
fn is_of(page: &AlertPage, account: &AccountId) -> Result<(), Refusal> {
    match &page.account {
        Some(own) if own != account => Err(Refusal::new(
            ErrorCode::Contradiction,
            format!("The alert {} is of {own}, and not of {account}.", page.id),
            "Nothing was sent. Name its account in accountId, or another alert.",
        )
        .at("accountId")),
        _ => Ok(()),
    }
}

/// What the alert that is changed keeps, and what is to be said of it: IBKR lets no name be changed, and what fired
/// waits anew.
fn keep(page: AlertPage, ticket: &mut AlertTicket, now: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    if ticket.tif.is_none() && ticket.expire_time.is_none() {
        said.extend(keep_end(&page, ticket, now));
    }
    let AlertPage { name, message, email, sends_message, is_triggered, .. } = page;
    if is_triggered == Some(true) {
        said.push("It has fired already, and waits anew now.".to_owned());
    }
    // What was not said stays as it is.
    ticket.alert_message = ticket.alert_message.take().or(message).or_else(|| name.clone());
    let is_silent = ticket.email.is_none() && ticket.send_message.is_none();
    if is_silent && sends_message == Some(true) && email.is_some() {
        (ticket.email, ticket.send_message) = (email, Some(Flag(true)));
    }
    let Some(name) = name else { return said };
    let wanted = ticket.alert_name.replace(name.clone());
    if let Some(wanted) = wanted.filter(|wanted| *wanted != name) {
        let name = clean(&name);
        said.push(format!(
            "IBKR lets no name be changed: it stays {name:?}, and is not {wanted:?}."
        ));
    }
    said
}

/// One that was good until a moment stays so; where that cannot be, it is said that it is good until cancelled.
fn keep_end(page: &AlertPage, ticket: &mut AlertTicket, now: Timestamp) -> Option<String> {
    let is_gtd = page.tif.as_ref().map(|tif| tif.eq_ignore_ascii_case(GTD));
    let ends = page.expires.filter(|_| is_gtd != Some(false));
    match ends {
        Some(ends) if ends > now => {
            (ticket.tif, ticket.expire_time) = (Some(GTD.to_owned()), Some(in_utc(ends)));
            Some(format!("It stays good until {}.", moment(ends)))
        }
        Some(ends) => Some(format!(
            "It was good until {}, which is over: it is good until cancelled (GTC) now.",
            moment(ends)
        )),
        None if is_gtd == Some(true) => Some(
            "Until when it was good could not be read: it is good until cancelled (GTC) now."
                .to_owned(),
        ),
        None => None,
    }
}

/// Whether something may still come of an alert. What has fired, and does not go on after that, is not the one that is
/// asked for.
fn waits(row: &AlertRow) -> bool {
    let is_over = row.is_triggered == Some(true) && row.is_repeatable != Some(true);
    row.is_active == Some(true) && !is_over
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

/// One of these that waits, or waited, for the same.
async fn find<'r>(
    ctx: &Ctx,
    rows: impl Iterator<Item = &'r AlertRow>,
    ticket: &AlertTicket,
) -> Result<Option<OrderId>, Refusal> {
    let is_named = |row: &&AlertRow| row.name == ticket.alert_name;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn page(more: &str) -> AlertPage {
        let json = format!(
            r#"{{"order_id":7,"account":"DU1","alert_name":"old","alert_message":"m"{more}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_is_replaced_keeps_what_was_not_said_and_says_what_changes_besides() {
        let mail = r#","alert_email":"a@example.org","alert_send_message":1"#;
        let mut ticket = AlertTicket { alert_name: Some("new".into()), ..AlertTicket::default() };
        let said = keep(page(mail), &mut ticket, now());
        assert_eq!((said.len(), ticket.alert_name.as_deref()), (1, Some("old")), "{said:?}");
        assert_eq!(
            (ticket.email.as_deref(), ticket.send_message),
            (Some("a@example.org"), Some(Flag(true)))
        );
        assert_eq!(ticket.alert_message.as_deref(), Some("m"));
        let mut silent = AlertTicket { send_message: Some(Flag(false)), ..AlertTicket::default() };
        assert!(keep(page(mail), &mut silent, now()).is_empty());
        assert_eq!(silent.email, None, "who wants no mail gets none");
        let fired = page(r#","alert_triggered":true"#);
        let fired = keep(fired, &mut AlertTicket::default(), now());
        assert!(fired[0].contains("fired already"), "{fired:?}");
    }

    #[test]
    fn what_is_replaced_stays_good_as_long_into_what_it_was_unless_another_end_is_said() {
        const OLD: &str = "20270101-12:00:00";
        let gtd = r#","tif":"GTD","expire_time":"20270101-12:00:00""#;
        let over = r#","tif":"GTD","expire_time":"20260101-12:00:00""#;
        let new = "20280101-12:00:00";
        for (more, (tif, expires), kept, words) in [
            (gtd, (None, None), (Some(GTD), Some(OLD)), "stays good until 2027-01-01T12:00:00Z"),
            (
                r#","expire_time":"20270101-12:00:00""#,
                (None, None),
                (Some(GTD), Some(OLD)),
                "stays",
            ),
            (gtd, (Some(GTC), None), (Some(GTC), None), ""),
            (gtd, (Some(GTD), Some(new)), (Some(GTD), Some(new)), ""),
            (over, (None, None), (None, None), "which is over: it is good until cancelled"),
            (r#","tif":"GTD""#, (None, None), (None, None), "could not be read"),
            (r#","tif":"GTC""#, (None, None), (None, None), ""),
            ("", (None, None), (None, None), ""),
        ] {
            let mut ticket = AlertTicket {
                tif: tif.map(str::to_owned),
                expire_time: expires.map(str::to_owned),
                ..AlertTicket::default()
            };
            let said = keep(page(more), &mut ticket, now()).join(" ");
            assert_eq!((ticket.tif.as_deref(), ticket.expire_time.as_deref()), kept, "{more}");
            assert_eq!(said.is_empty(), words.is_empty(), "{more}: {said}");
            assert!(said.contains(words), "{more}: {said}");
        }
    }

    #[test]
    fn an_alert_of_another_account_is_not_replaced() {
        let account = |text: &str| text.parse::<AccountId>().unwrap();
        assert!(is_of(&page(""), &account("DU1")).is_ok());
        let refusal = is_of(&page(""), &account("DU2")).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some("accountId"));
    }

    #[test]
    fn what_has_fired_is_not_the_same_alert_again() {
        for (json, is_waiting) in [
            (r#"{"order_id":7,"alert_active":1}"#, true),
            (r#"{"order_id":7,"alert_active":1,"alert_triggered":true}"#, false),
            (
                r#"{"order_id":7,"alert_active":1,"alert_triggered":true,"alert_repeatable":1}"#,
                true,
            ),
            (r#"{"order_id":7,"alert_active":0}"#, false),
        ] {
            assert_eq!(waits(&serde_json::from_str(json).unwrap()), is_waiting, "{json}");
        }
    }
}
