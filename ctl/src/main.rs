//! `ibctl`: the person's command. One file a verb.

mod approve;
mod audit;
mod columns;
mod config;
mod daemon;
mod deny;
mod doctor;
mod errand;
mod flex;
mod freeze;

mod gateway;
mod login;
mod logout;
mod logs;
mod oauth;
mod orders;
mod own;
mod page;
mod progress;
mod resume;
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

use clap::{Parser, Subcommand};
use daemon::Fault;
use ibd_protocol::Places;
use ibd_protocol::settings::Key;

/// Looks after ibd, the daemon between AI assistants and an Interactive Brokers account.
#[derive(Debug, Parser)]
#[command(name = "ibctl", version, after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
    /// One JSON object on stdout and nothing else.
    #[arg(long, global = true)]
    json: bool,
    /// Which daemon; IB_PROFILE, else `default`.
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
}

const EXIT_CODES: &str = "Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 no daemon is running, \
    4 running but it needs a person";

#[derive(Debug, Subcommand)]
enum Verb {
    /// What is running, whether somebody is logged in, and what to do
    Status,
    /// Log in at the broker, or join the login under way
    Login(login::Args),
    /// End the login at the broker, and verify it
    Logout,
    /// Take the session back after TWS or a phone had it
    Resume,
    /// End the daemon; calls under way are finished first
    Stop,
    /// End the daemon and start it again
    Restart,
    /// Orders that wait for a person, are in doubt or work; `resolve` settles one in doubt
    Orders {
        #[command(subcommand)]
        verb: Option<orders::Verb>,
    },
    /// Show an order that waits for you, and approve it
    Approve(approve::Args),
    /// Decline an order that waits for you
    Deny {
        /// The approval's id, as `ibctl orders` and `ibctl approve` show it.
        #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Stop all new orders at once, also when no daemon runs or it hangs
    Freeze {
        /// Also cancel every order that works, in all accounts.
        #[arg(long)]
        cancel_all: bool,
    },
    /// Let orders through again
    Unfreeze,
    /// What was done about orders and why; `verify` checks that nothing was changed or left out
    Audit(audit::Args),
    /// Flex queries and their statements: list, run, import, export, forget
    #[command(subcommand)]
    Flex(flex::Verb),
    /// IBKR's Java gateway: install, start, stop, status, logs
    #[command(subcommand)]
    Gateway(gateway::Verb),
    /// Passwords and tokens in the system's keyring: set, list, forget
    #[command(subcommand)]
    Secrets(secrets::Verb),
    /// Keys of your own for requests to IBKR without a gateway: new, set, test, show, revoke
    #[command(subcommand)]
    Oauth(oauth::Verb),
    /// Tell MCP clients of ib-mcp: shows the change of their files, asks, and writes it
    Setup(setup::Args),
    /// Look at everything that ibd needs, and say what to do
    Doctor,
    /// Every setting, its value and where it comes from
    Config,
    /// The daemon's log
    Logs {
        /// Lines from the end.
        #[arg(short = 'n', long, default_value_t = 50)]
        lines: usize,
    },
    /// The versions of ibctl and of the running daemon
    Version,
}

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
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(args.json, &Fault::new(error.to_string(), "")),
    };
    if let Some(bad) =
        args.profile.as_deref().filter(|name| !ibd_protocol::places::is_profile(name))
    {
        eprintln!("ibctl: --profile {bad:?} is no profile: 1 to 32 letters, digits, - or _");
        return ExitCode::from(2);
    }
    match runtime.block_on(run(&args)) {
        Ok(Ended::Fine) => ExitCode::SUCCESS,
        Ok(Ended::NotRunning) => ExitCode::from(3),
        Ok(Ended::NeedsPerson) => ExitCode::from(4),
        Err(fault) => failed(args.json, &fault),
    }
}

async fn run(args: &Args) -> Result<Ended, Fault> {
    let from_environment = std::env::var(Key::Profile.name()).ok().filter(|name| !name.is_empty());
    let profile = args.profile.clone().or(from_environment).unwrap_or_else(|| "default".to_owned());
    let places = Places::of(&profile)
        .map_err(|error| Fault::new(error.to_string(), "Correct --profile or IB_PROFILE."))?;
    let context = Context { places, json: args.json };
    match &args.verb {
        Verb::Status => status::run(&context).await,
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
        Verb::Flex(verb) => flex::run(&context, verb).await,
        Verb::Gateway(verb) => gateway::run(&context, verb).await,
        Verb::Secrets(verb) => secrets::run(&context, verb).await,
        Verb::Oauth(verb) => oauth::run(&context, verb).await,
        Verb::Setup(args) => setup::run(&context, args),
        Verb::Doctor => doctor::run(&context).await,
        Verb::Config => config::run(&context).await,
        Verb::Logs { lines } => logs::run(&context, *lines).await,
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
fn for_terminal(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(ibd_text::escaped).collect();
    lines.join("\n")
}

/// The one place that writes to stdout. A reader that has gone is no failure.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
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
