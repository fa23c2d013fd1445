//! `ibctl resume`: takes the session back after TWS or a phone had it.

use std::time::Duration;

use ibd_protocol::{ToClient, ToDaemon};

use crate::daemon::Fault;
use crate::errand::Errand;
use crate::{Context, Ended, report};

/// Opening a session can take as long as a login.
const SILENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut errand = Errand::present(context, SILENCE).await?;
    let done = errand
        .ask(ToDaemon::Resume, |id, answer| match answer {
            ToClient::Report(of, report) if of == id => Some(report),
            _ => None,
        })
        .await?;
    report(context, &done)
}
