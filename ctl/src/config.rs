//! `ibctl config`: every setting in force, and where each comes from.

use std::fmt::Write;

use ibd_protocol::catalogue::{self, Size};
use ibd_protocol::{SettingReport, ToClient, ToDaemon};
use serde_json::json;

use crate::daemon::{Fault, ask, running};
use crate::{Context, Ended, answer, own};

/// Flags of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only settings that somebody has set.
    #[arg(long)]
    set_only: bool,
}

impl Args {
    /// Those that are to be shown.
    fn chosen(&self, mut settings: Vec<SettingReport>) -> Vec<SettingReport> {
        if self.set_only {
            settings.retain(|setting| setting.value.is_some());
        }
        settings
    }

    /// The sets of tools, where all is shown.
    fn sets<'a>(&self, sets: &'a [Size]) -> Option<&'a [Size]> {
        (!self.set_only).then_some(sets)
    }
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let file = context.places.config_file();
    let Some(mut connection) = running(&context.places).await? else {
        return from_files(context, args);
    };
    let settings = ask(&mut connection, &ToDaemon::Config(1), |answer| match answer {
        ToClient::Config(_, settings) => Some(settings),
        _ => None,
    })
    .await?;
    let settings = args.chosen(settings);
    let sets = catalogue::sizes(catalogue::listed());
    let json = json!({ "file": file, "settings": settings, "toolsets": sets });
    answer(context, &json, &text(&file.display().to_string(), &settings, args.sets(&sets)))?;
    Ok(Ended::Fine)
}

/// What a daemon that is started now would have.
fn from_files(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let (file, own) = (context.places.config_file(), own::settings(&context.places)?);
    let settings = args.chosen(own.report());
    let note = "No daemon is running: this is what this shell and the file say.";
    let sets = catalogue::sizes(catalogue::listed());
    let json = json!({ "file": file, "settings": settings, "toolsets": sets, "note": note });
    let text = text(&file.display().to_string(), &settings, args.sets(&sets));
    answer(context, &json, &format!("{note}\n{text}"))?;
    Ok(Ended::NotRunning)
}

fn text(file: &str, settings: &[SettingReport], sets: Option<&[Size]>) -> String {
    let mut text = format!("The daemon's settings; the file is {file}\n\n");
    if settings.is_empty() {
        text.push_str("Nothing is set: every setting has its default.\n");
    }
    for setting in settings {
        let value = setting.value.as_deref().unwrap_or("-");
        let note = setting.note.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{:<32} {value:<12} {:<12} {note}", setting.name, setting.origin);
    }
    text.push_str("\nWhat a client's own environment asks for makes only that client stricter.\n");
    text.push_str(&sets.map(toolsets).unwrap_or_default());
    text.trim_end().to_owned()
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
    fn only_what_is_set_is_shown_if_that_is_wanted() {
        let setting = |name: &str, value: Option<&str>| SettingReport {
            name: name.into(),
            value: value.map(str::to_owned),
            origin: "default".into(),
            note: None,
        };
        let all = || vec![setting("IB_GATEWAY", Some("attach")), setting("IB_REGION", None)];
        let shown = |set_only| {
            let args = Args { set_only };
            text("x.toml", &args.chosen(all()), args.sets(&[]))
        };
        assert!(shown(false).contains("IB_REGION") && shown(false).contains("Sets of tools"));
        assert!(shown(true).contains("IB_GATEWAY"));
        assert!(!shown(true).contains("IB_REGION") && !shown(true).contains("Sets of tools"));
        assert!(text("x.toml", &[], None).contains("Nothing is set"));
    }

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
