//! Which alert is meant, and what IBKR says to what is sent about alerts.

pub mod already;

use std::time::Duration;

use ibd_cpapi::alerts::{Taken, is_firewall};
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::failure::clean;
use ibd_cpapi::id::OrderId;
use ibd_cpapi::{Endpoint, Failure};
use ibd_protocol::ErrorCode;
use tokio::time::Instant;

use super::Ctx;
use crate::alerts::AlertId;
use crate::contracts::Contract;
use crate::refusal::Refusal;

/// So long before its caller stops waiting an answer must be there, so that what became of it can be looked for.
const MARGIN: Duration = Duration::from_secs(8);
/// Fields of an alert, as IBKR names them when it refuses one.
const FIELDS: [&str; 13] = [
    "alertName",
    "alertMessage",
    "alertRepeatable",
    "outsideRth",
    "expireTime",
    "iTWSOrdersOnly",
    "showPopup",
    "playAudio",
    "sendMessage",
    "email",
    "toolId",
    "conditions",
    "tif",
];

/// Which alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// One that IBKR keeps.
    Ibkr(OrderId),
    /// One of ibd's own.
    Ibd(AlertId),
    /// That of the Mobile Trading Assistant.
    Mobile,
}

impl Which {
    /// What an argument names.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        if text.eq_ignore_ascii_case("mta") {
            return Ok(Self::Mobile);
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Ibd(id));
        }
        // At IBKR zero means all of them, which nobody has asked for.
        text.parse().map(Self::Ibkr).map_err(|_| {
            let message = format!("{text:?} is no alert's id.");
            Refusal::argument(
                "alertId",
                message,
                "Take alertId from get_alerts: 1234567895, or ibd-7.",
            )
        })
    }

    /// One that must be named.
    pub fn named(text: Option<&str>) -> Result<Self, Refusal> {
        let missing =
            || Refusal::argument("alertId", "No alert is named.", "Take alertId from get_alerts.");
        Self::read(text.ok_or_else(missing)?)
    }
}

/// How a contract is called.
pub fn name(contract: &Contract) -> String {
    let is_plain = matches!(contract.sec_type, None | Some(SecType::Stock));
    let described = contract.description.as_ref().filter(|_| !is_plain);
    let text = described.or(contract.symbol.as_ref());
    text.map_or_else(|| format!("contract {}", contract.conid), |text| clean(text))
}

/// What became of something that was sent.
#[derive(Debug)]
pub enum Sent {
    /// IBKR took it.
    Taken(Taken),
    /// Whether it did is not known.
    Unknown(Failure),
}

/// Sends something about an alert once, and never again by itself.
pub async fn send<E: Endpoint<Reply = Taken>>(ctx: &Ctx, endpoint: &E) -> Result<Sent, Refusal> {
    let lease = ctx.lease().await?;
    let soon = ctx.deadline.checked_sub(MARGIN).unwrap_or_else(Instant::now);
    let failure = match lease.client().ask(endpoint, soon).await {
        Ok(answer) if answer.value.success == Some(false) => {
            let text = answer.value.text.unwrap_or_else(|| "no reason was given".to_owned());
            return Err(no(&text));
        }
        Ok(answer) => return Ok(Sent::Taken(answer.value)),
        Err(failure) => failure,
    };
    if may_be_done(&failure) {
        ctx.desks.session.suspect(&lease);
        return Ok(Sent::Unknown(failure));
    }
    if failure.casts_doubt() && !is_no(&failure) {
        ctx.desks.session.doubt(&lease, &failure, ctx.deadline).await;
    }
    Err(refused(failure))
}

/// Whether a request may have been carried out although it was not answered as it should be.
fn may_be_done(failure: &Failure) -> bool {
    match failure {
        Failure::Silent(_) | Failure::Broke | Failure::Garbled { .. } => true,
        Failure::Trouble { .. } => !is_no(failure),
        _ => false,
    }
}

/// Whether IBKR's own words about an alert say no. It answers them with 500.
fn is_no(failure: &Failure) -> bool {
    let Failure::Trouble { status: 500, text } = failure else { return false };
    FIELDS.iter().any(|field| has_word(text, field))
        || text.contains("Condition #")
        || text.to_lowercase().contains("alert")
}

/// What a failure means for whoever asked.
pub fn refused(failure: Failure) -> Refusal {
    match failure {
        failure if is_firewall(&failure) => firewall(&failure),
        Failure::Refused { text, .. } | Failure::Trouble { status: 500, text } => no(&text),
        other => other.into(),
    }
}

fn no(text: &str) -> Refusal {
    let text = clean(text);
    let absent = ["not found", "doesn't exist", "activate/deactivate"];
    // A condition may be about a contract that is not found.
    let is_condition = text.contains("Condition #");
    if !is_condition && absent.iter().any(|words| text.contains(words)) {
        let message = format!("IBKR has no such alert ({text}).");
        let next = "get_alerts lists those that there are. One that is past its end cannot be switched on.";
        return Refusal::new(ErrorCode::UnknownAlert, message, next).at("alertId");
    }
    let refusal = Refusal::new(
        ErrorCode::BrokerRefused,
        format!("IBKR refused the alert: {text}. Nothing was changed."),
        "Correct what it names and call again.",
    );
    match field_in(&text) {
        Some(field) => refusal.at(&field),
        None => refusal,
    }
}

/// The field that IBKR's words name.
fn field_in(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("Condition #") {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let number = digits.parse::<usize>().ok()?.checked_sub(1)?;
        return Some(format!("alertRequest.conditions[{number}]"));
    }
    let named = FIELDS.iter().find(|field| has_word(text, field))?;
    Some(format!("alertRequest.{named}"))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|one| one == word)
}

/// It says nothing of what the user may do: the same body without the sign is let through.
fn firewall(failure: &Failure) -> Refusal {
    Refusal::new(
        ErrorCode::BrokerRefused,
        format!(
            "IBKR's gateway refuses the request before anything reads it ({failure}). It is known to do that with \
             every alert in which >= or <= stands. It is not a matter of permissions. Nothing was changed."
        ),
        "Make it an alert of ibd's own instead: create_alert with at:\"ibd\".",
    )
    .at("at")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_alert_is_one_of_ibkrs_or_one_of_ours_and_never_all() {
        assert_eq!(Which::read("1234567895").unwrap(), Which::Ibkr("1234567895".parse().unwrap()));
        assert_eq!(Which::read("IBD-7").unwrap(), Which::Ibd(AlertId(7)));
        assert_eq!(Which::read("mta").unwrap(), Which::Mobile);
        for bad in ["0", "-1", "seven", "ibd-", "../x"] {
            assert_eq!(Which::read(bad).unwrap_err().field.as_deref(), Some("alertId"), "{bad}");
        }
        assert_eq!(Which::named(None).unwrap_err().field.as_deref(), Some("alertId"));
    }

    #[test]
    fn ibkrs_no_names_the_field_and_a_firewall_is_no_missing_permission() {
        let trouble = |text: &str| Failure::Trouble { status: 500, text: text.into() };
        for (text, field) in [
            ("Condition #2:can't recognize fix [abc]", "alertRequest.conditions[1]"),
            ("Condition #1:contract [1@SMART] is not found", "alertRequest.conditions[0]"),
            ("Alert name cannot be modified", "-"),
            ("alertMessage is required", "alertRequest.alertMessage"),
            ("tif is GTC or GTD", "alertRequest.tif"),
        ] {
            assert!(!may_be_done(&trouble(text)), "{text}");
            let refusal = refused(trouble(text));
            assert_eq!(refusal.error, ErrorCode::BrokerRefused);
            assert_eq!(refusal.field.as_deref().unwrap_or("-"), field, "{text}");
        }
        let absent = refused(trouble("failed to delete alert: Alert 8 doesn't exist"));
        assert_eq!(absent.error, ErrorCode::UnknownAlert);
        let page = Failure::Refused { status: 403, text: "Access Denied".into() };
        let refusal = refused(page);
        assert!(refusal.message.contains("not a matter of permissions"), "{}", refusal.message);
        assert!(refusal.next.contains("at:\"ibd\""), "{}", refusal.next);
    }

    #[test]
    fn what_was_not_answered_may_have_been_done() {
        for failure in [
            Failure::Silent(Duration::from_secs(15)),
            Failure::Broke,
            Failure::Trouble { status: 503, text: "Service Unavailable".into() },
            Failure::Trouble { status: 500, text: "unknown".into() },
        ] {
            assert!(may_be_done(&failure), "{failure}");
        }
        assert!(!may_be_done(&Failure::Queued) && !may_be_done(&Failure::NotLoggedIn));
    }
}
