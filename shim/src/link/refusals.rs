//! What the shim itself says instead of a daemon.

use ibd_protocol::ErrorCode;
use ibd_protocol::client::ConnectError;
use ibd_protocol::start::StartError;
use ibd_protocol::version::{build, is_newer};

use super::Setup;
use crate::translate::own_refusal;

/// What every call answers, if this client's settings are bad.
pub(super) fn broken(setup: &Setup) -> Option<String> {
    let (field, problem) = match (setup.bad.first(), &setup.places) {
        (Some(bad), _) => (bad.field.clone(), bad.problem.clone()),
        (None, Err(problem)) => ("HOME".to_owned(), problem.clone()),
        (None, Ok(_)) => return None,
    };
    let refusal = serde_json::json!({
        "error": ErrorCode::BadConfiguration,
        "message": format!("This client's configuration is wrong: {field}: {problem}"),
        "next": format!("Ask the user to correct {field} where this client starts ib-mcp, and to restart the client."),
        "field": field,
    });
    Some(refusal.to_string())
}

/// No daemon can be had.
pub(super) fn refusal_of(error: &StartError) -> String {
    match error {
        StartError::Connect(ConnectError::OtherProtocol { theirs, .. })
            if is_newer(theirs, build()) =>
        {
            own_refusal(
                ErrorCode::VersionMismatch,
                &error.to_string(),
                "Ask the user to restart this client: its ib-mcp runs since before an upgrade of ibd. If that does not \
                 help, another ib-mcp is installed than ibd; the same version of both is wanted.",
            )
        }
        StartError::Connect(ConnectError::OtherProtocol { .. }) => own_refusal(
            ErrorCode::VersionMismatch,
            &error.to_string(),
            "Ask the user to install the same version of ib-mcp and ibd, run `ibctl restart`, and restart this client.",
        ),
        StartError::NoProgram(_) => own_refusal(
            ErrorCode::DaemonMissing,
            &error.to_string(),
            "Ask the user to install ibd beside ib-mcp (`make install`).",
        ),
        _ => own_refusal(
            ErrorCode::DaemonUnavailable,
            &error.to_string(),
            "Ask the user to run `ibctl status` and `ibctl logs`; the next call tries again.",
        ),
    }
}

/// A call that may be what ends daemons.
pub(super) fn ends_the_daemon() -> String {
    own_refusal(
        ErrorCode::DaemonUnavailable,
        "The daemon ended several times while it worked on this call.",
        "Do not repeat it. If it was to send something, look first at what there is; the user can find the \
         reason in `ibctl logs`.",
    )
}

/// A daemon that hangs.
pub(super) fn unanswered() -> String {
    own_refusal(
        ErrorCode::Timeout,
        "The daemon did not answer in time. If this was to send or change something, it may have \
         been done.",
        "Look at what there is before anything is sent again; ask the user to look at `ibctl status`.",
    )
}
