//! Whether an alert at IBKR is the one that was sent. Pure.

use ibd_cpapi::alerts::{AlertCondition, AlertPage, AlertTicket, PageCondition, TIME};
use ibd_cpapi::lenient::{FromBroker, utc};
use rust_decimal::Decimal;

/// Whether an alert's page says what the ticket does. What cannot be read is not the same.
pub(super) fn is_alike(page: &AlertPage, ticket: &AlertTicket) -> bool {
    let expires = ticket.expire_time.as_deref().and_then(|text| utc(TIME, text));
    let terms = page.is_repeatable.unwrap_or(false) == ticket.alert_repeatable.0
        && page.outside_rth.unwrap_or(false) == ticket.outside_rth.0
        && page.expires == expires
        && is_same_text(page.message.as_deref(), ticket.alert_message.as_deref());
    let conditions = &page.conditions;
    let is_whole = conditions.is_whole() && conditions.len() == ticket.conditions.len();
    let mut pairs = conditions.iter().zip(&ticket.conditions);
    terms && is_whole && pairs.all(|(page, sent)| is_same(page, sent))
}

fn is_same(page: &PageCondition, sent: &AlertCondition) -> bool {
    let operator = sent.operator.is_none() || page.operator == sent.operator;
    page.kind == Some(u32::from(sent.kind))
        && operator
        && contract(page.conidex.as_deref()) == contract(sent.conidex.as_deref())
        && is_same_value(page.value.as_deref(), &sent.value)
        && page.bind.as_deref().unwrap_or("n").eq_ignore_ascii_case(&sent.logic_bind)
        && is_same_text(page.zone.as_deref(), sent.time_zone.as_deref())
}

/// The contract's number; nothing where it need not be a certain one.
fn contract(conidex: Option<&str>) -> Option<&str> {
    let conid = conidex?.split('@').next()?;
    Some(conid).filter(|conid| !conid.is_empty() && *conid != "*")
}

fn is_same_value(page: Option<&str>, sent: &str) -> bool {
    // A star is as good as nothing.
    let page = page.unwrap_or("*");
    match (Decimal::from_broker(page), Decimal::from_broker(sent)) {
        (Some(one), Some(other)) => one == other,
        _ => page == sent,
    }
}

fn is_same_text(one: Option<&str>, other: Option<&str>) -> bool {
    one.unwrap_or_default().trim() == other.unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_cpapi::alerts::Flag;

    const PAGE: &str = r#"{"order_id":7,"alert_message":"AAPL fell","alert_repeatable":0,"condition_outside_rth":0,
        "expire_time":"20990101-12:00:00","conditions":[{"condition_type":1,"conidex":"265598@SMART",
        "condition_operator":"<=","condition_value":"183.340","condition_logic_bind":"n"}]}"#;

    fn ticket() -> AlertTicket {
        let condition = AlertCondition {
            kind: 1,
            conidex: Some("265598@NASDAQ".into()),
            operator: Some("<=".into()),
            trigger_method: "0".into(),
            value: "183.34".into(),
            logic_bind: "n".into(),
            time_zone: None,
        };
        AlertTicket {
            alert_message: Some("AAPL fell".into()),
            expire_time: Some("20990101-12:00:00".into()),
            conditions: vec![condition],
            ..AlertTicket::default()
        }
    }

    #[test]
    fn the_same_alert_is_known_again_and_no_other_is() {
        let page: AlertPage = serde_json::from_str(PAGE).unwrap();
        assert!(is_alike(&page, &ticket()));
        let is_still = |change: fn(&mut AlertTicket)| {
            let mut other = ticket();
            change(&mut other);
            is_alike(&page, &other)
        };
        let changes: [fn(&mut AlertTicket); 8] = [
            |other| other.conditions[0].value = "183.35".into(),
            |other| other.conditions[0].operator = Some(">=".into()),
            |other| other.conditions[0].conidex = Some("8314@SMART".into()),
            |other| other.conditions[0].kind = 6,
            |other| other.alert_message = Some("other".into()),
            |other| other.expire_time = None,
            |other| other.alert_repeatable = Flag(true),
            |other| other.conditions.clear(),
        ];
        for change in changes {
            assert!(!is_still(change));
        }
    }
}
