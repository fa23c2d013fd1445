//! `ib-mcp`: the MCP server that a client launches, over stdio, or that a person starts for clients that cannot, over
//! HTTP. Knows MCP; knows no tool and no broker.
//!
//! Over stdio nothing but MCP is ever written to stdout.

mod ask;
mod events;
mod http;
mod line;
mod link;
mod page;
mod progress;
mod prompts;
mod server;
mod stdio;
mod subscriptions;
mod translate;

use std::io::Write;
use std::process::ExitCode;

use http::Listening;
use http::arguments::{self, Asked, Mode};
use ibd_protocol::display;
use ibd_protocol::logging::{self, Log, Logging};
use ibd_protocol::settings::{self, Key, SETTINGS, Settings};
use ibd_protocol::{Places, build};
use link::{Link, Setup};
use serde_json::json;
use server::{Server, Tells};

const OWN: &[&str] = &["--version", "--help"];
/// Wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let lookup = |name: &str| std::env::var(name).ok();
    let (mode, rest) = match arguments::take(std::env::args().skip(1), lookup) {
        Ok(taken) => taken,
        Err(error) => return fail(&error, USAGE),
    };
    // Those of HTTP are taken already; they are named here for whoever mistypes one.
    let own: Vec<&str> = OWN.iter().copied().chain(arguments::FLAGS.iter().map(|f| f.0)).collect();
    let flags = match settings::from_flags(rest, &own) {
        Ok(flags) => flags,
        Err(error) => return fail(&error.to_string(), USAGE),
    };
    match flags.own.first().map(String::as_str) {
        Some("--version") => return say(&format!("ib-mcp {}", build())),
        Some(_) => return say(&help()),
        None => {}
    }
    let mut settings = settings::from_environment(std::env::vars_os());
    settings.overlay(flags.settings);
    settings.refuse_what_no_client_may();
    let setup = setup(&settings);
    let logging = start_log(&settings, &setup);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string(), 1),
    };
    match mode {
        Mode::Stdio => runtime.block_on(serve(setup)),
        Mode::NewToken => return new_token(&setup),
        Mode::Listen(asked) => {
            if let Err(error) = runtime.block_on(listen(asked, setup)) {
                return fail(&error, 1);
            }
        }
    }
    drop(logging);
    // A plain return would wait for the thread that reads stdin.
    std::process::exit(0)
}

/// Serves over HTTP until the process is ended, or says why not. A person reads what is said.
async fn listen(asked: Asked, setup: Setup) -> Result<(), String> {
    if let Some(bad) = setup.bad.first() {
        return Err(bad.to_string());
    }
    let allowed = match asked.writes {
        arguments::Writes::Hidden => "clients only read",
        arguments::Writes::Allowed => "clients may do what the settings let them",
    };
    let listening = Listening::start(asked, setup).await?;
    let url = listening.url()?;
    eprintln!("ib-mcp: MCP is served at {url}; a token is needed, and {allowed}");
    // For whoever starts it from a program and let the system choose the port.
    say(&json!({ "url": url }).to_string());
    listening.serve().await;
    Ok(())
}

/// Shows the token once; the one before it is void.
fn new_token(setup: &Setup) -> ExitCode {
    let made = setup.places.as_ref().map_err(Clone::clone).and_then(http::new_token);
    match made {
        Ok(token) => say(&token),
        Err(error) => fail(&error, 1),
    }
}

fn fail(error: &str, code: u8) -> ExitCode {
    eprintln!("ib-mcp: {error}");
    ExitCode::from(code)
}

/// What the link needs, or the one error that every call will answer.
fn setup(settings: &Settings) -> Setup {
    let places = Places::of(settings.profile()).map_err(|error| error.to_string());
    let mut wishes = settings.wishes();
    wishes.has_display = display::has_display();
    Setup { places, wishes, bad: settings.bad.clone() }
}

async fn serve(setup: Setup) {
    let server = Server::new(Link::start(setup), Tells::Maker);
    let (events, subscriptions) = (server.events(), server.subscriptions());
    match rmcp::serve_server(server, stdio::transport()).await {
        Ok(service) => {
            // These end with the process, like the client that they tell.
            tokio::spawn(events.to_session(service.peer().clone()));
            tokio::spawn(subscriptions.to_session(service.peer().clone()));
            let ended = service.waiting().await;
            tracing::info!(?ended, "the client is gone");
        }
        Err(error) => tracing::info!(%error, "the client went before it began"),
    }
    stdio::flush().await;
}

fn start_log(settings: &Settings, setup: &Setup) -> Logging {
    let folder =
        setup.places.as_ref().ok().filter(|places| places.make().is_ok()).map(Places::logs);
    let logging = logging::start(Log {
        folder: folder.as_deref(),
        file: "ib-mcp.log",
        stderr: true,
        filter: settings.text(Key::Log).unwrap_or("warn,ib_mcp=info"),
    });
    for warning in &settings.warnings {
        tracing::warn!(warning);
    }
    for bad in &settings.bad {
        tracing::warn!(%bad, "every call will say so");
    }
    logging
}

fn help() -> String {
    let mut text = String::from(
        "ib-mcp: an MCP server for an Interactive Brokers account, over stdio or HTTP\n\n\
         Usage: ib-mcp [FLAGS]\n\n\
         Let your client launch it: `ibctl setup` tells Claude, Cursor, VS Code and others. It finds or\n\
         starts the daemon `ibd`, which owns the gateway and the login. Every flag is also a variable\n\
         (IB_PAPER_TRADING), but those of HTTP, which are for clients that cannot launch a program.\n\n\
         HTTP:\n",
    );
    for (name, value, about) in arguments::FLAGS {
        text.push_str(&format!("  {:<34} {about}\n", format!("{name} {value}").trim_end()));
    }
    text.push_str("\nFlags:\n  --version\n  --help\n");
    for setting in SETTINGS {
        text.push_str(&format!(
            "  {:<34} {} [{}]\n",
            setting.flag(),
            setting.about,
            setting.default
        ));
    }
    text
}

/// `--version` and `--help` are for a person; no MCP client gives them.
fn say(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    ExitCode::SUCCESS
}
