//! The link to the daemon, which outlives the daemon.
//!
//! One task owns the connection. When it is lost, calls under way are sent again over the next one
//! with the same key: reads are simply asked again, writes will be answered by the daemon's journal; what is followed
//! is subscribed to again, and told to have changed. The MCP client sees a delay and nothing else.

mod asked;
mod comeback;
mod refusals;
mod task;
mod wants;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ibd_protocol::settings::BadSetting;
use ibd_protocol::{
    Answer, ClientName, Completed, Completing, Event, Outcome, Places, Progress, ResourceSpec,
    ToolSpec, Toolsets, Wishes, catalogue,
};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::timeout;

use refusals::{broken, unanswered};
use task::Task;

/// Arguments longer than this are not sent, in bytes.
pub(crate) const MAX_ARGUMENTS: usize = 1 << 20;
/// The first list of tools must be right, because some clients never ask again; but it must come.
const LIST: Duration = Duration::from_secs(2);
/// A person types on meanwhile.
const COMPLETION: Duration = Duration::from_secs(1);
/// What a call may take; several clients give up after 60 s.
pub(crate) const CALL: Duration = Duration::from_secs(45);
/// The daemon answers a deadline itself; this much later it is taken to hang.
const GRACE: Duration = Duration::from_secs(2);
/// Events that may wait for whoever passes them on; older ones are forgotten.
const EVENTS: usize = 32;
/// The same of resources that changed; whoever misses some takes all of its own to have changed.
const CHANGES: usize = 256;
/// A longer address is none of ours, in bytes.
const MAX_URI: usize = 256;

/// What a link needs.
#[derive(Debug, Clone)]
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
    changes: broadcast::Sender<String>,
    read_only: bool,
    toolsets: Toolsets,
    /// What every call answers, if this client's settings are bad.
    broken: Option<String>,
}

/// What the handles ask of the task.
enum ToLink {
    Call(Request, oneshot::Sender<Outcome>),
    Read(String, oneshot::Sender<Outcome>),
    Tools(oneshot::Sender<Vec<ToolSpec>>),
    Resources(oneshot::Sender<Vec<ResourceSpec>>),
    Complete(Completing, oneshot::Sender<Completed>),
    /// Somebody, by a number, wants to hear of a resource.
    Want(String, u64, oneshot::Sender<Outcome>),
    /// No longer.
    Leave(String, u64),
    Introduce(ClientName),
    Answer(Answer),
}

/// A resource that is followed, until this is dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    uri: String,
    holder: u64,
    to_link: mpsc::UnboundedSender<ToLink>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let _ = self.to_link.send(ToLink::Leave(std::mem::take(&mut self.uri), self.holder));
    }
}

impl Link {
    /// Starts connecting at once.
    pub(crate) fn start(setup: Setup) -> Self {
        let (to_link, from_handles) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(EVENTS);
        let (changes, _) = broadcast::channel(CHANGES);
        let read_only = setup.wishes.read_only == Some(true);
        let toolsets = setup.wishes.toolsets.clone().unwrap_or_default();
        let broken = broken(&setup);
        if let (Ok(places), None) = (setup.places, &broken) {
            let task =
                Task::new(places, setup.wishes, from_handles, (events.clone(), changes.clone()));
            // Ends with the process: it owns nothing that must be put away.
            tokio::spawn(task.run());
        }
        Self { to_link, events, changes, read_only, toolsets, broken }
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
        let is_shown = |one: &&catalogue::Listed| {
            self.toolsets.has(one.set) && (!self.read_only || one.spec.effect.is_for_readers())
        };
        catalogue::listed().iter().filter(is_shown).map(|one| one.spec.clone()).collect()
    }

    /// What a value may be, as far as a daemon that runs knows it.
    pub(crate) async fn complete(&self, completing: Completing) -> Completed {
        let (reply, completed) = oneshot::channel();
        let _ = self.to_link.send(ToLink::Complete(completing, reply));
        match timeout(COMPLETION, completed).await {
            Ok(Ok(completed)) => completed,
            _ => Completed::default(),
        }
    }

    /// The daemon's resources and the kinds of them, or this build's if the daemon does not answer in time.
    pub(crate) async fn resources(&self) -> Vec<ResourceSpec> {
        let (reply, resources) = oneshot::channel();
        let _ = self.to_link.send(ToLink::Resources(reply));
        match timeout(LIST, resources).await {
            Ok(Ok(resources)) => resources,
            _ => catalogue::resources(),
        }
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

    /// Which resources change from now on, of those that anybody follows.
    pub(crate) fn changes(&self) -> broadcast::Receiver<String> {
        self.changes.subscribe()
    }

    /// Makes a call; dropping the future cancels it.
    pub(crate) async fn call(&self, request: Request) -> Outcome {
        let limit = request.limit;
        self.ask(limit, |reply| ToLink::Call(request, reply)).await
    }

    /// What a resource says; dropping the future cancels it.
    pub(crate) async fn read(&self, uri: String) -> Outcome {
        if uri.len() > MAX_URI {
            return too_long();
        }
        self.ask(CALL, |reply| ToLink::Read(uri, reply)).await
    }

    /// Follows a resource until what is returned is dropped, whatever becomes of daemons meanwhile; or why not.
    pub(crate) async fn subscribe(&self, uri: String) -> Result<Subscription, Outcome> {
        static HOLDERS: AtomicU64 = AtomicU64::new(0);
        if uri.len() > MAX_URI {
            return Err(too_long());
        }
        let (holder, to_link) = (HOLDERS.fetch_add(1, Ordering::Relaxed), self.to_link.clone());
        let subscription = Subscription { uri: uri.clone(), holder, to_link };
        match self.ask(CALL, |reply| ToLink::Want(uri, holder, reply)).await {
            Outcome::Result(_) => Ok(subscription),
            refused => Err(refused),
        }
    }

    async fn ask(
        &self,
        limit: Duration,
        question: impl FnOnce(oneshot::Sender<Outcome>) -> ToLink,
    ) -> Outcome {
        if let Some(broken) = &self.broken {
            return Outcome::Refusal(broken.clone());
        }
        let (reply, outcome) = oneshot::channel();
        let _ = self.to_link.send(question(reply));
        match timeout(limit + GRACE, outcome).await {
            Ok(Ok(outcome)) => outcome,
            _ => Outcome::Refusal(unanswered()),
        }
    }
}

fn too_long() -> Outcome {
    Outcome::UnknownResource(format!("No resource has an address of more than {MAX_URI} bytes."))
}
