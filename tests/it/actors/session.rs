//! The session's actor.

use ibd_cpapi::session::GetAuthStatus;
use serde_json::json;

use super::bench::{Bench, soon};

/// What IBKR counts is not spent on a restart of ours.
#[tokio::test]
async fn a_session_that_is_started_again_goes_on_with_the_login_that_is_there() {
    let mut bench = Bench::new(json!({ "session": "ssoOnly" })).await;
    let first = bench.lease().await;
    let before = bench.broker.get("/logins").await;
    assert_eq!(before["inits"], 1, "the brokerage session was opened once: {before}");

    bench.restart_session().await;
    let second = bench.lease().await;
    let after = bench.broker.get("/logins").await;
    for count in ["logins", "logouts", "inits", "initsCompete"] {
        assert_eq!(after[count], before[count], "{count}: {after}");
    }
    assert!(second.epoch() > first.epoch(), "what was learnt before counts no more");
    assert_eq!(second.facts().accounts, first.facts().accounts);
    let status = second.client().ask(&GetAuthStatus, soon()).await.unwrap().value;
    assert_eq!(status.authenticated, Some(true));
}
