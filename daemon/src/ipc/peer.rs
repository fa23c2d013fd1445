//! Peer: owns one connection: its policy, its calls under way, its way back.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use ibd_protocol::client::SharedStream;
use ibd_protocol::socket::Stream;
use ibd_protocol::version::Role;
use ibd_protocol::wire::{self, FrameReader, MAX_TO_CLIENT, MAX_TO_DAEMON};
use ibd_protocol::{
    Answer, Call, DrainReason, ErrorCode, Outcome, Progress, RequestId, ToClient, ToDaemon, Wishes,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Shared;
use super::person::{self, PersonCall};
use super::room::Activity;
use crate::config::GatewayChoice;
use crate::orders;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::session::OpenPage;
use crate::tools::{self, Ctx, Who};

/// Calls of one client under way at one time.
const MAX_CALLS: usize = 64;
/// No client waits longer for one call; several give up after 60 s themselves.
const LONGEST_CALL: Duration = Duration::from_secs(45);
/// What was said is still written for so long when the connection ends.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Frames that wait for a client to read; one that lets more gather is dropped.
const MAX_UNREAD: usize = 1_024;
/// The same in bytes: room for some of the longest answers that come together.
const MAX_UNREAD_BYTES: usize = 4 * MAX_TO_CLIENT;

/// A frame that waits to be written, with the room that it takes.
type Waiting = (Vec<u8>, OwnedSemaphorePermit);

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// The client said something.
    Said(Box<ToDaemon>),
    /// A call tells what it is doing.
    Progress(RequestId, Progress),
    /// A call is over.
    Finished(RequestId, Outcome),
    /// What a person asked for is over.
    Answer(Box<ToClient>),
    /// Something for the client that nobody asked for.
    Tell(Box<ToClient>),
    /// The daemon is going.
    Ending(DrainReason),
    /// The connection is over.
    Closed,
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// The greeted connection.
    pub stream: Stream,
    /// Who is at its other end.
    pub role: Role,
    /// What all connections share.
    pub shared: Shared,
    /// What it is about, for whoever makes room.
    pub activity: Activity,
}

/// The actor.
#[derive(Debug)]
pub struct Peer;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    shared: Shared,
    activity: Activity,
    policy: Arc<Policy>,
    /// Its number in the roster; only shims are in it.
    id: Option<u64>,
    /// Its own name, or empty until it says.
    name: String,
    calls: HashMap<RequestId, JoinHandle<()>>,
    /// Gone once everything has been said.
    outgoing: Option<mpsc::Sender<Waiting>>,
    /// Bytes that may still wait for the client to read.
    room: Arc<Semaphore>,
    writer: JoinHandle<()>,
    ending: Option<DrainReason>,
    /// This client's person can be shown a page.
    has_display: bool,
    /// Under way for a person: logout, login and the like.
    person_calls: usize,
    tasks: Vec<JoinHandle<()>>,
}

impl Actor for Peer {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { stream, role, shared, activity } = arguments;
        let stream = Arc::new(stream);
        let (outgoing, frames) = mpsc::channel(MAX_UNREAD);
        let writer = tokio::spawn(write(SharedStream(stream.clone()), frames, me.clone()));
        let tasks = vec![
            tokio::spawn(read(SharedStream(stream), me.clone())),
            tokio::spawn(watch_ending(shared.clone(), me.clone())),
            tokio::spawn(watch_events(shared.clone(), me)),
        ];
        let id = (role == Role::Shim).then(|| shared.roster.enter());
        let policy = Arc::new(Policy::settle(&shared.config, &Wishes::default()));
        let calls = HashMap::new();
        let outgoing = Some(outgoing);
        Ok(State {
            shared,
            activity,
            policy,
            id,
            name: String::new(),
            calls,
            outgoing,
            room: Arc::new(Semaphore::new(MAX_UNREAD_BYTES)),
            writer,
            ending: None,
            has_display: false,
            person_calls: 0,
            tasks,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Said(said) => {
                state.activity.heard();
                state.said(&me, *said).await;
            }
            Msg::Progress(id, progress) => state.progress(&me, id, progress),
            Msg::Finished(id, outcome) => state.finished(&me, id, outcome),
            Msg::Answer(answer) => state.person_call_is_over(&me, &answer),
            Msg::Tell(message) => state.send(&me, &message),
            Msg::Ending(reason) => state.ending(&me, reason),
            Msg::Closed => me.stop(None),
        }
        state.activity.set_under_way(state.calls.len() + state.person_calls);
        Ok(())
    }

    async fn post_stop(
        &self,
        me: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.give_up_calls(&me);
        for _ in 0..state.person_calls {
            state.shared.roster.call_ends();
        }
        // What was said is still written, unless its reader has gone or stalls.
        state.outgoing = None;
        if tokio::time::timeout(LAST_WORDS, &mut state.writer).await.is_err() {
            state.writer.abort();
        }
        for task in &state.tasks {
            task.abort();
        }
        if let Some(id) = state.id {
            state.shared.roster.leave(id);
        }
        Ok(())
    }
}

impl State {
    async fn said(&mut self, me: &ActorRef<Msg>, said: ToDaemon) {
        match said {
            ToDaemon::Wishes(wishes) => self.wishes(&wishes).await,
            ToDaemon::Introduce(client) => {
                let name: String =
                    ibd_cpapi::failure::clean(&client.name).chars().take(64).collect();
                self.name.clone_from(&name);
                self.change(|status| status.name = name);
            }
            ToDaemon::ListTools(id) => {
                self.send(me, &ToClient::Tools(id, tools::list(&self.policy)))
            }
            ToDaemon::Call(call) => self.call(me, call),
            ToDaemon::Cancel(id) => self.cancel(id),
            ToDaemon::Status(id) => {
                let status = Box::new(self.shared.status());
                self.send(me, &ToClient::Status(id, status));
            }
            ToDaemon::Logout(id) => {
                let session = self.shared.desks.session.clone();
                self.person_call(
                    me,
                    async move { ToClient::LoggedOut(id, session.logout().await) },
                );
            }
            ToDaemon::Login(id, request) => {
                let person_call = person::login(self.person_calls(me, id), request);
                self.person_call(me, person_call);
            }
            ToDaemon::CancelLogin(id) => {
                let person_call = person::cancel_login(self.person_calls(me, id));
                self.person_call(me, person_call);
            }
            ToDaemon::Resume(id) => {
                let person_call = person::resume(self.person_calls(me, id));
                self.person_call(me, person_call);
            }
            ToDaemon::Gateway(id, verb) => {
                let person_call = person::gateway(self.person_calls(me, id), verb);
                self.person_call(me, person_call);
            }
            ToDaemon::Secrets(id, verb) => {
                let person_call = person::secrets(self.person_calls(me, id), verb);
                self.person_call(me, person_call);
            }
            ToDaemon::Answer(answer) => self.answer(answer).await,
            ToDaemon::Orders(id, verb) => {
                let person_call = person::orders(self.person_calls(me, id), verb);
                self.person_call(me, person_call);
            }
            ToDaemon::Flex(id, verb) => {
                let person_call = person::flex(self.person_calls(me, id), verb);
                self.person_call(me, person_call);
            }
            ToDaemon::PageOpened(is_open) => self.shared.desks.session.page_opened(is_open),
            ToDaemon::Config(id) => {
                self.send(me, &ToClient::Config(id, self.shared.config.report()))
            }
            ToDaemon::Drain(_, reason) => self.shared.end(reason),
        }
    }

    async fn wishes(&mut self, wishes: &Wishes) {
        if let Some(choice) = GatewayChoice::wished(wishes) {
            // Taken only if neither configuration nor an earlier client has chosen. Waited for, so
            // that this client's first call finds the gateway it asked for.
            self.shared.desks.gateway.choose(self.shared.config.pinned(choice)).await;
        }
        self.has_display = wishes.has_display;
        let session = &self.shared.desks.session;
        match self.id {
            Some(_) => session.wishes(wishes),
            None => session.wishes_of_person(wishes),
        }
        self.shared.desks.flex.wishes(wishes);
        let policy = Policy::settle(&self.shared.config, wishes);
        for setting in &policy.unheard {
            tracing::warn!(
                client = self.name,
                setting,
                "a client's value would loosen this: it is not applied"
            );
        }
        self.change(|status| status.read_only = policy.read_only);
        self.policy = Arc::new(policy);
    }

    /// The call that follows finds what came of the answer, so the answer is passed on first.
    async fn answer(&self, answer: Answer) {
        let desks = &self.shared.desks;
        if orders::is_approval(&answer.token) {
            let yes = answer.value.is_some_and(|value| value.expose() == orders::APPROVE);
            desks.orders.dialog(&answer.token, yes).await;
        } else {
            desks.session.answer(Some(answer.token), answer.value).await;
        }
    }

    fn call(&mut self, me: &ActorRef<Msg>, call: Call) {
        if self.ending.is_some() {
            // Its shim asks the next daemon.
            return;
        }
        if self.calls.len() >= MAX_CALLS || self.calls.contains_key(&call.id) {
            return self.send(me, &ToClient::Done(call.id, Outcome::Refusal(too_many().to_json())));
        }
        self.change(|status| status.calls += 1);
        self.shared.roster.call_begins();
        let id = call.id;
        let task = tokio::spawn(run(self.ctx(me, &call), call, me.clone()));
        self.calls.insert(id, task);
    }

    fn ctx(&self, me: &ActorRef<Msg>, call: &Call) -> Ctx {
        let (to, id) = (me.clone(), call.id);
        let patience = Duration::from_millis(call.deadline_ms).min(LONGEST_CALL);
        Ctx {
            desks: self.shared.desks.clone(),
            policy: self.policy.clone(),
            deadline: Instant::now() + patience,
            progress: Arc::new(move |progress| {
                let _ = to.cast(Msg::Progress(id, progress));
            }),
            page: self.page(me),
            door: self.shared.door.clone(),
            who: Who {
                // Zero is the daemon itself.
                connection: self.id.map_or(0, |id| id + 1),
                client: self.name.clone(),
                key: call.key.clone(),
                resumes: call.resumes.clone(),
            },
        }
    }

    /// How to show a page to this client's person, if it has one.
    fn page(&self, me: &ActorRef<Msg>) -> Option<OpenPage> {
        let me = me.clone();
        self.has_display.then(|| {
            OpenPage(Arc::new(move |url| {
                let _ = me.cast(Msg::Tell(Box::new(ToClient::OpenPage(url))));
            }))
        })
    }

    /// What a call of this client's person needs.
    fn person_calls(&self, me: &ActorRef<Msg>, id: RequestId) -> PersonCall {
        let to = me.clone();
        PersonCall {
            id,
            shared: self.shared.clone(),
            page: self.page(me),
            progress: Arc::new(move |message| {
                let progress = Progress { done: 0, total: None, message };
                let _ = to.cast(Msg::Tell(Box::new(ToClient::Progress(id, progress))));
            }),
        }
    }

    fn cancel(&mut self, id: RequestId) {
        if let Some(call) = self.calls.remove(&id) {
            call.abort();
            self.shared.roster.call_ends();
        }
    }

    fn progress(&self, me: &ActorRef<Msg>, id: RequestId, progress: Progress) {
        if self.calls.contains_key(&id) {
            self.send(me, &ToClient::Progress(id, progress));
        }
    }

    fn finished(&mut self, me: &ActorRef<Msg>, id: RequestId, outcome: Outcome) {
        if self.calls.remove(&id).is_some() {
            self.send(me, &ToClient::Done(id, outcome));
            self.shared.roster.call_ends();
        }
    }

    /// When a person said stop, what is not answered by now is answered with that; otherwise its shim
    /// asks the next daemon.
    fn give_up_calls(&mut self, me: &ActorRef<Msg>) {
        let calls: Vec<_> = self.calls.drain().collect();
        for (id, call) in calls {
            call.abort();
            if self.ending == Some(DrainReason::Stop) {
                self.send(me, &ToClient::Done(id, Outcome::Refusal(stopped().to_json())));
            }
            self.shared.roster.call_ends();
        }
    }

    /// Begins what a person asked for; the daemon does not end before it is over.
    fn person_call(
        &mut self,
        me: &ActorRef<Msg>,
        person_call: impl Future<Output = ToClient> + Send + 'static,
    ) {
        self.person_calls += 1;
        self.shared.roster.call_begins();
        let me = me.clone();
        self.tasks.push(tokio::spawn(async move {
            let answer = person_call.await;
            let _ = me.cast(Msg::Answer(Box::new(answer)));
        }));
    }

    fn person_call_is_over(&mut self, me: &ActorRef<Msg>, answer: &ToClient) {
        self.send(me, answer);
        self.person_calls = self.person_calls.saturating_sub(1);
        self.shared.roster.call_ends();
    }

    fn ending(&mut self, me: &ActorRef<Msg>, reason: DrainReason) {
        self.ending = Some(reason);
        self.send(me, &ToClient::Draining(reason));
    }

    fn change(&self, change: impl FnOnce(&mut ibd_protocol::ClientStatus)) {
        if let Some(id) = self.id {
            self.shared.roster.change(id, change);
        }
    }

    /// Whether there was room for it.
    fn queue(&self, frame: Vec<u8>) -> bool {
        let Some(outgoing) = &self.outgoing else { return false };
        let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(bytes);
        room.is_ok_and(|room| outgoing.try_send((frame, room)).is_ok())
    }

    fn send(&self, me: &ActorRef<Msg>, message: &ToClient) {
        let frame = wire::frame(message, MAX_TO_CLIENT).or_else(|error| {
            tracing::error!(%error, "an answer could not be written");
            match message {
                ToClient::Done(id, _) => {
                    let refusal = Outcome::Refusal(too_large().to_json());
                    wire::frame(&ToClient::Done(*id, refusal), MAX_TO_CLIENT)
                }
                _ => Err(error),
            }
        });
        let is_sent = frame.is_ok_and(|frame| self.queue(frame));
        if !is_sent {
            tracing::warn!("a client does not read what it asked for; its connection is dropped");
            me.stop(None);
        }
    }
}

async fn run(ctx: Ctx, call: Call, me: ActorRef<Msg>) {
    let started = Instant::now();
    let name = call.tool.clone();
    let outcome =
        AssertUnwindSafe(tools::call(ctx, &call.tool, call.arguments)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| Outcome::Refusal(panicked().to_json()));
    let ended = match &outcome {
        Outcome::Result(_) => "result",
        Outcome::Refusal(_) => "refusal",
        Outcome::UnknownTool => "unknown tool",
        Outcome::NeedsInput(_) => "needs input",
    };
    tracing::info!(
        tool = name,
        ended,
        millis = started.elapsed().as_millis(),
        key = call.key,
        "call"
    );
    let _ = me.cast(Msg::Finished(call.id, outcome));
}

async fn read(stream: SharedStream, me: ActorRef<Msg>) {
    let mut frames = FrameReader::new(stream, MAX_TO_DAEMON);
    loop {
        match frames.next::<ToDaemon>().await {
            Ok(said) => {
                if me.cast(Msg::Said(Box::new(said))).is_err() {
                    return;
                }
            }
            Err(wire::WireError::Closed) => break,
            Err(error) => {
                tracing::info!(%error, "a connection ended");
                break;
            }
        }
    }
    let _ = me.cast(Msg::Closed);
}

async fn write(mut stream: SharedStream, mut frames: mpsc::Receiver<Waiting>, me: ActorRef<Msg>) {
    while let Some((frame, _room)) = frames.recv().await {
        if let Err(error) = wire::write_frame(&mut stream, &frame).await {
            tracing::info!(%error, "a connection ended");
            break;
        }
    }
    let _ = me.cast(Msg::Closed);
}

async fn watch_ending(shared: Shared, me: ActorRef<Msg>) {
    let mut ending = shared.ending.subscribe();
    if let Ok(reason) = ending.wait_for(Option::is_some).await
        && let Some(reason) = *reason
    {
        let _ = me.cast(Msg::Ending(reason));
    }
}

async fn watch_events(shared: Shared, me: ActorRef<Msg>) {
    use tokio::sync::broadcast::error::RecvError;
    let mut events = shared.desks.board.events();
    loop {
        match events.recv().await {
            Ok(event) => {
                if me.cast(Msg::Tell(Box::new(ToClient::Event(event)))).is_err() {
                    return;
                }
            }
            // What was missed is on the board.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn stopped() -> Refusal {
    Refusal::new(
        ErrorCode::DaemonUnavailable,
        "The daemon was stopped before this was answered.",
        "If it was an order, a change or a cancellation, whether it was sent is not known here: do not repeat \
         it; get_live_orders shows it once the daemon runs again. Ask the user before calling again: a call \
         starts the daemon.",
    )
}

fn too_many() -> Refusal {
    Refusal::new(
        ErrorCode::TooBusy,
        format!("{MAX_CALLS} calls of this client are under way."),
        "Wait for some of them to be answered.",
    )
}

fn too_large() -> Refusal {
    Refusal::new(
        ErrorCode::TooLarge,
        "The answer is too large to be sent.",
        "Ask for less, with a limit or a filter.",
    )
}

fn panicked() -> Refusal {
    Refusal::new(
        ErrorCode::Internal,
        "The daemon has a defect in this tool; nothing else is affected.",
        "Try another way; the user can find it in `ibctl logs`.",
    )
}
