//! Reaching the daemon, and what is said when that fails.

pub(crate) mod holder;

use std::time::Duration;

use ibd_protocol::client::ConnectError;
use ibd_protocol::display;
use ibd_protocol::settings;
use ibd_protocol::start::{StartError, connect_or_start};
use ibd_protocol::version::Role;
use ibd_protocol::wire::WireError;
use ibd_protocol::{Connection, Places, ToClient, ToDaemon};

/// A daemon answers what it knows by heart within this time.
const ANSWER: Duration = Duration::from_secs(5);
/// What needs the broker may take longer.
const ERRAND: Duration = Duration::from_secs(60);

/// Why a verb failed, and what to do.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) text: String,
    pub(crate) hint: String,
    /// What is known besides, for `--json`.
    pub(crate) details: serde_json::Map<String, serde_json::Value>,
    /// The exit code.
    pub(crate) code: u8,
}

impl Fault {
    pub(crate) fn new(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { text: text.into(), hint: hint.into(), details: serde_json::Map::new(), code: 1 }
    }

    /// What was asked for cannot be done in this way.
    pub(crate) fn usage(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(text, hint) }
    }

    /// Only a person can do it, and none is there.
    pub(crate) fn needs_person(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 4, ..Self::new(text, hint) }
    }

    /// The same, with the fields of a report.
    pub(crate) fn with(mut self, report: &impl serde::Serialize) -> Self {
        if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(report) {
            self.details.extend(fields);
        }
        self
    }
}

/// The daemon says nothing.
pub(crate) fn silent() -> Fault {
    Fault::new("the daemon does not answer", "`ibctl logs` may tell why.")
}

/// Why there is no daemon to talk to.
pub(crate) fn fault(places: &Places, error: StartError) -> Fault {
    let hint = match &error {
        StartError::Connect(ConnectError::OtherProtocol { .. }) => match holder::pid(places) {
            Some(pid) => format!(
                "`ibctl restart` ends that one (pid {pid}; calls under way are finished first) and starts the \
                 one beside ibctl."
            ),
            None => "Install the same version of ibctl and ibd.".to_owned(),
        },
        StartError::Connect(ConnectError::Silent) => match holder::pid(places) {
            Some(pid) => format!("`ibctl restart` ends it (pid {pid}) and starts another one."),
            None => "`ibctl logs` may tell more.".to_owned(),
        },
        StartError::NoProgram(_) => "Install ibd beside ibctl (`make install`).".to_owned(),
        StartError::Failed(_) => "Correct what it says, then try again.".to_owned(),
        _ => "`ibctl logs` may tell more.".to_owned(),
    };
    Fault::new(error.to_string(), hint)
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self::new(error.to_string(), "The daemon may be ending; try again.")
    }
}

/// The running daemon. `None`: there is none.
pub(crate) async fn running(places: &Places) -> Result<Option<Connection>, Fault> {
    match Connection::open_present(places, Role::Ctl).await {
        Ok(connection) => Ok(Some(connection)),
        Err(ConnectError::Absent) => Ok(None),
        Err(error) => Err(fault(places, error.into())),
    }
}

/// The running daemon, for what nobody starts one for: exit code 3 if there is none.
pub(crate) async fn present(places: &Places) -> Result<Connection, Fault> {
    match running(places).await? {
        Some(connection) => Ok(connection),
        None => Err(Fault {
            code: 3,
            ..Fault::new("no daemon is running", "A client starts it, or `ibctl restart`.")
        }),
    }
}

/// The running daemon, or one that is started now with what this shell's variables ask for.
pub(crate) async fn started(places: &Places) -> Result<Connection, Fault> {
    let settings = settings::from_environment(std::env::vars_os());
    if let Some(bad) = settings.bad.first() {
        return Err(Fault::new(bad.to_string(), format!("Correct {} in this shell.", bad.field)));
    }
    let connection =
        connect_or_start(places, Role::Ctl).await.map_err(|error| fault(places, error))?;
    let mut wishes = settings.wishes();
    wishes.has_display = display::has_display();
    connection.outgoing.send(&ToDaemon::Wishes(wishes)).await?;
    Ok(connection)
}

/// Asks what the daemon knows by heart.
pub(crate) async fn ask<T>(
    connection: &mut Connection,
    question: &ToDaemon,
    pick: impl FnMut(ToClient) -> Option<T>,
) -> Result<T, Fault> {
    ask_within(ANSWER, connection, question, pick).await
}

/// Asks for something that needs the broker.
pub(crate) async fn ask_patiently<T>(
    connection: &mut Connection,
    question: &ToDaemon,
    pick: impl FnMut(ToClient) -> Option<T>,
) -> Result<T, Fault> {
    ask_within(ERRAND, connection, question, pick).await
}

async fn ask_within<T>(
    patience: Duration,
    connection: &mut Connection,
    question: &ToDaemon,
    pick: impl FnMut(ToClient) -> Option<T>,
) -> Result<T, Fault> {
    match tokio::time::timeout(patience, connection.ask(question, pick)).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(silent()),
    }
}
