//! The link to the daemon, which outlives the daemon.
//!
//! One task owns the connection. When it is lost, calls under way are sent again over the next one
//! with the same key: reads are simply asked again, writes will be answered by the daemon's journal.
//! The MCP client sees a delay and nothing else.

use std::collections::HashMap;
use std::time::Duration;

use ibd_protocol::client::{ConnectError, Incoming, Outgoing};
use ibd_protocol::settings::BadSetting;
use ibd_protocol::start::{StartError, connect_or_start};
use ibd_protocol::version::Role;
use ibd_protocol::wire::WireError;
use ibd_protocol::{
    Answer, Call, ClientName, Connection, ErrorCode, Event, Outcome, Places, Progress, RequestId,
    ToClient, ToDaemon, ToolSpec, Wishes, catalogue,
};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, timeout};
use ulid::Ulid;

use crate::page;
use crate::translate::own_refusal;

/// Arguments longer than this are not sent, in bytes.
pub(crate) const MAX_ARGUMENTS: usize = 1 << 20;
/// The first list of tools must be right, because some clients never ask again; but it must come.
const LIST: Duration = Duration::from_secs(2);
/// What a call may take; several clients give up after 60 s.
pub(crate) const CALL: Duration = Duration::from_secs(45);
/// The daemon answers a deadline itself; this much later it is taken to hang.
const GRACE: Duration = Duration::from_secs(2);
/// A call that has met so many ends of a daemon may be what ends it. A send into a connection that is
/// dead and not yet known to be counts too, so it is not just two or three.
const SENDS: u32 = 5;
/// Events that may wait for whoever passes them on; older ones are forgotten.
const EVENTS: usize = 32;

/// What a link needs.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Where the daemon is, or why that is not known.
    pub(crate) places: Result<Places, String>,
    /// What this client asks for.
    pub(crate) wishes: Wishes,
    /// Settings that are no values: every call answers the first.
    pub(crate) bad: Vec<BadSetting>,
}

/// A call to be made.
#[derive(Debug)]
pub(crate) struct Request {
    /// The tool.
    pub(crate) tool: String,
    /// Its arguments as JSON.
    pub(crate) arguments: String,
    /// Where its progress goes.
    pub(crate) progress: Option<mpsc::UnboundedSender<Progress>>,
    /// The question that was answered before it.
    pub(crate) resumes: Option<String>,
    /// What it may take.
    pub(crate) limit: Duration,
}

/// A handle; clones share the connection.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    to_link: mpsc::UnboundedSender<ToLink>,
    events: broadcast::Sender<Event>,
    read_only: bool,
    /// What every call answers, if this client's settings are bad.
    broken: Option<String>,
}

/// What the handles ask of the task.
enum ToLink {
    Call(Request, oneshot::Sender<Outcome>),
    Tools(oneshot::Sender<Vec<ToolSpec>>),
    Introduce(ClientName),
    Answer(Answer),
}

impl Link {
    /// Starts connecting at once.
    pub(crate) fn start(setup: Setup) -> Self {
        let (to_link, from_handles) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(EVENTS);
        let read_only = setup.wishes.read_only == Some(true);
        let broken = broken(&setup);
        if let (Ok(places), None) = (setup.places, &broken) {
            let task = Task {
                places,
                wishes: setup.wishes,
                client: None,
                from_handles,
                pending: HashMap::new(),
                lists: HashMap::new(),
                events: events.clone(),
                next: 0,
            };
            // Ends with the process: it owns nothing that must be put away.
            tokio::spawn(task.run());
        }
        Self { to_link, events, read_only, broken }
    }

    /// The daemon's tools, or this build's if the daemon does not answer in time.
    pub(crate) async fn tools(&self) -> Vec<ToolSpec> {
        let (reply, tools) = oneshot::channel();
        let _ = self.to_link.send(ToLink::Tools(reply));
        match timeout(LIST, tools).await {
            Ok(Ok(tools)) => tools,
            _ => self.golden(),
        }
    }

    fn golden(&self) -> Vec<ToolSpec> {
        let mut tools = catalogue::golden();
        tools.retain(|tool| !self.read_only || tool.effect.is_for_readers());
        tools
    }

    /// Who is at the far end.
    pub(crate) fn introduce(&self, client: ClientName) {
        let _ = self.to_link.send(ToLink::Introduce(client));
    }

    /// What a person answered to a question. It belongs to the daemon that asked: if that one is gone,
    /// so is the question.
    pub(crate) fn answer(&self, answer: Answer) {
        let _ = self.to_link.send(ToLink::Answer(answer));
    }

    /// What happens from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Makes a call; dropping the future cancels it.
    pub(crate) async fn call(&self, request: Request) -> Outcome {
        if let Some(broken) = &self.broken {
            return Outcome::Refusal(broken.clone());
        }
        let (reply, outcome) = oneshot::channel();
        let limit = request.limit + GRACE;
        let _ = self.to_link.send(ToLink::Call(request, reply));
        match timeout(limit, outcome).await {
            Ok(Ok(outcome)) => outcome,
            _ => Outcome::Refusal(own_refusal(
                ErrorCode::Timeout,
                "The daemon did not answer in time. If this was to send or change something, it may have \
                 been done.",
                "Look at what there is before anything is sent again; ask the user to look at `ibctl status`.",
            )),
        }
    }
}

fn broken(setup: &Setup) -> Option<String> {
    let (field, problem) = match (setup.bad.first(), &setup.places) {
        (Some(bad), _) => (bad.field.clone(), bad.problem.clone()),
        (None, Err(problem)) => ("HOME".to_owned(), problem.clone()),
        (None, Ok(_)) => return None,
    };
    let refusal = serde_json::json!({
        "error": ErrorCode::BadConfiguration,
        "message": format!("This client's configuration is wrong: {field}: {problem}"),
        "next": format!("Ask the user to correct {field} where this client starts ib-mcp, and to restart the client."),
        "field": field,
    });
    Some(refusal.to_string())
}

/// A call that is not answered.
struct Pending {
    call: Call,
    deadline: Instant,
    sends: u32,
    progress: Option<mpsc::UnboundedSender<Progress>>,
    reply: oneshot::Sender<Outcome>,
}

struct Task {
    places: Places,
    wishes: Wishes,
    client: Option<ClientName>,
    from_handles: mpsc::UnboundedReceiver<ToLink>,
    pending: HashMap<RequestId, Pending>,
    lists: HashMap<RequestId, oneshot::Sender<Vec<ToolSpec>>>,
    events: broadcast::Sender<Event>,
    next: RequestId,
}

/// Why a connection is no longer used.
enum Lost {
    /// Every handle is gone.
    Unwanted,
    /// The daemon is gone.
    Closed,
}

impl Task {
    async fn run(mut self) {
        loop {
            match self.connect().await {
                Some(Ok(connection)) => {
                    if let Lost::Unwanted = self.serve(connection).await {
                        return;
                    }
                    tracing::info!("the daemon is gone");
                }
                Some(Err(error)) => self.refuse_all(&error),
                None => return,
            }
            self.pending.retain(|_, pending| !pending.reply.is_closed());
            self.lists.retain(|_, reply| !reply.is_closed());
            // Only what somebody asks for brings the daemon back: `ibctl stop` means stop.
            while self.pending.is_empty() && self.lists.is_empty() {
                match self.from_handles.recv().await {
                    Some(message) => {
                        self.note(message);
                    }
                    None => return,
                }
            }
        }
    }

    /// Finds or starts a daemon, taking what is asked for meanwhile. `None`: every handle is gone.
    async fn connect(&mut self) -> Option<Result<Connection, StartError>> {
        let places = self.places.clone();
        let connecting = connect_or_start(&places, Role::Shim);
        tokio::pin!(connecting);
        loop {
            tokio::select! {
                connection = &mut connecting => return Some(connection),
                message = self.from_handles.recv() => {
                    self.note(message?);
                }
            }
        }
    }

    /// Takes a message down, to be said when there is somebody to say it to.
    fn note(&mut self, message: ToLink) -> Option<RequestId> {
        let id = self.next;
        match message {
            ToLink::Introduce(client) => {
                self.client = Some(client);
                return None;
            }
            ToLink::Answer(_) => return None,
            ToLink::Tools(reply) => {
                self.lists.insert(id, reply);
            }
            ToLink::Call(request, reply) => {
                let Request { tool, arguments, progress, resumes, limit } = request;
                // Made once: whatever happens to the connection, the call keeps its name.
                let key = Ulid::new().to_string();
                let call = Call { id, key, tool, arguments, deadline_ms: 0, resumes };
                let deadline = Instant::now() + limit;
                self.pending.insert(id, Pending { call, deadline, sends: 0, progress, reply });
            }
        }
        self.next += 1;
        Some(id)
    }

    async fn serve(&mut self, connection: Connection) -> Lost {
        let Connection { mut incoming, outgoing, build, .. } = connection;
        tracing::info!(build, "connected");
        if self.greet(&outgoing).await.is_err() {
            return Lost::Closed;
        }
        let mut is_draining = false;
        loop {
            tokio::select! {
                message = self.from_handles.recv() => {
                    let Some(message) = message else { return Lost::Unwanted };
                    if self.take(message, &outgoing, is_draining).await.is_err() {
                        return Lost::Closed;
                    }
                }
                heard = hear(&mut incoming, &mut self.pending) => match heard {
                    Heard::Gone(id) => {
                        self.pending.remove(&id);
                        let _ = outgoing.send(&ToDaemon::Cancel(id)).await;
                    }
                    Heard::Said(Ok(ToClient::OpenPage(address))) => {
                        page::open(address, outgoing.clone());
                    }
                    Heard::Said(Ok(message)) => is_draining |= self.heard(message),
                    Heard::Said(Err(error)) => {
                        tracing::info!(%error, "the connection ended");
                        return Lost::Closed;
                    }
                },
            }
        }
    }

    /// What every connection begins with: who we are, and what is still unanswered.
    async fn greet(&mut self, outgoing: &Outgoing) -> Result<(), WireError> {
        outgoing.send(&ToDaemon::Wishes(self.wishes.clone())).await?;
        if let Some(client) = &self.client {
            outgoing.send(&ToDaemon::Introduce(client.clone())).await?;
        }
        for id in self.lists.keys() {
            outgoing.send(&ToDaemon::ListTools(*id)).await?;
        }
        let ids: Vec<RequestId> = self.pending.keys().copied().collect();
        for id in ids {
            self.send_call(id, outgoing).await?;
        }
        Ok(())
    }

    async fn take(
        &mut self,
        message: ToLink,
        outgoing: &Outgoing,
        is_draining: bool,
    ) -> Result<(), WireError> {
        match &message {
            ToLink::Introduce(client) => {
                outgoing.send(&ToDaemon::Introduce(client.clone())).await?;
            }
            ToLink::Answer(answer) => outgoing.send(&ToDaemon::Answer(answer.clone())).await?,
            ToLink::Call(..) | ToLink::Tools(_) => {}
        }
        let Some(id) = self.note(message) else { return Ok(()) };
        if is_draining {
            // It will be said to the next daemon.
            return Ok(());
        }
        if self.lists.contains_key(&id) {
            outgoing.send(&ToDaemon::ListTools(id)).await
        } else {
            self.send_call(id, outgoing).await
        }
    }

    async fn send_call(&mut self, id: RequestId, outgoing: &Outgoing) -> Result<(), WireError> {
        let Some(pending) = self.pending.get_mut(&id) else { return Ok(()) };
        pending.sends += 1;
        if pending.sends > SENDS {
            self.answer(id, Outcome::Refusal(ends_the_daemon()));
            return Ok(());
        }
        let left = pending.deadline.saturating_duration_since(Instant::now());
        let call = Call { deadline_ms: left.as_millis() as u64, ..pending.call.clone() };
        match outgoing.send(&ToDaemon::Call(call)).await {
            Err(error @ (WireError::TooLarge { .. } | WireError::Unencodable(_))) => {
                let next = "Send only what the tool's schema asks for.";
                self.answer(
                    id,
                    Outcome::Refusal(own_refusal(
                        ErrorCode::InvalidArgument,
                        &error.to_string(),
                        next,
                    )),
                );
                Ok(())
            }
            sent => sent,
        }
    }

    /// Handles what the daemon says; whether it is going away.
    fn heard(&mut self, message: ToClient) -> bool {
        match message {
            ToClient::Tools(id, tools) => {
                if let Some(reply) = self.lists.remove(&id) {
                    let _ = reply.send(tools);
                }
            }
            ToClient::Progress(id, progress) => {
                let to = self.pending.get(&id).and_then(|pending| pending.progress.as_ref());
                if let Some(to) = to {
                    let _ = to.send(progress);
                }
            }
            ToClient::Done(id, outcome) => self.answer(id, outcome),
            ToClient::Draining(reason) => {
                tracing::info!(?reason, "the daemon is going away");
                return true;
            }
            ToClient::Event(event) => {
                // Nobody may be listening.
                let _ = self.events.send(event);
            }
            // Opened where the connection is at hand, which must be told whether it worked.
            ToClient::OpenPage(_) => {}
            ToClient::Status(..)
            | ToClient::LoggedOut(..)
            | ToClient::Config(..)
            | ToClient::Login(..)
            | ToClient::Report(..)
            | ToClient::Gateway(..)
            | ToClient::Secrets(..)
            | ToClient::Orders(..)
            | ToClient::Flex(..)
            | ToClient::Alerts(..) => {}
        }
        false
    }

    fn answer(&mut self, id: RequestId, outcome: Outcome) {
        if let Some(pending) = self.pending.remove(&id) {
            let _ = pending.reply.send(outcome);
        }
    }

    /// No daemon can be had: everybody who waits is told why.
    fn refuse_all(&mut self, error: &StartError) {
        tracing::warn!(%error, "no daemon");
        let refusal = refusal_of(error);
        for (_, pending) in self.pending.drain() {
            let _ = pending.reply.send(Outcome::Refusal(refusal.clone()));
        }
        // Dropped replies make the callers take this build's own list.
        self.lists.clear();
    }
}

/// What the connection brought: a message, or that nobody waits for a call any more.
enum Heard {
    Said(Result<ToClient, WireError>),
    Gone(RequestId),
}

/// Listens to the daemon, and for callers who leave.
async fn hear(incoming: &mut Incoming, pending: &mut HashMap<RequestId, Pending>) -> Heard {
    let left = std::future::poll_fn(|cx| {
        let gone = pending
            .iter_mut()
            .find_map(|(id, p)| p.reply.poll_closed(cx).is_ready().then_some(*id));
        gone.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
    });
    tokio::select! {
        biased;
        said = incoming.next() => Heard::Said(said),
        id = left => Heard::Gone(id),
    }
}

fn refusal_of(error: &StartError) -> String {
    match error {
        StartError::Connect(ConnectError::OtherProtocol { .. }) => own_refusal(
            ErrorCode::VersionMismatch,
            &error.to_string(),
            "Ask the user to install the same version of ib-mcp and ibd, run `ibctl restart`, and restart this client.",
        ),
        StartError::NoProgram(_) => own_refusal(
            ErrorCode::DaemonMissing,
            &error.to_string(),
            "Ask the user to install ibd beside ib-mcp (`make install`).",
        ),
        _ => own_refusal(
            ErrorCode::DaemonUnavailable,
            &error.to_string(),
            "Ask the user to run `ibctl status` and `ibctl logs`; the next call tries again.",
        ),
    }
}

fn ends_the_daemon() -> String {
    own_refusal(
        ErrorCode::DaemonUnavailable,
        "The daemon ended several times while it worked on this call.",
        "Do not repeat it. If it was to send something, look first at what there is; the user can find the \
         reason in `ibctl logs`.",
    )
}
