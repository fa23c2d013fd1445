//! `ib-mcp`: the stdio MCP server that a client launches. Knows MCP; knows no tool and no broker.
//!
//! Nothing but MCP is ever written to stdout.

mod ask;
mod events;
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

use ibd_protocol::display;
use ibd_protocol::logging::{self, Log, Logging};
use ibd_protocol::settings::{self, Key, SETTINGS, Settings};
use ibd_protocol::{Places, build};
use link::{Link, Setup};
use server::Server;

const OWN: &[&str] = &["--version", "--help"];

fn main() -> ExitCode {
    let flags = match settings::from_flags(std::env::args().skip(1), OWN) {
        Ok(flags) => flags,
        Err(error) => {
            eprintln!("ib-mcp: {error}");
            return ExitCode::from(2);
        }
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve(setup)),
        Err(error) => eprintln!("ib-mcp: {error}"),
    }
    drop(logging);
    // A plain return would wait for the thread that reads stdin.
    std::process::exit(0)
}

/// What the link needs, or the one error that every call will answer.
fn setup(settings: &Settings) -> Setup {
    let places = Places::of(settings.profile()).map_err(|error| error.to_string());
    let mut wishes = settings.wishes();
    wishes.has_display = display::has_display();
    Setup { places, wishes, bad: settings.bad.clone() }
}

async fn serve(setup: Setup) {
    let server = Server::new(Link::start(setup));
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
        "ib-mcp: an MCP server for an Interactive Brokers account, over stdio\n\n\
         Usage: ib-mcp [FLAGS]\n\n\
         Let your client launch it: `ibctl setup` tells Claude, Cursor, VS Code and others. It finds or\n\
         starts the daemon `ibd`, which owns the gateway and the login. Every flag is also a variable\n\
         (IB_PAPER_TRADING).\n\nFlags:\n  --version\n  --help\n",
    );
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
