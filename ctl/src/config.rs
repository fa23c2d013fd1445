//! `ibctl config`: every setting in force, and where each comes from.

use std::fmt::Write;

use ibd_protocol::{SettingReport, ToClient, ToDaemon};
use serde_json::json;

use crate::daemon::{Fault, ask, started};
use crate::{Context, Ended, answer};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut connection = started(&context.places).await?;
    let settings = ask(&mut connection, &ToDaemon::Config(1), |answer| match answer {
        ToClient::Config(_, settings) => Some(settings),
        _ => None,
    })
    .await?;
    let file = context.places.config_file();
    let json = json!({ "file": file, "settings": settings });
    answer(context, &json, &text(&file.display().to_string(), &settings))?;
    Ok(Ended::Fine)
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
