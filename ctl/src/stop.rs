//! `ibctl stop` and `ibctl restart`.

use std::time::Duration;

use ibd_protocol::client::ConnectError;
use ibd_protocol::settings::{Client, Key, Origin, SETTINGS, Setting, Settings};
use ibd_protocol::stamp;
use ibd_protocol::start;
use ibd_protocol::version::Role;
use ibd_protocol::{Connection, DrainReason, SettingReport, ToClient, ToDaemon};
use serde_json::json;

use crate::daemon::{Fault, ask, fault, holder, started};
use crate::{Context, Ended, answer, own};

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
    // What the next one could not read or use must not cost the one that runs.
    let alone = |fault: Fault| {
        Fault::new(format!("{}; the daemon that runs was left alone", fault.text), fault.hint)
    };
    let own = own::settings(&context.places).map_err(alone)?;
    stamp::check(&context.places.state).map_err(|newer| {
        let hint = "`ibctl version` tells which ibd runs.";
        alone(Fault::new(newer.to_string(), hint))
    })?;
    context.places.make().map_err(|error| alone(fault(&context.places, error.into())))?;
    drain(context, DrainReason::Restart).await?;
    let mut connection = started(&context.places).await?;
    let unheeded = unheeded(&own, &settings_of(&mut connection).await?);
    let mut text = format!("ibd {} runs (pid {}).", connection.build, connection.pid);
    if !unheeded.is_empty() {
        text += &format!(
            "\nNot heeded, because it comes from this shell's environment: {}. What counts for every client stands in {}.",
            unheeded.join(", "),
            context.places.config_file().display()
        );
    }
    let json = json!({ "version": connection.build, "pid": connection.pid, "notHeeded": unheeded });
    answer(context, &json, &text)?;
    Ok(Ended::Fine)
}

async fn settings_of(connection: &mut Connection) -> Result<Vec<SettingReport>, Fault> {
    ask(connection, &ToDaemon::Config(1), |answer| match answer {
        ToClient::Config(_, settings) => Some(settings),
        _ => None,
    })
    .await
}

/// Variables of this shell that the daemon does not have. What a client may choose for the daemon that it starts,
/// this command has brought along.
fn unheeded(own: &Settings, daemon: &[SettingReport]) -> Vec<&'static str> {
    let is_brought = |one: &&Setting| matches!(one.client, Client::Start | Client::WithLogin);
    let given = SETTINGS
        .iter()
        .filter(|one| own.origin(one.key) == Some(Origin::Environment))
        .filter(|one| !is_brought(one));
    let has = |setting: &&'static Setting| {
        let of = daemon.iter().find(|report| report.name == setting.name);
        let value = of.and_then(|report| report.value.as_deref());
        value.is_some() && (setting.kind.is_secret() || value == own.text(setting.key))
    };
    given.filter(|setting| setting.key != Key::Profile && !has(setting)).map(|s| s.name).collect()
}

/// Ends the daemon, if there is one; which process it was.
async fn drain(context: &Context, reason: DrainReason) -> Result<Option<u32>, Fault> {
    let mut connection = match Connection::open_present(&context.places, Role::Ctl).await {
        Ok(connection) => connection,
        // Its socket may have been removed under it: the lock tells.
        Err(ConnectError::Absent) if holder::pid(&context.places).is_some() => {
            return signal(context, ConnectError::Absent).await.map(Some);
        }
        Err(ConnectError::Absent) => return Ok(None),
        // It understands no word of ours: there is a way without words.
        Err(error @ (ConnectError::OtherProtocol { .. } | ConnectError::Silent)) => {
            return signal(context, error).await.map(Some);
        }
        Err(error) => return Err(fault(&context.places, error.into())),
    };
    let pid = connection.pid;
    if start::drain(&mut connection, reason).await {
        holder::gone(&context.places, AFTER_DRAIN).await;
        Ok(Some(pid))
    } else {
        Err(stays(pid))
    }
}

async fn signal(context: &Context, error: ConnectError) -> Result<u32, Fault> {
    let Some(pid) = holder::pid(&context.places) else {
        return Err(fault(&context.places, error.into()));
    };
    holder::ask_to_end(pid).map_err(|error| {
        Fault::new(format!("ibd (pid {pid}) cannot be ended: {error}"), "End it yourself.")
    })?;
    if holder::gone(&context.places, AFTER_SIGNAL).await { Ok(pid) } else { Err(stays(pid)) }
}

fn stays(pid: u32) -> Fault {
    Fault::new(format!("ibd (pid {pid}) does not end"), format!("`kill -9 {pid}` ends it at once."))
}
