//! Peer: owns one connection: its policy, its calls under way, its way back.

mod calls;
mod frames;
mod persons;
mod subscriptions;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ibd_protocol::client::SharedStream;
use ibd_protocol::socket::Stream;
use ibd_protocol::version::Role;
use ibd_protocol::{Answer, DrainReason, Outcome, Progress, RequestId, ToClient, ToDaemon, Wishes};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Shared;
use super::person;
use super::room::Activity;
use crate::config::GatewayChoice;
use crate::orders;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::{resources, tools};
use frames::{MAX_UNREAD, MAX_UNREAD_BYTES, Waiting};
use subscriptions::Subscriptions;

/// What was said is still written for so long when the connection ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

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
    /// A resource may say something else than before. What comes with it is dropped once the client was told.
    Changed(String, oneshot::Sender<()>),
    /// Whether there is a resource that the client wants to follow is known; why not, if there is not.
    Looked(String, Option<Box<Refusal>>),
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
    subscriptions: Subscriptions,
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
        let writer = tokio::spawn(frames::write(SharedStream(stream.clone()), frames, me.clone()));
        let tasks = vec![
            tokio::spawn(frames::read(SharedStream(stream), me.clone())),
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
            subscriptions: Subscriptions::default(),
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
            Msg::Changed(uri, told) => state.changed(&me, uri, told),
            Msg::Looked(uri, refusal) => state.looked(&me, uri, refusal),
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
        // A stop comes before what waits to be handled: without this word a client would take it for a crash.
        let reason = *state.shared.ending.borrow();
        if let Some(reason) = reason.filter(|_| state.ending.is_none()) {
            state.ending(&me, reason);
        }
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
            ToDaemon::ListResources(id) => {
                let resources = resources::list(&self.policy, &self.shared.desks);
                self.send(me, &ToClient::Resources(id, resources));
            }
            ToDaemon::Read(read) => self.read(me, &read),
            ToDaemon::Subscribe(id, uri) => self.subscribe(me, id, uri),
            ToDaemon::Unsubscribe(uri) => self.unsubscribe(me, &uri),
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
            ToDaemon::Oauth(id, verb) => {
                let person_call = person::oauth(self.person_calls(me, id), verb);
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
            ToDaemon::Complete(id, typed) => self.complete(me, id, typed),
            ToDaemon::Alerts(id) => {
                let person_call = person::alerts(self.person_calls(me, id));
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
        self.shared.desks.gateway.bring(wishes);
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

    fn ending(&mut self, me: &ActorRef<Msg>, reason: DrainReason) {
        self.ending = Some(reason);
        self.send(me, &ToClient::Draining(reason));
    }

    fn change(&self, change: impl FnOnce(&mut ibd_protocol::ClientStatus)) {
        if let Some(id) = self.id {
            self.shared.roster.change(id, change);
        }
    }
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
