//! A person logs in, in a browser of their own. All we do is open the page and watch.

use std::time::Duration;

use super::{Failure, Stage};
use crate::gateway::{GatewayHandle, GatewayState, words};
use tokio::time::Instant;

/// What a run tells the session.
pub type Tell = std::sync::Arc<dyn Fn(Stage) + Send + Sync>;

/// The gateway is installed and started where it is missing.
pub async fn prepare(
    gateway: &GatewayHandle,
    deadline: Instant,
    tell: &Tell,
) -> Result<(), Failure> {
    let view = gateway.start(deadline, |how_far| tell(Stage::Preparing(how_far.to_owned()))).await;
    if view.state == GatewayState::Up {
        return Ok(());
    }
    let (text, next) = words(&view);
    let code = match view.state {
        GatewayState::NotInstalled(_) => "gateway_not_installed",
        _ => "gateway_down",
    };
    Err(Failure::new(code, text, next))
}

/// One login by a person. Success is seen by the session's looks; what ends here is the patience.
pub async fn run(gateway: GatewayHandle, limit: Duration, tell: Tell) {
    // An installation has its own limits; what the person needs is counted from the page on.
    let patience = Instant::now() + Duration::from_secs(1_800);
    if let Err(failure) = prepare(&gateway, patience, &tell).await {
        return tell(Stage::Failed(failure));
    }
    tell(Stage::Person);
    tokio::time::sleep(limit).await;
    tell(Stage::Failed(Failure::new(
        "login_timeout",
        format!("Nobody logged in at the page within {} s.", limit.as_secs()),
        "Run `ibctl login`, or call authenticate, when somebody is there to log in.",
    )));
}
