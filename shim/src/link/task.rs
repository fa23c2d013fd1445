//! The task that owns the connection: it connects, says what is asked and wanted, and passes on what it hears.

use std::collections::HashMap;
use std::time::Duration;

use ibd_protocol::client::{Incoming, Outgoing};
use ibd_protocol::start::{StartError, connect_if_there, connect_or_start};
use ibd_protocol::version::Role;
use ibd_protocol::wire::WireError;
use ibd_protocol::{
    ClientName, Completed, Completing, Connection, ErrorCode, Event, Outcome, Places, RequestId,
    ResourceSpec, ToClient, ToDaemon, ToolSpec, Wishes,
};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;

use super::ToLink;
use super::asked::Pending;
use super::comeback::{Comeback, Reach};
use super::refusals::{ends_the_daemon, refusal_of};
use super::wants::{Settled, Wants};
use crate::page;
use crate::translate::own_refusal;

/// A call that has met so many ends of a daemon may be what ends it. A send into a connection that is
/// dead and not yet known to be counts too, so it is not just two or three.
const SENDS: u32 = 5;
/// What the daemon could not follow for want of room is asked for again so much later.
const RETRY: Duration = Duration::from_secs(30);

/// Owns the connection.
pub(super) struct Task {
    places: Places,
    wishes: Wishes,
    client: Option<ClientName>,
    from_handles: mpsc::UnboundedReceiver<ToLink>,
    pending: HashMap<RequestId, Pending>,
    lists: HashMap<RequestId, oneshot::Sender<Vec<ToolSpec>>>,
    resources: HashMap<RequestId, oneshot::Sender<Vec<ResourceSpec>>>,
    completions: HashMap<RequestId, (Completing, oneshot::Sender<Completed>)>,
    wants: Wants<oneshot::Sender<Outcome>>,
    /// When what was not taken is said again.
    retry_at: Option<Instant>,
    comeback: Comeback,
    events: broadcast::Sender<Event>,
    changes: broadcast::Sender<String>,
    next: RequestId,
}

/// Why a connection is no longer used.
enum Lost {
    /// Every handle is gone.
    Unwanted,
    /// The daemon is gone.
    Closed,
}

/// What a daemon that is there is told of what was taken down.
enum Say {
    /// Whether it is going away or not.
    Word(Box<ToDaemon>),
    /// A question for its tools.
    Tools(RequestId),
    /// A question for its resources.
    Resources(RequestId),
    /// What a value may be.
    Complete(RequestId),
    /// What was asked under this number.
    Asked(RequestId),
    /// What is wanted and was not said yet.
    Wants,
}

impl Task {
    /// `tellers`: where it says what happens, and which resources change.
    pub(super) fn new(
        places: Places,
        wishes: Wishes,
        from_handles: mpsc::UnboundedReceiver<ToLink>,
        tellers: (broadcast::Sender<Event>, broadcast::Sender<String>),
    ) -> Self {
        let (events, changes) = tellers;
        Self {
            places,
            wishes,
            client: None,
            from_handles,
            pending: HashMap::new(),
            lists: HashMap::new(),
            resources: HashMap::new(),
            completions: HashMap::new(),
            wants: Wants::default(),
            retry_at: None,
            comeback: Comeback::default(),
            events,
            changes,
            next: 0,
        }
    }

    pub(super) async fn run(mut self) {
        let mut reach = Reach::Start;
        loop {
            match self.connect(reach).await {
                Some(Ok(connection)) => {
                    let began = Instant::now();
                    if let Lost::Unwanted = self.serve(connection).await {
                        return;
                    }
                    tracing::info!("the daemon is gone");
                    self.comeback.lost(began.elapsed());
                }
                Some(Err(error)) => {
                    self.comeback.failed();
                    // Whoever has asked since has one started.
                    if reach == Reach::Start {
                        self.refuse_all(&error);
                    }
                }
                None => return,
            }
            self.pending.retain(|_, pending| !pending.reply.is_closed());
            self.lists.retain(|_, reply| !reply.is_closed());
            self.resources.retain(|_, reply| !reply.is_closed());
            // Without a daemon there is nothing to complete, and none is started for that.
            self.completions.clear();
            self.wants.disconnected();
            match self.rest().await {
                Some(next) => reach = next,
                None => return,
            }
        }
    }

    /// Until there is a reason to connect, and how far it goes. Only what somebody asks for brings every daemon back:
    /// `ibctl stop` means stop. `None`: every handle is gone.
    async fn rest(&mut self) -> Option<Reach> {
        let due = Instant::now() + self.comeback.pause();
        loop {
            if self.is_asked() {
                return Some(Reach::Start);
            }
            let due = (!self.wants.is_empty()).then_some(due);
            tokio::select! {
                message = self.from_handles.recv() => match message? {
                    ToLink::Complete(_, reply) => drop(reply),
                    message => _ = self.note(message),
                },
                () = at(due) => return Some(self.comeback.reach()),
            }
        }
    }

    /// Whether somebody waits for an answer.
    fn is_asked(&self) -> bool {
        let has_question =
            !self.pending.is_empty() || !self.lists.is_empty() || !self.resources.is_empty();
        has_question || self.wants.is_awaited()
    }

    /// Finds or starts a daemon, taking what is asked for meanwhile. `None`: every handle is gone.
    async fn connect(&mut self, reach: Reach) -> Option<Result<Connection, StartError>> {
        let places = self.places.clone();
        let connecting = async {
            match reach {
                Reach::Start => connect_or_start(&places, Role::Shim).await,
                Reach::Look => connect_if_there(&places, Role::Shim).await,
            }
        };
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
    fn note(&mut self, message: ToLink) -> Option<Say> {
        let id = self.next;
        let say = match message {
            ToLink::Introduce(client) => {
                self.client = Some(client.clone());
                return Some(Say::Word(Box::new(ToDaemon::Introduce(client))));
            }
            ToLink::Answer(answer) => return Some(Say::Word(Box::new(ToDaemon::Answer(answer)))),
            ToLink::Want(uri, holder, reply) => {
                let is_followed = self.wants.join(uri, holder, reply);
                if let Some(reply) = is_followed {
                    let _ = reply.send(followed());
                }
                return Some(Say::Wants);
            }
            ToLink::Leave(uri, holder) => {
                let is_over = self.wants.leave(&uri, holder);
                return is_over.then(|| Say::Word(Box::new(ToDaemon::Unsubscribe(uri))));
            }
            ToLink::Tools(reply) => {
                self.lists.insert(id, reply);
                Say::Tools(id)
            }
            ToLink::Resources(reply) => {
                self.resources.insert(id, reply);
                Say::Resources(id)
            }
            ToLink::Complete(completing, reply) => {
                self.completions.retain(|_, (_, reply)| !reply.is_closed());
                self.completions.insert(id, (completing, reply));
                Say::Complete(id)
            }
            ToLink::Call(request, reply) => {
                self.pending.insert(id, Pending::of_call(id, request, reply));
                Say::Asked(id)
            }
            ToLink::Read(uri, reply) => {
                self.pending.insert(id, Pending::of_read(id, uri, reply));
                Say::Asked(id)
            }
        };
        self.next += 1;
        Some(say)
    }

    async fn serve(&mut self, connection: Connection) -> Lost {
        let Connection { mut incoming, outgoing, build, .. } = connection;
        tracing::info!(build, "connected");
        self.comeback.connected();
        if self.greet(&outgoing).await.is_err() {
            return Lost::Closed;
        }
        let mut is_draining = false;
        loop {
            let retry_at = self.retry_at.filter(|_| !is_draining);
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
                () = at(retry_at) => {
                    if self.say_wants(&outgoing).await.is_err() {
                        return Lost::Closed;
                    }
                }
            }
        }
    }

    /// What every connection begins with: who we are, what is still unanswered, and what is followed.
    async fn greet(&mut self, outgoing: &Outgoing) -> Result<(), WireError> {
        outgoing.send(&ToDaemon::Wishes(self.wishes.clone())).await?;
        if let Some(client) = &self.client {
            outgoing.send(&ToDaemon::Introduce(client.clone())).await?;
        }
        for id in self.lists.keys() {
            outgoing.send(&ToDaemon::ListTools(*id)).await?;
        }
        for id in self.resources.keys() {
            outgoing.send(&ToDaemon::ListResources(*id)).await?;
        }
        for (id, (completing, _)) in &self.completions {
            outgoing.send(&ToDaemon::Complete(*id, completing.clone())).await?;
        }
        let ids: Vec<RequestId> = self.pending.keys().copied().collect();
        for id in ids {
            self.send_asked(id, outgoing).await?;
        }
        self.say_wants(outgoing).await
    }

    async fn take(
        &mut self,
        message: ToLink,
        outgoing: &Outgoing,
        is_draining: bool,
    ) -> Result<(), WireError> {
        match self.note(message) {
            None => Ok(()),
            Some(Say::Word(word)) => outgoing.send(&word).await,
            // It will be said to the next daemon.
            Some(_) if is_draining => Ok(()),
            Some(Say::Tools(id)) => outgoing.send(&ToDaemon::ListTools(id)).await,
            Some(Say::Resources(id)) => outgoing.send(&ToDaemon::ListResources(id)).await,
            Some(Say::Complete(id)) => match self.completions.get(&id) {
                Some((completing, _)) => {
                    outgoing.send(&ToDaemon::Complete(id, completing.clone())).await
                }
                None => Ok(()),
            },
            Some(Say::Asked(id)) => self.send_asked(id, outgoing).await,
            Some(Say::Wants) => self.say_wants(outgoing).await,
        }
    }

    async fn send_asked(&mut self, id: RequestId, outgoing: &Outgoing) -> Result<(), WireError> {
        let Some(pending) = self.pending.get_mut(&id) else { return Ok(()) };
        pending.sends += 1;
        if pending.sends > SENDS {
            self.answer(id, Outcome::Refusal(ends_the_daemon()));
            return Ok(());
        }
        match outgoing.send(&pending.message(Instant::now())).await {
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

    /// Subscribes to what is wanted and was not said over this connection.
    async fn say_wants(&mut self, outgoing: &Outgoing) -> Result<(), WireError> {
        self.retry_at = None;
        for uri in self.wants.unsaid() {
            let id = self.next;
            self.next += 1;
            outgoing.send(&ToDaemon::Subscribe(id, uri.clone())).await?;
            self.wants.said(id, uri);
        }
        Ok(())
    }

    /// Handles what the daemon says; whether it is going away.
    fn heard(&mut self, message: ToClient) -> bool {
        match message {
            ToClient::Tools(id, tools) => {
                if let Some(reply) = self.lists.remove(&id) {
                    let _ = reply.send(tools);
                }
            }
            ToClient::Resources(id, resources) => {
                if let Some(reply) = self.resources.remove(&id) {
                    let _ = reply.send(resources);
                }
            }
            ToClient::Completed(id, completed) => {
                if let Some((_, reply)) = self.completions.remove(&id) {
                    let _ = reply.send(completed);
                }
            }
            ToClient::Progress(id, progress) => {
                let to = self.pending.get(&id).and_then(|pending| pending.progress.as_ref());
                if let Some(to) = to {
                    let _ = to.send(progress);
                }
            }
            ToClient::Done(id, outcome) => {
                let is_taken = matches!(outcome, Outcome::Result(_));
                match self.wants.answered(id, is_taken) {
                    Some(settled) => self.settle(settled, &outcome),
                    None => self.answer(id, outcome),
                }
            }
            ToClient::Draining(reason) => {
                tracing::info!(?reason, "the daemon is going away");
                self.comeback.leaves(reason);
                return true;
            }
            ToClient::Event(event) => {
                // Nobody may be listening.
                let _ = self.events.send(event);
            }
            ToClient::Changed(uri) => self.changed(uri),
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

    /// What a subscription came to.
    fn settle(&mut self, settled: Settled<oneshot::Sender<Outcome>>, outcome: &Outcome) {
        let waiting = match settled {
            Settled::Taken(_, waiting) | Settled::Refused(waiting) => waiting,
            Settled::Back(uri, waiting) => {
                self.changed(uri);
                waiting
            }
            Settled::NotNow(uri) => {
                tracing::warn!(uri, "what was followed before is not followed now");
                self.retry_at.get_or_insert(Instant::now() + RETRY);
                return;
            }
        };
        for reply in waiting {
            let _ = reply.send(outcome.clone());
        }
    }

    /// A resource may say something else than before. Nobody may be listening.
    fn changed(&self, uri: String) {
        let _ = self.changes.send(uri);
    }

    /// No daemon can be had: everybody who waits is told why.
    fn refuse_all(&mut self, error: &StartError) {
        tracing::warn!(%error, "no daemon");
        let refusal = Outcome::Refusal(refusal_of(error));
        for (_, pending) in self.pending.drain() {
            let _ = pending.reply.send(refusal.clone());
        }
        for reply in self.wants.give_up() {
            let _ = reply.send(refusal.clone());
        }
        // Dropped replies make the callers take this build's own lists.
        self.lists.clear();
        self.resources.clear();
    }
}

/// A resource that is followed already.
fn followed() -> Outcome {
    Outcome::Result("{}".to_owned())
}

/// Until then; for ever if there is no such time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
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
