//! The stream: owns the one websocket of a session, and says on it what its subscribers want.
//!
//! It only brings news sooner than asking would; nothing may be concluded from its silence. When it breaks within a
//! session, that is a gap for every subscriber, who then asks; that a session began or ended the board says.

mod handle;
mod wanted;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::snapshot::Row;
use ibd_cpapi::stream::{Stream as Socket, Topic, Update};
use ibd_cpapi::{Failure, faults};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::board::Board;
use crate::session::{Lease, SessionHandle};
use handle::{Ear, lock};
pub use handle::{Heard, StreamHandle, Subscription};
use wanted::{Placed, Say};

/// What opening the socket may take.
const OPEN: Duration = Duration::from_secs(20);
/// First pause before it is opened again; doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// What the actor is told. A socket whose number is no longer the current one does not count.
#[derive(Debug)]
pub enum Msg {
    /// A session began or ended.
    Session(Option<Lease>),
    /// Somebody wants something else than before.
    Wanted,
    /// This has ended in silence.
    Again(Topic),
    /// The socket is to be opened, or opened again.
    Open(u64),
    /// It is open.
    Opened(u64),
    /// It told something: what came together, in its order.
    Told(u64, Vec<Update>),
    /// It is gone.
    Broke(u64, Failure),
    /// A subscription is to be renewed.
    Renew,
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it sees which session there is.
    pub board: Board,
    /// Who is told that a session may be gone.
    pub session: SessionHandle,
    /// Who wants what.
    pub handle: StreamHandle,
}

/// The actor.
#[derive(Debug)]
pub struct Stream;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    session: SessionHandle,
    handle: StreamHandle,
    lease: Option<Lease>,
    link: Option<Link>,
    /// The number of the socket that counts.
    number: u64,
    placed: Placed,
    /// How long it rests after the next break.
    pause: Duration,
    /// It broke, and its pause is not over.
    is_resting: bool,
    /// When the next renewal was called for.
    renews_at: Option<Instant>,
    leases: JoinHandle<()>,
}

/// A socket, from the attempt to open it to its end.
#[derive(Debug)]
struct Link {
    task: JoinHandle<()>,
    say: mpsc::UnboundedSender<Say>,
    begun: Instant,
    is_open: bool,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Actor for Stream {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let leases = tokio::spawn(crate::session::each_lease(arguments.board, move |lease| {
            me.cast(Msg::Session(lease)).is_ok()
        }));
        Ok(State {
            session: arguments.session,
            handle: arguments.handle,
            lease: None,
            link: None,
            number: 0,
            placed: Placed::default(),
            pause: FIRST,
            is_resting: false,
            renews_at: None,
            leases,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            // Subscriptions end with the brokerage session.
            Msg::Session(lease) => {
                state.close();
                state.lease = lease;
                (state.pause, state.is_resting) = (FIRST, false);
                state.settle(&me);
            }
            Msg::Wanted => state.settle(&me),
            Msg::Again(topic) => {
                state.placed.forget(topic);
                state.settle(&me);
            }
            Msg::Renew => {
                state.renews_at = None;
                state.settle(&me);
            }
            Msg::Open(number) if number == state.number => {
                state.is_resting = false;
                state.settle(&me);
            }
            Msg::Opened(number) if number == state.number => {
                if let Some(link) = &mut state.link {
                    link.is_open = true;
                }
                state.settle(&me);
            }
            Msg::Told(number, updates) if number == state.number => state.told(updates),
            Msg::Broke(number, failure) if number == state.number => state.broke(&me, &failure),
            Msg::Open(_) | Msg::Opened(_) | Msg::Told(..) | Msg::Broke(..) => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.leases.abort();
        state.close();
        Ok(())
    }
}

impl State {
    /// Says on the socket what is wanted now; opens one if there is none, and closes one that nobody wants.
    fn settle(&mut self, me: &ActorRef<Msg>) {
        let wanted = self.wanted();
        let link = match &self.link {
            Some(_) if wanted.is_empty() => return self.close(),
            Some(link) if link.is_open => link,
            None if !wanted.is_empty() && !self.is_resting => return self.open(me),
            _ => return,
        };
        for say in self.placed.toward(&wanted, Instant::now().into_std()) {
            let _ = link.say.send(say);
        }
        let due = self.placed.next_due().map(Instant::from_std);
        if let Some(due) = due.filter(|due| self.renews_at.is_none_or(|at| *due < at)) {
            self.renews_at = Some(due);
            me.send_after(due.saturating_duration_since(Instant::now()), || Msg::Renew);
        }
    }

    /// What anybody wants.
    fn wanted(&self) -> BTreeSet<Topic> {
        let subscribers = lock(&self.handle.subscribers);
        subscribers.values().flat_map(|subscriber| subscriber.topics.iter().copied()).collect()
    }

    fn open(&mut self, me: &ActorRef<Msg>) {
        let Some(lease) = self.lease.clone() else { return };
        self.number += 1;
        let (say, said) = mpsc::unbounded_channel();
        let task = tokio::spawn(run(lease, self.number, said, me.clone()));
        self.link = Some(Link { task, say, begun: Instant::now(), is_open: false });
    }

    /// What a socket that is closed had yet to tell does not count.
    fn close(&mut self) {
        self.link = None;
        self.number += 1;
        self.placed.clear();
    }

    /// Quotes come by the thousand, and are handed on together; everything else one by one, in its order.
    fn told(&mut self, updates: Vec<Update>) {
        let mut quotes = Vec::new();
        for update in updates {
            match update {
                Update::Quotes(row) => quotes.push(row),
                other => self.told_one(&other),
            }
        }
        if !quotes.is_empty() {
            let quotes: Arc<[Row]> = quotes.into();
            let wants = |topics: &BTreeSet<Topic>| {
                topics.iter().any(|topic| matches!(topic, Topic::Quotes { .. }))
            };
            self.tell(wants, || Heard::Quotes(quotes.clone()));
        }
    }

    fn told_one(&mut self, update: &Update) {
        if let (Update::Status { authenticated: Some(false), .. }, Some(lease)) =
            (update, &self.lease)
        {
            self.session.suspect(lease);
        }
        self.tell(
            |topics| topics.iter().any(|topic| topic.tells(update)),
            || Heard::Update(update.clone()),
        );
    }

    fn broke(&mut self, me: &ActorRef<Msg>, failure: &Failure) {
        tracing::info!(%failure, "the stream broke");
        let begun = self.link.as_ref().map(|link| link.begun);
        self.close();
        self.tell(|_| true, || Heard::Gap);
        if begun.is_some_and(|begun| begun.elapsed() > faults::scaled(LONGEST)) {
            self.pause = FIRST;
        }
        self.is_resting = true;
        let number = self.number;
        me.send_after(faults::scaled(self.pause), move || Msg::Open(number));
        self.pause = (self.pause * 2).min(LONGEST);
    }

    fn tell(&self, concerns: impl Fn(&BTreeSet<Topic>) -> bool, heard: impl Fn() -> Heard) {
        // Who hears may subscribe or unsubscribe, so nothing is locked meanwhile.
        let ears: Vec<Ear> = lock(&self.handle.subscribers)
            .values()
            .filter(|one| concerns(&one.topics))
            .map(|one| one.ear.clone())
            .collect();
        ears.iter().for_each(|ear| ear(heard()));
    }
}

/// One socket, until it breaks.
async fn run(lease: Lease, number: u64, said: mpsc::UnboundedReceiver<Say>, me: ActorRef<Msg>) {
    if let Err(failure) = follow(&lease, number, said, &me).await {
        let _ = me.cast(Msg::Broke(number, failure));
    }
}

/// `Ok`: nobody listens any more.
async fn follow(
    lease: &Lease,
    number: u64,
    mut said: mpsc::UnboundedReceiver<Say>,
    me: &ActorRef<Msg>,
) -> Result<(), Failure> {
    let mut socket = Socket::open(lease.client(), Instant::now() + faults::patience(OPEN)).await?;
    if me.cast(Msg::Opened(number)).is_err() {
        return Ok(());
    }
    loop {
        tokio::select! {
            updates = socket.all() => {
                if me.cast(Msg::Told(number, updates?)).is_err() {
                    return Ok(());
                }
            }
            say = said.recv() => match say {
                Some(Say::Subscribe(topic)) => socket.subscribe(topic).await?,
                Some(Say::Unsubscribe(topic)) => socket.unsubscribe(topic).await?,
                None => return Ok(()),
            },
        }
    }
}
