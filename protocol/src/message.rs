//! What is said after the handshake.
//!
//! bincode writes no names: a variant is its position, a field is its place. So new variants go at
//! the end, anything else raises `PROTOCOL`, and no message may hold a `serde_json::Value`, an
//! untagged enum or a skipped field. JSON travels as text. One golden file per message
//! (`protocol/golden/`) shows every change as a diff.

mod alerts;
mod complete;
mod flex;
mod orders;
mod person;
mod resource;

use serde::{Deserialize, Serialize};

use crate::states::{self, Said};
use crate::{Secret, Toolsets};
pub use alerts::{AlertReport, AlertsReport};
pub use complete::{Completable, Completed, Completing};
pub use flex::{FlexQueryReport, FlexReport, FlexVerb};
pub use orders::{ApprovalReport, AuditLine, OrderReport, OrdersReport, OrdersVerb, Resolution};
pub use person::{
    Answer, Event, GatewayReport, GatewayVerb, Level, LoginReport, LoginRequest, OauthVerb,
    Question, Report, SecretReport, SecretsVerb,
};
pub use resource::{Read, ResourceSpec, Variable};

/// The number by which one connection tells its requests apart.
pub type RequestId = u64;

/// From a client to the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToDaemon {
    /// First after the greeting: what this client's configuration asks for.
    Wishes(Wishes),
    /// Which program is at the far end of the shim, once it has said so.
    Introduce(ClientName),
    /// Asks for the tools this client may see.
    ListTools(RequestId),
    /// Calls a tool.
    Call(Call),
    /// Gives up on a call; a write that has begun is finished all the same.
    Cancel(RequestId),
    /// Asks how everything is.
    Status(RequestId),
    /// Ends the broker's session.
    Logout(RequestId),
    /// Asks for the settings in force and where each comes from.
    Config(RequestId),
    /// Asks the daemon to finish what is in flight and exit.
    Drain(RequestId, DrainReason),
    /// Starts or joins a login, or gives it the code that it waits for.
    Login(RequestId, LoginRequest),
    /// Calls a login off.
    CancelLogin(RequestId),
    /// Takes the session back, or goes on, after somebody else had it.
    Resume(RequestId),
    /// Starts, ends or looks at the managed gateway.
    Gateway(RequestId, GatewayVerb),
    /// Keeps, lists or forgets secrets.
    Secrets(RequestId, SecretsVerb),
    /// A person's answer to what a call needed.
    Answer(Answer),
    /// Whether the page that `OpenPage` named could be opened.
    PageOpened(bool),
    /// What a person does about orders.
    Orders(RequestId, OrdersVerb),
    /// What a person does about Flex queries.
    Flex(RequestId, FlexVerb),
    /// Asks what a value may be, of which a part is typed.
    Complete(RequestId, Completing),
    /// Asks for the resources this client may see, and the kinds of them.
    ListResources(RequestId),
    /// Asks what a resource says; answered by `Done`.
    Read(Read),
    /// Asks to be told when a resource changes; answered by `Done`, with a result if it will be.
    Subscribe(RequestId, String),
    /// No longer.
    Unsubscribe(String),
    /// Asks for the alerts that the daemon itself watches.
    Alerts(RequestId),
    /// What a person does about the keys of the direct way.
    Oauth(RequestId, OauthVerb),
}

/// From the daemon to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToClient {
    /// Answers `ListTools`.
    Tools(RequestId, Vec<ToolSpec>),
    /// A call is alive: what it is doing now.
    Progress(RequestId, Progress),
    /// A call is over.
    Done(RequestId, Outcome),
    /// Answers `Status`.
    Status(RequestId, Box<Status>),
    /// Answers `Logout`.
    LoggedOut(RequestId, LogoutReport),
    /// Answers `Config`.
    Config(RequestId, Vec<SettingReport>),
    /// The daemon is going away after what is in flight; a new one may be started at once after.
    Draining(DrainReason),
    /// Answers `Login` and `CancelLogin`.
    Login(RequestId, Box<LoginReport>),
    /// Answers `Resume` and `Oauth`, and `Secrets` where something was changed.
    Report(RequestId, Report),
    /// Answers `Gateway`.
    Gateway(RequestId, Box<GatewayReport>),
    /// Answers `Secrets` where they are listed.
    Secrets(RequestId, Vec<SecretReport>),
    /// Open this page in the person's browser; answered by `PageOpened`.
    OpenPage(String),
    /// Something happened.
    Event(Event),
    /// Answers `Orders`.
    Orders(RequestId, Box<OrdersReport>),
    /// Answers `Flex`.
    Flex(RequestId, Box<FlexReport>),
    /// Answers `Complete`.
    Completed(RequestId, Completed),
    /// Answers `ListResources`.
    Resources(RequestId, Vec<ResourceSpec>),
    /// A resource that was subscribed to may say something else than before.
    Changed(String),
    /// Answers `Alerts`.
    Alerts(RequestId, Box<AlertsReport>),
}

/// Why the daemon is asked to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DrainReason {
    /// A person said `ibctl stop`.
    Stop,
    /// A person said `ibctl restart`.
    Restart,
    /// A newer build wants to take its place.
    Upgrade,
    /// The service manager or a signal ended it.
    Signal,
    /// Nobody has used it for a while.
    Idle,
}

/// What one client's environment and flags ask for. Nothing here can loosen what the daemon allows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Wishes {
    /// Which arrangement of gateway.
    pub gateway: Option<GatewayMode>,
    /// Host of the gateway to attach to.
    pub host: Option<String>,
    /// Port of the gateway to attach to.
    pub port: Option<u16>,
    /// `true`: never attach to a running gateway.
    pub force_standalone: Option<bool>,
    /// `true`: only ever a paper session.
    pub paper: Option<bool>,
    /// `true`: this client never sees a tool that writes.
    pub read_only: Option<bool>,
    /// `true`: log in without a person at a browser.
    pub headless: Option<bool>,
    /// The username this client believes it works with.
    pub username: Option<String>,
    /// Its password; kept in the daemon's memory only.
    pub password: Option<Secret>,
    /// The account for calls that name none.
    pub account: Option<String>,
    /// What a managed gateway talks to.
    pub upstream: Option<String>,
    /// Whether this client can open a page in a person's browser.
    pub has_display: bool,
    /// How to log in: the settings of [`crate::settings::LOGIN`] that were given, by name.
    pub login: Vec<(String, Secret)>,
    /// Limits for orders: the settings of [`crate::settings::LIMITS`] that were given, by name.
    pub limits: Vec<(String, String)>,
    /// The sets of tools that this client sees, if it does not want all.
    pub toolsets: Option<Toolsets>,
}

/// Which arrangement of gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayMode {
    /// IBKR's Java gateway, installed and run by the daemon.
    Managed,
    /// A gateway that somebody else runs.
    Attach,
    /// The daemon's own `ib-sim`.
    Simulator,
    /// None: requests to IBKR that the daemon signs.
    Direct,
}

impl GatewayMode {
    /// As in configuration and status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Attach => "attach",
            Self::Simulator => "simulator",
            Self::Direct => "direct",
        }
    }
}

/// The program at the far end of a shim, in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientName {
    /// For instance `claude-code`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Names the call on this connection.
    pub id: RequestId,
    /// Names the call for ever: the same when the shim sends it again.
    pub key: String,
    /// The tool.
    pub tool: String,
    /// Its arguments, a JSON object as text.
    pub arguments: String,
    /// Milliseconds the caller will still wait.
    pub deadline_ms: u64,
    /// The question that was answered before this call was made again.
    pub resumes: Option<String>,
}

/// What a call is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done.
    pub done: u32,
    /// Steps in all, where known.
    pub total: Option<u32>,
    /// One line for a person.
    pub message: String,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The tool's result, a JSON object as text.
    Result(String),
    /// Not done, and why: a JSON object as text with `error`, `message`, `next`.
    Refusal(String),
    /// No tool of this name for this client.
    UnknownTool,
    /// A person must say something first; then the same call is made again.
    NeedsInput(Question),
    /// The tool's result, and what a person sees beside it.
    Pictured(String, Vec<Picture>),
    /// No tool for this client, which sees other sets of them: which set it is in, and what hides it.
    Hidden(String),
    /// No resource of this address for this client, and why, in a sentence.
    UnknownResource(String),
}

/// A picture that a person looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// For instance `image/png`.
    pub mime_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What a tool may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing at the broker.
    Reads,
    /// Sends, changes or cancels orders.
    Trades,
    /// Removes what is kept here; changes nothing at the broker.
    Forgets,
    /// Does something besides: logs in, or keeps what comes. It sends no order and removes nothing.
    Acts,
    /// Changes something at IBKR that is no order: alerts, watchlists.
    Writes,
}

impl Effect {
    /// Whether a client that only reads has such tools: what it reads may have to be opened or fetched first.
    pub fn is_for_readers(self) -> bool {
        matches!(self, Self::Reads | Self::Acts)
    }
}

/// A tool as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// `verb_noun`.
    pub name: String,
    /// For a person's menu.
    pub title: String,
    /// For the model: when to use it, when not, what it answers.
    pub description: String,
    /// Reads or trades.
    pub effect: Effect,
    /// JSON Schema of the arguments, as text.
    pub input_schema: String,
    /// JSON Schema of the result, as text.
    pub output_schema: String,
}

/// Everything `ibctl status` shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The process.
    pub daemon: DaemonStatus,
    /// The gateway it works through.
    pub gateway: GatewayStatus,
    /// The login at the broker.
    pub session: SessionStatus,
    /// The pacing budget.
    pub budgets: Budgets,
    /// Who is connected.
    pub clients: Vec<ClientStatus>,
    /// Whether orders may be sent.
    pub trading: TradingStatus,
    /// What a person should know, worst first.
    pub conditions: Vec<Condition>,
}

/// The daemon's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DaemonStatus {
    /// Always true in an answer; `ibctl` says false when nobody answers.
    pub running: bool,
    /// Its build.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_seconds: u64,
}

/// The gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// Which arrangement.
    pub mode: GatewayMode,
    /// How it stands.
    pub state: Said<states::Gateway>,
    /// Its process, if it is ours.
    pub pid: Option<u32>,
    /// Where it answers.
    pub address: Option<String>,
}

/// The session at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionStatus {
    /// How it stands.
    pub state: Said<states::Session>,
    /// One sentence for a person.
    pub text: String,
    /// Paper or live, as the broker says; absent until it has said.
    pub paper: Option<bool>,
    /// The accounts of this login.
    pub accounts: Vec<String>,
    /// Seconds since the brokerage session was opened.
    pub age_seconds: Option<u64>,
    /// The broker's name for the login.
    pub username: Option<String>,
    /// When the login was made, RFC 3339.
    pub login_at: Option<String>,
    /// About when the next login is needed, RFC 3339.
    pub next_login_at: Option<String>,
}

/// The pacing budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Budgets {
    /// Requests a second that IBKR allows.
    pub per_second: u32,
    /// Requests at the gateway now.
    pub in_flight: u32,
    /// Requests waiting for their turn.
    pub queued: u32,
    /// End of the broker's penalty, RFC 3339.
    pub penalty_until: Option<String>,
}

/// One connected client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientStatus {
    /// Its own name, or empty until it says.
    pub name: String,
    /// Whether it may only read.
    pub read_only: bool,
    /// Calls it has made.
    pub calls: u64,
}

/// Whether orders may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TradingStatus {
    /// Whether they may.
    pub state: Said<states::Trading>,
    /// What stands between an assistant and an order.
    pub protection: String,
    /// One sentence: why not, or how many orders wait for a person or are in doubt.
    pub text: String,
    /// Orders that wait for a person's approval.
    pub waiting: u32,
    /// Orders of which it is not known whether the broker has them.
    pub in_doubt: u32,
}

/// One thing a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// In snake_case, stable.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// What to do about it.
    pub hint: String,
    /// RFC 3339.
    pub since: String,
}

/// One setting in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingReport {
    /// The variable's name.
    pub name: String,
    /// Its value; masked if secret, absent if unset.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: String,
    /// Anything to know, for instance that this version does not use it.
    pub note: Option<String>,
}

/// How a logout went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogoutReport {
    /// Whether the broker confirmed that nobody is logged in any more.
    pub logged_out: bool,
    /// One sentence.
    pub text: String,
}
