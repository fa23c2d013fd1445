//! `ibctl gateway install`: brings IBKR's gateway, and Java where there is none. Needs no daemon.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ibd_install::{
    Checksum, Done, InstallError, Installed, Java, Looked, Order, Origin, Progress, Source, Stage,
    find_java, install_gateway, install_java,
};
use ibd_protocol::settings::Key;
use jiff::Zoned;
use serde_json::{Value, json};

use crate::daemon::{Fault, running};
use crate::progress::{Shown, Step};
use crate::{Context, Ended, answer, own, times};

/// Flags of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the gateway is taken from: an https address, a zip, a .tar.gz or a folder
    /// [default: IB_GATEWAY_ARCHIVE, else IBKR's address].
    #[arg(long, value_name = "PATH|URL")]
    from: Option<Source>,
    /// Where a Java runtime is taken from, also where this machine has one
    /// [default: IB_JAVA_ARCHIVE, else Adoptium's address, only if there is none].
    #[arg(long, value_name = "PATH|URL")]
    java: Option<Source>,
    /// What the SHA-256 of the gateway's archive must be.
    #[arg(long, value_name = "HEX")]
    sha256: Option<Checksum>,
}

/// What came of it.
struct Outcome {
    gateway: Done<Installed>,
    java: Java,
    /// Whether this Java has just been installed.
    is_new_java: bool,
    /// What a person does next.
    next: &'static str,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let shown = Arc::new(Mutex::new(Shown::new(context.json)));
    let outcome = install(context, args, &shown).await;
    locked(&shown, Shown::clear);
    let outcome = outcome?;
    answer(context, &in_json(&outcome), &in_words(&outcome))?;
    Ok(Ended::Fine)
}

async fn install(
    context: &Context,
    args: &Args,
    shown: &Arc<Mutex<Shown>>,
) -> Result<Outcome, Fault> {
    let data = &context.places.data;
    if let Some(why) = context.places.why_data_foreign() {
        return Err(Fault::new(
            why,
            "Nothing was installed; name another place with XDG_DATA_HOME.",
        ));
    }
    let source = source(context, args.from.as_ref(), Key::GatewayArchive)?;
    let order = Order { sha256: args.sha256, ..Order::from(source) };
    let gateway =
        install_gateway(data, &order, listener("The gateway", shown)).await.map_err(fault)?;
    let (java, is_new_java) = java(context, args.java.as_ref(), shown).await?;
    let next = next(context, &gateway).await;
    Ok(Outcome { gateway, java, is_new_java, next })
}

/// The Java to be used, and whether it is one that was just installed.
async fn java(
    context: &Context,
    named: Option<&Source>,
    shown: &Arc<Mutex<Shown>>,
) -> Result<(Java, bool), Fault> {
    let data: &Path = &context.places.data;
    let found = match named {
        Some(_) => None,
        None => find_java(data, None).await.ok(),
    };
    if let Some(java) = found {
        return Ok((java, false));
    }
    let order = Order::from(source(context, named, Key::JavaArchive)?);
    let done = install_java(data, &order, listener("Java", shown)).await.map_err(fault)?;
    Ok((done.installed, done.is_new))
}

/// The flag, else the setting, else where its maker publishes it.
fn source(context: &Context, flag: Option<&Source>, setting: Key) -> Result<Source, Fault> {
    if let Some(source) = flag {
        return Ok(source.clone());
    }
    match own::settings(&context.places)?.text(setting) {
        Some(text) => text.parse().map_err(|error| {
            Fault::new(format!("{setting}: {error}"), format!("Correct {setting}."))
        }),
        None => Ok(Source::Published),
    }
}

/// Its errors say themselves what to do.
fn fault(error: InstallError) -> Fault {
    Fault::new(error.to_string(), "")
}

/// Nothing is restarted by an install: that would cost a login.
async fn next(context: &Context, gateway: &Done<Installed>) -> &'static str {
    let is_running = !matches!(running(&context.places).await, Ok(None));
    match (gateway.is_new, is_running) {
        (true, true) => {
            "Nothing was restarted. `ibctl gateway start` uses it; a gateway that runs keeps what it \
             was started from until `ibctl gateway stop`."
        }
        _ => "`ibctl gateway start` starts it, `ibctl login` logs in.",
    }
}

fn listener(
    what: &'static str,
    shown: &Arc<Mutex<Shown>>,
) -> impl Fn(Progress) + Send + Sync + 'static {
    let shown = shown.clone();
    move |progress| locked(&shown, |shown| shown.step(step(what, progress)))
}

fn locked(shown: &Mutex<Shown>, act: impl FnOnce(&mut Shown)) {
    act(&mut shown.lock().unwrap_or_else(PoisonError::into_inner));
}

fn step(what: &str, progress: Progress) -> Step {
    let Progress { stage, done, total } = progress;
    let doing = match stage {
        Stage::Waiting => "waiting for another install to end",
        Stage::Downloading => "downloading",
        Stage::Checking => "checking",
        Stage::Unpacking => "unpacking",
    };
    let amount = match (done, total) {
        (0, _) => String::new(),
        (done, Some(total)) => format!(", {} of {} MB", megabytes(done), megabytes(total)),
        (done, None) => format!(", {} MB", megabytes(done)),
    };
    Step { text: format!("{what}: {doing}{amount}"), done, total }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

fn in_json(outcome: &Outcome) -> Value {
    let Outcome { gateway, java, is_new_java, next } = outcome;
    let Done { installed, changed_since, is_new } = gateway;
    let today = Zoned::now().date();
    json!({
        "gateway": {
            "folder": installed.folder,
            "source": installed.source,
            "sha256": installed.sha256,
            "bytes": installed.bytes,
            "installedAt": installed.installed_at,
            "isNew": is_new,
            "changedSince": changed_since.as_ref().map(|earlier| json!({
                "sha256": earlier.sha256,
                "installedAt": earlier.installed_at,
            })),
            "build": installed.build.as_ref().map(|build| json!({
                "date": build.date,
                "ageDays": build.age_in_days(today),
                "commit": build.commit,
            })),
        },
        "java": {
            "program": java.program,
            "version": java.version.text,
            "vendor": java.vendor,
            "origin": origin(java.origin),
            "isNew": is_new_java,
            "passedOver": java.passed_over.iter().map(Looked::to_string).collect::<Vec<_>>(),
        },
        "next": next,
    })
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Preferred => "named",
        Origin::Own => "installed for the gateway",
        Origin::JavaHome => "JAVA_HOME",
        Origin::Path => "PATH",
        Origin::Usual => "this system",
    }
}

fn in_words(outcome: &Outcome) -> String {
    let Outcome { gateway, java, next, .. } = outcome;
    let Done { installed, changed_since, is_new } = gateway;
    let was = if *is_new { "Installed" } else { "The very same was there already" };
    let mut lines = vec![
        format!("{was}: the gateway in {}", installed.folder.display()),
        format!("Source    {}", installed.source),
        format!("SHA-256   {}", installed.sha256),
    ];
    lines.extend(changed_since.as_ref().map(|earlier| {
        format!(
            "Changed   the same source gave {} on {}",
            earlier.sha256,
            times::local(&earlier.installed_at.to_string())
        )
    }));
    let build = installed.build.as_ref();
    lines.push(match build {
        Some(build) => {
            format!("Build     built {}", times::day_and_age(build.date, Zoned::now().date()))
        }
        None => "Build     it does not tell".to_owned(),
    });
    lines.push(format!(
        "Java      {} ({}), {}: {}",
        java.version,
        java.vendor,
        origin(java.origin),
        java.program.display()
    ));
    lines.extend(java.passed_over.iter().map(|looked| format!("Not used  {looked}")));
    lines.push((*next).to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_tell_megabytes() {
        let of =
            |done, total| step("Java", Progress { stage: Stage::Downloading, done, total }).text;
        assert_eq!(of(0, Some(12_000_000)), "Java: downloading");
        assert_eq!(of(3_150_000, Some(12_000_000)), "Java: downloading, 3.1 of 12.0 MB");
        assert_eq!(of(900_000, None), "Java: downloading, 0.9 MB");
    }
}
