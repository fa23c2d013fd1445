//! A person logs in, in a browser of their own. All we do is open the page and watch.

use ibd_protocol::{ErrorCode, GatewayMode};
use std::time::Duration;

use super::Stage;
use crate::gateway::{GatewayHandle, GatewayState, GatewayView, words};
use crate::refusal::Refusal;
use crate::session::life::Sight;
use crate::session::look;
use tokio::time::Instant;

/// What a run tells the session.
pub type Tell = std::sync::Arc<dyn Fn(Stage) + Send + Sync>;

/// The gateway is installed and started where it is missing; how it is then.
pub async fn prepare(
    gateway: &GatewayHandle,
    deadline: Instant,
    tell: &Tell,
) -> Result<GatewayView, Refusal> {
    let view = gateway.start(deadline, |how_far| tell(Stage::Preparing(how_far.to_owned()))).await;
    if view.state == GatewayState::Up {
        return Ok(view);
    }
    let (text, next) = words(&view);
    let code = match view.state {
        GatewayState::NotInstalled(_) if view.mode() == GatewayMode::Direct => {
            ErrorCode::OauthIncomplete
        }
        GatewayState::NotInstalled(_) => ErrorCode::GatewayNotInstalled,
        _ => ErrorCode::GatewayDown,
    };
    Err(Refusal::new(code, text, next))
}

/// One more look before anything is asked of anybody: a gateway that has just come up may hold a login,
/// and somebody may have been faster.
pub(in crate::session) async fn last_look(view: &GatewayView) -> Option<Sight> {
    Some(look::peek(view.client.as_ref()?).await.0)
}

/// One login by a person. Success is seen by the session's looks; what ends here is the patience. `renews`:
/// that somebody is logged in is no reason to end.
pub async fn run(gateway: GatewayHandle, limit: Duration, renews: bool, tell: Tell) {
    // An installation has its own limits; what the person needs is counted from the page on.
    let patience = Instant::now() + Duration::from_secs(1_800);
    let view = match prepare(&gateway, patience, &tell).await {
        Ok(view) => view,
        Err(failure) => return tell(Stage::Failed(failure)),
    };
    if !renews && matches!(last_look(&view).await, Some(Sight::Login { .. })) {
        return tell(Stage::Found);
    }
    tell(Stage::Person);
    tokio::time::sleep(limit).await;
    tell(Stage::Failed(Refusal::new(
        ErrorCode::LoginTimeout,
        format!("Nobody logged in at the page within {} s.", limit.as_secs()),
        "Run `ibctl login`, or call authenticate, when somebody is there to log in.",
    )));
}
