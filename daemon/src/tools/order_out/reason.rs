//! In which of four ways it stands, and why.

use ibd_protocol::ReasonCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::orders::{End, Intent, IntentState as State, NotPlaced, Purpose, Standing};

/// Why it is as it is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// Stable, in snake_case.
    pub(super) code: String,
    /// In words; what IBKR says is quoted and is data.
    pub(super) message: String,
    /// The setting that says so, with its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) setting: Option<String>,
}

pub(super) fn status(state: &State) -> &'static str {
    match state {
        State::Denied(_) | State::Over(End::Rejected(_) | End::NotPlaced(_) | End::NotTaken) => {
            "not_placed"
        }
        State::Awaiting(_) => "needs_confirmation",
        State::Working(_)
        | State::Over(
            End::Filled(_) | End::Cancelled(_) | End::Unlisted(_) | End::Done | End::Requested,
        ) => "placed",
        State::Ready
        | State::Sending
        | State::Replying { .. }
        | State::Declining { .. }
        | State::Unknown(_)
        | State::Parked(_) => "unknown",
    }
}

pub(super) fn reason(state: &State) -> Option<Reason> {
    let (code, message, setting) = match state {
        State::Denied(denial) => {
            (denial.code.clone(), denial.message.clone(), denial.setting.clone())
        }
        State::Over(End::Rejected(text)) => {
            (ReasonCode::BrokerRefused.into(), format!("IBKR refused: {text}"), None)
        }
        State::Over(End::NotPlaced(why)) => {
            let code = match why {
                NotPlaced::Declined(_) => ReasonCode::Declined,
                NotPlaced::Expired => ReasonCode::Expired,
                NotPlaced::NotSent(_) => ReasonCode::NotSent,
                NotPlaced::Asked(_) => ReasonCode::QuestionDeclined,
                NotPlaced::ByPerson => ReasonCode::ResolvedByPerson,
                NotPlaced::Restarted(_) => ReasonCode::Restarted,
            };
            (code.into(), crate::orders::why(state)?, None)
        }
        State::Unknown(doubt) => (ReasonCode::Unknown.into(), doubt.cause.clone(), None),
        State::Parked(doubt) => {
            let message = format!("{}; {} looks at IBKR did not find it", doubt.cause, doubt.looks);
            (ReasonCode::Parked.into(), message, None)
        }
        State::Working(Standing { risen: Some(told), .. })
        | State::Over(
            End::Filled(Standing { risen: Some(told), .. })
            | End::Cancelled(Standing { risen: Some(told), .. }),
        ) => {
            let message =
                format!("IBKR has it, although it was told as not placed before ({told})");
            (ReasonCode::CameAlive.into(), message, None)
        }
        State::Working(Standing { refused: Some(text), .. })
        | State::Over(End::Filled(Standing { refused: Some(text), .. })) => {
            let message = format!("IBKR refused a part of the submission: {text}");
            (ReasonCode::PartlyRefused.into(), message, None)
        }
        State::Over(End::NotTaken) => {
            (ReasonCode::NotTaken.into(), crate::orders::why(state)?, None)
        }
        State::Over(End::Unlisted(_)) => {
            (ReasonCode::NoLongerListed.into(), "IBKR's lists no longer have it.".to_owned(), None)
        }
        State::Sending | State::Replying { .. } | State::Declining { .. } | State::Ready => {
            (ReasonCode::BeingSent.into(), "It is being sent at this moment.".to_owned(), None)
        }
        _ => return None,
    };
    Some(Reason { code: code.to_string(), message, setting })
}

/// What has come of a change or an end. That an order ended only the order itself can say.
pub(super) fn outcome(intent: &Intent) -> Option<&'static str> {
    match (&intent.state, &intent.purpose) {
        (State::Over(End::Done), Purpose::Modify { change, .. }) if change.unseen().is_none() => {
            Some("done")
        }
        (State::Over(End::Done | End::Requested), _) => Some("requested"),
        _ => None,
    }
}
