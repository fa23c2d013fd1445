//! `ibctl`: the person's command. One file a verb.

mod alerts;
mod approve;
mod audit;
mod cli;
mod clients;
mod columns;
mod completions;
mod config;
mod daemon;
mod demo;
mod deny;
mod doctor;
mod errand;
mod flex;
mod freeze;
mod gateway;
mod login;
mod logout;
mod logs;
mod man;
mod oauth;
mod orders;
mod own;
mod page;
mod progress;
mod resume;
mod screen;
mod secrets;
mod setup;
mod status;
mod stop;
mod talk;
mod terminal;
mod times;
mod unfreeze;
mod version;

use std::process::ExitCode;

use clap::FromArgMatches;
use cli::{Args, Verb};
use daemon::Fault;
use ibd_protocol::Places;
use ibd_protocol::settings::Key;

/// How a verb ends well.
pub(crate) enum Ended {
    Fine,
    NotRunning,
    NeedsPerson,
}

/// What every verb is told.
pub(crate) struct Context {
    pub(crate) places: Places,
    pub(crate) json: bool,
}

fn main() -> ExitCode {
    let args = match arguments() {
        Ok(args) => args,
        Err(error) => return misused(&error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(args.json, &Fault::new(error.to_string(), "")),
    };
    if let Some(bad) =
        args.profile.as_deref().filter(|name| !ibd_protocol::places::is_profile(name))
    {
        let text = format!("--profile {bad:?} is no profile: 1 to 32 letters, digits, - or _");
        return failed(args.json, &Fault::usage(text, ""));
    }
    match runtime.block_on(run(&args)) {
        Ok(Ended::Fine) => ExitCode::SUCCESS,
        Ok(Ended::NotRunning) => ExitCode::from(3),
        Ok(Ended::NeedsPerson) => ExitCode::from(4),
        Err(fault) => failed(args.json, &fault),
    }
}

fn arguments() -> Result<Args, clap::Error> {
    let mut matches = cli::command().try_get_matches()?;
    Args::from_arg_matches_mut(&mut matches)
}

/// What clap has to say: help and versions on stdout, mistakes on stderr. Whoever reads JSON is told of a mistake in
/// JSON too.
fn misused(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|word| word == "--json");
    if wants_json && error.use_stderr() {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        say(&serde_json::json!({ "error": first, "hint": "`ibctl help` lists the verbs." })
            .to_string());
    }
    // A terminal that has gone is no failure.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

async fn run(args: &Args) -> Result<Ended, Fault> {
    let from_environment = std::env::var(Key::Profile.name()).ok().filter(|name| !name.is_empty());
    let profile = args.profile.clone().or(from_environment).unwrap_or_else(|| "default".to_owned());
    let places = Places::of(&profile)
        .map_err(|error| Fault::new(error.to_string(), "Correct --profile or IB_PROFILE."))?;
    let context = Context { places, json: args.json };
    match &args.verb {
        Verb::Status(args) => status::run(&context, args).await,
        Verb::Login(args) => login::run(&context, args).await,
        Verb::Logout => logout::run(&context).await,
        Verb::Resume => resume::run(&context).await,
        Verb::Stop => stop::stop(&context).await,
        Verb::Restart => stop::restart(&context).await,
        Verb::Orders { verb: None } => orders::run(&context).await,
        Verb::Orders { verb: Some(orders::Verb::Resolve(args)) } => {
            orders::resolve::run(&context, args).await
        }
        Verb::Approve(args) => approve::run(&context, args).await,
        Verb::Deny { id } => deny::run(&context, id).await,
        Verb::Freeze { cancel_all } => freeze::run(&context, *cancel_all).await,
        Verb::Unfreeze => unfreeze::run(&context).await,
        Verb::Audit(args) => audit::run(&context, args).await,
        Verb::Alerts => alerts::run(&context).await,
        Verb::Flex(verb) => flex::run(&context, verb).await,
        Verb::Gateway(verb) => gateway::run(&context, verb).await,
        Verb::Secrets(verb) => secrets::run(&context, verb).await,
        Verb::Oauth(verb) => oauth::run(&context, verb).await,
        Verb::Setup(args) => setup::run(&context, args),
        Verb::Doctor(args) => doctor::run(&context, args).await,
        Verb::Clients => clients::run(&context).await,
        Verb::Config(args) => config::run(&context, args).await,
        Verb::Logs(args) => logs::run(&context, args).await,
        Verb::Demo(args) => demo::run(&context, args).await,
        Verb::Completions(args) => completions::run(&context, args),
        Verb::Man(args) => man::run(&context, args),
        Verb::Version => version::run(&context).await,
    }
}

fn failed(json: bool, fault: &Fault) -> ExitCode {
    if json {
        let mut json = fault.details.clone();
        json.insert("error".to_owned(), fault.text.clone().into());
        json.insert("hint".to_owned(), fault.hint.clone().into());
        say(&ibd_text::json(&serde_json::Value::Object(json).to_string()));
    }
    eprintln!("ibctl: {}", for_terminal(&fault.text));
    if !fault.hint.is_empty() {
        eprintln!("hint: {}", for_terminal(&fault.hint));
    }
    ExitCode::from(fault.code)
}

/// Lines as a terminal may show them: whatever others wrote into them draws nothing there.
pub(crate) fn for_terminal(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(ibd_text::escaped).collect();
    lines.join("\n")
}

/// A line on stdout.
pub(crate) fn say(text: &str) {
    put(&format!("{text}\n"));
}

/// The one place that writes to stdout. A reader that has gone is no failure.
pub(crate) fn put(text: &str) {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Says a JSON object, or the text for a person.
pub(crate) fn answer(
    context: &Context,
    json: &impl serde::Serialize,
    text: &str,
) -> Result<(), Fault> {
    if context.json {
        let json = serde_json::to_string(json).map_err(|e| Fault::new(e.to_string(), ""))?;
        say(&ibd_text::json(&json));
    } else {
        say(&for_terminal(text))
    }
    Ok(())
}

/// Says what came of something that was to be done.
pub(crate) fn report(context: &Context, done: &ibd_protocol::Report) -> Result<Ended, Fault> {
    if !done.ok {
        return Err(Fault::new(done.text.clone(), done.hint.clone()).with(done));
    }
    let hint = if done.hint.is_empty() { String::new() } else { format!("\n{}", done.hint) };
    answer(context, done, &format!("{}{hint}", done.text))?;
    Ok(Ended::Fine)
}
