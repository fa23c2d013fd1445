//! `ibctl config`: every setting in force, and where each comes from.

use std::fmt::Write;

use ibd_protocol::{SettingReport, ToClient, ToDaemon};
use serde_json::json;

use crate::daemon::{Fault, ask, running};
use crate::{Context, Ended, answer, own};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let file = context.places.config_file();
    let Some(mut connection) = running(&context.places).await? else {
        return from_files(context);
    };
    let settings = ask(&mut connection, &ToDaemon::Config(1), |answer| match answer {
        ToClient::Config(_, settings) => Some(settings),
        _ => None,
    })
    .await?;
    let json = json!({ "file": file, "settings": settings });
    answer(context, &json, &text(&file.display().to_string(), &settings))?;
    Ok(Ended::Fine)
}

/// What a daemon that is started now would have.
fn from_files(context: &Context) -> Result<Ended, Fault> {
    let (file, own) = (context.places.config_file(), own::settings(&context.places)?);
    let settings = own.report();
    let note = "No daemon is running: this is what this shell and the file say.";
    let json = json!({ "file": file, "settings": settings, "note": note });
    let text = text(&file.display().to_string(), &settings);
    answer(context, &json, &format!("{note}\n{text}"))?;
    Ok(Ended::NotRunning)
}

fn text(file: &str, settings: &[SettingReport]) -> String {
    let mut text = format!("The daemon's settings; the file is {file}\n\n");
    for setting in settings {
        let value = setting.value.as_deref().unwrap_or("-");
        let note = setting.note.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{:<32} {value:<12} {:<12} {note}", setting.name, setting.origin);
    }
    text.push_str("\nWhat a client's own environment asks for makes only that client stricter.");
    text
}
