//! Requests are signed, so nobody logs in anywhere: what they are signed with is read, and a session token is asked for.

use std::time::Duration;

use ibd_protocol::ErrorCode;
use tokio::time::{Instant, sleep};

use super::Stage;
use super::browser::{Tell, prepare};
use crate::gateway::GatewayHandle;
use crate::refusal::Refusal;

/// A keyring may want to be unlocked first.
const READ: Duration = Duration::from_secs(200);
/// A session is ready this soon after it was asked for, or something is wrong.
const SEEN: Duration = Duration::from_secs(120);

/// Whether what requests are signed with may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// It works as it is.
    AsBefore,
    /// It did not work: it is read again.
    Anew,
}

/// One login. Ends with `Checking` or `Failed`; whoever sees the session ready, or denied, ends it before.
pub async fn run(gateway: GatewayHandle, keys: Keys, tell: Tell) {
    if keys == Keys::Anew {
        gateway.reread().await;
    }
    if let Err(failure) = prepare(&gateway, Instant::now() + READ, &tell).await {
        return tell(Stage::Failed(failure));
    }
    tell(Stage::Checking);
    sleep(SEEN).await;
    tell(Stage::Failed(Refusal::new(
        ErrorCode::LoginNotSeen,
        "IBKR was asked for a session, and no trading session came of it in two minutes.",
        "`ibctl status` tells what is in the way.",
    )));
}
