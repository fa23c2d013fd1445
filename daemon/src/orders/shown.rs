//! Intents as a person sees them.

use ibd_protocol::{ApprovalReport, OrderReport};
use jiff::{Timestamp, Unit};

use super::intent::Intent;
use super::record::why;
use super::standing::Standing;
use super::{life, told};

/// What needs a person comes first, then what works, then what is over.
pub(super) fn urgency(state: &life::State) -> u8 {
    match state {
        life::State::Parked(_) => 0,
        life::State::Awaiting(_) => 1,
        life::State::Unknown(_) => 2,
        state if state.is_open() => 3,
        _ => 4,
    }
}

fn to_second(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}

/// An order.
pub(super) fn order(intent: &Intent) -> OrderReport {
    let hint = match &intent.state {
        life::State::Parked(_) | life::State::Unknown(_) => format!(
            "`ibctl orders resolve {0} --not-placed` or `--placed ORDER_ID`, once you have seen it in TWS.",
            intent.id
        ),
        life::State::Awaiting(approval) => format!("`ibctl approve {}`", approval.id),
        state if state.standing().is_some_and(Standing::has_missing) => format!(
            "IBKR's lists no longer have it. `ibctl orders resolve {} --not-placed`, once you have seen in TWS \
             that it is gone.",
            intent.id
        ),
        _ => String::new(),
    };
    OrderReport {
        intent_id: intent.id.to_string(),
        client_order_id: intent.client_order_id.to_string(),
        order_id: intent.order_id().map(|id| id.to_string()),
        account: intent.account.to_string(),
        state: intent.state.word().into(),
        text: intent.text.clone(),
        client: intent.origin.client.clone(),
        since: to_second(intent.since),
        reason: why(&intent.state),
        hint,
        open: intent.state.is_open(),
        others: told::others(intent),
        warnings: told::warnings(intent, Timestamp::now()),
    }
}

/// What waits for a yes.
pub(super) fn approval(intent: &Intent, now: Timestamp) -> Option<ApprovalReport> {
    let life::State::Awaiting(approval) = &intent.state else { return None };
    Some(ApprovalReport {
        id: approval.id.clone(),
        intent_id: intent.id.to_string(),
        account: intent.account.to_string(),
        paper: intent.order.as_ref().is_some_and(|order| order.paper),
        lines: approval.lines(intent),
        questions: approval
            .questions
            .iter()
            .map(|q| format!("{}: {}", q.id.as_deref().unwrap_or("question"), q.text))
            .collect(),
        client: intent.origin.client.clone(),
        digest: intent.digest(),
        asked_at: to_second(approval.asked_at),
        expires_at: to_second(approval.expires_at),
        age_seconds: approval.age(now),
    })
}
