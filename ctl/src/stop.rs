//! `ibctl stop` and `ibctl restart`.

use std::time::Duration;

use ibd_protocol::DrainReason;
use ibd_protocol::start;
use serde_json::json;

use crate::daemon::{Fault, running, started};
use crate::{Context, Ended, answer};

pub(crate) async fn stop(context: &Context) -> Result<Ended, Fault> {
    let was_running = drain(context, DrainReason::Stop).await?;
    let text = if was_running { "ibd has ended." } else { "ibd was not running." };
    answer(context, &json!({ "stopped": was_running }), text)?;
    Ok(Ended::Fine)
}

pub(crate) async fn restart(context: &Context) -> Result<Ended, Fault> {
    drain(context, DrainReason::Restart).await?;
    let connection = started(&context.places).await?;
    let text = format!("ibd {} runs (pid {}).", connection.build, connection.pid);
    answer(context, &json!({ "version": connection.build, "pid": connection.pid }), &text)?;
    Ok(Ended::Fine)
}

/// Ends the daemon, if there is one; whether there was.
async fn drain(context: &Context, reason: DrainReason) -> Result<bool, Fault> {
    let Some(mut connection) = running(&context.places).await? else { return Ok(false) };
    match start::drain(&mut connection, reason).await {
        true => {
            wait_for_its_end(context).await;
            Ok(true)
        }
        false => Err(Fault::new(
            "ibd does not end",
            format!("`kill {}` ends it at once.", connection.pid),
        )),
    }
}

/// The connection closes a moment before the process ends; its lock tells when it has.
async fn wait_for_its_end(context: &Context) {
    let Ok(lock) = std::fs::File::open(context.places.daemon_lock()) else { return };
    for _ in 0..500 {
        if lock.try_lock().is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
