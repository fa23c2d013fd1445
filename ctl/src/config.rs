//! `ibctl config`: every setting in force, and where each comes from.

use std::fmt::Write;

use ibd_protocol::catalogue::{self, Size};
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
    let sets = catalogue::sizes(catalogue::listed());
    let json = json!({ "file": file, "settings": settings, "toolsets": sets });
    answer(context, &json, &text(&file.display().to_string(), &settings, &sets))?;
    Ok(Ended::Fine)
}

/// What a daemon that is started now would have.
fn from_files(context: &Context) -> Result<Ended, Fault> {
    let (file, own) = (context.places.config_file(), own::settings(&context.places)?);
    let settings = own.report();
    let note = "No daemon is running: this is what this shell and the file say.";
    let sets = catalogue::sizes(catalogue::listed());
    let json = json!({ "file": file, "settings": settings, "toolsets": sets, "note": note });
    let text = text(&file.display().to_string(), &settings, &sets);
    answer(context, &json, &format!("{note}\n{text}"))?;
    Ok(Ended::NotRunning)
}

fn text(file: &str, settings: &[SettingReport], sets: &[Size]) -> String {
    let mut text = format!("The daemon's settings; the file is {file}\n\n");
    for setting in settings {
        let value = setting.value.as_deref().unwrap_or("-");
        let note = setting.note.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{:<32} {value:<12} {:<12} {note}", setting.name, setting.origin);
    }
    text.push_str("\nWhat a client's own environment asks for makes only that client stricter.\n");
    text.push_str(&toolsets(sets));
    text
}

/// What each set of tools costs a model that sees it.
fn toolsets(sets: &[Size]) -> String {
    let mut text =
        String::from("\nSets of tools for IB_TOOLSETS, and what a model reads of each:\n");
    for size in sets {
        let (set, kilobytes) = (size.set.as_str(), size.bytes as f64 / 1_000.0);
        let _ = writeln!(text, "{set:<12} {:>3} tools {kilobytes:>6.1} kB", size.tools);
    }
    let bytes: usize = sets.iter().map(|size| size.bytes).sum();
    let tools: usize = sets.iter().map(|size| size.tools).sum();
    let _ = write!(text, "{:<12} {tools:>3} tools {:>6.1} kB", "all", bytes as f64 / 1_000.0);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ibd_protocol::Toolset;

    #[test]
    fn each_set_says_what_it_costs() {
        let text = toolsets(&[
            Size { set: Toolset::Every, tools: 2, bytes: 640 },
            Size { set: Toolset::Market, tools: 8, bytes: 7_460 },
        ]);
        let rows: Vec<Vec<&str>> =
            text.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["every", "2", "tools", "0.6", "kB"]);
        assert_eq!(rows[1], ["market", "8", "tools", "7.5", "kB"]);
        assert_eq!(rows[2], ["all", "10", "tools", "8.1", "kB"]);
    }
}
