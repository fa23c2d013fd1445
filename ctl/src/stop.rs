//! `ibctl stop` and `ibctl restart`.

use std::time::Duration;

use ibd_protocol::client::ConnectError;
use ibd_protocol::start;
use ibd_protocol::version::Role;
use ibd_protocol::{Connection, DrainReason};
use serde_json::json;

use crate::daemon::{Fault, fault, holder, started};
use crate::{Context, Ended, answer};

/// The connection closes a moment before the process ends; its lock tells when it has.
const AFTER_DRAIN: Duration = Duration::from_secs(5);
/// One that was sent a signal finishes its calls first.
const AFTER_SIGNAL: Duration = Duration::from_secs(40);

pub(crate) async fn stop(context: &Context) -> Result<Ended, Fault> {
    let ended = drain(context, DrainReason::Stop).await?;
    let text = match ended {
        None => "ibd was not running.".to_owned(),
        Some(pid) => format!("ibd has ended (pid {pid})."),
    };
    answer(context, &json!({ "stopped": ended.is_some(), "pid": ended }), &text)?;
    Ok(Ended::Fine)
}

pub(crate) async fn restart(context: &Context) -> Result<Ended, Fault> {
    drain(context, DrainReason::Restart).await?;
    let connection = started(&context.places).await?;
    let text = format!("ibd {} runs (pid {}).", connection.build, connection.pid);
    answer(context, &json!({ "version": connection.build, "pid": connection.pid }), &text)?;
    Ok(Ended::Fine)
}

/// Ends the daemon, if there is one; which process it was.
async fn drain(context: &Context, reason: DrainReason) -> Result<Option<u32>, Fault> {
    let mut connection = match Connection::open(&context.places.socket(), Role::Ctl).await {
        Ok(connection) => connection,
        Err(ConnectError::Absent) => return Ok(None),
        // It understands no word of ours: there is a way without words.
        Err(error @ (ConnectError::OtherProtocol { .. } | ConnectError::Silent)) => {
            return signal(context, error).await.map(Some);
        }
        Err(error) => return Err(fault(&context.places, error.into())),
    };
    let pid = connection.pid;
    match start::drain(&mut connection, reason).await {
        true => {
            holder::gone(&context.places, AFTER_DRAIN).await;
            Ok(Some(pid))
        }
        false => Err(stays(pid)),
    }
}

async fn signal(context: &Context, error: ConnectError) -> Result<u32, Fault> {
    let Some(pid) = holder::pid(&context.places) else {
        return Err(fault(&context.places, error.into()));
    };
    holder::ask_to_end(pid).map_err(|error| {
        Fault::new(format!("ibd (pid {pid}) cannot be ended: {error}"), "End it yourself.")
    })?;
    match holder::gone(&context.places, AFTER_SIGNAL).await {
        true => Ok(pid),
        false => Err(stays(pid)),
    }
}

fn stays(pid: u32) -> Fault {
    Fault::new(format!("ibd (pid {pid}) does not end"), format!("`kill -9 {pid}` ends it at once."))
}
